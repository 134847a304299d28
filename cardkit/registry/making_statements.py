"""The statements of the road of one card, compiled once."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, or_, select, update

from cardkit.registry.schema import cards, chips, columns
from cardkit.registry.statements import Statement
from cardkit.registry.states import LIVE_CHIP


class MakingStatements:
    """What `cardkit.registry.making.Making` asks and changes."""

    def __init__(self) -> None:
        this_card = cards.c.id == bindparam("card_id")
        wanted = columns(cards, "id", "person", "state", "card_id_code", "district")
        self.card = Statement(select(*wanted).where(this_card))
        self.cards_of_code = Statement(
            select(*wanted).where(cards.c.card_id_code == bindparam("code"))
        )
        self.chips = Statement(
            select(*columns(chips, "id", "card_id_code", "factory_atr", "state", "card")).where(
                or_(
                    chips.c.card_id_code == bindparam("code"),
                    chips.c.card == bindparam("card_id"),
                    chips.c.factory_atr == bindparam("factory_atr"),
                )
            ),
        )
        self.live_chip = Statement(
            select(chips.c.id).where(
                chips.c.card == bindparam("card_id"),
                or_(*(chips.c.state == state.value for state in LIVE_CHIP)),
            ),
        )
        self.begin = Statement(
            update(cards)
            .where(this_card)
            .values(
                state=bindparam("new_state"),
                reason="",
                card_id_code=bindparam("code"),
                reader=bindparam("with_reader"),
                chip_kind=bindparam("with_kind"),
                attempts=cards.c.attempts + 1,
                writing_at=bindparam("instant"),
                changed_at=bindparam("instant"),
            ),
        )
        self.move = Statement(
            update(cards)
            .where(this_card)
            .values(
                state=bindparam("new_state"),
                reason=bindparam("why"),
                changed_at=bindparam("instant"),
            ),
        )
        self.recode = Statement(
            update(cards).where(this_card).values(card_id_code=bindparam("code"))
        )
        self.issue = Statement(
            update(cards)
            .where(this_card)
            .values(
                state=bindparam("new_state"),
                reason="",
                card_id_code_mac=bindparam("mac"),
                issued_at=bindparam("instant"),
                changed_at=bindparam("instant"),
            ),
        )
        self.new_chip = Statement(
            insert(chips).inline(),
            ("id", "card_id_code", "factory_atr", "atr", "kind", "state", "card", "seen_at"),
        )
        self.rebind = Statement(
            update(chips)
            .where(chips.c.id == bindparam("chip_id"))
            .values(
                card_id_code=bindparam("code"),
                factory_atr=bindparam("with_factory_atr"),
                atr=bindparam("with_atr"),
                kind=bindparam("with_kind"),
                state=bindparam("new_state"),
                card=bindparam("card_id"),
                seen_at=bindparam("instant"),
            ),
        )
        self.settle_chip = Statement(
            update(chips)
            .where(chips.c.id == bindparam("chip_id"))
            .values(state=bindparam("new_state"), card=bindparam("card_id")),
        )
