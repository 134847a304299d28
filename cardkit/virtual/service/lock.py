"""One service a run-time directory: whoever holds the lock."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from cardkit.errors import UnreachableError, UsageError
from cardkit.virtual.service.publish import answers
from cardkit.virtual.service.rundir import RuntimeDirectory

_PUTTING_AWAY: Final = 5.0  # seconds


def enter(directory: RuntimeDirectory) -> int:
    """Make the directory and take its lock; returns the descriptor that holds it.

    Raises
    ------
    UsageError
        The directory cannot be made or belongs to another user.
    UnreachableError
        A service runs in it.
    """
    deadline = time.monotonic() + _PUTTING_AWAY
    while True:
        try:
            if not directory.path.exists():
                directory.path.mkdir(mode=0o755, parents=True)
                directory.path.chmod(0o755)
            if directory.path.stat().st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "it belongs to another user")
            lock = os.open(directory.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise UsageError(
                f"the run-time directory {directory.path} cannot be used: {error.strerror}",
                hint="choose another one",
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            if time.monotonic() < deadline and not _in_use(directory):
                time.sleep(0.02)  # one that was killed is still putting things away
                continue
            raise UnreachableError(
                f"virtual readers run already, in {directory.path}",
                hint="use those, or stop them first",
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), directory.lock.stat()):
                return lock
        os.close(lock)  # its owner has just removed it: once more


def _in_use(directory: RuntimeDirectory) -> bool:
    record = directory.read_record()
    return record is not None and answers(Path(record.socket))


def leave(directory: RuntimeDirectory) -> None:
    """Remove the lock, and the directory when nothing else is in it."""
    directory.lock.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.path.rmdir()
