"""Opens a roster and looks at every byte of it once, before anything heavy is imported.

What can fill memory is refused here, while it streams by: a line over 1 MiB, a file without end.
A pipe is copied into a nameless temporary file on the way, because it is read twice.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cardkit.errors import UsageError

LINE_LIMIT = 1 << 20
"""Bytes a line may have."""

SIZE_LIMIT = 2 << 30
"""Bytes a roster may have: ten million people, more than any place issues at once."""

_CHUNK = 1 << 18
_WORKBOOK = b"PK\x03\x04"
_OLD_WORKBOOK = bytes.fromhex("D0CF11E0A1B11AE1")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_REMEDIES = {
    errno.ENOENT: ("check its name and its folder", "没有这个文件，请检查文件名"),
    errno.EISDIR: ("this is a folder: name the file in it", "这是文件夹，请指明其中的文件"),
    errno.EACCES: ("ask for the right to read it", "没有读取权限，请申请权限"),
    errno.ENOSPC: ("make room in the temporary folder", "临时文件夹空间不足，请腾出空间"),
}
_ELSE = ("check the disk or the connection it comes through", "请检查磁盘或网络连接")
_UTF32 = b"\xff\xfe\x00\x00"


@dataclass(frozen=True, slots=True)
class Source:
    """An open roster file.

    Parameters
    ----------
    name : str
        File name for messages.
    file : binary file
        Can be sought.
    workbook : bool
        Whether it begins like an XLSX file.
    digest : str
        SHA-256 of the content, hexadecimal: the same roster has the same digest.
    """

    name: str
    file: BinaryIO
    workbook: bool
    digest: str


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a roster, check its lines, and give it back at its beginning.

    Raises
    ------
    UsageError
        It cannot be opened, is empty, is no text and no workbook, or has a line over 1 MiB.
    """
    try:
        with path.open("rb") as file:
            if file.seekable():
                yield _scan(path.name, file, None)
                return
            with tempfile.TemporaryFile(prefix="cardkit-") as spool:
                yield _scan(path.name, file, spool)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> UsageError:
    hint, remedy = _REMEDIES.get(error.errno or 0, _ELSE)
    return UsageError(
        f"{path.name}: {error.strerror or 'cannot be read'}",
        hint=hint,
        zh=f"{path.name}：不能读取：{remedy}",
    )


def _scan(name: str, file: BinaryIO, spool: BinaryIO | None) -> Source:
    check = _Check(name)
    while chunk := file.read(_CHUNK):
        check.feed(chunk)
        if spool is not None:
            spool.write(chunk)
    check.finish()
    kept = spool or file
    kept.seek(0)
    return Source(name, kept, check.workbook, check.digest.hexdigest())


class _Check:
    """Watches the bytes of a file go by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.digest = hashlib.sha256()
        self.size = 0
        self.lines = 0  # complete ones
        self.length = 0  # of the line that is not complete yet
        self.blank = True
        self.workbook = False
        self.wide = False

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        if self.size == 0:
            self._begin(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)
        if self.size > SIZE_LIMIT:
            raise UsageError(
                f"{self.name}: larger than 2 GiB",
                hint="divide the roster",
                zh=f"{self.name}：超过 2 GiB：请拆分花名册",
            )
        if self.workbook:
            return
        self.blank = self.blank and not chunk.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n\x1a")
        if not self.wide and b"\0" in chunk:
            self._refuse_binary(chunk)
        self._measure(chunk)

    def finish(self) -> None:
        """The file ended."""
        if not self.workbook and self.blank:
            raise UsageError(
                f"{self.name}, line 1, column 1: the file is empty",
                hint="export the roster again; the first line must hold the headings",
                zh=f"{self.name}：文件是空的：请重新导出，第一行应为列名",
            )

    def _begin(self, chunk: bytes) -> None:
        self.workbook = chunk.startswith(_WORKBOOK)
        self.wide = chunk.startswith(_UTF16) and not chunk.startswith(_UTF32)
        if chunk.startswith(_OLD_WORKBOOK):
            raise UsageError(
                f"{self.name}: an Excel file of the old kind (.xls), or one with a password",
                hint="save it as an Excel workbook (.xlsx) without a password, or as CSV",
                zh=f"{self.name}：是旧式 Excel 文件（.xls）或有密码：请另存为无密码的 .xlsx 或 CSV",
            )

    def _refuse_binary(self, chunk: bytes) -> None:
        before = chunk[: chunk.index(b"\0")]
        line = self.lines + before.count(b"\n") + 1
        column = len(before) - before.rfind(b"\n")
        if b"\n" not in before:
            column += self.length
        raise UsageError(
            f"{self.name}, line {line}, column {column}: binary data, this is no roster",
            hint="a roster is CSV, pipe-delimited text (UTF-8, GB18030, or UTF-16 with byte order "
            "mark) or XLSX",
            zh=f"{self.name} 第{line}行第{column}列：是二进制数据，不是花名册："
            "请用 CSV、竖线分隔文本或 .xlsx",
        )

    def _measure(self, chunk: bytes) -> None:
        # Chunks are shorter than the limit, so only the line that enters a chunk can exceed it.
        ends = [at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0]
        if self.length + (min(ends) if ends else len(chunk)) > LINE_LIMIT:
            raise UsageError(
                f"{self.name}, line {self.lines + 1}, column {LINE_LIMIT}: the line is longer than "
                "1 MiB",
                hint="this is no roster, or its line ends were lost; export it again",
                zh=f"{self.name} 第{self.lines + 1}行：一行超过 1 MiB，不是花名册或换行丢失："
                "请重新导出",
            )
        if ends:
            self.lines += chunk.count(b"\n")
            self.length = len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        else:
            self.length += len(chunk)
