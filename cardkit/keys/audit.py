"""The log of key use: append-only, hash-chained (`cardkit.history`), one line an entry.

A line is the JSON array ``[sequence, instant, actor, action, key, count, purpose, result, detail,
digest]``; the digest covers everything before it and all earlier entries. Every entry is on the
disk before the call returns. Beside the log, ``NAME.head`` repeats number and digest of the last
entry, so that entries cut off at the end are noticed; whoever can change both files can cut both,
therefore the last digest belongs on paper too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardkit import history
from cardkit.errors import UsageError
from cardkit.history import Head, Scalar, Verdict
from cardkit.keys.locking import locked

Clock = Callable[[], dt.datetime]

RESERVE, USE = "reserve", "use"
"""Actions: answers that may be given from now on, and those that were."""

_FIELDS = 9  # before the digest
_SETTLES = re.compile(r", of entry (\d+)$")
_LONGEST_LINE = 1 << 16


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


class AuditLog:
    """A log in one file, shared by threads and processes.

    Parameters
    ----------
    path : Path
        Made with the first entry, mode 0600.
    clock : callable
        Now, with a time zone.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path.absolute()  # entries are written at exit, too, wherever that is
        self.clock = clock
        self._head_path = self.path.with_name(path.name + ".head")
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def append(self, entry: Entry) -> Head:
        """Add an entry; returns where the log ends now. It is on the disk when this returns.

        Raises
        ------
        AuditError
            The log cannot be written, or somebody has changed its end.
        """
        instant = self.clock().astimezone(dt.UTC).isoformat(timespec="milliseconds")
        instant = instant.replace("+00:00", "Z")
        with self._lock, locked(self.path):
            try:
                return self._append(entry, instant)
            except OSError as error:
                raise AuditError(
                    f"the audit log {self.path} cannot be written: {error.strerror}",
                    hint="keys are not used without it; check permissions and space",
                ) from None

    def _append(self, entry: Entry, instant: str) -> Head:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self.path, flags, 0o600), "r+b") as file:
            last, end = self._end(file.fileno())
            head = Head(last.sequence, last.digest) if last else Head()
            line = Line(head.sequence + 1, instant, entry, b"")
            digest = history.link(head.digest, line.fields)
            text = json.dumps([*line.fields, digest.hex()], ensure_ascii=True)
            if len(text) >= _LONGEST_LINE:
                raise AuditError("an entry of the audit log is too long")
            file.truncate(end)  # what a crash left of an entry that was never acknowledged
            file.seek(end)
            file.write(text.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        head = Head(line.sequence, digest)
        self._write_head(head)
        return head

    def _end(self, handle: int) -> tuple[Line | None, int]:
        """Last complete line, and where it ends; compared with the head beside the log."""
        size = os.fstat(handle).st_size
        start = max(0, size - 2 * _LONGEST_LINE)
        os.lseek(handle, start, os.SEEK_SET)
        tail = os.read(handle, size - start)
        end = tail.rfind(b"\n") + 1
        begin = tail.rfind(b"\n", 0, max(end - 1, 0)) + 1
        last = _parse(tail[begin:end]) if end else None
        known = self._read_head()
        reached = last.sequence if last else 0
        if (end and last is None) or reached < known.sequence:
            raise AuditError(
                f"the end of the audit log {self.path} is missing or was changed",
                hint="`cardkit key audit --verify` tells where; restore the log before using keys",
            )
        if last and reached == known.sequence and last.digest != known.digest:
            raise AuditError(
                f"entry {reached} of the audit log {self.path} was changed",
                hint="restore the log before using keys",
            )
        return last, start + end

    def lines(self) -> Iterator[Line]:
        """All entries.

        Raises
        ------
        AuditError
            A line is no entry.
        """
        for number, raw in enumerate(self._raw(), 1):
            line = _parse(raw)
            if line is None:
                raise AuditError(f"entry {number} of the audit log {self.path} is damaged")
            yield line

    def verify(self, known: Head | None = None) -> Verdict:
        """Check the whole chain.

        Parameters
        ----------
        known : Head, optional
            Number and digest of an entry, noted down earlier, that must still be there.
        """
        wanted = {h.sequence: h.digest for h in (self._read_head(), known or Head())}
        wanted.pop(0, None)
        verdict = history.verify(self._checkable(wanted))
        if not verdict.intact:
            return verdict
        reached = verdict.head.sequence
        if wanted and max(wanted) > reached:
            problem = f"entries {reached + 1} to {max(wanted)} are cut off at the end"
            return Verdict(verdict.head, problem)
        return verdict

    def reservations(self) -> list[Line]:
        """Answers that were reserved and not settled, by programs that run or were killed.

        Raises
        ------
        AuditError
            A line is no entry, or more was settled than reserved, or without a reservation.
        """
        open_: dict[int, Line] = {}
        for line in self.lines():
            if line.entry.action == RESERVE:
                open_[line.sequence] = line
            elif line.entry.action == USE and (found := _SETTLES.search(line.entry.detail)):
                there = open_.pop(int(found[1]), None)
                if there is None or not _covers(there.entry, line.entry):
                    raise AuditError(
                        f"entry {line.sequence} of the audit log {self.path} settles answers "
                        "that were not reserved",
                        hint="a program wrote it that keeps no count of its answers",
                    )
        return list(open_.values())

    def _checkable(self, wanted: dict[int, bytes]) -> Iterator[tuple[tuple[Scalar, ...], bytes]]:
        for raw in self._raw():
            line = _parse(raw)
            if line is None:  # an entry that can fit nowhere is told as one that was changed
                yield (0,), b""
                return
            agreed = wanted.get(line.sequence, line.digest) == line.digest
            yield line.fields, line.digest if agreed else b""

    def last_instant(self) -> dt.datetime | None:
        """When the last entry was written.

        Raises
        ------
        AuditError
            The end of the log was changed.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            if self._read_head().sequence:
                raise AuditError(f"the audit log {self.path} is gone") from None
            return None
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read: {error.strerror}") from None
        try:
            with locked(self.path):
                last, _ = self._end(handle)
        finally:
            os.close(handle)
        return dt.datetime.fromisoformat(last.instant) if last else None

    def _raw(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from file
        except FileNotFoundError:
            return
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read: {error.strerror}") from None

    def _read_head(self) -> Head:
        try:
            sequence, digest = self._head_path.read_text("ascii").split()
            return Head(int(sequence), bytes.fromhex(digest))
        except FileNotFoundError:
            return Head()
        except (OSError, ValueError):
            raise AuditError(
                f"{self._head_path} is damaged", hint="restore it together with the log"
            ) from None

    def _write_head(self, head: Head) -> None:
        # One sector, in place, not waited for: after a power cut it may stand behind the log,
        # which is no harm. The entry itself is on the disk.
        handle = os.open(self._head_path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{head.sequence:020} {head.digest.hex()}\n".encode("ascii"))
        finally:
            os.close(handle)


def settles(operation: str, number: int) -> str:
    """Detail of an entry `USE` for the answers of a reservation.

    Examples
    --------
    >>> settles("seal", 57)
    'seal, of entry 57'
    """
    return f"{operation}, of entry {number}"


def _covers(reserved: Entry, used: Entry) -> bool:
    same = (reserved.actor, reserved.key) == (used.actor, used.key)
    operation = _SETTLES.sub("", used.detail)
    return same and operation == reserved.detail and used.count <= reserved.count


def _parse(raw: bytes) -> Line | None:
    try:
        content: Any = json.loads(raw) if raw.endswith(b"\n") else None
        *fields, digest = content
        if len(fields) != _FIELDS:
            return None
        dt.datetime.fromisoformat(fields[1])
        return Line(fields[0], fields[1], Entry(*fields[2:]), bytes.fromhex(digest))
    except (ValueError, TypeError, RecursionError):
        return None
