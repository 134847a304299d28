"""Command APDU in its four cases, short and extended (ISO 7816-3 12.1, 7816-4 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

SHORT_DATA = 255
SHORT_LE = 256
EXTENDED_DATA = 0xFFFF
EXTENDED_LE = 0x10000


@dataclass(frozen=True, slots=True)
class Command:
    """One command to a chip.

    Parameters
    ----------
    cla, ins, p1, p2 : int
        Header bytes.
    data : bytes
        Command data, up to 65,535 bytes; more than 255 makes the command extended.
    le : int or None
        Bytes expected: None for none, 256 (or 65,536 extended) for "as many as there are".

    Examples
    --------
    >>> Command(0x00, 0xB2, 0x01, 0x2C, le=18).to_bytes().hex()
    '00b2012c12'
    >>> Command(0x00, 0xA4, 0x04, 0x00, b"abc", le=256).to_bytes().hex()
    '00a404000361626300'
    >>> Command.parse(bytes.fromhex("0084000008")).le
    8
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    def __post_init__(self) -> None:
        if (self.cla | self.ins | self.p1 | self.p2) & ~0xFF:
            raise ValueError("a header field is one byte")
        if len(self.data) > EXTENDED_DATA:
            raise ValueError(f"command data of {len(self.data)} bytes")
        if self.le is not None and not 1 <= self.le <= EXTENDED_LE:
            raise ValueError(f"Le of {self.le}")

    def __repr__(self) -> str:
        # Data can be a PIN, a key or a name: a trace shows it when asked to, a repr never does.
        return f"Command({self.header.hex().upper()}, {len(self.data)} bytes, le={self.le})"

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def extended(self) -> bool:
        """Whether the lengths need the extended form."""
        return len(self.data) > SHORT_DATA or (self.le or 0) > SHORT_LE

    @property
    def case(self) -> int:
        """1 nothing, 2 answer only, 3 data only, 4 data and answer."""
        return 1 + (self.le is not None) + 2 * bool(self.data)

    def to_bytes(self) -> bytes:
        """Encode, short form wherever it suffices."""
        if self.extended:
            return self.header + self._extended_body()
        lc = bytes((len(self.data),)) if self.data else b""
        le = b"" if self.le is None else bytes((self.le & 0xFF,))
        return self.header + lc + self.data + le

    def _extended_body(self) -> bytes:
        lc = len(self.data).to_bytes(2, "big") if self.data else b""
        le = b"" if self.le is None else (self.le & 0xFFFF).to_bytes(2, "big")
        return b"\x00" + lc + self.data + le

    @classmethod
    def parse(cls, apdu: bytes) -> Command:
        """Decode either form.

        Raises
        ------
        ValueError
            The bytes are no command: too short, or lengths that do not agree.
        """
        if len(apdu) < 4:
            raise ValueError("a command has at least four bytes")
        cla, ins, p1, p2 = apdu[:4]
        data, le = _parse_body(apdu[4:])
        return cls(cla, ins, p1, p2, data, le)


def _parse_body(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or SHORT_LE
    if body[0]:
        return _split(body[1:], body[0], 1, SHORT_LE)
    if len(body) == 3:
        return b"", int.from_bytes(body[1:], "big") or EXTENDED_LE
    if len(body) < 3:
        raise ValueError("lengths do not agree with the command")
    return _split(body[3:], int.from_bytes(body[1:3], "big"), 2, EXTENDED_LE)


def _split(rest: bytes, lc: int, le_size: int, le_max: int) -> tuple[bytes, int | None]:
    if lc and len(rest) == lc:
        return rest, None
    if lc and len(rest) == lc + le_size:
        return rest[:lc], int.from_bytes(rest[lc:], "big") or le_max
    raise ValueError("lengths do not agree with the command")
