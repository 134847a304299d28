"""The statements of a merge, compiled once."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, select, update

from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards
from cardkit.registry.statements import Statement


class MergeStatements:
    """What merging asks and changes for each card."""

    def __init__(self, engine: Engine) -> None:
        table = lot_cards.c
        self.listed = Statement(
            engine,
            select(table.position, table.card, table.outcome, cards.c.state)
            .join_from(lot_cards, cards, cards.c.id == table.card)
            .where(table.lot == bindparam("lot_id")),
        )
        self.elsewhere = Statement(
            engine,
            select(table.lot)
            .select_from(cards.outerjoin(lot_cards, table.card == cards.c.id))
            .where(cards.c.id == bindparam("card_id"))
            .order_by(table.lot.desc())
            .limit(1),
        )
        # For many rows: outcome, instant, why, lot, position.
        self.take = Statement(
            engine,
            update(lot_cards)
            .where(table.lot == bindparam("lot_id"), table.position == bindparam("at"))
            .values(
                outcome=bindparam("what"),
                outcome_at=bindparam("instant"),
                conflict=bindparam("why"),
            ),
        )
        # A card that the file says was handed out, and that is here.
        self.here = Statement(
            engine,
            update(lot_cards)
            .where(table.lot == bindparam("lot_id"), table.position == bindparam("at"))
            .values(conflict=bindparam("why")),
        )
