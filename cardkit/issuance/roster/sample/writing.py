"""Writes rosters of invented people."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from cardkit.codec.nations import NATIONS
from cardkit.errors import UsageError
from cardkit.issuance.roster.columns import BY_FIELD
from cardkit.issuance.roster.remarks import Language
from cardkit.issuance.roster.sample.damage import KINDS, Record
from cardkit.issuance.roster.sample.people import LARGEST, people
from cardkit.issuance.roster.table import SourceFormat
from cardkit.issuance.roster.writing import write_records
from cardkit.registry.people import Applicant

FIELDS = ("insurance_number", "name", "citizen_number", "address", "phone", "nation")
"""The agencies' list 养老保险号, 姓名, 身份证号码, 地址, 联系电话, and 民族."""

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")

_KINDS_SHOWN = {"adult": "成人", "child": "儿童"}


def records(
    count: int,
    seed: int,
    *,
    fields: Sequence[str] = FIELDS,
    bad: float = 0.0,
    lang: Language = "zh",
) -> Iterator[list[str]]:
    """Heading and rows of a sample roster.

    Parameters
    ----------
    count : int
        People.
    seed : int
        The same arguments give the same roster.
    fields : sequence of str
        Columns, names as in `cardkit.issuance.roster.columns.COLUMNS`.
    bad : float
        Share of rows, 0 to 1, with something wrong: each kind of `KINDS` whose column is there, in
        turn. The first row is always right.
    lang : {'zh', 'en'}
        Language of the headings.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = [kind for kind in KINDS if kind.field in fields]
    spoilt = rng.sample(range(1, count), max(min(round(count * bad), count - 1), 0))
    kind_of = {at: kinds[n % len(kinds)] for n, at in enumerate(sorted(spoilt))}
    yield [BY_FIELD[field].label(lang) for field in fields]
    earlier = ""
    for at, person in enumerate(people(count, seed)):
        record = _shown(person)
        if kind := kind_of.get(at):
            record[kind.field] = kind.spoil(record, earlier)
        else:
            earlier = record["citizen_number"]
        yield [record[field] for field in fields]


def _shown(person: Applicant) -> Record:
    return {
        "insurance_number": person.insurance_number,
        "name": person.name,
        "citizen_number": person.citizen_number,
        "address": person.address,
        "phone": person.phone,
        "sex": "男" if person.sex == "1" else "女",
        "birth_date": person.birth_date,
        "nation": NATIONS[person.nation],
        "birthplace": person.birthplace,
        "status": person.status,
        "card_kind": _KINDS_SHOWN[person.card_kind],
        "bank_card_number": person.bank_card_number,
    }


def write(
    path: str | Path,
    count: int,
    seed: int,
    *,
    encoding: str = "utf-8",
    fields: Sequence[str] = FIELDS,
    bad: float = 0.0,
    lang: Language = "zh",
) -> None:
    """Write a sample roster: ``.xlsx`` a workbook, ``.txt`` pipe-delimited, anything else CSV.

    Parameters
    ----------
    encoding : str
        One of `ENCODINGS`; a workbook has its own.
    count, seed, fields, bad, lang
        As in `records`.

    Raises
    ------
    UsageError
        Count, share, field or encoding is not possible, or the file cannot be written.
    """
    path = Path(path)
    _refuse_impossible(count, encoding, fields, bad)
    suffix = path.suffix.lower()
    form = SourceFormat(encoding, "|" if suffix == ".txt" else ",", "\r\n")
    if suffix == ".xlsx":
        form = SourceFormat("", "", sheet="花名册")
    write_records(path, form, records(count, seed, fields=fields, bad=bad, lang=lang))


def _refuse_impossible(count: int, encoding: str, fields: Sequence[str], bad: float) -> None:
    if not 1 <= count <= LARGEST:
        raise UsageError(f"a sample has 1 to {LARGEST:,} people", hint="ask for fewer")
    if not 0 <= bad <= 1:
        raise UsageError("the share of bad rows is between 0 and 1", hint="try 0.1")
    if encoding not in ENCODINGS:
        raise UsageError(f"no encoding {encoding} for rosters", hint=f"use {', '.join(ENCODINGS)}")
    unknown = [field for field in fields if field not in BY_FIELD]
    if unknown:
        raise UsageError(f"no column {unknown[0]}", hint=f"columns are {', '.join(BY_FIELD)}")
