"""What hangs on a card goes where the card went: its chip, its account, the insurance."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, update

from cardkit.registry.books import Books
from cardkit.registry.lifecycle.many import add, among, block, chunks
from cardkit.registry.lifecycle.requests import Request
from cardkit.registry.lifecycle.standing import Standing
from cardkit.registry.schema.cards import cards, chips
from cardkit.registry.schema.life import bank_accounts, insurance_relations
from cardkit.registry.statements import Statement
from cardkit.registry.states import LIVE_CHIP, BankState, ChipState

_ACCOUNT = tuple(column.name for column in bank_accounts.c)
_LIVE = [state.value for state in LIVE_CHIP]


class Dependents:
    """Chips, bank accounts and insurance relations of cards."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._add_accounts = Statement(insert(bank_accounts).inline(), _ACCOUNT)
        self._set_number = Statement(
            update(cards)
            .where(cards.c.id == bindparam("which"))
            .values(bank_card_number=bindparam("number")),
        )

    def retire_chips(self, connection: Connection, card_ids: Sequence[int]) -> None:
        """The chips of dead cards are dead for ever."""
        for some in chunks(card_ids):
            connection.execute(
                update(chips)
                .where(among(chips.c.card, some), chips.c.state.in_(_LIVE))
                .values(state=ChipState.RETIRED.value)
            )

    def follow_bank(
        self, connection: Connection, now: str, card_ids: Sequence[int], state: str
    ) -> None:
        """The accounts on cards go where the bank's side went."""
        for some in chunks(card_ids):
            connection.execute(
                update(bank_accounts)
                .where(
                    among(bank_accounts.c.card, some),
                    bank_accounts.c.state != BankState.CLOSED.value,
                )
                .values(state=state, changed_at=now)
            )

    def end_insurance(
        self, connection: Connection, now: str, person_ids: Sequence[int], state: str
    ) -> None:
        """Insurance relations that were active end, or go elsewhere."""
        for some in chunks(person_ids):
            connection.execute(
                update(insurance_relations)
                .where(
                    among(insurance_relations.c.person, some),
                    insurance_relations.c.state == "active",
                )
                .values(state=state, changed_at=now)
            )

    def open_accounts(
        self, connection: Connection, now: str, standings: Sequence[Standing], request: Request
    ) -> None:
        """Accounts at the bank, in bulk; their numbers are in no history."""
        first = block(self._books.counters, connection, bank_accounts.name, len(standings))
        opened = BankState.OPENED.value
        accounts, numbers = [], []
        for number, at in enumerate(standings, first):
            told = request.details_for(at.card_id)
            accounts.append(
                (number, at.person_id, at.card_id, told.get("bank", ""), told.get("account", ""),
                 opened, now, now)
            )  # fmt: skip
            if "bank_card_number" in told:
                numbers.append((told["bank_card_number"], at.card_id))
        add(connection, self._add_accounts, accounts)
        add(connection, self._set_number, numbers)
