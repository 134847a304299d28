"""Reads rosters of delimited text: comma, tab, pipe or semicolon, fields quoted where needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from cardkit.errors import UsageError
from cardkit.issuance.roster import encoding
from cardkit.issuance.roster.stream import Source
from cardkit.issuance.roster.table import HEADING_ROWS, SourceFormat, Table

DELIMITERS = ",\t|;"
_HEAD = 1 << 16
_BATCH = 8192

Recognise = Callable[[Sequence[str]], int]
"""How many of some texts are headings."""


def read_table(source: Source, recognised: Recognise) -> Table:
    """Read all records.

    Raises
    ------
    UsageError
        Unreadable encoding, or quotation marks that do not match; names file, line and column.
    """
    found = encoding.detect(source.name, source.file)
    text = io.TextIOWrapper(source.file, encoding=found, newline="")
    try:
        head = text.read(_HEAD)
        delimiter, heading_at = _shape(head, recognised)
        line_end = "\r\n" if "\r\n" in head else "\n"
        text.seek(0)
        table = Table(SourceFormat(found, delimiter, line_end), [])
        _fill(table, _records(source.name, text, delimiter), heading_at)
    finally:
        text.detach()
    return table


def _shape(head: str, recognised: Recognise) -> tuple[str, int]:
    """Delimiter and index of the heading: where most headings are recognised."""
    best = (0, ",", 0)
    for delimiter in DELIMITERS:
        records = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        for index, record in enumerate(_tolerant(records)):
            score = recognised(record)
            if score > best[0]:
                best = (score, delimiter, index)
    return best[1], best[2]


def _tolerant(records: Iterator[list[str]]) -> Iterator[list[str]]:
    # Guessing goes on past what the real reading will refuse with a line number.
    try:
        yield from islice(records, HEADING_ROWS)
    except csv.Error:
        return


def _records(name: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    # Strict: a quotation mark out of place may have swallowed a line end, so that nobody can say
    # where the next person begins. Such a file is refused rather than guessed at.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _spoilt(name, text, delimiter, line) from None
        yield record
        line = reader.line_num + 1


def _spoilt(name: str, text: io.TextIOWrapper, delimiter: str, line: int) -> UsageError:
    text.seek(0)
    column = _open_quote(islice(text, line - 1, None), delimiter)
    if not column:
        return UsageError(
            f"{name}, line {line}, column 1: a field of more than {csv.field_size_limit():,} "
            "characters",
            hint="this is no roster, or its delimiters were lost; export it again",
            zh=f"{name} 第{line}行：一个字段过长，不是花名册或分隔符丢失：请重新导出",
        )
    return UsageError(
        f"{name}, line {line}, column {column}: a quotation mark without its partner",
        hint='write a quotation mark inside a quoted field twice (""), or delete it',
        zh=f"{name} 第{line}行第{column}列：引号不成对：字段内的引号请写两个，或删去",
    )


def _open_quote(lines: Iterator[str], delimiter: str) -> int:
    """Column of the quotation mark that opens the field at which a record goes wrong, or 0."""
    quote, opened, start = 0, False, True
    for column, character in enumerate(next(lines, ""), start=1):
        if character == '"' and start:
            quote, opened, start = column, True, False
        elif character == '"' and opened:
            opened = False
        elif character == '"' and not start:
            opened = True  # the second of a doubled pair, or text after the closing one
        else:
            start = character == delimiter and not opened
    return quote


def _fill(table: Table, records: Iterator[list[str]], heading_at: int) -> None:
    heading = next(islice(records, heading_at, None), [])
    while heading and not heading[-1].strip():
        heading.pop()
    table.headings = heading
    table.heading_row = heading_at + 1
    table.columns = [[] for _ in heading]
    row = heading_at + 2
    while batch := list(islice(records, _BATCH)):
        rows = list(range(row, row + len(batch)))
        row += len(batch)
        # Two passes in C settle the usual batch: every record complete, none blank.
        complete = set(map(len, batch)) == {len(heading)}
        if not complete or not all(map(str.strip, map("".join, batch))):
            batch, rows = _even_out(table, batch, rows)
        for column, cells in zip(table.columns, zip(*batch, strict=True), strict=False):
            column.extend(cells)
        table.rows.extend(rows)


def _even_out(
    table: Table, batch: list[list[str]], rows: list[int]
) -> tuple[list[list[str]], list[int]]:
    """Drop blank records, cut empty cells off, set aside those of the wrong width."""
    width = len(table.headings)
    kept: list[list[str]] = []
    kept_rows: list[int] = []
    for record, row in zip(batch, rows, strict=True):
        if not "".join(record).strip(" \t\u3000\x1a\xa0"):
            continue
        trimmed = _without_empty_end(record, width)
        if len(trimmed) != width:
            table.ragged[len(table.rows) + len(kept)] = record
            trimmed = [""] * width
        kept.append(trimmed)
        kept_rows.append(row)
    return kept, kept_rows


def _without_empty_end(record: list[str], width: int) -> list[str]:
    end = len(record)
    while end > width and not record[end - 1].strip():
        end -= 1
    return record[:end]
