"""Answers on record before they are given: reserved in the audit log, counted, settled.

Derivations for one card are counted in the same way, each key with its province and city. The
first answer of a key for an operation writes an entry ``reserve`` of up to `RESERVED` answers,
on the disk before the answer is given. When they are used up, at `flush` and at the end, an entry
``use`` says how many it were, and to which reservation they belong. A program that is killed leaves
its reservations open: the log then says that up to so many answers were given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cardkit.history import Head
from cardkit.keys.audit import RESERVE, USE, Entry, settles

RESERVED = 1000
"""Answers of one entry ``reserve``."""

Write = Callable[[Entry], Head]


@dataclass(slots=True)
class _Reservation:
    number: int  # of its entry
    left: int = RESERVED
    given: int = 0


class Tally:
    """Counts the answers of one store for one actor; threads share it.

    Parameters
    ----------
    write : callable
        Puts an entry on the disk, tells where the log ends.
    actor, purpose : str
        Go into every entry.
    """

    def __init__(self, write: Write, actor: str, purpose: str) -> None:
        self._write = write
        self._actor = actor
        self._purpose = purpose
        self._open: dict[tuple[str, str], _Reservation] = {}
        self._lock = threading.Lock()

    def claim(self, key: str, operation: str) -> None:
        """Count an answer that is about to be given; reserves more where none is left.

        Raises
        ------
        AuditError
            The log cannot be written: no answer may be given.
        """
        place = key, operation
        with self._lock:
            there = self._open.get(place)
            if there is not None and not there.left:
                self._settle(place, there)
                there = None
            if there is None:
                there = _Reservation(self._note(RESERVE, key, RESERVED, operation).sequence)
                self._open[place] = there
            there.left -= 1
            there.given += 1

    def give_back(self, key: str, operation: str) -> None:
        """An answer that was claimed has not come about."""
        with self._lock:
            there = self._open.get((key, operation))
            if there is not None and there.given:
                there.left += 1
                there.given -= 1

    def flush(self) -> None:
        """Settle everything; what cannot be written stays open."""
        with self._lock:
            for place, there in list(self._open.items()):
                self._settle(place, there)

    def _settle(self, place: tuple[str, str], there: _Reservation) -> None:
        key, operation = place
        self._note(USE, key, there.given, settles(operation, there.number))
        del self._open[place]

    def _note(self, action: str, key: str, count: int, detail: str) -> Head:
        return self._write(Entry(self._actor, action, key, count, self._purpose, detail=detail))
