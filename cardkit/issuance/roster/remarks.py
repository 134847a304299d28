"""What a report says of a roster beside its rejects, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages; ``{…}`` are filled from the details of a problem or remark."""

    chinese: str
    english: str

    def fill(self, lang: Language, details: Mapping[str, object]) -> str:
        """The text in one language."""
        return (self.chinese if lang == "zh" else self.english).format_map(details)


REMARKS: dict[str, Words] = {
    "no_nation": Words(
        "{count}人没有民族，卡上该项留空", "{count} people have no nation; the item stays unfilled"
    ),
    "unknown_column": Words(
        "第{column}列“{heading}”不认识，已忽略",
        "column {column} “{heading}” is unknown and ignored",
    ),
    "ambiguous_column": Words(
        "第{column}列“{heading}”对应多个数据项，已忽略；请用地址（如DF01.EF05.20）作表头",
        "column {column} “{heading}” names several items and is ignored; "
        "use an address such as DF01.EF05.20 as heading",
    ),
    "other_sheets": Words(
        "只读取了工作表“{sheet}”，另有{count}个工作表未读",
        "only sheet “{sheet}” was read; {count} others were not",
    ),
    "heading_row": Words(
        "表头在第{row}行，其上的内容已忽略",
        "the heading is in row {row}; what is above is ignored",
    ),
    "name_blanks": Words(
        "{count}人的姓名中间有空格，已去掉", "blanks inside {count} names were taken out"
    ),
}
"""Every remark for the report, by its code."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the clerk should know that rejects no row."""

    code: str
    details: Mapping[str, object] = field(default_factory=dict, repr=False)

    def text(self, lang: Language = "zh") -> str:
        """The remark.

        Examples
        --------
        >>> Remark("no_nation", {"count": 3}).text("en")
        '3 people have no nation; the item stays unfilled'
        """
        return REMARKS[self.code].fill(lang, self.details)
