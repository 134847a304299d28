"""XML → header, rows and trailer, read as a stream by expat.

Nothing is loaded from anywhere and nothing is defined in a file: a DOCTYPE ends the reading, and
with it every entity. Elements that the layout does not have, attributes, comments and processing
instructions are faults, so nothing is in a file that would be overlooked. Depth, size and the
length of what stands between two elements have limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

import polars as pl

from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.formats.common import CONTROLS, LINE, Faults, Record, decoded
from cardkit.registry.exchange.formats.xml_faults import (
    ATTRIBUTE,
    COMMENT,
    CONTROL,
    DEEP,
    DOCTYPE,
    FORBIDDEN,
    INSTRUCTION,
    LARGE,
    LONG,
    MANY,
    TEXT,
    Said,
    declared,
    malformed,
    outside,
    twice,
    undeclared,
    unknown,
)
from cardkit.registry.exchange.layout import Field, Layout
from cardkit.registry.exchange.xml_shape import DEEPEST, Path, below

_PIECE = 2 << 20  # bytes given to the parser at a time
_LONGEST = 1 << 20  # bytes without an element, beyond those
_LARGEST = 1 << 30  # bytes of a file
_MOST = 5_000_000  # rows of a file
_AT_A_TIME = 20_000  # rows of a frame
_WHITE = " \t\r\n"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class _Stopped(Exception):  # noqa: N818 - no error: the fault is named already
    """Reading ends here."""


@dataclass(slots=True, eq=False)
class _Node:
    """An element that a layout has once, or that of its rows."""

    path: Path
    parent: _Node | None
    children: dict[str, _Node] = field(default_factory=dict)
    value: str | None = None  # of a field
    line: int = 0  # 0: not there yet


class XmlReader:
    """Reads one file of XML."""

    def __init__(self, layout: Layout, faults: Faults) -> None:
        if layout.xml is None:
            raise ValueError(f"layout {layout.name} is not XML")
        self._layout, self._xml, self._faults = layout, layout.xml, faults
        self.header, self.trailer = Record({}, 1), Record({}, 1)
        self._nodes: dict[Path, _Node] = {}
        self._top = _Node((), None)
        for part, base in ((layout.header, self._xml.header), (layout.trailer, self._xml.trailer)):
            for path in below(base, [one.element for one in part]):
                self._grow(path).value = ""
        self._row_node = self._grow(self._xml.rows)
        self._node = self._top
        self._places = {one.element: at for at, one in enumerate(layout.fields)}
        self._empty: list[str | None] = [None] * len(layout.fields)
        self._row = list(self._empty)
        self._at = -1  # field that is open inside a row
        self._count = 0
        self._rows: list[list[str | None]] = []
        self._lines: list[int] = []
        self._texts: list[str] = []
        self._skipped = 0  # depth inside an element that is passed over
        self._declared = self._references = False
        self._parser = self._made()

    def _grow(self, path: Path) -> _Node:
        node = self._top
        for depth, tag in enumerate(path, 1):
            node = node.children.setdefault(tag, _Node(path[:depth], node))
            self._nodes[node.path] = node
        return node

    def _made(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")  # what it is given is decoded already
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = lambda *_: self._stop(DOCTYPE)
        parser.CommentHandler = lambda _: self._add(COMMENT)
        parser.ProcessingInstructionHandler = lambda *_: self._add(INSTRUCTION)
        self._parser = parser
        self._outside_rows()
        return parser

    # -- the file as a whole ----------------------------------------------------------------------

    def frames(self, data: bytes) -> Iterator[pl.DataFrame]:
        """The rows, some thousand at a time."""
        try:
            for text in self._read(data):
                self._parser.Parse(text, False)  # noqa: FBT003 - positional only
                if len(self._rows) >= _AT_A_TIME:
                    yield self._frame()
            self._parser.Parse("", True)  # noqa: FBT003
        except expat.ExpatError as error:
            self._faults.add(malformed(error))
        except _Stopped:
            pass
        else:
            if self._rows:
                yield self._frame()
            self.header = self._record(self._xml.header, self._layout.header)
            self.trailer = self._record(self._xml.trailer, self._layout.trailer)

    def _read(self, data: bytes) -> Iterator[str]:
        """The text in pieces that end before an element.

        ``<`` is no part of another character in any of the encodings.
        """
        if len(data) > _LARGEST:
            self._faults.add(Fault(0, *LARGE))
            raise _Stopped
        start, line = 0, 1
        while start < len(data):
            end = data.find(b"<", start + _PIECE) if start + _PIECE < len(data) else -1
            end = len(data) if end < 0 else end
            piece = data[start:end]
            if len(piece) > _PIECE + _LONGEST:
                last = piece.rfind(b"<", 0, _PIECE)
                self._faults.add(Fault(line + piece.count(b"\n", 0, max(last, 0)), *LONG))
                raise _Stopped
            text = decoded(self._layout.encoding, line, piece, self._faults)
            if text is None:
                raise _Stopped
            bad = _NOT_XML.search(text)
            if bad:
                self._faults.add(Fault(line + text.count("\n", 0, bad.start()), *FORBIDDEN))
                raise _Stopped
            self._references |= "&#" in text
            yield text
            line += piece.count(b"\n")
            start = end

    def _declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        self._declared = True
        fault = declared(self._layout.encoding, version, encoding or "")
        if fault:
            self._stop(fault)

    def _record(self, base: Path, fields: Sequence[Field]) -> Record:
        values, lines = {}, {}
        for one, path in zip(fields, below(base, [one.element for one in fields]), strict=True):
            node: _Node | None = self._nodes[path]
            values[one.name] = self._nodes[path].value or ""
            while node and not node.line:  # an element that is missing is missing inside another
                node = node.parent
            lines[one.name] = node.line if node else 1
            column = pl.Series([values[one.name]], dtype=pl.String)
            self._check_column(one, column, [lines[one.name]])
        return Record(values, 1, lines)

    # -- elements outside rows --------------------------------------------------------------------

    def _outside_rows(self) -> None:
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._texts.append

    def _open(self, tag: str, attributes: Sequence[str]) -> None:
        self._between()
        if not self._declared:
            self._stop(undeclared(self._layout.encoding))
        if attributes:
            self._add(ATTRIBUTE)
        node = self._node.children.get(tag)
        if node is None:
            self._skip(unknown(tag))
        elif node is self._row_node:
            self._begin_row()
        elif node.line:
            self._skip(twice(tag))
        else:
            node.line = self._parser.CurrentLineNumber
            self._node = node

    def _close(self, _tag: str) -> None:
        node = self._node
        if node.value is None:
            self._between()
        else:
            node.value = "".join(self._texts)
            self._texts.clear()
        self._node = node.parent or self._top

    def _between(self) -> None:
        """Between elements there is white space only; a field has text, and no element, in it."""
        inside = self._at >= 0 or self._node.value is not None
        if self._texts and not inside and "".join(self._texts).strip(_WHITE):
            self._add(TEXT)
        self._texts.clear()

    # -- elements inside a row: the busy part -----------------------------------------------------

    def _begin_row(self) -> None:
        if self._count == _MOST:
            self._stop(MANY)
        self._count += 1
        self._lines.append(self._parser.CurrentLineNumber)
        self._row = self._empty.copy()
        self._inside_row()

    def _inside_row(self) -> None:
        self._parser.StartElementHandler = self._open_field
        self._parser.EndElementHandler = self._close_field
        self._parser.CharacterDataHandler = self._texts.append

    def _open_field(self, tag: str, attributes: Sequence[str]) -> None:
        if self._texts:
            self._between()
        at = self._places.get(tag, -1)
        if at < 0 or self._at >= 0:
            self._skip(unknown(tag))
        elif self._row[at] is not None:
            self._skip(twice(tag))
        else:
            self._at = at
            if attributes:
                self._add(ATTRIBUTE)

    def _close_field(self, _tag: str) -> None:
        texts, at = self._texts, self._at
        if at >= 0:
            self._row[at] = texts[0] if len(texts) == 1 else "".join(texts)
            texts.clear()
            self._at = -1
            return
        self._between()
        self._rows.append(self._row)
        self._outside_rows()

    # -- elements that are passed over ------------------------------------------------------------

    def _skip(self, said: Said) -> None:
        self._add(said)
        self._skipped = 1
        self._parser.StartElementHandler = self._open_skipped
        self._parser.EndElementHandler = self._close_skipped
        self._parser.CharacterDataHandler = None

    def _open_skipped(self, _tag: str, _attributes: Sequence[str]) -> None:
        self._skipped += 1
        if self._skipped > DEEPEST:
            self._stop(DEEP)

    def _close_skipped(self, _tag: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            in_row = len(self._lines) > len(self._rows)
            (self._inside_row if in_row else self._outside_rows)()

    # -- what came of it --------------------------------------------------------------------------

    def _frame(self) -> pl.DataFrame:
        """The rows that are complete; one that is open stays."""
        lines = self._lines[: len(self._rows)]
        columns = []
        for one, values in zip(self._layout.fields, zip(*self._rows, strict=True), strict=True):
            column = pl.Series(one.name, values, dtype=pl.String).fill_null("")
            self._check_column(one, column, lines)
            columns.append(column)
        self._rows.clear()
        self._lines = self._lines[len(lines) :]
        return pl.DataFrame([*columns, pl.Series(LINE, lines, dtype=pl.Int64)])

    def _check_column(self, one: Field, column: pl.Series, lines: Sequence[int]) -> None:
        at = column.str.contains(CONTROLS).arg_true().to_list()
        self._faults.add(*(Fault(lines[row], *CONTROL) for row in at))
        if self._references:
            self._check_values(one, column.to_list(), lines)

    def _check_values(self, one: Field, values: Sequence[str], lines: Sequence[int]) -> None:
        """A reference may name a character that the encoding, and so the partner, does not have."""
        encoding = self._layout.encoding
        for value, line in zip(values, lines, strict=True):
            try:
                value.encode(encoding)
            except UnicodeEncodeError:
                self._faults.add(Fault(line, *outside(one.element, encoding)))

    def _add(self, said: Said) -> None:
        """A fault where the parser is; rows on one line are told apart by their number."""
        code, text, zh = said
        line, rows = self._parser.CurrentLineNumber, self._lines
        if len(rows) > 1 and rows[-1] == rows[-2]:
            text, zh = f"row {self._count}: {text}", f"（第{self._count}笔）{zh}"
        self._faults.add(Fault(line, code, text, zh))

    def _stop(self, said: Said) -> None:
        self._add(said)
        raise _Stopped
