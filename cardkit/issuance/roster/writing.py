"""Writes records the way a roster is written: its encoding, delimiter and line ends, or XLSX.

The files hold personal data: they are readable by their owner only, and appear under their name
when they are complete.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from cardkit import wholefile
from cardkit.issuance.roster.table import SourceFormat


def write_records(path: Path, form: SourceFormat, records: Iterable[Sequence[str]]) -> None:
    """Write a file of records; an existing one is replaced when the new one is complete.

    Raises
    ------
    UsageError
        The file cannot be written; an existing one is left as it is.
    """
    with wholefile.appearing(
        path,
        name=path.name,
        hint="check the folder, its permissions and the space left",
        zh=f"{path.name}：不能写入：请检查文件夹、权限和剩余空间",
    ) as file:
        if form.workbook:
            from cardkit.issuance.roster import workbook  # noqa: PLC0415

            workbook.write(file, form.sheet, records, beside=path.parent)
        else:
            _write_text(file, form, records)


def _write_text(file: BinaryIO, form: SourceFormat, records: Iterable[Sequence[str]]) -> None:
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="")
    try:
        csv.writer(text, delimiter=form.delimiter, lineterminator=form.line_end).writerows(records)
    finally:
        text.detach()
