"""The lines of a file before their fields are looked at: ends, encoding, and their faults."""

from __future__ import annotations

from collections.abc import Iterator

from cardkit.registry.exchange.errors import SHOWN, Fault, FileFaultsError
from cardkit.registry.exchange.layout import Field, Layout

_PIECE = 2 << 20  # bytes
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x84\x31\x95\x33")


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


def whole(layout: Layout, data: bytes, faults: Faults) -> int:
    """Check what concerns the file as a whole; returns its number of lines."""
    if not data:
        faults.add(Fault(0, "empty", "the file is empty", "文件是空的"))
        return 0
    if data.startswith(_BOMS):
        faults.add(Fault(1, "bom", "begins with a byte order mark", "文件开头有 BOM 标记"))
        return 0
    lines = data.count(b"\n")
    if not data.endswith(b"\n"):
        lines += 1
        faults.add(
            Fault(
                lines, "cut", "has no line end: the file may be cut off", "没有换行，文件可能不完整"
            )
        )
    _line_ends(layout, data, lines, faults)
    least = bool(layout.header) + bool(layout.trailer)
    if lines < least:
        faults.add(Fault(lines, "short", "header or trailer is missing", "缺少首行或末行"))
    return lines


def _line_ends(layout: Layout, data: bytes, lines: int, faults: Faults) -> None:
    pairs, returns = data.count(b"\r\n"), data.count(b"\r")
    declared_pairs = layout.line_end == b"\r\n"
    if returns == pairs == (lines if declared_pairs else 0):
        return
    for number, line in enumerate(data.split(b"\n"), 1):
        if number > lines or (number == lines and not data.endswith(b"\n")):  # named as cut off
            break
        if declared_pairs and not line.endswith(b"\r"):
            faults.add(Fault(number, "line-end", "ends in LF, not in CRLF", "行尾是 LF，应为 CRLF"))
        elif not declared_pairs and line.endswith(b"\r"):
            faults.add(Fault(number, "line-end", "ends in CRLF, not in LF", "行尾是 CRLF，应为 LF"))
        elif b"\r" in line[:-1]:
            faults.add(Fault(number, "line-end", "has a CR inside", "行中有回车符"))


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number of its first line, and some thousand whole lines."""
    start, line = 0, 1
    while start < len(data):
        end = len(data)
        if start + _PIECE < end:
            end = data.find(b"\n", start + _PIECE) + 1 or end
        piece = data[start:end]
        yield line, piece
        line += piece.count(b"\n")
        start = end


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


def field_count(line: int, found: int, wanted: int) -> Fault:
    """Too many or too few fields."""
    return Fault(
        line, "fields", f"has {found} fields, not {wanted}", f"有{found}个字段，应为{wanted}个"
    )


def line_width(line: int, found: int, wanted: int) -> Fault:
    """A line that is longer or shorter than its columns."""
    how, how_zh = ("long", "过长") if found > wanted else ("short", "过短")
    return Fault(
        line,
        f"too-{how}",
        f"is too {how}: {found} bytes, not {wanted}",
        f"{how_zh}：{found}字节，应为{wanted}字节",
    )


def cut_character(line: int, one: Field) -> Fault:
    """A column whose edge lies inside a character."""
    return Fault(
        line,
        "shifted",
        f"the edge of column {one.name} cuts a character: the columns are shifted",
        f"“{one.title}”栏的边界截断了汉字，各栏错位",
    )
