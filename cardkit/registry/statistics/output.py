"""Tables as files: CSV and XLSX for people, JSON for programs. Complete, or not there at all."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from cardkit import wholefile
from cardkit.errors import UsageError
from cardkit.registry.statistics.charts import chart
from cardkit.registry.statistics.tables import Table

TABLES = ("csv", "json", "xlsx")
CHARTS = ("pdf", "png", "svg")


def write(table: Table, path: Path, form: str = "", *, title: str = "", lang: str = "zh") -> None:
    """Write a table, or its chart, to a file; the form follows from the file's ending.

    Raises
    ------
    UsageError
        Unknown form, or the file cannot be written.
    """
    chosen = form or path.suffix.lower().removeprefix(".")
    if chosen == "csv":
        content = _csv(table, lang)
    elif chosen == "json":
        content = (json.dumps(table.as_json(), ensure_ascii=False, indent=1) + "\n").encode()
    elif chosen == "xlsx":
        content = _workbook(table, lang, title)
    elif chosen in CHARTS:
        content = chart(table, chosen, title=title, lang=lang)
    else:
        raise UsageError(
            f"{path.name}: which form?", hint=f"end it with {', '.join(TABLES + CHARTS)}"
        )
    wholefile.write(path, content)


def _csv(table: Table, lang: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(table.headings(lang))
    writer.writerows([_harmless(cell) for cell in line] for line in table.lines(lang))
    writer.writerow([_total(lang), "", "", *table.totals])
    return file.getvalue().encode("utf-8-sig")  # spreadsheets want the mark


def _harmless(cell: str | int) -> str | int:
    """A name of a place that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell


def _workbook(table: Table, lang: str, title: str) -> bytes:
    import polars as pl  # noqa: PLC0415 - late: it takes a third of a second

    headings = table.headings(lang)
    lines = [*table.lines(lang), [_total(lang), "", "", *table.totals]]
    types = [pl.String] * 3 + [pl.Int64] * len(table.measures)
    frame = pl.DataFrame(lines, schema=dict(zip(headings, types, strict=True)), orient="row")
    file = io.BytesIO()
    frame.write_excel(file, worksheet=(title or "cardkit")[:31], autofit=True, freeze_panes=(1, 0))
    return file.getvalue()


def _total(lang: str) -> str:
    return "合计" if lang == "zh" else "total"
