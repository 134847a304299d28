"""Rows → lines: fields between separators, or in columns counted in bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cardkit.registry.exchange.formats.common import (
    CONTROLS,
    UnwritableError,
    as_frame,
    has_control,
    unencodable,
)
from cardkit.registry.exchange.layout import Field, Layout


class LineWriter:
    """Writes files of lines."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def begin(self, header: Mapping[str, str]) -> bytes:
        """The first line."""
        return self._record(self._layout.header, header)

    def rows(self, rows: pl.DataFrame, start: int) -> bytes:
        """A line each."""
        return self._lines(self._layout.fields, rows, start)

    def end(self, trailer: Mapping[str, str]) -> bytes:
        """The last line."""
        return self._record(self._layout.trailer, trailer)

    def has_sign(self, value: str) -> bool:
        """A control character, or what stands between fields."""
        separator = self._layout.separator
        return has_control(value) or bool(separator and separator in value)

    def _record(self, fields: Sequence[Field], values: Mapping[str, str]) -> bytes:
        return self._lines(fields, as_frame(fields, values), -1) if fields else b""

    def _lines(self, fields: Sequence[Field], rows: pl.DataFrame, start: int) -> bytes:
        cells = [
            self._column(one, rows[one.name], start) if self._layout.fixed else rows[one.name]
            for one in fields
        ]
        joined = pl.DataFrame(cells).select(
            pl.concat_str(pl.all(), separator=self._layout.separator)
        )
        lines = joined.to_series()
        self._refuse_signs(fields, rows, lines, start)
        end = self._layout.line_end.decode("ascii")
        text = end.join(lines.to_list()) + end
        try:
            return text.encode(self._layout.encoding)
        except UnicodeEncodeError:
            raise unencodable(self._layout, fields, rows, start) from None

    def _column(self, one: Field, column: pl.Series, start: int) -> pl.Series:
        """Values filled up to the bytes of their column."""
        if bool((column.str.len_bytes() == column.str.len_chars()).all()):
            widths = column.str.len_bytes()
        else:
            widths = pl.Series(
                [len(value.encode(self._layout.encoding, "replace")) for value in column.to_list()],
                dtype=pl.UInt32,
            )
        wide = (widths > one.width).arg_true()
        if len(wide):
            raise UnwritableError(
                self._layout,
                one,
                start + int(wide[0]) + 1,
                f"has more than {one.width} bytes",
                "过长",
            )
        short = pl.Series("short", one.width - widths.cast(pl.Int64))
        filler = pl.Series([one.pad * one.width]).new_from_index(0, len(column)).str.head(short)
        joined = filler + column if one.right else column + filler
        return joined.alias(one.name)

    def _refuse_signs(
        self, fields: Sequence[Field], rows: pl.DataFrame, lines: pl.Series, start: int
    ) -> None:
        """No separator and no control character inside a value."""
        damaged = lines.str.contains(CONTROLS)
        if not self._layout.fixed:
            signs = lines.str.count_matches(self._layout.separator, literal=True)
            damaged = damaged | (signs != len(fields) - 1)
        at = damaged.arg_true()
        if not len(at):
            return
        row = int(at[0])
        for one in fields:
            if self.has_sign(str(rows[one.name][row])):
                why = "has a separator or a control character in it"
                raise UnwritableError(
                    self._layout, one, start + row + 1, why, "含有分隔符或控制字符"
                )
