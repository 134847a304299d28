"""What the formats of exchange files have in common: records, faults, encodings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import polars as pl

from cardkit.registry.exchange.errors import SHOWN, Fault, FileFaultsError, LayoutError
from cardkit.registry.exchange.layout import Field, Layout

LINE = "_line"
"""Column with the line where a row begins."""
CONTROLS = "[\\x00-\\x1f\\x7f]"
"""Characters that are in no value, whatever the format."""
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x84\x31\x95\x33")
"""Byte order marks of UTF-8, UTF-16 and GB18030."""


class Record(dict[str, str]):
    """Header or trailer: its values by field, and where they stand.

    Parameters
    ----------
    line : int
        Where the record is.
    lines : mapping
        Where a field is that has a line of its own.
    """

    def __init__(
        self, values: Mapping[str, str], line: int, lines: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(values)
        self._line = line
        self._lines = lines or {}

    def line_of(self, field: str) -> int:
        """Line of a field."""
        return self._lines.get(field, self._line)


class Faults:
    """Collects faults; the first are named, the others counted."""

    def __init__(self) -> None:
        self.named: list[Fault] = []
        self.more = 0

    def add(self, *faults: Fault) -> None:
        """Note some."""
        for fault in faults:
            if len(self.named) < SHOWN:
                self.named.append(fault)
            else:
                self.more += 1

    def raise_any(self, name: str) -> None:
        """Refuse the file when there are any."""
        if self.named:
            raise FileFaultsError(name, self.named, self.more)


class Reader(Protocol):
    """Takes a file of one format apart; what is wrong is added to the faults it was made with."""

    header: Record
    trailer: Record

    def frames(self, data: bytes) -> Iterator[pl.DataFrame]:
        """The rows, some thousand at a time, as text; then header and trailer are known."""
        ...


class Writer(Protocol):
    """Puts a file of one format together."""

    def begin(self, header: Mapping[str, str]) -> bytes:
        """What stands before the rows."""
        ...

    def rows(self, rows: pl.DataFrame, start: int) -> bytes:
        """Some rows, the first of which is number `start` + 1."""
        ...

    def end(self, trailer: Mapping[str, str]) -> bytes:
        """What stands behind the rows."""
        ...

    def has_sign(self, value: str) -> bool:
        """Whether a value has a sign in it that the format cannot carry."""
        ...


class UnwritableError(LayoutError):
    """A value that its column cannot carry: too long, or not in the file's characters."""

    def __init__(self, layout: Layout, one: Field, row: int, why: str, zh: str) -> None:
        super().__init__(
            f"row {row}: {one.name} {why}, so layout {layout.name} cannot carry it",
            hint="correct the record, or choose a layout with a wider column or other characters",
            zh=f"第{row}行的“{one.title or one.name}”{zh}，{layout.title}无法写出",
        )


def has_control(value: str) -> bool:
    """Whether a value has a control character in it."""
    return bool(re.search(CONTROLS, value))


def unencodable(
    layout: Layout, fields: Sequence[Field], rows: pl.DataFrame, start: int
) -> UnwritableError:
    """The first value with a character that the file's encoding does not have."""
    for one in fields:
        for at, value in enumerate(rows[one.name].to_list(), start + 1):
            try:
                value.encode(layout.encoding)
            except UnicodeEncodeError:
                why = f"has a character that {layout.encoding} does not have"
                return UnwritableError(layout, one, at, why, f"含有 {layout.encoding} 没有的字")
    raise AssertionError("every value can be encoded")  # pragma: no cover


def as_frame(fields: Sequence[Field], values: Mapping[str, str]) -> pl.DataFrame:
    """A header or trailer as a row."""
    schema = {one.name: pl.String for one in fields}
    return pl.DataFrame({name: [values[name]] for name in schema}, schema=schema)


# -- bytes that are not of the encoding -----------------------------------------------------------


def is_utf8(data: bytes) -> bool:
    """Whether these bytes are Chinese in UTF-8.

    GBK text is next to never valid UTF-8 with characters of three bytes, so this is no guess.

    Examples
    --------
    >>> is_utf8("姓名".encode()), is_utf8("姓名".encode("gbk")), is_utf8(b"name")
    (True, False, False)
    """
    if data.isascii():
        return False
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return max(text) > "\u07ff"


def is_gb18030(data: bytes) -> bool:
    """Whether these bytes can be read as GB18030, which has all of GBK.

    Examples
    --------
    >>> is_gb18030("䶮㛃".encode("gb18030")), is_gb18030(bytes([0xFF]))
    (True, False)
    """
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def decoded(encoding: str, first_line: int, piece: bytes, faults: Faults) -> str | None:
    """Text of a piece of whole characters; None, and the lines at fault, when it is none."""
    try:
        text = piece.decode(encoding)
    except UnicodeDecodeError:
        text = ""
    if text and (encoding == "utf-8" or not is_utf8(piece)):
        return text
    for number, line in enumerate(piece.split(b"\n"), first_line):
        if encoding != "utf-8" and is_utf8(line):
            said, zh = f"is UTF-8, not {encoding}", f"编码是 UTF-8，应为 {encoding}"
        else:
            try:
                line.decode(encoding)
                continue
            except UnicodeDecodeError as error:
                at = error.start + 1
            said = f"byte {at} is not {encoding}"
            zh = f"第{at}字节不是 {encoding} 编码"
            if encoding == "gbk" and is_gb18030(line):
                said += " but of gb18030, which has more characters"
                zh += "，是 gb18030 才有的字"
        faults.add(Fault(number, "encoding", said, zh))
    return None
