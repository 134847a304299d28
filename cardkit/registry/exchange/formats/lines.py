"""The lines of a file before their fields are looked at: ends, encoding, and their faults."""

from __future__ import annotations

from collections.abc import Iterator

from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.formats.common import Faults
from cardkit.registry.exchange.layout import Field, Layout

_PIECE = 2 << 20  # bytes


def whole(layout: Layout, data: bytes, faults: Faults) -> int:
    """Check what concerns the file as a whole; returns its number of lines."""
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
