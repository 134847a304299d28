"""Checks a roster column by column and makes applicants of the rows nothing is wrong with.

Rows are counted from 0 here (index); `Table.rows` knows their place in the file. What can be said
about a whole column at once is (`vector`), what depends on one text only is worked out once for
each different text; a single row is looked at only when it failed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

from cardkit.card.files import Field
from cardkit.codec import numbers
from cardkit.codec.text import FOUR_BYTES, TextError, TextRules, check_text, split_name
from cardkit.issuance.roster import values, vector
from cardkit.issuance.roster.headings import Layout
from cardkit.issuance.roster.reasons import Problem, Reject
from cardkit.issuance.roster.remarks import Remark
from cardkit.issuance.roster.table import Table
from cardkit.registry.people import Applicant

TEXT_LIMITS = {"insurance_number": 40, "address": 400, "phone": 40, "status": 40}
"""Bytes, in GB18030, of the texts that only the registry keeps."""

_CODES = {
    "sex": (values.sex, "sex_unknown"),
    "birth_date": (values.birth_date, "birth_date_form"),
    "birthplace": (values.birthplace, "birthplace"),
    "nation": (values.nation, "nation_unknown"),
    "card_kind": (values.card_kind, "card_kind_unknown"),
}
"""Columns with a closed list of values: how they are read, and the reason when they cannot be."""

_EXPONENT = re.compile(r"\d([.,]\d+)?E\+?\d{1,2}", re.ASCII | re.IGNORECASE)
_NUMBER_FIELDS = ("citizen_number", "insurance_number", "bank_card_number")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the checks need to know from outside.

    Parameters
    ----------
    text : TextRules
        What the cards may carry.
    today : date
        The last day a person can have been born.
    """

    text: TextRules
    today: dt.date


@dataclass(slots=True)
class Checked:
    """Applicants, rejects and remarks of a roster."""

    applicants: list[Applicant] = field(repr=False)
    rejects: list[Reject]
    remarks: list[Remark]


def check(table: Table, layout: Layout, rules: Rules) -> Checked:
    """Check every row.

    Parameters
    ----------
    table : Table
        The cells.
    layout : Layout
        What its columns mean.
    rules : Rules
        Text rules and today's date.
    """
    return _Checker(table, layout, rules).run()


class _Checker:
    """One run over one roster: values by field, problems by row index."""

    def __init__(self, table: Table, layout: Layout, rules: Rules) -> None:
        self.table = table
        self.layout = layout
        self.rules = rules
        self.count = len(table.rows)
        self.problems: dict[int, list[Problem]] = {}
        self.empty = [""] * self.count
        self.names_closed = 0

    def run(self) -> Checked:
        """Check, then build."""
        name = self._name()
        number = self._citizen_number()
        columns = [
            name,
            number,
            self._registry_number(),
            *self._derived(number),
            self._coded("nation"),
            self._text("address"),
            self._text("phone"),
            self._text("status"),
            self._coded("card_kind"),
            self._bank_card_number(),
        ]
        items = self._items()
        for index, cells in self.table.ragged.items():
            # Its cells may stand under the wrong headings: nothing else can be said about it.
            details = {"found": len(cells), "expected": len(self.table.headings)}
            self.problems[index] = [Problem("", "columns", details)]
        return self._build(columns, items)

    def _build(self, columns: list[list[str]], items: list[dict[str, str]]) -> Checked:
        rows = self.table.rows
        everything: list[Sequence[object]] = [rows, *columns, items]
        if self.problems:
            good = bytearray(b"\1") * self.count
            for index in self.problems:
                good[index] = 0
            everything = [list(compress(column, good)) for column in everything]
        applicants: list[Applicant] = list(map(Applicant, *everything))
        rejects = [Reject(rows[i], tuple(self.problems[i])) for i in sorted(self.problems)]
        return Checked(applicants, rejects, list(self._remarks(applicants)))

    def _remarks(self, applicants: list[Applicant]) -> Iterator[Remark]:
        without = sum(not applicant.nation for applicant in applicants)
        if without:
            yield Remark("no_nation", {"count": without})
        if self.names_closed:
            yield Remark("name_blanks", {"count": self.names_closed})

    def _cells(self, name: str) -> list[str]:
        at = self.layout.fields.get(name)
        if at is None:
            return self.empty
        return [cell.strip() for cell in self.table.columns[at]]

    def _number_cells(self, name: str) -> list[str]:
        cells = [c if c.isascii() else values.half_width(c).strip() for c in self._cells(name)]
        self._find_damage(name, cells)
        return cells

    def _find_damage(self, name: str, cells: list[str]) -> None:
        for index, cell in enumerate(cells):
            if cell[:1] == "'":
                self._add(index, name, "apostrophe")
            elif ("E" in cell or "e" in cell) and _EXPONENT.fullmatch(cell):
                self._add(index, name, "excel_number")
        if self.table.numeric:
            for index, row in enumerate(self.table.rows):
                if cells[index] in self.table.numeric.get(row, ()):
                    self._add(index, name, "excel_number")

    def _add(self, index: int, name: str, code: str, **details: object) -> None:
        self.problems.setdefault(index, []).append(Problem(name, code, details))

    def _has(self, index: int, name: str) -> bool:
        return any(problem.field == name for problem in self.problems.get(index, ()))

    def _name(self) -> list[str]:
        names = self._cells("name")
        for index, name in enumerate(names):
            # Clerks set 张　三 beside 欧阳三 for the eye; the name has no blank.
            if (" " in name or "\u3000" in name) and (closed := values.closed_up(name)) != name:
                names[index] = closed
                self.names_closed += 1
        for index in _false(vector.short_texts(names, limit=30)):
            try:
                split_name(names[index], self.rules.text)
            except TextError as error:
                self._add_text_error(index, "name", error)
        for index in _where(names, ""):
            self._add(index, "name", "missing")
        return names

    def _add_text_error(self, index: int, name: str, error: TextError) -> None:
        if error.code == "too_long":
            self._add(index, name, "too_long", needed=error.needed, available=error.available)
            return
        character = error.character
        shown = f"“{character}”" if character.isprintable() else "…"
        code_point = f"U+{ord(character):04X}"
        self._add(index, name, "character", shown=shown, code_point=code_point)

    def _citizen_number(self) -> list[str]:
        name = "citizen_number"
        cells = self._number_cells(name)
        cells = [c.upper() if c[-1:] == "x" else c for c in cells]
        for index in _false(vector.citizen_numbers_are_right(cells, self.rules.today)):
            if self._has(index, name):
                continue  # spreadsheet damage explains more than the check digit does
            self._add(index, name, self._citizen_problem(cells[index]))
        self._find_duplicates(name, cells)
        return cells

    def _citizen_problem(self, cell: str) -> str:
        if not cell:
            return "missing"
        try:
            numbers.parse_citizen_number(cell, self.rules.today)
        except numbers.NumberError as error:
            return error.code
        raise AssertionError("vector and scalar rule disagree")

    def _find_duplicates(self, name: str, cells: list[str]) -> None:
        # The first row stays even when something else is wrong with it: which of the two rows
        # means the person is for the clerk to say.
        if len(set(cells)) == self.count:
            return
        first: dict[str, int] = {}
        for index, cell in enumerate(cells):
            if not cell or self._has(index, name):
                continue
            row = self.table.rows[index]
            earlier = first.setdefault(cell, row)
            if earlier != row:
                self._add(index, name, "duplicate", row=earlier)

    def _registry_number(self) -> list[str]:
        name = "insurance_number"
        if name not in self.layout.fields:
            return self.empty
        cells = self._limited(name, self._number_cells(name))
        self._find_duplicates(name, cells)
        return cells

    def _text(self, name: str) -> list[str]:
        return self._limited(name, self._cells(name))

    def _limited(self, name: str, cells: list[str]) -> list[str]:
        """Check text that only the registry keeps: printable, and not without end."""
        if cells is self.empty:
            return cells
        limit = TEXT_LIMITS[name]
        for index in _false(vector.short_texts(cells, limit)):
            cells[index] = text = values.one_line(cells[index])
            try:
                needed = check_text(text, FOUR_BYTES)
            except TextError as error:
                self._add_text_error(index, name, error)
            else:
                if needed > limit:
                    self._add(index, name, "too_long", needed=needed, available=limit)
        return cells

    def _coded(self, name: str) -> list[str]:
        cells = self._cells(name)
        if cells is self.empty:
            return cells
        read, code = _CODES[name]
        return self._by_text(cells, read, lambda index: self._add(index, name, code))

    def _by_text(
        self, cells: list[str], read: Callable[[str], str], wrong: Callable[[int], None]
    ) -> list[str]:
        """Read each different text once; call ``wrong`` for the rows whose text means nothing."""
        known: dict[str, str | None] = {"": ""}
        for text in set(cells) - {""}:
            try:
                known[text] = read(text)
            except ValueError:
                known[text] = None
        found = [known[cell] for cell in cells]
        if None in known.values():
            for index in _where(found, None):
                wrong(index)
        return [value or "" for value in found]

    def _derived(self, number: list[str]) -> tuple[list[str], list[str], list[str]]:
        """Sex, birth date and birthplace: from the number, checked against columns of their own."""
        sexes = ["1" if digit in "13579" else "2" for digit in (n[16:17] or "0" for n in number)]
        births = _shared(n[6:14] for n in number)
        places = _shared(n[:6] for n in number)
        self._compare("sex", sexes)
        self._compare("birth_date", births)
        given = self._coded("birthplace")
        if given is not self.empty:
            places = [own or place for own, place in zip(given, places, strict=True)]
        return sexes, births, places

    def _compare(self, name: str, derived: list[str]) -> None:
        given = self._coded(name)
        if given is self.empty:
            return
        for index, (own, value) in enumerate(zip(given, derived, strict=True)):
            if own and own != value and not self._has(index, "citizen_number"):
                self._add(index, name, f"{name}_differs")

    def _bank_card_number(self) -> list[str]:
        name = "bank_card_number"
        if name not in self.layout.fields:
            return self.empty
        cells = [cell.replace(" ", "").replace("-", "") for cell in self._number_cells(name)]
        for index in _false(vector.bank_card_numbers_are_right(cells)):
            if cells[index] and not self._has(index, name):
                self._add(index, name, "bank_card")
        self._find_duplicates(name, cells)
        return cells

    def _items(self) -> list[dict[str, str]]:
        items: list[dict[str, str]] = [{} for _ in range(self.count)]
        for address, (column, found) in self.layout.items.items():
            cells = [cell.strip() for cell in self.table.columns[column]]
            texts = self._by_text(cells, self._item_reader(found), self._item_wrong(found, cells))
            for index in compress(range(self.count), texts):
                items[index][address] = texts[index]
        return items

    def _item_reader(self, found: Field) -> Callable[[str], str]:
        def read(text: str) -> str:
            if found.coding.letters == "an":
                needed = check_text(text, self.rules.text)
                if needed > found.length:
                    raise TextError("too_long", "", needed=needed, available=found.length)
                return text
            text = values.half_width(text)
            found.encode(text)
            return text

        return read

    def _item_wrong(self, found: Field, cells: list[str]) -> Callable[[int], None]:
        def wrong(index: int) -> None:
            try:
                self._item_reader(found)(cells[index])
            except TextError as error:
                self._add_text_error(index, found.address, error)
            except ValueError:
                details = {"coding": found.coding.letters, "length": found.length}
                self._add(index, found.address, "item", **details)

        return wrong


def _false(right: vector.Mask) -> list[int]:
    found: list[int] = (~right).nonzero()[0].tolist()
    return found


def _where(cells: Sequence[str | None], wanted: str | None) -> Iterator[int]:
    return (index for index, cell in enumerate(cells) if cell == wanted)


def _shared(texts: Iterator[str]) -> list[str]:
    """The texts, equal ones as one object: a county has few birth dates and fewer places."""
    known: dict[str, str] = {}
    return [known.setdefault(text, text) for text in texts]
