"""Reads a roster: opened and measured first, then parsed, then checked."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.card.files import GENERATION_2, Tree
from cardkit.codec.text import STRICT, TextRules
from cardkit.errors import UsageError
from cardkit.issuance.roster import delimited, workbook
from cardkit.issuance.roster.columns import REQUIRED
from cardkit.issuance.roster.headings import Layout, Place, recognised, resolve
from cardkit.issuance.roster.remarks import Remark
from cardkit.issuance.roster.roster import Roster
from cardkit.issuance.roster.stream import Source, open_source
from cardkit.issuance.roster.table import Table


def read(
    path: str | Path,
    *,
    today: dt.date,
    text_rules: TextRules = STRICT,
    required: Collection[str] = (),
    sheet: str | None = None,
    tree: Tree = GENERATION_2,
) -> Roster:
    """Read and check a roster 花名册: CSV, pipe-delimited text or XLSX.

    Parameters
    ----------
    path : str or Path
        The file; a named pipe is read as well.
    today : date
        The last day a person can have been born.
    text_rules : TextRules
        Which characters the cards may carry.
    required : collection of str
        Fields that must have a column besides name and citizen number.
    sheet : str, optional
        Sheet of a workbook; by default the first that has the headings of a roster.
    tree : Tree
        Specification tree in which item columns are looked up.

    Returns
    -------
    Roster
        Every row of the file is either an applicant or a reject; blank rows are neither.

    Raises
    ------
    UsageError
        The file as a whole cannot be used: not to be opened, empty, binary, of unknown encoding,
        with a line over 1 MiB, without a required column. Names file, line and column.

    Notes
    -----
    Source: domain.md [D1]; the checks are listed in docs/roster.md.
    """
    with open_source(Path(path)) as source, _collector_paused():
        table = _table(source, sheet)
        place = Place(source.name, table.heading_row)
        needed = REQUIRED | frozenset(required)
        layout = resolve(table.headings, tree=tree, place=place, required=needed)
        if not table.rows:
            raise UsageError(
                f"{source.name}, line {table.heading_row + 1}, column 1: no row below the heading",
                hint="export the roster again",
                zh=f"{source.name}：列名下面没有数据：请重新导出",
            )
        return _checked(source, table, layout, text_rules, today)


@contextmanager
def _collector_paused() -> Iterator[None]:
    # A county makes millions of objects that live on and form no cycles; the collector would walk
    # them again and again, a quarter of the whole time.
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _table(source: Source, sheet: str | None) -> Table:
    if source.workbook:
        return workbook.read_table(source, recognised, sheet)
    return delimited.read_table(source, recognised)


def _checked(
    source: Source, table: Table, layout: Layout, text_rules: TextRules, today: dt.date
) -> Roster:
    # Late: needs numpy, which a file that is refused does not.
    from cardkit.issuance.roster.checks import Rules, check  # noqa: PLC0415

    result = check(table, layout, Rules(text_rules, today))
    remarks = [*_about_file(table), *layout.remarks, *result.remarks]
    return Roster(
        source.name, source.digest, result.applicants, result.rejects, remarks, table, layout
    )


def _about_file(table: Table) -> list[Remark]:
    remarks = []
    if table.heading_row > 1:
        remarks.append(Remark("heading_row", {"row": table.heading_row}))
    if table.other_sheets:
        details = {"sheet": table.format.sheet, "count": table.other_sheets}
        remarks.append(Remark("other_sheets", details))
    return remarks
