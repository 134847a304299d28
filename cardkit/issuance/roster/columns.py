"""The columns of a roster, declared once; everything else about them is derived from here.

The first five are the list agencies send for batch opening 批量开卡 (domain.md [D1]): 养老保险号,
姓名, 身份证号码, 地址, 联系电话.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.issuance.roster.remarks import Language


@dataclass(frozen=True, slots=True)
class Column:
    """A column that describes the person.

    Parameters
    ----------
    field : str
        Attribute of `cardkit.registry.people.Applicant`.
    chinese, english : str
        The heading this project writes.
    synonyms : tuple of str
        Headings it also reads.
    content : str
        What the column holds, for the documentation.
    required : bool
        Whether a roster without it is refused.
    """

    field: str
    chinese: str
    english: str
    synonyms: tuple[str, ...]
    content: str
    required: bool = False

    def label(self, lang: Language = "zh") -> str:
        """The heading in one language."""
        return self.chinese if lang == "zh" else self.english


COLUMNS: tuple[Column, ...] = (
    Column(
        "insurance_number",
        "养老保险号",
        "insurance number",
        (
            "养老保险号码",
            "养老保险编号",
            "养老保险个人编号",
            "社会保险号",
            "社会保险号码",
            "社保编号",
            "个人社保编号",
            "个人编号",
            "insurance no",
            "pension number",
            "pension insurance number",
        ),
        "the agency's number of the person, as it is; up to 40 bytes",
    ),
    Column(
        "name",
        "姓名",
        "name",
        ("名字", "参保人姓名", "持卡人姓名", "full name"),
        "up to 50 bytes of GB18030: 30 in the name item, 20 in its extension",
        required=True,
    ),
    Column(
        "citizen_number",
        "身份证号码",
        "citizen number",
        (
            "身份证号",
            "身份证",
            "公民身份号码",
            "公民身份证号码",
            "公民身份证号",
            "居民身份证号码",
            "居民身份证号",
            "证件号码",
            "社会保障号码",
            "社会保障号",
            "citizen id",
            "citizen id number",
            "id number",
            "id card number",
            "identity number",
            "social security number",
        ),
        "17 digits and a check character (GB 11643)",
        required=True,
    ),
    Column(
        "address",
        "地址",
        "address",
        (
            "住址",
            "家庭住址",
            "家庭地址",
            "联系地址",
            "通讯地址",
            "通信地址",
            "居住地址",
            "常住地址",
            "home address",
        ),
        "for the registry; up to 400 bytes",
    ),
    Column(
        "phone",
        "联系电话",
        "phone",
        (
            "电话",
            "电话号码",
            "手机",
            "手机号",
            "手机号码",
            "移动电话",
            "联系方式",
            "phone number",
            "telephone",
            "mobile",
            "mobile phone",
        ),
        "for the registry; up to 40 bytes",
    ),
    Column(
        "sex",
        "性别",
        "sex",
        ("gender",),
        "男/女, 1/2, M/F; must agree with the citizen number, from which it comes otherwise",
    ),
    Column(
        "birth_date",
        "出生日期",
        "birth date",
        ("出生年月日", "生日", "date of birth", "birthday"),
        "YYYYMMDD, YYYY-MM-DD, YYYY/M/D, YYYY年M月D日; must agree with the citizen number, from "
        "which it comes otherwise",
    ),
    Column(
        "nation",
        "民族",
        "nation",
        ("民族代码", "ethnic group", "ethnicity"),
        "name (汉, 汉族) or code 01-56 (GB 3304); stays unfilled where nothing supplies it",
    ),
    Column(
        "birthplace",
        "出生地",
        "birthplace",
        ("出生地代码", "出生地行政区划", "出生地行政区划代码", "place of birth"),
        "district code of six digits; by default the first six of the citizen number",
    ),
    Column(
        "status",
        "状态",
        "status",
        ("人员状态", "参保状态", "就业状态"),
        "employed, unemployed, retired … in the agency's words; up to 40 bytes",
    ),
    Column(
        "card_kind",
        "卡类别",
        "card kind",
        ("卡种", "卡种类", "卡类型", "card type"),
        "成人, 儿童, 学籍, 单位, 临时 (adult, child, student, employer, temporary)",
    ),
    Column(
        "bank_card_number",
        "银行卡号",
        "bank card number",
        ("银行卡号码", "金融账户卡号", "bank card", "bank card no"),
        "16-19 digits with check digit (Luhn)",
    ),
)
"""Every column about the person, in the order in which they are written."""

BY_FIELD: dict[str, Column] = {column.field: column for column in COLUMNS}

REQUIRED: frozenset[str] = frozenset(column.field for column in COLUMNS if column.required)

REJECT_HEADINGS: dict[Language, tuple[str, str, str]] = {
    "zh": ("行号", "字段", "原因"),
    "en": ("row", "field", "reason"),
}
"""What a reject file adds; a corrected reject file is read as a roster, these left out."""


def label(field_name: str, lang: Language = "zh") -> str:
    """What people call a field; the address for an item, and the row where no field is meant."""
    column = BY_FIELD.get(field_name)
    if column is None:
        return field_name or ("整行" if lang == "zh" else "row")
    return column.label(lang)


def headings_table() -> str:
    """Markdown table of all columns; docs/roster.md holds it and a test keeps it current."""
    lines = ["| heading 表头 | English | required | content | also read |", "|---|---|---|---|---|"]
    for column in COLUMNS:
        also = ", ".join(column.synonyms)
        needed = "yes" if column.required else ""
        lines.append(
            f"| {column.chinese} | {column.english} | {needed} | {column.content} | {also} |"
        )
    return "\n".join(lines) + "\n"
