"""The columns of a roster: declared once, recognised by Chinese or English heading.

The first five are the list agencies send for batch opening 批量开卡 (domain.md [D1]): 养老保险号,
姓名, 身份证号码, 地址, 联系电话. Any other column may supply a data item of DF01-DF04, by the
item's address (``DF01.EF05.20``, inside a template ``DF01.EF15.40.1.57``) or by its name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from cardkit.card.files import Field, Tree
from cardkit.card.files.model import Template
from cardkit.errors import UsageError
from cardkit.issuance.roster.remarks import Language, Remark


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

_ITEM_DIRECTORIES = ("DF01", "DF02", "DF03", "DF04")
_IGNORED = re.compile(r"[\s_\-*＊:：\ufeff]+")


def normalise(heading: str) -> str:
    """Heading without what differs between tools: width, case, blanks, marks.

    Examples
    --------
    >>> normalise("* 身份证 号码："), normalise("Citizen_Number"), normalise("ＩＤ ｎｕｍｂｅｒ")
    ('身份证号码', 'citizennumber', 'idnumber')
    """
    return _IGNORED.sub("", unicodedata.normalize("NFKC", heading)).casefold()


_FIELDS: dict[str, str] = {
    normalise(heading): column.field
    for column in COLUMNS
    for heading in (column.chinese, column.english, column.field, *column.synonyms)
}
_OWN = frozenset(normalise(h) for headings in REJECT_HEADINGS.values() for h in headings)


def recognised(headings: Sequence[str]) -> int:
    """How many of the texts are headings of columns about the person."""
    return len({_FIELDS.get(normalise(heading)) for heading in headings} - {None})


@dataclass(slots=True)
class Layout:
    """Which column of a roster holds what, counted from 0.

    Parameters
    ----------
    fields : dict
        Field name to column.
    items : dict
        Item address to column and field of the specification tree.
    own : set
        Columns of an earlier reject file.
    remarks : list
        Columns that are ignored.
    """

    fields: dict[str, int] = field(default_factory=dict)
    items: dict[str, tuple[int, Field]] = field(default_factory=dict)
    own: set[int] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)


def resolve(
    headings: Sequence[str], *, tree: Tree, place: str, required: Collection[str] = REQUIRED
) -> Layout:
    """Find out what each column holds.

    Parameters
    ----------
    headings : sequence of str
        As in the file.
    tree : Tree
        Where item addresses and item names are looked up.
    place : str
        File and line, the beginning of every message.
    required : collection of str
        Fields that must have a column.

    Raises
    ------
    UsageError
        A required column is missing, or two columns hold the same thing.
    """
    layout = Layout()
    items = _ItemNames(tree)
    for index, heading in enumerate(headings):
        text = normalise(heading)
        if text in _FIELDS:
            _claim(layout, _FIELDS[text], index, place)
        elif text in _OWN:
            layout.own.add(index)
        elif text:
            _place_item(layout, items, index, heading, place)
    _require(layout, required, place, len(headings))
    return layout


def _claim(layout: Layout, name: str, index: int, place: str) -> None:
    first = layout.fields.setdefault(name, index)
    if first != index:
        raise _twice(place, index, first, f"{BY_FIELD[name].chinese} ({BY_FIELD[name].english})")


def _place_item(layout: Layout, items: _ItemNames, index: int, heading: str, place: str) -> None:
    found = items.find(heading)
    if len(found) == 1:
        first, _ = layout.items.setdefault(found[0].address, (index, found[0]))
        if first != index:
            raise _twice(place, index, first, f"item {found[0].address}")
        return
    code = "ambiguous_column" if found else "unknown_column"
    layout.remarks.append(Remark(code, {"column": index + 1, "heading": heading.strip()}))


def _twice(place: str, index: int, first: int, what: str) -> UsageError:
    return UsageError(
        f"{place}, column {index + 1}: a second column for {what}; the first is column {first + 1}",
        hint="delete one of the two columns, or give it a heading of its own",
    )


def _require(layout: Layout, required: Collection[str], place: str, count: int) -> None:
    missing = [c for c in COLUMNS if c.field in required and c.field not in layout.fields]
    if not missing:
        return
    # The headings found are not repeated: in a file without headings they are a person's data.
    names = " and no column for ".join(f"{c.chinese} ({c.english})" for c in missing)
    raise UsageError(
        f"{place}, columns 1-{count}: no column for {names}",
        hint="the first row must hold the headings, such as 姓名, 身份证号码; "
        "docs/roster.md lists all that are understood",
    )


class _ItemNames:
    """Looks up items of DF01-DF04 by address or by name."""

    def __init__(self, tree: Tree) -> None:
        self._by_text: dict[str, list[Field]] = {}
        for address in tree.addresses:
            found = tree.find(address)
            target = found.target
            if not address.startswith(_ITEM_DIRECTORIES) or isinstance(target, Template):
                continue
            names = {address, target.chinese, "" if target.name.startswith("tag_") else target.name}
            for text in names - {""}:
                self._by_text.setdefault(normalise(text), []).append(found)

    def find(self, heading: str) -> list[Field]:
        """Every item the heading may mean."""
        return self._by_text.get(normalise(heading), [])


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
