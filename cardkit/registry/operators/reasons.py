"""Why something was done or refused: a word of a list or a code, never free text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cardkit.errors import UsageError

REASONS: Mapping[str, str] = {
    "lost": "遗失",
    "stolen": "被盗",
    "damaged": "损坏",
    "unreadable": "无法读取",
    "wrong-data": "信息有误",
    "outgrown": "超龄换卡",
    "moved": "迁出",
    "death": "死亡",
    "fraud": "违规使用",
    "inquiry": "核查",
    "papers": "材料不全",
    "duplicate": "重复",
    "holder-asked": "本人申请",
    "other": "其他",
}
"""The reasons for which there is a Chinese word."""

_CODE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_MOST_DIGITS = 10  # a telephone number has eleven, a citizen number eighteen
_CODES = {zh: code for code, zh in REASONS.items()}


def reason_code(text: str) -> str:
    """The code of a reason: one of `REASONS`, by code or Chinese word, or another code word.

    Raises
    ------
    UsageError
        It is neither; what was given is not repeated, for it may name somebody.

    Examples
    --------
    >>> reason_code("遗失"), reason_code("batch-7"), reason_code("")
    ('lost', 'batch-7', '')
    """
    code = _CODES.get(text, text)
    digits = sum(character.isdecimal() for character in code)
    if not code or (_CODE.fullmatch(code) and digits <= _MOST_DIGITS):
        return code
    raise UsageError(
        "this reason is no code word, or holds a number of a person",
        hint=f"one of {', '.join(REASONS)}; or a word of small letters, digits and hyphens",
        zh="原因不得为自由文字，也不得含个人信息：请用"
        + "、".join(f"{code}（{zh}）" for code, zh in REASONS.items())
        + "，或由小写字母、数字、连字符组成的代码",
    )
