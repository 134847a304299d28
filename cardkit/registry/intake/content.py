"""What a face says."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FaceContent:
    """What a face says; nothing of it is shown by ``repr``.

    Parameters
    ----------
    photo : bytes
        JPEG of the size of the standard.
    """

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    card_number: str = field(repr=False)
    issue_date: dt.date = field(repr=False)
    valid_until: dt.date = field(repr=False)
    photo: bytes = field(repr=False)
    title: str = "社会保障卡"
    issuer: str = ""

    def text(self, name: str) -> str:
        """A field as it is printed.

        Examples
        --------
        >>> day = dt.date(2012, 5, 1)
        >>> FaceContent("A", "x", "y", day, day, b"").text("issue_date")
        '2012年05月01日'
        """
        value = getattr(self, name)
        return f"{value:%Y年%m月%d日}" if isinstance(value, dt.date) else str(value)


def digest_of(name: str, citizen_number: str, card_number: str, photo: bytes) -> str:
    """SHA-256, hex, of what becomes wrong on a face when it changes: person, number and photo."""
    head = "\0".join((name, citizen_number, card_number)).encode() + b"\0"
    return hashlib.sha256(head + hashlib.sha256(photo).digest()).hexdigest()
