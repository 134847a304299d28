"""Finds out what the columns of a roster hold, from their headings in Chinese or English.

A column is about the person (`cardkit.issuance.roster.columns`), or supplies a data item of
DF01-DF04, by the item's address (``DF01.EF05.20``, inside a template ``DF01.EF15.40.1.57``) or by
its name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cardkit.card.files import Field, Tree
from cardkit.card.files.model import Template
from cardkit.errors import UsageError
from cardkit.issuance.roster.columns import BY_FIELD, COLUMNS, REJECT_HEADINGS, REQUIRED
from cardkit.issuance.roster.remarks import Remark

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
    remarks : list
        Columns that are ignored.
    """

    fields: dict[str, int] = field(default_factory=dict)
    items: dict[str, tuple[int, Field]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


class Place(NamedTuple):
    """Where the headings stand: file and line, from 1."""

    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.name}, line {self.line}"

    @property
    def zh(self) -> str:
        """The same in Chinese."""
        return f"{self.name} 第{self.line}行"


def resolve(
    headings: Sequence[str], *, tree: Tree, place: Place, required: Collection[str] = REQUIRED
) -> Layout:
    """Find out what each column holds.

    Parameters
    ----------
    headings : sequence of str
        As in the file.
    tree : Tree
        Where item addresses and item names are looked up.
    place : Place
        The beginning of every message.
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
        elif text and text not in _OWN:
            _place_item(layout, items, index, heading, place)
    _require(layout, required, place, len(headings))
    return layout


def _claim(layout: Layout, name: str, index: int, place: Place) -> None:
    first = layout.fields.setdefault(name, index)
    if first != index:
        raise _twice(place, index, first, f"{BY_FIELD[name].chinese} ({BY_FIELD[name].english})")


def _place_item(layout: Layout, items: _ItemNames, index: int, heading: str, place: Place) -> None:
    found = items.find(heading)
    if len(found) == 1:
        first, _ = layout.items.setdefault(found[0].address, (index, found[0]))
        if first != index:
            raise _twice(place, index, first, f"item {found[0].address}")
        return
    code = "ambiguous_column" if found else "unknown_column"
    layout.remarks.append(Remark(code, {"column": index + 1, "heading": heading.strip()}))


def _twice(place: Place, index: int, first: int, what: str) -> UsageError:
    return UsageError(
        f"{place}, column {index + 1}: a second column for {what}; the first is column {first + 1}",
        hint="delete one of the two columns, or give it a heading of its own",
        zh=f"{place.zh}：第{index + 1}列与第{first + 1}列内容重复（{what}）：请删去一列或另取列名",
    )


def _require(layout: Layout, required: Collection[str], place: Place, count: int) -> None:
    missing = [c for c in COLUMNS if c.field in required and c.field not in layout.fields]
    if not missing:
        return
    # The headings found are not repeated: in a file without headings they are a person's data.
    names = " and no column for ".join(f"{c.chinese} ({c.english})" for c in missing)
    names_zh = "、".join(c.chinese for c in missing)
    raise UsageError(
        f"{place}, columns 1-{count}: no column for {names}",
        hint="the first row must hold the headings, such as 姓名, 身份证号码; "
        "docs/roster.md lists all that are understood",
        zh=f"{place.zh}：缺少列 {names_zh}：第一行应为列名，如 姓名、身份证号码",
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
