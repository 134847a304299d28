"""The temporary cards of a place: which are in the pool, which are out, which should be back."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import and_, func, select

from cardkit.registry.books import Books
from cardkit.registry.lifecycle.days import Calendar
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.life import temporary_cards, temporary_loans


class TemporaryCard(NamedTuple):
    """One temporary card; nothing of it is personal.

    Parameters
    ----------
    state : str
        ``pool``, ``out``, ``returned``, ``lost`` or ``retired``.
    loan : str
        Number of the loan that is open, or ``''``.
    person : int or None
        Number of who has it.
    card : int or None
        Their newest card record, which tells an operator who that is.
    due : str
        Day by which it has to be back.
    """

    number: int
    serial: str
    state: str
    loan: str
    person: int | None
    card: int | None
    deposit: int
    out_at: str
    due: str
    overdue: bool

    def as_json(self) -> dict[str, Any]:
        """The card for programs."""
        return self._asdict()


class Loan(NamedTuple):
    """One loan of a temporary card.

    Parameters
    ----------
    number : str
        Written on the chip as its card number; given once.
    person : int
        Number of who borrowed it.
    back_at : str
        ``''`` while it is out.
    """

    number: str
    person: int
    out_at: str
    due: str
    back_at: str


def loans_of(books: Books, number: int) -> list[Loan]:
    """The loans of a temporary card, newest first."""
    loans = temporary_loans
    query = (
        select(*columns(loans, "number", "person", "out_at", "due", "back_at"))
        .where(loans.c.temporary_card == number)
        .order_by(loans.c.id.desc())
    )
    with books.store.reading() as connection:
        return [Loan(*row) for row in connection.execute(query)]


class Lent(NamedTuple):
    """What is known of a loan by the number on the chip; `repr` shows nobody.

    Parameters
    ----------
    back_at : str
        ``''`` while it is out.
    citizen_number : str
        Of the borrower.
    """

    card: int
    serial: str
    due: str
    back_at: str
    citizen_number: str

    def __repr__(self) -> str:
        """Card and serial only."""
        return f"Lent({self.card}, {self.serial!r})"


def lent_as(books: Books, number: str) -> Lent | None:
    """The loan that has a number, which is on the chip as its card number; None if none has."""
    loans = temporary_loans
    query = (
        select(
            temporary_cards.c.id, temporary_cards.c.serial, loans.c.due, loans.c.back_at,
            people.c.citizen_number,
        )
        .join_from(loans, temporary_cards, temporary_cards.c.id == loans.c.temporary_card)
        .join(people, people.c.id == loans.c.person)
        .where(loans.c.number == number)
    )  # fmt: skip
    with books.store.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else Lent(*row)


def lent_to_holder(books: Books, card_id: int) -> list[tuple[int, str]]:
    """Number and serial of the temporary cards that the holder of a card record has now."""
    loans = temporary_loans
    holder = select(cards.c.person).where(cards.c.id == card_id).scalar_subquery()
    query = (
        select(temporary_cards.c.id, temporary_cards.c.serial)
        .join_from(loans, temporary_cards, temporary_cards.c.id == loans.c.temporary_card)
        .where(loans.c.person == holder, loans.c.back_at == "")
        .order_by(temporary_cards.c.id)
    )
    with books.store.reading() as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def temporary_pool(books: Books, calendar: Calendar) -> list[TemporaryCard]:
    """All temporary cards of a registry, by number."""
    loans = temporary_loans
    newest = select(func.max(cards.c.id)).where(cards.c.person == loans.c.person).scalar_subquery()
    query = (
        select(
            temporary_cards.c.id, temporary_cards.c.serial, temporary_cards.c.state,
            loans.c.number, loans.c.person, newest, loans.c.deposit, loans.c.out_at, loans.c.due,
        )
        .outerjoin(
            loans, and_(loans.c.temporary_card == temporary_cards.c.id, loans.c.back_at == "")
        )
        .order_by(temporary_cards.c.id)
    )  # fmt: skip
    today = calendar.day_of(books.store.now()).isoformat()
    with books.store.reading() as connection:
        rows = connection.execute(query).all()
    return [
        TemporaryCard(
            row[0], row[1], row[2], row[3] or "", row[4], row[5], row[6] or 0, row[7] or "",
            row[8] or "", overdue=bool(row[8]) and row[8] < today,
        )
        for row in rows
    ]  # fmt: skip
