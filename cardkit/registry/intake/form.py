"""What an application says about a person, checked by the rules the roster uses.

The roster's own reader (one room above) cleans what people type; here nothing is cleaned. It is the
last check before the data are kept: whoever hands in an application gets past it with correct data
only, whatever program it came from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cardkit.codec.nations import nation_code
from cardkit.codec.numbers import NumberError, is_bank_card_number, parse_citizen_number
from cardkit.codec.text import FOUR_BYTES, STRICT, TextError, TextRules, check_text, split_name
from cardkit.registry.people import Applicant

CARD_KINDS = ("adult", "child", "student", "employer", "temporary")
TEXT_LIMITS = {"insurance_number": 40, "address": 400, "phone": 40, "status": 40}
"""Bytes, in GB18030, of the texts that only the registry keeps."""


class _Words(NamedTuple):
    zh: str
    en: str


_FIELDS = {
    "name": "姓名",
    "citizen_number": "公民身份号码",
    "insurance_number": "养老保险号",
    "sex": "性别",
    "birth_date": "出生日期",
    "birthplace": "出生地",
    "nation": "民族",
    "address": "地址",
    "phone": "联系电话",
    "status": "人员状态",
    "card_kind": "卡类别",
    "bank_card_number": "银行卡号",
}
_REASONS: Mapping[str, _Words] = {
    "missing": _Words("未填写", "missing"),
    "old_number": _Words("是15位旧号码，请填写18位", "an old number of 15 digits; 18 are wanted"),
    "form": _Words("应为17位数字加1位校验码", "must be 17 digits and a check character"),
    "birth_date": _Words("其中的出生日期不存在或过早", "the birth date in it is impossible"),
    "birth_date_future": _Words("其中的出生日期晚于今天", "the birth date in it is in the future"),
    "check_digit": _Words("校验码错误", "wrong check digit"),
    "differs": _Words("与公民身份号码不一致", "disagrees with the citizen number"),
    "character": _Words("有卡片无法存储的字", "a character that cannot be stored on the card"),
    "too_long": _Words("过长", "too long"),
    "unknown": _Words("填写有误", "not one of the values allowed"),
}


@dataclass(frozen=True, slots=True)
class FormProblem:
    """One thing wrong with an application; names the field, never repeats its value."""

    field: str
    code: str

    def text(self, lang: str = "zh") -> str:
        """For people.

        Examples
        --------
        >>> FormProblem("sex", "differs").text()
        '性别：与公民身份号码不一致'
        """
        words = _REASONS[self.code]
        return f"{_FIELDS[self.field]}：{words.zh}" if lang == "zh" else f"{self.field}: {words.en}"


def problems_of(
    applicant: Applicant, *, today: dt.date, rules: TextRules = STRICT
) -> list[FormProblem]:
    """Everything wrong with the data of an application.

    Parameters
    ----------
    today : date
        The last day a person can have been born.
    rules : TextRules
        What a card may carry.

    Examples
    --------
    >>> one = Applicant(1, "张测试", "11010519491231002X", "8800001", "1", "19491231")
    >>> [problem.code for problem in problems_of(one, today=dt.date(2012, 5, 1))]
    ['differs']
    """
    return [
        *_of_name(applicant, rules),
        *_of_number(applicant, today),
        *_of_codes(applicant),
        *_of_texts(applicant),
    ]


def _of_name(applicant: Applicant, rules: TextRules) -> Iterator[FormProblem]:
    if not applicant.name:
        yield FormProblem("name", "missing")
        return
    try:
        split_name(applicant.name, rules)
    except TextError as error:
        yield FormProblem("name", error.code)


def _of_number(applicant: Applicant, today: dt.date) -> Iterator[FormProblem]:
    if not applicant.citizen_number:
        yield FormProblem("citizen_number", "missing")
        return
    try:
        number = parse_citizen_number(applicant.citizen_number, today)
    except NumberError as error:
        yield FormProblem("citizen_number", error.code)
        return
    if applicant.sex != number.sex:
        yield FormProblem("sex", "differs")
    if applicant.birth_date != applicant.citizen_number[6:14]:
        yield FormProblem("birth_date", "differs")


def _of_codes(applicant: Applicant) -> Iterator[FormProblem]:
    place = applicant.birthplace
    if place and not (len(place) == 6 and place.isascii() and place.isdecimal()):
        yield FormProblem("birthplace", "unknown")
    if applicant.nation and not _is_nation(applicant.nation):
        yield FormProblem("nation", "unknown")
    if applicant.card_kind and applicant.card_kind not in CARD_KINDS:
        yield FormProblem("card_kind", "unknown")
    if applicant.bank_card_number and not is_bank_card_number(applicant.bank_card_number):
        yield FormProblem("bank_card_number", "unknown")


def _is_nation(code: str) -> bool:
    try:
        return nation_code(code) == code
    except ValueError:
        return False


def _of_texts(applicant: Applicant) -> Iterator[FormProblem]:
    if not applicant.insurance_number:
        yield FormProblem("insurance_number", "missing")
    for field, limit in TEXT_LIMITS.items():
        try:
            if check_text(getattr(applicant, field), FOUR_BYTES) > limit:
                yield FormProblem(field, "too_long")
        except TextError as error:
            yield FormProblem(field, error.code)
