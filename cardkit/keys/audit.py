"""The log of key use: append-only, hash-chained (`cardkit.history`), one line an entry.

A line is the JSON array ``[sequence, instant, actor, action, key, count, purpose, result, detail,
digest]``; the digest covers everything before it and all earlier entries. Every entry is on the
disk before the call returns. Beside the log, ``NAME.head`` (`cardkit.keys.audit_head`) repeats
number and digest of the last entry, so that entries cut off at the end are noticed, and the latest
instant of the log, which a clock that is set back does not lower.

Whoever can change both files can cut or rewrite both. A soft store seals the head with a key that
is inside it, and finds that when it is opened; a program that has it open finds it with its next
entry, since it remembers where its last one stood. An older state of both, seal and all, is found
with a digest on paper only. Logs without a soft store (tokens, PSAMs) have no seal.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cardkit import history
from cardkit.history import Head, Scalar, Verdict
from cardkit.keys.audit_entry import (
    ACCEPT_CLOCK,
    HEAD_GONE,
    RESERVE,
    USE,
    AuditError,
    Entry,
    Line,
    SetBack,
    instant_text,
    later,
    latest_of,
    open_reservations,
    set_backs,
    settles,
)
from cardkit.keys.audit_head import HeadFile, Mark, Sealer
from cardkit.keys.locking import locked

__all__ = [
    "ACCEPT_CLOCK", "HEAD_GONE", "RESERVE", "USE", "AuditError", "AuditLog", "Clock", "Entry",
    "Line", "settles",
]  # fmt: skip

Clock = Callable[[], dt.datetime]

Place = tuple[int, bytes]
"""Where a line ends in the file, and its last bytes: those of its digest."""

_DIGEST_LENGTH = 67  # in hex, with what closes the line
_LONGEST_LINE = 1 << 16
_USUAL_TAIL = 1 << 12


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
        self._sealer: Sealer | None = None
        self._anew = False  # the next entry is sealed whatever stands there
        self._place: Place | None = None  # known to be in the log since the store was opened
        self._known: tuple[tuple[int, int] | None, dt.datetime | None] = None, None

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def append(self, entry: Entry) -> Head:
        """Add an entry; returns where the log ends now. It is on the disk when this returns.

        Raises
        ------
        AuditError
            The log cannot be written, or somebody has changed its end.
        """
        with self._lock, locked(self.path):
            try:
                self._known = None, None
                mark = self._append(entry, instant_text(self.clock()))
                self._known = _signature(self._head_path), mark.latest
                return mark.head
            except OSError as error:
                raise AuditError(
                    f"the audit log {self.path} cannot be written: {error.strerror}",
                    hint="keys are not used without it; check permissions and space",
                ) from None

    def _append(self, entry: Entry, instant: str) -> Mark:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self.path, flags, 0o600), "r+b") as file:
            last, end, beside = self._end(file.fileno())
            latest = self._latest(last, beside)
            mark = Mark(Head(last.sequence, last.digest) if last else Head(), latest)
            text = b""
            for each in (*self._told(mark.head, entry.actor), entry):
                line = Line(mark.head.sequence + 1, instant, each, b"")
                digest = history.link(mark.head.digest, line.fields)
                text += json.dumps([*line.fields, digest.hex()], ensure_ascii=True).encode() + b"\n"
                mark = Mark(Head(line.sequence, digest), later(mark.latest, each, line.at))
            if len(text) > _LONGEST_LINE:
                raise AuditError("an entry of the audit log is too long")
            file.truncate(end)  # what a crash left of an entry that was never acknowledged
            file.seek(end)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        seals = dict(beside.seals)
        if self._sealer is not None:
            seals[self._sealer.store] = self._sealer.seal(mark)
            self._place = end + len(text), text[-_DIGEST_LENGTH:]
        HeadFile(mark, seals).write(self._head_path)
        self._anew = False
        return mark

    def _told(self, head: Head, actor: str) -> list[Entry]:
        """That the head beside the log is missing: the next one must not hide it."""
        if not self._headless(head):
            return []
        detail = f"{self._head_path.name} was gone: what followed entry {head.sequence} may be too"
        return [Entry(actor, HEAD_GONE, detail=detail)]

    def _headless(self, head: Head) -> bool:
        # A crash after the first entry of all leaves none either.
        return head.sequence > 1 and not self._head_path.exists()

    def _end(self, handle: int) -> tuple[Line | None, int, HeadFile]:
        """Last complete line, and where it ends; compared with the head beside the log."""
        raw, end = _last_line(handle)
        last = Line.parse(raw) if end else None
        beside = HeadFile.read(self._head_path)
        marks = [beside.end, *beside.seals.values()]
        reached = last.sequence if last else 0
        if (end and last is None) or reached < max(mark.head.sequence for mark in marks):
            raise AuditError(
                f"the end of the audit log {self.path} is missing or was changed",
                hint="`cardkit key audit --verify` tells where; restore the log before using keys",
            )
        if last and any(m.head.sequence == reached and m.head.digest != last.digest for m in marks):
            raise AuditError(
                f"entry {reached} of the audit log {self.path} was changed",
                hint="restore the log before using keys",
            )
        if self._place is not None and not _holds(handle, self._place):
            raise self._rewritten()
        return last, end, beside

    def _latest(self, last: Line | None, beside: HeadFile) -> dt.datetime | None:
        """Latest instant of the log; what is sealed counts, whatever stands beside it."""
        seal = self._own_seal(beside)
        if last is None:
            return None
        known = beside.end.latest
        if known is None or beside.end.head.sequence != last.sequence:  # after a power cut
            known = latest_of(self.lines())
        sealed = seal.latest if seal else None
        return max(filter(None, (known, sealed)), default=None)

    # --- the seal ----------------------------------------------------------------------------

    def seal_with(self, sealer: Sealer, *, check: bool = True) -> None:
        """Seal the head from now on, for the store that is open.

        Parameters
        ----------
        check : bool
            Whether there has to be a seal of that store already, which fits the log.

        Raises
        ------
        AuditError
            The log was rewritten by somebody who cannot open the store, or has no seal.
        """
        self._place = None
        if check:
            with self._lock, locked(self.path):
                self._check_seal(sealer)
        self._sealer, self._anew = sealer, not check

    def _check_seal(self, sealer: Sealer) -> None:
        seal = HeadFile.read(self._head_path).seals.get(sealer.store)
        if seal is None:
            raise self._unsealed()
        if not sealer.fits(seal):
            raise self._rewritten()
        end = 0
        for number, raw in enumerate(self._raw(), 1):
            line, end = Line.parse(raw), end + len(raw)
            if line is None:
                raise self._damaged(number)
            if line.sequence >= seal.head.sequence:
                if line.digest != seal.head.digest:
                    break
                self._place = end, raw[-_DIGEST_LENGTH:]
                return
        raise self._rewritten()

    def _own_seal(self, beside: HeadFile) -> Mark | None:
        if self._sealer is None or self._anew:
            return None
        seal = beside.seals.get(self._sealer.store)
        if seal is None:  # it was there when the store was opened
            raise self._unsealed()
        if not self._sealer.fits(seal):
            raise self._rewritten()
        return seal

    def _unsealed(self) -> AuditError:
        return AuditError(
            f"the audit log {self.path} has no seal of the store",
            hint="restore log and .head; if that is no longer possible: `cardkit key accept`",
        )

    def _rewritten(self) -> AuditError:
        return AuditError(
            f"the audit log {self.path} was rewritten: the seal of the store does not fit it",
            hint="restore log and .head from a backup; `cardkit key accept` takes it as it is",
        )

    def _damaged(self, number: int) -> AuditError:
        return AuditError(f"entry {number} of the audit log {self.path} is damaged")

    def sealed(self) -> int:
        """Number of the entry up to which a store has sealed the log; 0 for none."""
        seals = HeadFile.read(self._head_path).seals.values()
        return max((seal.head.sequence for seal in seals), default=0)

    # --- reading -----------------------------------------------------------------------------

    def lines(self, action: str = "") -> Iterator[Line]:
        """All entries, or those of one action (fast in a long log; what is no entry is left out).

        Raises
        ------
        AuditError
            A line is no entry, and all are wanted.
        """
        mark = json.dumps(action).encode("ascii") if action else b""
        for number, raw in enumerate(self._raw(), 1):
            if mark not in raw:
                continue
            line = Line.parse(raw)
            if line is None and not action:
                raise self._damaged(number)
            if line is not None and action in {"", line.entry.action}:
                yield line

    def verify(self, known: Head | None = None) -> Verdict:
        """Check the whole chain.

        Parameters
        ----------
        known : Head, optional
            Number and digest of an entry, noted down earlier, that must still be there.
        """
        beside = HeadFile.read(self._head_path)
        marks = [beside.end.head, *(seal.head for seal in beside.seals.values()), known or Head()]
        wanted = {head for head in marks if head.sequence}
        verdict = history.verify(self._checkable(wanted))
        if not verdict.intact:
            return verdict
        reached = verdict.head.sequence
        furthest = max((head.sequence for head in wanted), default=0)
        if furthest > reached:
            problem = f"entries {reached + 1} to {furthest} are cut off at the end"
            return Verdict(verdict.head, problem)
        if self._headless(verdict.head):
            problem = (
                f"{self._head_path.name} is gone: it told whether entries are cut off at the end"
            )
            return Verdict(verdict.head, problem)
        return verdict

    def reservations(self) -> list[Line]:
        """See `cardkit.keys.audit_entry.open_reservations`."""
        return open_reservations(self.lines(), str(self.path))

    def set_backs(self) -> list[SetBack]:
        """See `cardkit.keys.audit_entry.set_backs`."""
        return set_backs(self.lines())

    def _checkable(self, wanted: set[Head]) -> Iterator[tuple[tuple[Scalar, ...], bytes]]:
        by_number: dict[int, list[Head]] = {}
        for head in wanted:
            by_number.setdefault(head.sequence, []).append(head)
        for raw in self._raw():
            line = Line.parse(raw)
            if line is None:  # an entry that can fit nowhere is told as one that was changed
                yield (0,), b""
                return
            agreed = all(h.digest == line.digest for h in by_number.get(line.sequence, ()))
            yield line.fields, line.digest if agreed else b""

    def latest_instant(self, *, fresh: bool = False) -> dt.datetime | None:
        """The latest instant of all entries since somebody last accepted the clock.

        Parameters
        ----------
        fresh : bool
            Look again in any case; otherwise where something was written since the last call, as
            far as the times of files tell.

        Raises
        ------
        AuditError
            The end of the log was changed.
        """
        now = _signature(self._head_path)
        if fresh or now is None or now != self._known[0]:
            self._known = now, self._look()
        return self._known[1]

    def _look(self) -> dt.datetime | None:
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            if HeadFile.read(self._head_path).end.head.sequence:
                raise AuditError(f"the audit log {self.path} is gone") from None
            return None
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read: {error.strerror}") from None
        try:
            # A thread waits for its neighbour here and not at the file, where it would sleep.
            with self._lock, locked(self.path):
                last, _, beside = self._end(handle)
                return self._latest(last, beside)
        finally:
            os.close(handle)

    def _raw(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from file
        except FileNotFoundError:
            return
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read: {error.strerror}") from None


def _last_line(handle: int) -> tuple[bytes, int]:
    """The last complete line, and where it ends; 0 if there is none."""
    size = os.fstat(handle).st_size
    for width in (_USUAL_TAIL, 2 * _LONGEST_LINE):
        start = max(0, size - width)
        os.lseek(handle, start, os.SEEK_SET)
        tail = os.read(handle, size - start)
        end = tail.rfind(b"\n") + 1
        begin = tail.rfind(b"\n", 0, max(end - 1, 0)) + 1
        if begin or not start:
            break
    return tail[begin:end], start + end if end else 0


def _holds(handle: int, place: Place) -> bool:
    end, ending = place
    start = os.lseek(handle, end - len(ending), os.SEEK_SET)
    return os.read(handle, end - start) == ending


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - before every answer
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
