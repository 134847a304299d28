"""Small rosters for the tests, written cell by cell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cardkit.codec.numbers import citizen_check
from cardkit.errors import UsageError
from cardkit.issuance import roster

TODAY = dt.date(2014, 6, 1)

D1 = "养老保险号,姓名,身份证号码,地址,联系电话"
"""The agencies' list of batch opening, exactly."""


def citizen(sequence: int, born: str = "19900101") -> str:
    """Citizen number of an invented person; an odd sequence is a man."""
    first17 = f"639900{born}{sequence:03}"
    return first17 + citizen_check(first17)


ZHANG, LI, WANG = citizen(1), citizen(2), citizen(3)


def save(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "roster.csv") -> Path:
    """Write a roster and give its path."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, *, encoding: str = "utf-8", **rules: object) -> roster.Roster:
    """Read a roster of this text."""
    return roster.read(save(folder, text, encoding=encoding), today=TODAY, **rules)  # type: ignore[arg-type]


def read_or_refuse(path: Path) -> roster.Roster | UsageError:
    """What comes of a file that may be anything; other errors are not caught."""
    try:
        return roster.read(path, today=TODAY)
    except UsageError as error:
        return error


def codes(found: roster.Roster) -> list[tuple[int, str, str]]:
    """Row, field and reason code of everything that is wrong, in the order of the rows."""
    return [(r.row, p.field, p.code) for r in found.rejects for p in r.problems]
