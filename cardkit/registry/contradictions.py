"""When a roster row and the registry cannot both be right, and which is merely newer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, select

from cardkit.registry.people import Applicant
from cardkit.registry.schema import cards, people
from cardkit.registry.states import DEAD

NEWER_OF_PERSON = ("insurance_number", "birthplace", "nation", "address", "phone", "status")
"""Texts of a person that a later roster may bring in another form, or for the first time."""

_BASICS = {
    "name": ("姓名", "name"),
    "insurance_number": ("养老保险号", "insurance number"),
    "sex": ("性别", "sex"),
    "birth_date": ("出生日期", "birth date"),
}


class Problem(NamedTuple):
    """A contradiction: which field, and the reason for people."""

    field: str
    reason: str
    reason_en: str


class _Basics(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def insurance_number(self) -> str: ...
    @property
    def sex(self) -> str: ...
    @property
    def birth_date(self) -> str: ...


class _Data(_Basics, Protocol):
    @property
    def items(self) -> str: ...
    @property
    def card_kind(self) -> str | None: ...
    @property
    def bank_card_number(self) -> str | None: ...


def between(known: _Basics, applicant: _Basics) -> Problem | None:
    """What contradicts `known` about the same citizen number; an empty field contradicts nothing.

    Examples
    --------
    >>> one = Applicant(2, "A", "x", sex="1")
    >>> between(one, Applicant(3, "A", "x")) is None
    True
    >>> between(one, Applicant(3, "B", "x")).field
    'name'
    """
    for field, (chinese, english) in _BASICS.items():
        old, new = getattr(known, field), getattr(applicant, field)
        if old != new and old and new:
            return Problem(
                field,
                f"登记库中该公民身份号码已有不同的{chinese}",
                f"the registry holds another {english} for this citizen number",
            )
    return None


def newer(known: _Data, applicant: Applicant) -> list[str]:
    """Fields that `applicant` brings and the registry has otherwise or not at all."""
    found = [
        field
        for field in (*NEWER_OF_PERSON, "card_kind", "bank_card_number")
        if (value := getattr(applicant, field)) and value != getattr(known, field)
    ]
    if applicant.items:
        items = json.loads(known.items or "{}")
        found += [name for name, value in applicant.items.items() if items.get(name) != value]
    return found


class Owners:
    """Who has a bank card number or an insurance number: nobody may have another's.

    Parameters
    ----------
    connection : Connection
        Inside the transaction of the enrolment.
    ask : bool
        Whether the registry knows anybody at all.
    """

    def __init__(self, connection: Connection, *, ask: bool) -> None:
        self._connection = connection
        self._ask = ask
        self._banks: dict[str, str] = {}
        self._insured: dict[str, str] = {}

    def look_up(self, applicants: Sequence[Applicant]) -> None:
        """Fetch the owners of the numbers that `applicants` bring."""
        if not self._ask:
            return
        banks = [one.bank_card_number for one in applicants if one.bank_card_number]
        if banks:
            query = (
                select(cards.c.bank_card_number, people.c.citizen_number)
                .join(people, people.c.id == cards.c.person)
                .where(cards.c.bank_card_number.in_(banks), cards.c.state.not_in(DEAD))
            )
            self._banks.update((row[0], row[1]) for row in self._connection.execute(query))
        insured = [one.insurance_number for one in applicants if _own_insurance_number(one)]
        if insured:
            query = select(people.c.insurance_number, people.c.citizen_number).where(
                people.c.insurance_number != people.c.citizen_number,
                people.c.insurance_number.in_(insured),
            )
            self._insured.update((row[0], row[1]) for row in self._connection.execute(query))

    def contradiction(self, applicant: Applicant) -> Problem | None:
        """Whether a number of `applicant` is somebody else's."""
        number = applicant.citizen_number
        bank = applicant.bank_card_number
        if bank and self._banks.get(bank, number) != number:
            return Problem(
                "bank_card_number",
                "该银行卡号已登记给另一人",
                "the registry gives this bank card number to another person",
            )
        if (
            _own_insurance_number(applicant)
            and self._insured.get(applicant.insurance_number, number) != number
        ):
            return Problem(
                "insurance_number",
                "该养老保险号已登记给另一人",
                "the registry gives this insurance number to another person",
            )
        return None

    def note(self, applicant: Applicant) -> None:
        """Remember the numbers of somebody who is being enrolled."""
        if applicant.bank_card_number:
            self._banks[applicant.bank_card_number] = applicant.citizen_number
        if _own_insurance_number(applicant):
            self._insured[applicant.insurance_number] = applicant.citizen_number


def _own_insurance_number(applicant: Applicant) -> bool:
    number = applicant.insurance_number
    return bool(number) and number != applicant.citizen_number
