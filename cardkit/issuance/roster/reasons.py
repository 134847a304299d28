"""Why a row is not issued: reasons as data, in Chinese for the clerk and in English on request.

A reason names the field, and where it helps the character, the byte count or the other row; it
never repeats a name or a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

from cardkit.issuance.roster.columns import label
from cardkit.issuance.roster.remarks import Language, Words

REASONS: dict[str, Words] = {
    "columns": Words(
        "该行有{found}列，表头有{expected}列",
        "the row has {found} columns, the heading {expected}",
    ),
    "missing": Words("未填写", "missing"),
    "character": Words(
        "{shown}（{code_point}）卡片无法存储",
        "{shown} ({code_point}) cannot be stored on the card",
    ),
    "too_long": Words(
        "内容需要{needed}字节，最多{available}字节",
        "takes {needed} bytes, {available} are available",
    ),
    "excel_number": Words(
        "号码已被电子表格改为数值（如6.39E+17），后几位丢失；请将该列设为文本格式后重新填写原号码",
        "a spreadsheet turned it into a number (like 6.39E+17) and lost its last digits; "
        "format the column as text and enter it again",
    ),
    "apostrophe": Words(
        "号码前有电子表格留下的撇号（'），请删去",
        "begins with an apostrophe (') left by a spreadsheet; delete it",
    ),
    "old_number": Words(
        "是15位旧号码，请填写18位公民身份号码", "an old number of 15 digits; enter the one of 18"
    ),
    "form": Words("应为17位数字加1位校验码", "must be 17 digits and a check character"),
    "birth_date": Words("其中的出生日期不存在或过早", "the birth date in it is impossible"),
    "birth_date_future": Words("其中的出生日期晚于今天", "the birth date in it is in the future"),
    "check_digit": Words("校验码错误", "wrong check digit"),
    "duplicate": Words("与第{row}行重复", "the same as in row {row}"),
    "sex_unknown": Words("应为男或女（1或2）", "must be 男 or 女 (1 or 2)"),
    "sex_differs": Words("与身份证号码不一致", "disagrees with the citizen number"),
    "birth_date_form": Words("无法识别，应为YYYYMMDD", "cannot be read; write YYYYMMDD"),
    "birth_date_differs": Words("与身份证号码不一致", "disagrees with the citizen number"),
    "birthplace": Words("应为6位行政区划代码", "must be a district code of 6 digits"),
    "nation_unknown": Words(
        "不是56个民族之一（名称或01-56）", "none of the 56 nations (name, or 01-56)"
    ),
    "card_kind_unknown": Words(
        "应为成人、儿童、学籍、单位或临时", "must be adult, child, student, employer or temporary"
    ),
    "bank_card": Words(
        "不是有效的银行卡号（16至19位，末位校验）", "no valid bank card number (16-19 digits, Luhn)"
    ),
    "item": Words(
        "不符合卡片数据项格式（{coding}，{length}字节）",
        "does not fit the card item ({coding}, {length} bytes)",
    ),
    "registry": Words("与登记库中的资料不一致", "disagrees with the registry"),
    "registry_says": Words("{chinese}", "{english}"),
}
"""Every reason a row can be rejected for, by its code."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field of a row.

    Parameters
    ----------
    field : str
        Field name (``citizen_number``) or item address (``DF01.EF05.20``); empty for the row.
    code : str
        Key of `REASONS`.
    details : mapping
        What the reason's text is filled with.
    """

    field: str
    code: str
    details: Mapping[str, object] = attribute(default_factory=dict, repr=False)

    def reason(self, lang: Language = "zh") -> str:
        """The reason alone, without the field.

        Examples
        --------
        >>> Problem("citizen_number", "duplicate", {"row": 7}).reason()
        '与第7行重复'
        """
        return REASONS[self.code].fill(lang, self.details)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not issued, with everything that is wrong with it; never empty.

    Parameters
    ----------
    row : int
        Row as a spreadsheet program counts it, the heading included.
    """

    row: int
    problems: tuple[Problem, ...]

    @property
    def field(self) -> str:
        """Field of the first problem."""
        return self.problems[0].field

    @property
    def code(self) -> str:
        """Reason code of the first problem."""
        return self.problems[0].code

    def fields(self, lang: Language = "zh", labels: Mapping[str, str] | None = None) -> str:
        """Fields of all problems, each once; ``labels`` overrides their usual headings."""
        return _listed((_label(problem, lang, labels) for problem in self.problems), lang)

    def reason(self, lang: Language = "zh", labels: Mapping[str, str] | None = None) -> str:
        """Reasons of all problems, each with its field when there are several.

        Examples
        --------
        >>> Reject(4, (Problem("name", "missing"), Problem("sex", "sex_unknown"))).reason()
        '姓名：未填写；性别：应为男或女（1或2）'
        """
        if len(self.problems) == 1:
            return self.problems[0].reason(lang)
        colon = "：" if lang == "zh" else ": "
        return _listed(
            (_label(p, lang, labels) + colon + p.reason(lang) for p in self.problems), lang
        )


def _label(problem: Problem, lang: Language, labels: Mapping[str, str] | None) -> str:
    return (labels or {}).get(problem.field) or label(problem.field, lang)


def _listed(texts: Iterable[str], lang: Language) -> str:
    return ("；" if lang == "zh" else "; ").join(dict.fromkeys(texts))
