"""Writes records the way a roster is written: its encoding, delimiter and line ends, or XLSX.

The files hold personal data: they are readable by their owner only, and appear under their name
when they are complete.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from cardkit.errors import UsageError
from cardkit.issuance.roster.table import SourceFormat


def write_records(path: Path, form: SourceFormat, records: Iterable[Sequence[str]]) -> None:
    """Write a file of records; an existing one is replaced when the new one is complete.

    Raises
    ------
    UsageError
        The file cannot be written; an existing one is left as it is.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".cardkit-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from None
    unfinished = Path(name)
    os.close(handle)  # mkstemp made it 0600
    try:
        _write(unfinished, form, records)
        unfinished.replace(path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _write(path: Path, form: SourceFormat, records: Iterable[Sequence[str]]) -> None:
    if form.workbook:
        from cardkit.issuance.roster import workbook  # noqa: PLC0415

        workbook.write(path, form.sheet, records)
        return
    with path.open("w", encoding=form.encoding, newline="") as file:
        csv.writer(file, delimiter=form.delimiter, lineterminator=form.line_end).writerows(records)
        file.flush()
        os.fsync(file.fileno())


def _refused(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path.name}: {error.strerror or 'cannot be written'}",
        hint="check the folder, its permissions and the space left",
        zh=f"{path.name}：不能写入：请检查文件夹、权限和剩余空间",
    )
