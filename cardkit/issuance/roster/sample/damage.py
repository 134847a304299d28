"""Ways in which rows go wrong, for trying out what the check says to each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardkit.codec.numbers import CITIZEN_CHECKS, citizen_check

Record = dict[str, str]
"""Field → cell."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way.

    Parameters
    ----------
    field : str
        The column it needs.
    code : str
        The reason code the check answers with.
    spoil : callable
        ``(record, number of an earlier row) -> new cell``.
    """

    field: str
    code: str
    spoil: Callable[[Record, str], str]


def _dated(record: Record, date: str) -> str:
    number = record["citizen_number"]
    first17 = number[:6] + date + number[14:17]
    return first17 + citizen_check(first17)


def _wrong_check(record: Record, _: str) -> str:
    number = record["citizen_number"]
    return number[:17] + CITIZEN_CHECKS[CITIZEN_CHECKS.index(number[17]) - 1]


def _old(record: Record, _: str) -> str:
    number = record["citizen_number"]
    return number[:6] + number[8:17]


def _other_sex(record: Record, _: str) -> str:
    return "女" if record["sex"] == "男" else "男"


KINDS: tuple[Kind, ...] = (
    Kind("citizen_number", "check_digit", _wrong_check),
    Kind("citizen_number", "birth_date", lambda record, _: _dated(record, "19990231")),
    Kind("citizen_number", "birth_date_future", lambda record, _: _dated(record, "29990101")),
    Kind("citizen_number", "duplicate", lambda _, earlier: earlier),
    Kind("name", "missing", lambda _record, _: ""),
    Kind("name", "too_long", lambda _record, _: "阿卜杜热合曼江·" * 4),
    Kind("name", "character", lambda record, _: record["name"][:1] + "㐂"),
    Kind("nation", "nation_unknown", lambda _record, _: "汗族"),
    Kind("citizen_number", "excel_number", lambda _record, _: "6.399E+17"),
    Kind("citizen_number", "apostrophe", lambda record, _: "'" + record["citizen_number"]),
    Kind("citizen_number", "old_number", _old),
    Kind("citizen_number", "form", lambda record, _: record["citizen_number"][:-1]),
    Kind("citizen_number", "missing", lambda _record, _: ""),
    Kind("sex", "sex_differs", _other_sex),
    Kind("sex", "sex_unknown", lambda _record, _: "不详"),
    Kind("birth_date", "birth_date_differs", lambda _record, _: "19000101"),
    Kind("birth_date", "birth_date_form", lambda _record, _: "1990年"),
    Kind("birthplace", "birthplace", lambda _record, _: "6399"),
    Kind("card_kind", "card_kind_unknown", lambda _record, _: "金卡"),
    Kind("bank_card_number", "bank_card", lambda _record, _: "6299990000000000000"),
)
"""Every way one cell of a row can be wrong, the usual ones first."""
