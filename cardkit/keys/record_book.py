"""The records a running store goes by, kept up with what other processes do to them.

Restrictions count at once: a key that somebody suspends, retires or destroys is refused from the
next use on. A version that is approved meanwhile is taken up by the next start only, so that no
card gets keys of two versions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cardkit.keys.record import KeyRecord, KeyState

Place = tuple[str, int]
Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record at one time.

    Parameters
    ----------
    records : mapping
        (name, version) → record.
    users : collection of str or None
        Who may use keys; None: everybody who could open the store.
    """

    records: Mapping[Place, KeyRecord]
    users: Collection[str] | None = None


class Source(Protocol):
    """Where records are written."""

    def look(self) -> Standing | None:
        """What stands there now; None when nothing has changed since the last look.

        Raises
        ------
        CardkitError
            It cannot be read any more: nothing is used then.
        """

    def close(self) -> None:
        """Nobody looks any more."""


class RecordBook:
    """Records as they were at opening, and what was taken away since.

    Parameters
    ----------
    standing : Standing
        At opening.
    source : Source, optional
        Where changes show.
    forget : callable, optional
        Gets the place of a key that was destroyed.
    """

    def __init__(
        self,
        standing: Standing,
        source: Source | None = None,
        forget: Callable[[Place], None] = lambda _: None,
    ) -> None:
        self._lock = threading.Lock()
        self._source = source
        self._forget = forget
        self.records: dict[Place, KeyRecord] = dict(standing.records)
        self.users = standing.users

    def refresh(self) -> None:
        """Take changes over; costs a look at the file's status when there are none."""
        if self._source is None:
            return
        standing = self._source.look()
        if standing is None:
            return
        with self._lock:
            self.users = standing.users
            for place, before in self.records.items():
                now = merged(before, standing.records.get(place))
                self.records[place] = now
                if now.state is KeyState.DESTROYED and before.state is not KeyState.DESTROYED:
                    self._forget(place)

    def close(self) -> None:
        """Look no more."""
        if self._source is not None:
            self._source.close()


def merged(before: KeyRecord, now: KeyRecord | None) -> KeyRecord:
    """A record after somebody changed it, as far as a running store takes that over.

    A record that is gone, or is of another key now, is one of a destroyed key here.
    """
    if now is None or now.check_value != before.check_value:
        return replace(before, state=KeyState.DESTROYED)
    if before.state is KeyState.PRE_ACTIVE and now.state is not KeyState.DESTROYED:
        return before
    return now


def signature(path: Path) -> Signature | None:
    """Tells whether a file was replaced or written; None when it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - before every answer
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
