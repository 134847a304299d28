"""A paper as a file: the place for it is made before the paper is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cardkit.errors import UsageError


@contextmanager
def room_for(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when the block ends well, readable by this user only.

    A directory that is missing, full or closed is found before anything is recorded.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            _finish(file, unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _finish(file: IO[bytes], unfinished: Path, path: Path) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be written: {error.strerror}",
        hint="name another file; a paper that `cardkit forms list` shows is printed again with "
        "`cardkit forms reprint`",
        zh=f"{path} 不能写入：请换一个文件；单据已登记的（cardkit forms list），请用 cardkit "
        "forms reprint 补打",
    )
