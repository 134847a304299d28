"""What a transaction that writes has read, and may keep until its end.

Nobody else writes meanwhile: the next number of a sequence and the end of the history are what this
transaction made them. The next one, here or in another program, reads them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

_KEY = "cardkit.turn"


@dataclass(slots=True)
class Turn:
    """The notes of one transaction.

    Parameters
    ----------
    numbers : dict
        Next number of each sequence that was looked at.
    last : tuple of (int, bytes, str), optional
        Sequence, digest and instant of the last entry of the history, once it was looked at.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    last: tuple[int, bytes, str] | None = None


@contextmanager
def taken(connection: Connection) -> Iterator[None]:
    """Keep notes while a transaction lasts; however it ends, they end with it."""
    notes = connection.info
    notes[_KEY] = Turn()
    try:
        yield
    finally:
        notes.pop(_KEY, None)


def of(connection: Connection) -> Turn:
    """The notes of the transaction; outside one that writes, some that nobody sees again."""
    found = connection.info.get(_KEY)
    return found if isinstance(found, Turn) else Turn()
