"""One writer at a time, among threads and processes; and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.errors import UnreachableError, UsageError
from cardkit.wholefile import flush_folder

_PAUSE = 0.02  # seconds


class BusyError(UnreachableError):
    """Another process writes."""


@contextmanager
def locked(path: Path, wait: float = 10.0) -> Iterator[None]:
    """Hold the lock of a file, which lies beside it with ``.lock`` added to its name.

    The system releases it when its holder dies.

    Parameters
    ----------
    wait : float
        Seconds to wait for whoever holds it.

    Raises
    ------
    BusyError
        It was held all that time.
    UsageError
        The directory cannot be written.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise UsageError(f"{beside} cannot be made: {error.strerror}") from None
    try:
        deadline = time.monotonic() + wait
        while not _take(handle):
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"another process is writing {path}; waited {wait:g} s",
                    hint="try again when it is done",
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_private(path: Path, content: bytes, *, erase_old: bool = False) -> None:
    """Replace a file atomically and durably; mode 0600.

    A temporary file of a fixed name beside it (so that what a crash leaves is overwritten next
    time), fsync, rename, fsync of the directory. The caller holds the lock.

    Parameters
    ----------
    erase_old : bool
        Overwrite what the file held before with zeros, once the new one is in place. File systems
        that copy on write, and disks that level wear, may keep it nevertheless.

    Raises
    ------
    UsageError
        It cannot be written; the old file is untouched.
    """
    temporary = path.with_name(path.name + ".new")
    old = _open_old(path) if erase_old else None
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
        if old is not None:
            _zero(old)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written: {error.strerror}",
            hint="check the directory, its permissions and the space left",
        ) from None
    finally:
        if old is not None:
            os.close(old)


def create_private(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600, durably; an existing one is never overwritten.

    Raises
    ------
    UsageError
        It exists or cannot be made.
    """
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        flush_folder(path.parent)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}") from None


def _open_old(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR)
    except OSError:
        return None


def _zero(handle: int) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, bytes(os.fstat(handle).st_size))
    os.fsync(handle)
