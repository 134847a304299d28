"""What stands on lists: papers about many people, many acts or many things.

As `cardkit.registry.forms.contents`: text as people read it, totals made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cardkit.registry.forms.capitals import in_capitals, in_yuan
from cardkit.registry.forms.contents import plain
from cardkit.registry.forms.masking import masked

PAGE_ROWS = 100
"""People on a page of a list, and in a volume of the archive [D20]."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person on a list: ``note`` is what they have to know (代领, 挂失 ...)."""

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    card_number: str = field(repr=False)
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandOutContent:
    """发放清单 of a lot [D11]: a village, an employer, a township."""

    place: str
    lot: str
    at: str
    rows: Sequence[PersonRow] = field(repr=False)
    card_carrier: str = ""
    machine_carrier: str = ""
    machine: str = ""
    office: str = ""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """What is printed: rows as lists, 100 to a page."""
        return plain(self) | _paged(self.rows, hidden=hidden)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A line of 业务清单; money received is positive, given back negative (fen)."""

    at: str
    what: str
    number: str
    result: str
    amount: int = 0
    operator: str = ""


@dataclass(frozen=True, slots=True)
class StatementContent:
    """业务清单 / 对账单: what happened, and the money, of a card or of a place and a period."""

    about: str = field(repr=False)
    period: str
    rows: Sequence[StatementRow]
    at: str = ""
    office: str = ""
    operator: str = ""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:  # noqa: ARG002
        """What is printed, with totals in figures and words."""
        received = sum(row.amount for row in self.rows if row.amount > 0)
        returned = -sum(row.amount for row in self.rows if row.amount < 0)
        balance = received - returned
        rows = [
            [row.at, row.what, row.number, row.result, in_yuan(row.amount) if row.amount else "",
             row.operator]
            for row in self.rows
        ]  # fmt: skip
        return plain(self) | {
            "rows": rows,
            "count": len(rows),
            "received": in_yuan(received),
            "returned": in_yuan(returned),
            "balance": in_yuan(balance),
            "capitals": ("退付 " if balance < 0 else "") + in_capitals(abs(balance)),
        }


@dataclass(frozen=True, slots=True)
class CountRow:
    """A line of 盘点表: pieces in the book and pieces counted, and what explains the difference."""

    kind: str
    booked: int
    counted: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class CountContent:
    """库存盘点表 [D9]."""

    place: str
    at: str
    rows: Sequence[CountRow]
    office: str = ""
    operator: str = ""
    second: str = ""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:  # noqa: ARG002
        """What is printed; differences with their sign."""
        rows = [
            [row.kind, row.booked, row.counted, row.counted - row.booked, row.note]
            for row in self.rows
        ]
        agree = all(row.booked == row.counted and not row.note for row in self.rows)
        return plain(self) | {"rows": rows, "agree": agree}


@dataclass(frozen=True, slots=True)
class ArchiveContent:
    """卷内目录 of a volume of 100 people [D20]."""

    place: str
    volume: int
    at: str
    rows: Sequence[PersonRow] = field(repr=False)
    office: str = ""
    operator: str = ""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """What is printed: rows as lists, 100 to a page."""
        return plain(self) | _paged(self.rows, hidden=hidden)


def _paged(people: Sequence[PersonRow], *, hidden: bool) -> dict[str, Any]:
    """Rows as lists, a page after the other."""
    rows = [
        [row.name, masked(row.citizen_number) if hidden else row.citizen_number, row.card_number,
         row.note]
        for row in people
    ]  # fmt: skip
    pages = [rows[at : at + PAGE_ROWS] for at in range(0, len(rows), PAGE_ROWS)]
    return {"rows": None, "pages": pages or [[]], "count": len(rows)}
