"""Bytes of an exchange file → its header, its rows and its trailer, checked.

What makes the file as a whole unusable is a fault, named by line. What is wrong with one row only
(a date that is none, an unknown code ...) is kept with the row, which fails and is answered. The
file is cut into pieces of some thousand lines, so that memory stays small beside the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from cardkit.registry.exchange.checking import row_problems, total_faults, with_duplicates
from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.layout import Field, Layout
from cardkit.registry.exchange.lines import (
    Faults,
    cut_character,
    field_count,
    is_gb18030,
    is_utf8,
    line_width,
    pieces,
    whole,
)

LINE, PROBLEM = "_line", "_problem"
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_CONTROLS = "[\\x00-\\x1f\\x7f]"


@dataclass(slots=True)
class Content:
    """What a file says.

    Parameters
    ----------
    header, trailer : dict
        Field → value, ``{}`` where the layout has none.
    rows : DataFrame
        A column of text for each field of the layout, and two more: ``_line`` (its line in the
        file) and ``_problem`` (``''``, or ``field:reason``).
    name : str
        Of the file, for messages.
    """

    header: dict[str, str] = field(repr=False)
    trailer: dict[str, str] = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    name: str = "the file"

    def held(self, layout: Layout, what: str) -> str:
        """Value of the header or trailer field that holds something, ``''`` without one."""
        for fields, values in ((layout.header, self.header), (layout.trailer, self.trailer)):
            for one in fields:
                if one.holds == what:
                    return values[one.name]
        return ""


def read(
    layout: Layout, data: bytes, *, name: str = "the file", only: Sequence[str] | None = None
) -> Content:
    """Read and check a file.

    Parameters
    ----------
    only : sequence of str, optional
        Fields whose columns are kept; all are checked. They hold keys, serial and amount.

    Raises
    ------
    FileFaultsError
        It is not what its layout says; every fault is named by its line.
    """
    faults = Faults()
    last = whole(layout, data, faults)
    faults.raise_any(name)
    reader = _Reader(layout, faults)
    frames = []
    for first_line, piece in pieces(data):
        frame = reader.take(first_line, piece, last_line=last)
        if frame is not None:
            frames.append(frame if only is None else frame.select(*only, LINE, PROBLEM))
    faults.raise_any(name)
    rows = pl.concat(frames) if frames else _no_rows(layout)
    content = Content(reader.header, reader.trailer, rows, name)
    faults.add(*total_faults(layout, content.header, content.trailer, rows, last))
    faults.raise_any(name)
    content.rows = with_duplicates(layout, rows)
    return content


class _Reader:
    """Turns pieces into frames; keeps header and trailer."""

    def __init__(self, layout: Layout, faults: Faults) -> None:
        self._layout = layout
        self._faults = faults
        self.header: dict[str, str] = {}
        self.trailer: dict[str, str] = {}

    def take(self, first_line: int, piece: bytes, last_line: int) -> pl.DataFrame | None:
        """The rows of a piece; None when there are none or it cannot be read."""
        lines = self._lines(first_line, piece)
        if lines is None:
            return None
        if self._layout.header and first_line == 1:
            self.header = self._record(self._layout.header, 1, lines.pop(0))
            first_line = 2
        if self._layout.trailer and first_line + len(lines) - 1 == last_line:
            self.trailer = self._record(self._layout.trailer, last_line, lines.pop())
        if not lines:
            return None
        table = pl.Series("raw", lines, dtype=pl.String)
        if self._blank_or_control(first_line, table):
            return None
        cut = self._fixed if self._layout.fixed else self._separated
        frame = cut(first_line, table, lines)
        if frame is None:
            return None
        numbers = pl.int_range(first_line, first_line + len(lines), dtype=pl.Int64, eager=True)
        problems = row_problems(self._layout, frame)
        return frame.with_columns(numbers.alias(LINE), problems.alias(PROBLEM))

    def _lines(self, first_line: int, piece: bytes) -> list[str] | None:
        encoding, end = self._layout.encoding, self._layout.line_end
        try:
            text = piece.decode(encoding)
        except UnicodeDecodeError:
            text = ""
        if not text or (encoding != "utf-8" and is_utf8(piece)):
            self._bad_encoding(first_line, piece)
            return None
        lines = text.split(end.decode("ascii"))
        lines.pop()  # behind the last line end
        return lines

    def _bad_encoding(self, first_line: int, piece: bytes) -> None:
        encoding = self._layout.encoding
        for number, line in enumerate(piece.split(b"\n"), first_line):
            if encoding != "utf-8" and is_utf8(line):
                text, zh = f"is UTF-8, not {encoding}", f"编码是 UTF-8，应为 {encoding}"
            else:
                try:
                    line.decode(encoding)
                    continue
                except UnicodeDecodeError as error:
                    at = error.start + 1
                text = f"byte {at} is not {encoding}"
                zh = f"第{at}字节不是 {encoding} 编码"
                if encoding == "gbk" and is_gb18030(line):
                    text += " but of gb18030, which has more characters"
                    zh += "，是 gb18030 才有的字"
            self._faults.add(Fault(number, "encoding", text, zh))

    def _blank_or_control(self, first_line: int, table: pl.Series) -> bool:
        blank = (table.str.strip_chars(" ").str.len_bytes() == 0).arg_true().to_list()
        control = table.str.contains(_CONTROLS).arg_true().to_list()
        for at in blank:
            self._faults.add(Fault(first_line + at, "blank", "is blank", "是空行"))
        for at in control:
            self._faults.add(
                Fault(first_line + at, "control", "has a control character", "含有控制字符")
            )
        return bool(blank or control)

    def _separated(
        self, first_line: int, table: pl.Series, _lines: Sequence[str]
    ) -> pl.DataFrame | None:
        separator, fields = self._layout.separator, self._layout.fields
        found = table.str.count_matches(separator, literal=True)
        wrong = (found != len(fields) - 1).arg_true().to_list()
        for at in wrong:
            self._faults.add(field_count(first_line + at, int(found[at]) + 1, len(fields)))
        if wrong:
            return None
        parts = table.to_frame().select(
            pl.col("raw").str.split_exact(separator, len(fields) - 1).alias("parts")
        )
        return parts.unnest("parts").rename(
            {f"field_{at}": one.name for at, one in enumerate(fields)}
        )

    def _fixed(
        self, first_line: int, table: pl.Series, lines: Sequence[str]
    ) -> pl.DataFrame | None:
        fields, encoding = self._layout.fields, self._layout.encoding
        width = sum(one.width for one in fields)
        ascii_only = bool((table.str.len_bytes() == table.str.len_chars()).all())
        encoded = table.cast(pl.Binary)
        if not ascii_only:
            encoded = pl.Series("raw", [line.encode(encoding) for line in lines], dtype=pl.Binary)
        sizes = encoded.bin.size()
        wrong = (sizes != width).arg_true().to_list()
        for at in wrong:
            self._faults.add(line_width(first_line + at, int(sizes[at]), width))
        if wrong:
            return None
        columns, at = [], 0
        for one in fields:
            cells = encoded.bin.slice(at, one.width)
            at += one.width
            column = self._cells(first_line, one, cells, ascii_only=ascii_only)
            if column is not None:
                columns.append(_stripped(one, column))
        return pl.DataFrame(columns) if len(columns) == len(fields) else None

    def _cells(
        self, first_line: int, one: Field, cells: pl.Series, *, ascii_only: bool
    ) -> pl.Series | None:
        """Text of one fixed column; a character cut in two by its edge is a fault."""
        if ascii_only:
            return cells.cast(pl.String)
        raw = cells.to_list()
        try:
            return pl.Series(one.name, b"\n".join(raw).decode(self._layout.encoding).split("\n"))
        except UnicodeDecodeError:
            pass
        for number, cell in enumerate(raw, first_line):
            try:
                cell.decode(self._layout.encoding)
            except UnicodeDecodeError:
                self._faults.add(cut_character(number, one))
        return None

    def _record(self, fields: Sequence[Field], number: int, line: str) -> dict[str, str]:
        """A header or trailer line."""
        layout = self._layout
        if not line.strip(" ") or _CONTROL.search(line):
            self._faults.add(Fault(number, "blank", "is blank or damaged", "是空行或已损坏"))
            return {}
        if not layout.fixed:
            parts = line.split(layout.separator)
            if len(parts) != len(fields):
                self._faults.add(field_count(number, len(parts), len(fields)))
                return {}
            return {one.name: part for one, part in zip(fields, parts, strict=True)}
        encoded, width = line.encode(layout.encoding), sum(one.width for one in fields)
        if len(encoded) != width:
            self._faults.add(line_width(number, len(encoded), width))
            return {}
        found, at = {}, 0
        for one in fields:
            try:
                cell = encoded[at : at + one.width].decode(layout.encoding)
            except UnicodeDecodeError:
                self._faults.add(cut_character(number, one))
                return {}
            found[one.name] = _stripped(one, pl.Series([cell]))[0]
            at += one.width
        return found


def _stripped(one: Field, column: pl.Series) -> pl.Series:
    """Without what fills the column, on the side where it is filled only."""
    column = column.alias(one.name)
    if one.pad == "0":  # a single 0 stays
        return column.str.replace("^0+([0-9])", "$1")
    return column.str.strip_chars_start(" ") if one.right else column.str.strip_chars_end(" ")


def _no_rows(layout: Layout) -> pl.DataFrame:
    texts = dict.fromkeys((*(f.name for f in layout.fields), PROBLEM), pl.String)
    return pl.DataFrame(schema={**texts, LINE: pl.Int64})
