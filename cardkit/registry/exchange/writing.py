"""Rows → the bytes of an exchange file, with the totals of header and trailer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO

import polars as pl

from cardkit.registry.exchange.checking import fen, money
from cardkit.registry.exchange.errors import LayoutError
from cardkit.registry.exchange.layout import Field, Layout

_ROWS = 100_000  # written at a time
_CONTROLS = "[\\x00-\\x1f\\x7f]"
_CONTROL = re.compile(_CONTROLS)


class UnwritableError(LayoutError):
    """A value that its column cannot carry: too long, or not in the file's characters."""

    def __init__(self, layout: Layout, one: Field, row: int, why: str, zh: str) -> None:
        super().__init__(
            f"row {row}: {one.name} {why}, so layout {layout.name} cannot carry it",
            hint="correct the record, or choose a layout with a wider column or other characters",
            zh=f"第{row}行的“{one.title or one.name}”{zh}，{layout.title}无法写出",
        )


def write(layout: Layout, rows: pl.DataFrame, values: Mapping[str, str] | None = None) -> bytes:
    """A whole file.

    Parameters
    ----------
    rows : DataFrame
        A column of text for each field of the layout; a ``serial`` is numbered here and need not
        be given, nor constants.
    values : mapping, optional
        For header and trailer (``batch``, ``date`` ...): by the name of the field or by what it
        holds. Count and total are worked out here.

    Raises
    ------
    LayoutError
        A value does not fit.
    """
    rows = _completed(layout, rows)
    known = dict(values or {}) | _totals(layout, rows)
    made = BytesIO()  # gives its bytes away without another copy
    if layout.header:
        made.write(_record(layout, layout.header, known))
    for start in range(0, rows.height, _ROWS):
        made.write(_lines(layout, layout.fields, rows.slice(start, _ROWS), start))
    if layout.trailer:
        made.write(_record(layout, layout.trailer, known))
    return made.getvalue()


def row_obstacles(layout: Layout, rows: pl.DataFrame) -> pl.Series:
    """For every row ``''`` or why the layout cannot carry it, ``field:reason``.

    `write` refuses the whole file for one of them.
    """
    found = [""] * rows.height
    for one in layout.fields:
        if one.name not in rows.columns:
            continue
        for at, value in enumerate(rows[one.name].cast(pl.String).fill_null("").to_list()):
            if not found[at] and (reason := _obstacle(layout, one, value)):
                found[at] = f"{one.name}:{reason}"
    return pl.Series(found, dtype=pl.String)


def _obstacle(layout: Layout, one: Field, value: str) -> str:
    try:
        size = len(value.encode(layout.encoding))
    except UnicodeEncodeError:
        return "character"
    if _has_sign(layout, value):
        return "sign"
    return "long" if size > one.width else ""


def _has_sign(layout: Layout, value: str) -> bool:
    return bool(_CONTROL.search(value) or (layout.separator and layout.separator in value))


def _completed(layout: Layout, rows: pl.DataFrame) -> pl.DataFrame:
    columns = []
    for one in layout.fields:
        if one.holds == "serial" and one.name not in rows.columns:
            serial = pl.int_range(1, rows.height + 1, dtype=pl.Int64, eager=True)
            columns.append(serial.cast(pl.String).alias(one.name))
        elif one.name not in rows.columns:
            columns.append(pl.Series(one.name, [one.constant]).new_from_index(0, rows.height))
        else:
            columns.append(rows[one.name].cast(pl.String).fill_null(""))
    return pl.DataFrame(columns)


def _totals(layout: Layout, rows: pl.DataFrame) -> dict[str, str]:
    body = layout.holding("amount")
    total = int(fen(rows[body.name], body.unit).sum()) if body and rows.height else 0
    known = {}
    for one in (*layout.header, *layout.trailer):
        if one.holds == "count":
            known[one.name] = str(rows.height)
        elif one.holds == "amount":
            known[one.name] = money(pl.Series([total]), one.unit)[0]
    return known


def _record(layout: Layout, fields: Sequence[Field], known: Mapping[str, str]) -> bytes:
    values = {
        one.name: [one.constant or known.get(one.name) or known.get(one.holds or one.name) or ""]
        for one in fields
    }
    return _lines(layout, fields, pl.DataFrame(values, schema=dict.fromkeys(values, pl.String)), -1)


def _lines(layout: Layout, fields: Sequence[Field], rows: pl.DataFrame, start: int) -> bytes:
    cells = [
        _column(layout, one, rows[one.name], start) if layout.fixed else rows[one.name]
        for one in fields
    ]
    joined = pl.DataFrame(cells).select(pl.concat_str(pl.all(), separator=layout.separator))
    lines = joined.to_series()
    _refuse_signs(layout, fields, rows, lines, start)
    end = layout.line_end.decode("ascii")
    text = end.join(lines.to_list()) + end
    try:
        return text.encode(layout.encoding)
    except UnicodeEncodeError:
        raise _unencodable(layout, fields, rows, start) from None


def _column(layout: Layout, one: Field, column: pl.Series, start: int) -> pl.Series:
    """Values filled up to the bytes of their column."""
    if bool((column.str.len_bytes() == column.str.len_chars()).all()):
        widths = column.str.len_bytes()
    else:
        widths = pl.Series(
            [len(value.encode(layout.encoding, "replace")) for value in column.to_list()],
            dtype=pl.UInt32,
        )
    wide = (widths > one.width).arg_true()
    if len(wide):
        raise UnwritableError(
            layout, one, start + int(wide[0]) + 1, f"has more than {one.width} bytes", "过长"
        )
    short = pl.Series("short", one.width - widths.cast(pl.Int64))
    filler = pl.Series([one.pad * one.width]).new_from_index(0, len(column)).str.head(short)
    joined = filler + column if one.right else column + filler
    return joined.alias(one.name)


def _refuse_signs(
    layout: Layout, fields: Sequence[Field], rows: pl.DataFrame, lines: pl.Series, start: int
) -> None:
    """No separator and no control character inside a value."""
    damaged = lines.str.contains(_CONTROLS)
    if not layout.fixed:
        signs = lines.str.count_matches(layout.separator, literal=True)
        damaged = damaged | (signs != len(fields) - 1)
    at = damaged.arg_true()
    if not len(at):
        return
    row = int(at[0])
    for one in fields:
        if _has_sign(layout, str(rows[one.name][row])):
            why = "has a separator or a control character in it"
            raise UnwritableError(layout, one, start + row + 1, why, "含有分隔符或控制字符")


def _unencodable(
    layout: Layout, fields: Sequence[Field], rows: pl.DataFrame, start: int
) -> UnwritableError:
    for one in fields:
        for at, value in enumerate(rows[one.name].to_list(), start + 1):
            try:
                value.encode(layout.encoding)
            except UnicodeEncodeError:
                why = f"has a character that {layout.encoding} does not have"
                return UnwritableError(layout, one, at, why, f"含有 {layout.encoding} 没有的字")
    raise AssertionError("every value can be encoded")  # pragma: no cover
