"""What new data of a person may be: the same rules as for a roster or an application.

A problem names the field and never repeats the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cardkit.codec.nations import nation_code
from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.codec.text import TextError, TextRules, check_text, split_name
from cardkit.registry.errors import RegistryError

WORDS: Mapping[str, str] = {
    "name": "姓名",
    "sex": "性别",
    "nation": "民族",
    "birthplace": "出生地",
    "address": "地址",
    "phone": "联系电话",
    "status": "人员状态",
    "insurance_number": "养老保险号",
}
"""Fields that may be changed, and their Chinese names."""

_REASONS: Mapping[str, tuple[str, str]] = {
    "missing": ("不能为空", "must not be empty"),
    "character": ("含有不能使用的字符", "has a character that cannot be kept"),
    "too_long": ("过长", "is too long"),
    "unknown": ("填写有误", "is not one of the values allowed"),
    "differs": ("与公民身份号码不一致", "disagrees with the citizen number"),
    "taken": ("已属于另一人", "is another person's"),
}
_NEEDED = frozenset({"name", "sex", "insurance_number"})
_LONGEST = {"insurance_number": 40, "address": 400, "phone": 40, "status": 40}  # bytes, GB18030
_ANY_TEXT = TextRules(four_bytes=True)
_PLACE = re.compile(r"[1-9]\d{5}", re.ASCII)
_PHONE = re.compile(r"\+?\d[\d ()-]{2,24}", re.ASCII)


class BadValueError(RegistryError):
    """New data that cannot be; names the field, never the value.

    Parameters
    ----------
    reason : str
        ``missing``, ``character``, ``too_long``, ``unknown``, ``differs`` or ``taken``.
    """

    code = "value"

    def __init__(self, field: str, reason: str) -> None:
        zh, en = _REASONS[reason]
        super().__init__(
            f"{field} {en}",
            hint="nothing was changed; look at the paper again",
            zh=f"{WORDS.get(field, field)}{zh}：请核对证件后重新填写",
        )
        self.field = field
        self.reason = reason


def problem_of(field: str, value: str, citizen_number: str) -> BadValueError | None:
    r"""What is wrong with a new value, as far as it can be told from the value and the person.

    Parameters
    ----------
    citizen_number : str
        Of the person, or ``''``; the sex has to agree with it.

    Examples
    --------
    >>> problem_of("name", "张\t三", "").reason, problem_of("name", "", "").reason
    ('character', 'missing')
    >>> problem_of("phone", "13900000000", "") is None
    True
    """
    if not value.strip():
        reason = "missing" if field in _NEEDED or value else ""
    elif value != value.strip():
        reason = "character"
    else:
        reason = _KINDS[field](value) if field in _KINDS else _of_text(value, _LONGEST.get(field))
        if field == "sex" and not reason and citizen_number:
            reason = _of_sex(value, citizen_number)
    return BadValueError(field, reason) if reason else None


def _of_name(value: str) -> str:
    try:
        split_name(value, _ANY_TEXT)
    except TextError as error:
        return error.code if error.code in _REASONS else "character"
    return ""


def _of_text(value: str, longest: int | None) -> str:
    try:
        size = check_text(value, _ANY_TEXT)
    except TextError:
        return "character"
    return "too_long" if longest is not None and size > longest else ""


def _of_nation(value: str) -> str:
    try:
        return "" if nation_code(value) == value else "unknown"
    except ValueError:
        return "unknown"


def _of_sex(value: str, citizen_number: str) -> str:
    try:
        return "" if parse_citizen_number(citizen_number).sex == value else "differs"
    except NumberError:
        return ""  # kept from before such numbers were checked: it says nothing


_KINDS: Mapping[str, Callable[[str], str]] = {
    "name": _of_name,
    "sex": lambda value: "" if value in ("1", "2") else "unknown",
    "nation": _of_nation,
    "birthplace": lambda value: "" if _PLACE.fullmatch(value) else "unknown",
    "phone": lambda value: "" if _PHONE.fullmatch(value) else "unknown",
}
