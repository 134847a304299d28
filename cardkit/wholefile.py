"""Files that appear complete or not at all, and only their owner can read (0600).

A temporary file beside the place, fsync, rename, fsync of the folder: after a power cut there is
the old file or the new one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

from cardkit.errors import UsageError

_ENDING = ".part"


@contextmanager
def appearing(
    path: Path,
    *,
    overwrite: bool = True,
    name: str = "",
    hint: str = "name another file",
    zh: str = "",
) -> Iterator[BinaryIO]:
    """A file that takes its name when the block ends well.

    Parameters
    ----------
    overwrite : bool
        Whether a file of that name is replaced; else there must be none, before and after.
    name : str
        What the message calls it; by default its path.
    hint, zh : str
        What to do when it cannot be written, for `UsageError`.

    Raises
    ------
    UsageError
        It cannot be written, or may not be overwritten: what was there before stays as it is.
    """
    name = name or str(path)
    if not overwrite and os.path.lexists(path):
        raise _taken(name)
    unfinished = beside(path)
    try:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(unfinished, flags, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                unfinished.replace(path)
            else:
                _take_free_name(unfinished, path)
            flush_folder(path.parent)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(name) from None
    except OSError as error:
        raise UsageError(
            f"{name} cannot be written: {error.strerror or error}",
            hint=hint,
            zh=zh or f"不能写入 {name}：请换一个文件",
        ) from None


def write(path: Path, content: bytes, *, overwrite: bool = True, **words: str) -> None:
    """Write a file whole; ``words`` and errors as `appearing`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "list.csv"
    >>> write(path, b"1")
    >>> path.read_bytes(), oct(path.stat().st_mode & 0o777)
    (b'1', '0o600')
    >>> write(path, b"2", overwrite=False, name="the list")
    Traceback (most recent call last):
    cardkit.errors.UsageError: the list is there already
    """
    with appearing(path, overwrite=overwrite, **words) as file:
        file.write(content)


def beside(path: Path) -> Path:
    """Where this program makes `path`; what dead programs left of theirs is removed first.

    It may hold personal data, and nobody would look for it.

    Examples
    --------
    >>> beside(Path("registry.db")).name == f".registry.db.{os.getpid()}.part"
    True
    """
    for left in path.parent.glob(f".{escape(path.name)}.*{_ENDING}*"):
        process = left.name.removeprefix(f".{path.name}.").partition(_ENDING)[0]
        if process.isdecimal() and _has_ended(int(process)):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}{_ENDING}")


def _has_ended(process: int) -> bool:
    """Whether it was one of this computer's and is no more; elsewhere nothing is known."""
    if os.name != "posix":  # asking would end it there
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def flush_folder(folder: Path) -> None:
    """Make new names durable; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_free_name(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, which must be free.

    A memory stick knows no second names of a file; there the name is looked at, then taken.
    """
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        unfinished.replace(path)


def _taken(name: str) -> UsageError:
    return UsageError(
        f"{name} is there already",
        hint="it stays as it is; name another file",
        zh=f"{name} 已存在，不会被覆盖：请另取文件名",
    )
