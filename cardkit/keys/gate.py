"""The gate before every key store: a failed self-test closes it, a passed full one opens it.

One gate a process, because the algorithms are the same for all its stores. A store with an audit
log leaves a mark beside it when the self-test fails, so that the next process, too, has to pass the
full self-test before it opens that store.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from cardkit.errors import UsageError
from cardkit.keys.audit import AuditLog, Entry

SELF_TEST = "self-test"
_ACTOR = "cardkit"


class Gate:
    """Known answers, once a process; after a failure, locked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passed = {"quick": False, "full": False}
        self._failed: list[str] = []

    def check(self) -> None:
        """Refuse while locked; cheap enough for every use of a key.

        Raises
        ------
        SelfTestFailedError
        """
        if self._failed:
            from cardkit.keys.selftest import SelfTestFailedError  # noqa: PLC0415

            raise SelfTestFailedError(self._failed)

    def require(self, *, full: bool = False) -> None:
        """Run the known answers unless they came out right before; lock if one does not.

        Parameters
        ----------
        full : bool
            Also what takes long, as every key service does when it starts.

        Raises
        ------
        SelfTestFailedError
        """
        with self._lock:
            self.check()
            if not self._passed["full"] and (full or not self._passed["quick"]):
                self._run(full=full)

    def unlock(self) -> None:
        """Run all known answers; only when they pass is the gate open again.

        Raises
        ------
        SelfTestFailedError
        """
        with self._lock:
            self._run(full=True)

    def open_store(self, audit: AuditLog) -> None:
        """`require` for a store with a log: what happens is on record, and marked beside it.

        Raises
        ------
        SelfTestFailedError
        """
        from cardkit.keys.selftest import SelfTestFailedError  # noqa: PLC0415

        mark = mark_of(audit)
        locked = mark.exists()
        try:
            if locked:
                self.unlock()
            else:
                self.require()
        except SelfTestFailedError as error:
            # The store stays closed even if nothing can be written about it.
            with contextlib.suppress(OSError):
                mark.touch(mode=0o600)
            with contextlib.suppress(UsageError):
                audit.append(Entry(_ACTOR, SELF_TEST, result=f"refused: {error.message}"))
            raise
        if locked:
            audit.append(Entry(_ACTOR, SELF_TEST, detail="all known answers; unlocked"))
            mark.unlink(missing_ok=True)

    def _run(self, *, full: bool) -> None:
        # It loads every algorithm.
        from cardkit.keys import selftest  # noqa: PLC0415

        try:
            selftest.require_builtin(quick=not full)
        except selftest.SelfTestFailedError as error:
            self._failed = error.names
            self._passed = dict.fromkeys(self._passed, False)
            raise
        self._passed["quick"] = True
        self._passed["full"] = self._passed["full"] or full
        if full:
            self._failed = []


def mark_of(audit: AuditLog) -> Path:
    """The file that says: the self-test failed here, and has not passed in full since."""
    return audit.path.with_name(audit.path.name + ".locked")


GATE = Gate()
"""That of this process."""
