"""What a column about the person may hold, and how it is written down.

Each function takes the text of one cell, trimmed and never empty, and returns the value an
applicant carries; ValueError says that the text means nothing.
"""

from __future__ import annotations

import re

from cardkit.codec.dates import parse_written_day
from cardkit.codec.nations import nation_code

SEXES = {
    **dict.fromkeys(("1", "男", "男性", "m", "male"), "1"),
    **dict.fromkeys(("2", "女", "女性", "f", "female"), "2"),
}
"""Texts of the column 性别 and the code of GB/T 2261.1."""

CARD_KINDS = {
    **dict.fromkeys(("adult", "成人", "成人卡", "蓝卡"), "adult"),
    **dict.fromkeys(("child", "儿童", "儿童卡", "少儿", "少儿卡", "绿卡"), "child"),
    **dict.fromkeys(("student", "学籍", "学籍卡", "学生", "学生卡"), "student"),
    **dict.fromkeys(
        ("employer", "单位", "单位卡", "用人单位", "用人单位卡", "社会保障(用人单位)卡"), "employer"
    ),
    **dict.fromkeys(("temporary", "临时", "临时卡"), "temporary"),
}
"""Texts of the column 卡类别 and the kind they mean (domain.md [D6])."""

_DISTRICT = re.compile(r"[1-9]\d{5}", re.ASCII)
_GAP = re.compile(r"(?<=[\u3400-\u9fff])[ \u3000]+(?=[\u3400-\u9fff])")
_BLANKS = re.compile(r"\s+")
_HALF_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}


def half_width(text: str) -> str:
    """Full-width digits, letters and marks as ASCII; everything else as it is.

    Examples
    --------
    >>> half_width("６３９９００ｘ")
    '639900x'
    """
    return text.translate(_HALF_WIDTH)


def one_line(text: str) -> str:
    r"""Text without line ends and tabs inside.

    Examples
    --------
    >>> one_line("幸福村\n12号")
    '幸福村 12号'
    """
    return _BLANKS.sub(" ", text)


def closed_up(name: str) -> str:
    """Name without blanks between two Chinese characters.

    Examples
    --------
    >>> closed_up("张　 三"), closed_up("Anna Li")
    ('张三', 'Anna Li')
    """
    return _GAP.sub("", name)


def sex(text: str) -> str:
    """``'1'`` or ``'2'``."""
    return _lookup(SEXES, half_width(text).lower())


def birth_date(text: str) -> str:
    """Eight digits, YYYYMMDD."""
    return f"{parse_written_day(half_width(text)):%Y%m%d}".zfill(8)


def birthplace(text: str) -> str:
    """District code of six digits (GB/T 2260)."""
    code = half_width(text)
    if not _DISTRICT.fullmatch(code):
        raise ValueError("no district code")
    return code


def nation(text: str) -> str:
    """Two digits, 01 to 56 (GB 3304)."""
    return nation_code(half_width(text))


def card_kind(text: str) -> str:
    """``adult``, ``child``, ``student``, ``employer`` or ``temporary``."""
    return _lookup(CARD_KINDS, half_width(text).lower())


def _lookup(known: dict[str, str], text: str) -> str:
    if text not in known:
        raise ValueError("not known")
    return known[text]
