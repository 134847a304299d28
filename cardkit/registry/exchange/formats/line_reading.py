"""Files of lines → their fields: between separators, or in columns counted in bytes.

The file is cut into pieces of some thousand lines, so that memory stays small beside the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.formats.common import (
    CONTROLS,
    LINE,
    Faults,
    Record,
    decoded,
    has_control,
)
from cardkit.registry.exchange.formats.lines import (
    cut_character,
    field_count,
    line_width,
    pieces,
    whole,
)
from cardkit.registry.exchange.layout import Field, Layout


class LineReader:
    """Reads files of lines, with separators or in columns."""

    def __init__(self, layout: Layout, faults: Faults) -> None:
        self._layout = layout
        self._faults = faults
        self.header = Record({}, 1)
        self.trailer = Record({}, 1)

    def frames(self, data: bytes) -> Iterator[pl.DataFrame]:
        """The rows, some thousand at a time."""
        last = whole(self._layout, data, self._faults)
        if self._faults.named:
            return
        for first_line, piece in pieces(data):
            frame = self._take(first_line, piece, last)
            if frame is not None:
                yield frame

    def _take(self, first_line: int, piece: bytes, last_line: int) -> pl.DataFrame | None:
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
        return frame.with_columns(numbers.alias(LINE))

    def _lines(self, first_line: int, piece: bytes) -> list[str] | None:
        text = decoded(self._layout.encoding, first_line, piece, self._faults)
        if text is None:
            return None
        lines = text.split(self._layout.line_end.decode("ascii"))
        lines.pop()  # behind the last line end
        return lines

    def _blank_or_control(self, first_line: int, table: pl.Series) -> bool:
        blank = (table.str.strip_chars(" ").str.len_bytes() == 0).arg_true().to_list()
        control = table.str.contains(CONTROLS).arg_true().to_list()
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

    def _record(self, fields: Sequence[Field], number: int, line: str) -> Record:
        """A header or trailer line."""
        layout = self._layout
        if not line.strip(" ") or has_control(line):
            self._faults.add(Fault(number, "blank", "is blank or damaged", "是空行或已损坏"))
            return Record({}, number)
        if not layout.fixed:
            parts = line.split(layout.separator)
            if len(parts) != len(fields):
                self._faults.add(field_count(number, len(parts), len(fields)))
                return Record({}, number)
            found = {one.name: part for one, part in zip(fields, parts, strict=True)}
            return Record(found, number)
        encoded, width = line.encode(layout.encoding), sum(one.width for one in fields)
        if len(encoded) != width:
            self._faults.add(line_width(number, len(encoded), width))
            return Record({}, number)
        found, at = {}, 0
        for one in fields:
            try:
                cell = encoded[at : at + one.width].decode(layout.encoding)
            except UnicodeDecodeError:
                self._faults.add(cut_character(number, one))
                return Record({}, number)
            found[one.name] = _stripped(one, pl.Series([cell]))[0]
            at += one.width
        return Record(found, number)


def _stripped(one: Field, column: pl.Series) -> pl.Series:
    """Without what fills the column, on the side where it is filled only."""
    column = column.alias(one.name)
    if one.pad == "0":  # a single 0 stays
        return column.str.replace("^0+([0-9])", "$1")
    return column.str.strip_chars_start(" ") if one.right else column.str.strip_chars_end(" ")
