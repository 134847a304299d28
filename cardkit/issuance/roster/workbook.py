"""Reads rosters from Excel workbooks (.xlsx), and writes sheets of text.

The spreadsheet libraries are imported here and nowhere else, when a workbook is met.
"""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cardkit.errors import UsageError
from cardkit.issuance.roster.stream import Source
from cardkit.issuance.roster.table import HEADING_ROWS, SourceFormat, Table
from cardkit.issuance.roster.workbook_guard import Guard, Sheet, damaged

if TYPE_CHECKING:
    from fastexcel import ExcelReader
    from xlsxwriter import Workbook

_CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the same rows always give the same file
_ENOUGH = 2
"""Headings by which a sheet is taken for the roster: name and citizen number."""

Recognise = Callable[[Sequence[str]], int]


def read_table(source: Source, recognised: Recognise, sheet: str | None = None) -> Table:
    """Read one sheet: the named one, or the first that has headings of a roster.

    Every cell becomes text: numbers as they are shown without format, days as ``YYYY-MM-DD …``.

    Raises
    ------
    UsageError
        No workbook, damaged, no such sheet, or cells far outside the roster.
    """
    guard = Guard(source.name, source.file)
    wanted = _wanted(source.name, guard.sheets, sheet)
    for candidate in wanted:
        guard.inspect(candidate)
    source.file.seek(0)
    reader = _open(source.name, source.file.read())
    chosen, columns, heading_at = _choose(source.name, reader, wanted, recognised)
    table = Table(SourceFormat("", "", "\n", chosen.name), [], heading_at + 1)
    table.numeric = chosen.numeric
    table.other_sheets = len(guard.sheets) - 1
    _fill(table, columns, heading_at)
    return table


def _wanted(name: str, sheets: list[Sheet], sheet: str | None) -> list[Sheet]:
    if not sheets:
        raise damaged(name)
    if sheet is None:
        return sheets
    found = [candidate for candidate in sheets if candidate.name == sheet]
    if not found:
        raise UsageError(
            f"{name}: no sheet {sheet}",
            hint="see the tabs at the bottom of the workbook",
            zh=f"{name}：没有工作表 {sheet}：请看工作簿底部的标签",
        )
    return found


def _open(name: str, content: bytes) -> ExcelReader:
    import fastexcel  # noqa: PLC0415

    with _damage_reported(name):
        return fastexcel.read_excel(content)


def _columns(name: str, reader: ExcelReader, sheet: str) -> list[list[str]]:
    """Cells of a sheet by column; the rectangle begins in row 1."""
    with _damage_reported(name):
        loaded = reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        frame = loaded.to_polars()
    return [column.fill_null("").to_list() for column in frame]


@contextmanager
def _damage_reported(name: str) -> Iterator[None]:
    import fastexcel  # noqa: PLC0415

    try:
        yield
    except fastexcel.FastExcelError:
        raise damaged(name) from None
    except BaseException as error:
        # The library's Rust part reports broken files by a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(name) from None


def _choose(
    name: str, reader: ExcelReader, sheets: list[Sheet], recognised: Recognise
) -> tuple[Sheet, list[list[str]], int]:
    """The first sheet with headings of a roster, its cells, and where its headings are."""
    best_score, best = -1, (sheets[0], list[list[str]](), 0)
    for sheet in sheets:
        columns = _columns(name, reader, sheet.name)
        head = zip(*(column[:HEADING_ROWS] for column in columns), strict=True)
        scores = [recognised(record) for record in head] or [0]
        if max(scores) > best_score:
            best_score, best = max(scores), (sheet, columns, scores.index(max(scores)))
        if best_score >= _ENOUGH:
            break
    return best


def _fill(table: Table, columns: list[list[str]], heading_at: int) -> None:
    while columns and not any(columns[-1][heading_at:]):
        columns.pop()
    table.headings = [column[heading_at] for column in columns if column]
    bodies = [column[heading_at + 1 :] for column in columns]
    first = heading_at + 2
    blank = [not cells.strip() for cells in map("".join, zip(*bodies, strict=True))]
    if any(blank):
        bodies = [
            [cell for cell, skip in zip(body, blank, strict=True) if not skip] for body in bodies
        ]
    table.columns = bodies
    table.rows = [row for row, skip in enumerate(blank, start=first) if not skip]


def write(file: BinaryIO, sheet: str, records: Iterable[Sequence[str]], *, beside: Path) -> None:
    """Write a workbook of one sheet whose cells are all text, so that no number is changed.

    Parameters
    ----------
    beside : Path
        Folder for the rows until they are packed: where the workbook goes, as personal data belong.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415

    # Packed in memory: on a full disk the library would leave a file open and complain about it.
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix=".cardkit-", dir=beside) as folder:
        book = xlsxwriter.Workbook(packed, {"constant_memory": True, "tmpdir": folder})
        try:
            _fill_book(book, sheet, records)
        except FileCreateError as error:
            raise OSError(*error.args[0].args) from None
    file.write(packed.getbuffer())


def _fill_book(book: Workbook, sheet: str, records: Iterable[Sequence[str]]) -> None:
    book.set_properties({"created": _CREATED})
    try:
        text = book.add_format({"num_format": "@"})
        page = book.add_worksheet(sheet or "Sheet1")
        for row, record in enumerate(records):
            for column, cell in enumerate(record):
                page.write_string(row, column, cell, text)
    finally:
        book.close()
