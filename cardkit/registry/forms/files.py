"""A paper as a file: the place for it is made before the paper is recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from cardkit import wholefile


def room_for(path: Path) -> AbstractContextManager[BinaryIO]:
    """A file that takes its name when the block ends well, readable by this user only.

    A directory that is missing, full or closed is found before anything is recorded.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    return wholefile.appearing(
        path,
        hint="name another file; a paper that `cardkit forms list` shows is printed again with "
        "`cardkit forms reprint`",
        zh=f"{path} 不能写入：请换一个文件；单据已登记的（cardkit forms list），请用 cardkit "
        "forms reprint 补打",
    )
