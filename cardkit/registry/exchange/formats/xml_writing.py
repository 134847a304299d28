"""Rows → XML: a line for every element of header and trailer, and one for each row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

import polars as pl

from cardkit.registry.exchange.formats.common import UnwritableError, as_frame, unencodable
from cardkit.registry.exchange.layout import Field, Layout
from cardkit.registry.exchange.xml_shape import DECLARED, Path, Xml, below, way

_FORBIDDEN = "[\\x00-\\x1f\\x7f\ufffe\uffff]"
"""What XML 1.0 does not allow, and the control characters that no value has in any format."""


class XmlWriter:
    """Writes one file of XML."""

    def __init__(self, layout: Layout) -> None:
        if layout.xml is None:
            raise ValueError(f"layout {layout.name} is not XML")
        self._layout = layout
        self._xml: Xml = layout.xml
        self._inside: Path = ()

    def begin(self, header: Mapping[str, str]) -> bytes:
        """Declaration and header, up to the first row."""
        declaration = f'<?xml version="1.0" encoding="{DECLARED[self._layout.encoding]}"?>'
        lines = [declaration, *self._leaves(self._xml.header, self._layout.header, header)]
        return self._encoded([*lines, *self._go(self._xml.rows[:-1])])

    def rows(self, rows: pl.DataFrame, start: int) -> bytes:
        """An element each, with every field in it."""
        fields, tag = self._layout.fields, self._xml.rows[-1]
        self._check(fields, rows, start)
        parts, between = [], f"<{tag}>"
        for one in fields:
            parts += [pl.lit(f"{between}<{one.element}>"), _escaped(one.name)]
            between = f"</{one.element}>"
        lines = rows.select(pl.concat_str(*parts, pl.lit(f"{between}</{tag}>")).alias("line"))
        return self._encoded(lines["line"].to_list())

    def end(self, trailer: Mapping[str, str]) -> bytes:
        """The trailer, and every element that is still open is closed."""
        leaves = self._leaves(self._xml.trailer, self._layout.trailer, trailer)
        return self._encoded([*leaves, *self._go(())])

    def has_sign(self, value: str) -> bool:
        """A character that is in no XML; ``<`` and ``&`` are written as what stands for them."""
        return bool(re.search(_FORBIDDEN, value))

    def _leaves(
        self, base: Path, fields: Sequence[Field], values: Mapping[str, str]
    ) -> Iterator[str]:
        self._check(fields, as_frame(fields, values), -1)
        paths = below(base, [one.element for one in fields])
        for one, path in zip(fields, paths, strict=True):
            yield from self._go(path[:-1])
            yield f"<{path[-1]}>{escape(values[one.name])}</{path[-1]}>"

    def _go(self, goal: Path) -> Iterator[str]:
        closed, opened = way(self._inside, goal)
        self._inside = goal
        yield from (f"</{tag}>" for tag in closed)
        yield from (f"<{tag}>" for tag in opened)

    def _encoded(self, lines: Sequence[str]) -> bytes:
        end = self._layout.line_end.decode("ascii")
        text = end.join(lines) + end if lines else ""
        return text.encode(self._layout.encoding)

    def _check(self, fields: Sequence[Field], rows: pl.DataFrame, start: int) -> None:
        """No forbidden character, and none that the encoding does not have, in any value."""
        for one in fields:
            wrong = rows[one.name].str.contains(_FORBIDDEN).arg_true()
            if len(wrong):
                row = start + int(wrong[0]) + 1
                why = "has a character that XML does not allow"
                raise UnwritableError(self._layout, one, row, why, "含有 XML 不允许的字符")
        try:
            for one in fields:
                "\n".join(rows[one.name].to_list()).encode(self._layout.encoding)
        except UnicodeEncodeError:
            raise unencodable(self._layout, fields, rows, start) from None


def _escaped(name: str) -> pl.Expr:
    value = pl.col(name)
    for sign in "&<>":  # the sign that begins what stands for the others comes first
        value = value.str.replace_all(sign, escape(sign), literal=True)
    return value
