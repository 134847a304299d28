"""Cards and holders as the registry has them at one instant, for many numbers at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, or_, select

from cardkit.codec.numbers import TEMPORARY_PREFIX
from cardkit.registry.effective import LAPSING, effective_bank_state, effective_state
from cardkit.registry.inquiry.questions import By
from cardkit.registry.lifecycle.days import Calendar
from cardkit.registry.numbering import ID_CODE_LENGTH
from cardkit.registry.schema import cards, people
from cardkit.registry.schema.life import temporary_loans
from cardkit.registry.states import DEAD, State

_MOST_IN = 5_000  # values of one IN
_COLUMNS: Mapping[By, ColumnElement[Any]] = {
    By.CARD_NUMBER: cards.c.card_number,
    By.CARD_ID_CODE: cards.c.card_id_code,
    By.CITIZEN_NUMBER: people.c.citizen_number,
    By.INSURANCE_NUMBER: people.c.insurance_number,
    By.BANK_CARD_NUMBER: cards.c.bank_card_number,
}
_INSTANT: BindParameter[str] = bindparam("instant")
_VIEW = select(
    cards.c.id,
    cards.c.card_number,
    cards.c.card_id_code,
    cards.c.card_id_code_mac,
    cards.c.kind,
    effective_state(_INSTANT).label("state"),
    cards.c.lapses_at,
    cards.c.changed_at,
    effective_bank_state(_INSTANT).label("bank_state"),
    cards.c.bank_card_number,
    people.c.citizen_number,
    people.c.name,
    people.c.insurance_number,
    people.c.sex,
    people.c.birth_date,
).join_from(cards, people, cards.c.person == people.c.id)
_LOANS = select(
    temporary_loans.c.id,
    temporary_loans.c.number,
    temporary_loans.c.out_at,
    temporary_loans.c.due,
    temporary_loans.c.back_at,
    temporary_loans.c.ended,
    people.c.citizen_number,
    people.c.name,
    people.c.insurance_number,
    people.c.sex,
    people.c.birth_date,
).join_from(temporary_loans, people, temporary_loans.c.person == people.c.id)


@dataclass(frozen=True, slots=True)
class Holding:
    """A card and its holder; ``repr`` shows the number of the record only."""

    card_id: int
    values: Mapping[str, object] = field(repr=False)

    def value(self, name: str) -> object:
        """A field of `cardkit.registry.inquiry.rights.FIELDS`."""
        return self.values[name]


def find(connection: Connection, by: By, keys: Collection[str], instant: str) -> dict[str, Holding]:
    """Cards with some numbers, as they stand at `instant`.

    Where a person had several cards, the one that counts, or else the last.

    Parameters
    ----------
    keys : collection of str
        Well-formed numbers of the kind `by`.
    instant : str
        UTC; a temporary loss that lapsed by then is over, whether or not anybody noted it.
    """
    column = _COLUMNS[by]
    wanted = sorted({_stored(by, key) for key in keys})
    best: dict[object, Any] = {}
    for start in range(0, len(wanted), _MOST_IN):
        some = wanted[start : start + _MOST_IN]
        query = _VIEW.add_columns(column.label("asked")).where(_having(by, some))
        for row in connection.execute(query.order_by(cards.c.id), {"instant": instant}):
            asked = bytes(row.asked) if by is By.CARD_ID_CODE else row.asked
            known = best.get(asked)
            if known is None or known.state in DEAD or row.state not in DEAD:
                best[asked] = row
    holdings = {asked: _holding(row) for asked, row in best.items()}
    found = {key: holdings[s] for key in keys if (s := _stored(by, key)) in holdings}
    if by is By.CARD_NUMBER:
        lent = [key for key in keys if key.startswith(TEMPORARY_PREFIX) and key not in found]
        found |= _temporary(connection, lent, instant)
    return found


def _temporary(connection: Connection, numbers: Sequence[str], instant: str) -> dict[str, Holding]:
    """Temporary cards 临时卡 by the number of a loan: `valid` while it is out and not overdue."""
    found: dict[str, Holding] = {}
    today = Calendar().day_of(instant).isoformat()
    for start in range(0, len(numbers), _MOST_IN):
        some = numbers[start : start + _MOST_IN]
        for row in connection.execute(_LOANS.where(temporary_loans.c.number.in_(some))):
            found[row.number] = Holding(row.id, _lent(row, today))
    return found


def _lent(row: Any, today: str) -> dict[str, object]:  # noqa: ANN401 - a row of _LOANS
    return {
        "state": row.ended or "out",
        "valid": not row.back_at and row.due >= today,
        "kind": "temporary",
        "changed_at": row.back_at or row.out_at,
        "lapses_at": "",
        "bank_state": "none",
        "card_number": row.number,
        "card_id_code": "",  # the chip says it; the pool knows what is printed on it
        "insurance_number": row.insurance_number,
        "name": row.name,
        "citizen_number": row.citizen_number,
        "sex": row.sex,
        "birth_date": row.birth_date,
        "bank_card_number": "",
    }


def _having(by: By, keys: Sequence[Any]) -> ColumnElement[bool]:
    """The condition, in the words of the partial indexes where there are such."""
    wanted = _COLUMNS[by].in_(keys)
    if by is By.BANK_CARD_NUMBER:
        return and_(wanted, cards.c.bank_card_number != "")
    if by is By.INSURANCE_NUMBER:  # mostly it is the citizen number
        same = people.c.insurance_number == people.c.citizen_number
        return or_(
            and_(people.c.citizen_number.in_(keys), same),
            and_(wanted, people.c.insurance_number != people.c.citizen_number),
        )
    return wanted


def _stored(by: By, key: str) -> Any:  # noqa: ANN401 - what the column holds
    return bytes.fromhex(key)[:ID_CODE_LENGTH] if by is By.CARD_ID_CODE else key


def _holding(row: Any) -> Holding:  # noqa: ANN401 - a row of _VIEW
    code = bytes(row.card_id_code) + bytes(row.card_id_code_mac or b"")
    return Holding(
        row.id,
        {
            "state": row.state,
            "valid": row.state == State.ACTIVE.value,
            "kind": row.kind,
            "changed_at": row.changed_at,
            "lapses_at": row.lapses_at if row.state == LAPSING else "",
            "bank_state": row.bank_state,
            "card_number": row.card_number,
            "card_id_code": code.hex().upper(),
            "insurance_number": row.insurance_number,
            "name": row.name,
            "citizen_number": row.citizen_number,
            "sex": row.sex,
            "birth_date": row.birth_date,
            "bank_card_number": row.bank_card_number,
        },
    )
