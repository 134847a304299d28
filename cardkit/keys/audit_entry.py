"""What stands in the log of key use: entries, as lines; what settles what; when the clock stood."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cardkit.errors import UsageError
from cardkit.history import Scalar

RESERVE, USE = "reserve", "use"
"""Actions: answers that may be given from now on, and those that were."""

ACCEPT_CLOCK = "accept-clock"
"""Action: somebody says that the clock is right now, and was wrong before."""

HEAD_GONE = "head-gone"
"""Action: the head beside the log was missing; entries may have been cut off before this one."""

_NOTED = dt.timedelta(seconds=1)
"""From where on a clock that was set back is told of; it is adjusted by less every day."""

_TYPES = [int, str, str, str, str, int, str, str, str]  # of the fields before the digest
_SETTLES = re.compile(r", of entry (\d+)$")


class AuditError(UsageError):
    """The log cannot be written, or does not end as it should; nothing is done without it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done with a key.

    Parameters
    ----------
    actor : str
        Operator.
    action : str
        ``derive``, ``reserve``, ``use``, ``generate``, ``approve`` ...
    key : str
        Name, version and check value, or ``''``.
    count : int
        How many keys or answers.
    purpose : str
        What for.
    result : str
        ``ok``, or ``refused: `` and why.
    detail : str
        Whatever else tells the case; never a key.
    """

    actor: str
    action: str
    key: str = ""
    count: int = 0
    purpose: str = ""
    result: str = "ok"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands in the log."""

    sequence: int
    instant: str
    entry: Entry
    digest: bytes

    @property
    def fields(self) -> tuple[Scalar, ...]:
        """What the digest covers."""
        e = self.entry
        what = (e.actor, e.action, e.key, e.count, e.purpose, e.result, e.detail)
        return self.sequence, self.instant, *what

    @property
    def at(self) -> dt.datetime:
        """When it was written, by the clock of then."""
        return dt.datetime.fromisoformat(self.instant)

    @classmethod
    def parse(cls, raw: bytes) -> Line | None:
        """A line of the file; None when it is no entry."""
        try:
            content: Any = json.loads(raw) if raw.endswith(b"\n") else None
            *fields, digest = content
            if [type(field) for field in fields] != _TYPES:
                return None
            if dt.datetime.fromisoformat(fields[1]).tzinfo is None:
                return None
            return cls(fields[0], fields[1], Entry(*fields[2:]), bytes.fromhex(digest))
        except (ValueError, TypeError, RecursionError):
            return None


def instant_text(at: dt.datetime) -> str:
    """An instant as it stands in the log.

    Examples
    --------
    >>> instant_text(dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC))
    '2026-11-21T02:00:00.000Z'
    """
    text = at.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


# --- answers --------------------------------------------------------------------------------------


def settles(operation: str, number: int) -> str:
    """Detail of an entry `USE` for the answers of a reservation.

    Examples
    --------
    >>> settles("seal", 57)
    'seal, of entry 57'
    """
    return f"{operation}, of entry {number}"


def open_reservations(lines: Iterable[Line], name: str) -> list[Line]:
    """Answers that were reserved and not settled, by programs that run or were killed.

    Parameters
    ----------
    name : str
        Of the log, for messages.

    Raises
    ------
    AuditError
        More was settled than reserved, or without a reservation.
    """
    open_: dict[int, Line] = {}
    for line in lines:
        if line.entry.action == RESERVE:
            open_[line.sequence] = line
        elif line.entry.action == USE and (found := _SETTLES.search(line.entry.detail)):
            there = open_.pop(int(found[1]), None)
            if there is None or not _covers(there.entry, line.entry):
                raise AuditError(
                    f"entry {line.sequence} of the audit log {name} settles answers "
                    "that were not reserved",
                    hint="a program wrote it that keeps no count of its answers",
                )
    return list(open_.values())


def _covers(reserved: Entry, used: Entry) -> bool:
    same = (reserved.actor, reserved.key) == (used.actor, used.key)
    operation = _SETTLES.sub("", used.detail)
    return same and operation == reserved.detail and used.count <= reserved.count


# --- the clock ------------------------------------------------------------------------------------


def later(latest: dt.datetime | None, entry: Entry, at: dt.datetime) -> dt.datetime:
    """The latest instant of a log after one more entry.

    A clock that was set back does not lower it; only somebody who accepts the clock does.

    Examples
    --------
    >>> noon = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    >>> later(noon, Entry("wang", "derive"), noon.replace(hour=9)).hour
    12
    >>> later(noon, Entry("wang", "accept-clock"), noon.replace(hour=9)).hour
    9
    """
    return at if latest is None or _accepts(entry) else max(latest, at)


def _accepts(entry: Entry) -> bool:
    return entry.action == ACCEPT_CLOCK and entry.result == "ok"


def latest_of(lines: Iterable[Line]) -> dt.datetime | None:
    """The latest instant of a whole log."""
    latest = None
    for line in lines:
        latest = later(latest, line.entry, line.at)
    return latest


@dataclass(frozen=True, slots=True)
class SetBack:
    """Entries that were written with a clock behind an earlier entry.

    Parameters
    ----------
    first, last : int
        Their numbers.
    instant : str
        Of the first of them.
    latest : str
        The instant they stand behind.
    accepted : bool
        Whether the first of them accepts the clock.
    """

    first: int
    last: int
    instant: str
    latest: str
    accepted: bool = False


def set_backs(lines: Iterable[Line]) -> list[SetBack]:
    """Where the instants of a log go backwards, by a second and more."""
    found: list[SetBack] = []
    latest: dt.datetime | None = None
    for line in lines:
        if latest is not None and line.at < latest - _NOTED:
            accepted = _accepts(line.entry)
            before = found[-1] if found else None
            if before and before.last == line.sequence - 1 and not (accepted or before.accepted):
                found[-1] = SetBack(before.first, line.sequence, before.instant, before.latest)
            else:
                back = (line.sequence, line.sequence, line.instant, instant_text(latest))
                found.append(SetBack(*back, accepted))
        latest = later(latest, line.entry, line.at)
    return found
