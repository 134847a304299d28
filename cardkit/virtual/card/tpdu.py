"""Command as a T=0 chip sees it: five header bytes, then data in one direction only.

Data that a command with data gives back wait for GET RESPONSE (ISO 7816-3 10.3, case 4).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cardkit.virtual.card import status
from cardkit.virtual.card.status import require

GET_RESPONSE = 0xC0


class Request(NamedTuple):
    """One command. ``p3`` is Lc with data and Le without; 0 as Le means 256."""

    cla: int
    ins: int
    p1: int
    p2: int
    p3: int
    data: bytes
    well_formed: bool

    def __repr__(self) -> str:
        # The data may be a PIN, a key or a name.
        return f"Request({self.header.hex()}, {len(self.data)} bytes)"

    @property
    def p1p2(self) -> int:
        """Both parameters as one number."""
        return self.p1 << 8 | self.p2

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2 P3."""
        return bytes(self[:5])

    @property
    def expected(self) -> int:
        """Le in bytes."""
        return self.p3 or 256


class Waiting(Protocol):
    """A session that keeps an answer until it is fetched."""

    waiting: bytes


def get_response(request: Request, session: Waiting) -> bytes:
    """``00C0 0000 Le``: 6F00 with nothing waiting, 6Cxx for another Le, data kept until then."""
    require(request.cla == 0x00, status.UNKNOWN_CLA)
    require(request.p1p2 == 0, status.WRONG_P1P2)
    require(request.well_formed and not request.data, status.WRONG_LENGTH)
    data = session.waiting
    require(data, status.NO_DATA)
    require(len(data) == request.expected, status.WRONG_LE | len(data) & 0xFF)
    session.waiting = b""
    return data + status.DONE.to_bytes(2, "big")


def parse(apdu: bytes) -> Request | None:
    """Split a command; None for less than a header.

    Without P3 it is 00, as readers send case 1. Le behind data is dropped, as T=0 cannot carry it
    (ISO 7816-3 12.2.5). Extended lengths and lengths that do not agree are not well formed.

    Examples
    --------
    >>> parse(bytes.fromhex("00A40200 02 EF05 00")).data.hex()
    'ef05'
    >>> parse(bytes.fromhex("00B2012C12")).expected
    18
    """
    size = len(apdu)
    if size < 4:
        return None
    if size == 4:
        return Request(apdu[0], apdu[1], apdu[2], apdu[3], 0, b"", well_formed=True)
    p3 = apdu[4]
    if size == 5:
        return Request(apdu[0], apdu[1], apdu[2], apdu[3], p3, b"", well_formed=True)
    fits = p3 > 0 and size - 5 - p3 in (0, 1)
    return Request(apdu[0], apdu[1], apdu[2], apdu[3], p3, bytes(apdu[5 : 5 + p3]), fits)
