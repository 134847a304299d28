"""The registry as a file for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal

from cardkit import wholefile
from cardkit.errors import UsageError
from cardkit.registry.records import CardRecord

Format = Literal["csv", "json"]

COLUMNS = (
    "citizen_number",
    "name",
    "insurance_number",
    "card_number",
    "card_id_code",
    "state",
    "reason",
    "kind",
    "bank_card_number",
    "reader",
    "chip_kind",
    "attempts",
    "planned_at",
    "writing_at",
    "issued_at",
    "sex",
    "birth_date",
    "birthplace",
    "nation",
    "address",
    "phone",
    "status",
    "batch",
    "row",
)
"""Columns of the CSV form. The JSON form has ``items`` and ``card_id`` as well."""


def export(records: Iterable[CardRecord], path: Path, form: Format) -> int:
    """Write `records` to a file only its owner can read; it appears complete or not at all.

    Returns
    -------
    int
        Number of records.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    if form not in ("csv", "json"):
        raise UsageError(f"no such export format: {form}", hint="csv or json")
    encoding = "utf-8-sig" if form == "csv" else "utf-8"  # spreadsheets want the mark
    with wholefile.appearing(path) as raw:
        file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        try:
            count = (_write_csv if form == "csv" else _write_json)(records, file)
        finally:
            file.detach()
    return count


def _write_csv(records: Iterable[CardRecord], file: IO[str]) -> int:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 - the count is the result
        values = record.as_json()
        writer.writerow([values[column] for column in COLUMNS])
    return count


def _write_json(records: Iterable[CardRecord], file: IO[str]) -> int:
    file.write("[")
    count = 0
    for count, record in enumerate(records, 1):
        file.write("\n" if count == 1 else ",\n")
        file.write(json.dumps(record.as_json(), ensure_ascii=False))
    file.write("\n]\n")
    return count
