"""Rows → the bytes of an exchange file, with the totals of header and trailer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

import polars as pl

from cardkit.registry.exchange.checking import fen, money
from cardkit.registry.exchange.formats.common import UnwritableError, Writer
from cardkit.registry.exchange.formats.line_writing import LineWriter
from cardkit.registry.exchange.formats.xml_writing import XmlWriter
from cardkit.registry.exchange.layout import Field, Layout

__all__ = ["UnwritableError", "parts", "row_obstacles", "write"]

_ROWS = 20_000  # written at a time; larger pieces leave holes in memory behind them


def write(layout: Layout, rows: pl.DataFrame, values: Mapping[str, str] | None = None) -> bytes:
    """A whole file; see `parts`."""
    made = BytesIO()  # gives its bytes away without another copy
    for part in parts(layout, rows, values):
        made.write(part)
    return made.getvalue()


def parts(
    layout: Layout, rows: pl.DataFrame, values: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """A file in pieces of some thousand rows, for whoever needs no more than one at a time.

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
    writer = _writer(layout)
    yield writer.begin(_record(layout.header, known))
    for start in range(0, rows.height, _ROWS):
        yield writer.rows(rows.slice(start, _ROWS), start)
    yield writer.end(_record(layout.trailer, known))


def _writer(layout: Layout) -> Writer:
    return XmlWriter(layout) if layout.xml else LineWriter(layout)


def row_obstacles(layout: Layout, rows: pl.DataFrame) -> pl.Series:
    """For every row ``''`` or why the layout cannot carry it, ``field:reason``.

    `write` refuses the whole file for one of them.
    """
    found, writer = [""] * rows.height, _writer(layout)
    for one in layout.fields:
        if one.name not in rows.columns:
            continue
        for at, value in enumerate(rows[one.name].cast(pl.String).fill_null("").to_list()):
            if not found[at] and (reason := _obstacle(layout, writer, one, value)):
                found[at] = f"{one.name}:{reason}"
    return pl.Series(found, dtype=pl.String)


def _obstacle(layout: Layout, writer: Writer, one: Field, value: str) -> str:
    try:
        size = len(value.encode(layout.encoding))
    except UnicodeEncodeError:
        return "character"
    if writer.has_sign(value):
        return "sign"
    return "long" if size > one.width else ""


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


def _record(fields: Sequence[Field], known: Mapping[str, str]) -> dict[str, str]:
    return {
        one.name: one.constant or known.get(one.name) or known.get(one.holds or one.name) or ""
        for one in fields
    }
