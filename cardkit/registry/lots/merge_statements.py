"""The statements of a merge, compiled once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, insert, select, update

from cardkit.registry.lifecycle.many import among, chunks
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards, lot_conflicts
from cardkit.registry.statements import Statement

_CONFLICT = ("id", "merge", "position", "card", "kind", "detail")
_MANY = 20  # cards for which one UPDATE ... IN is worth it


class MergeStatements:
    """What merging asks and changes for each card."""

    def __init__(self) -> None:
        table = lot_cards.c
        self.listed = Statement(
            select(table.position, table.card, table.outcome, cards.c.state)
            .join_from(lot_cards, cards, cards.c.id == table.card)
            .where(table.lot == bindparam("lot_id")),
        )
        self.elsewhere = Statement(
            select(table.lot)
            .select_from(cards.outerjoin(lot_cards, table.card == cards.c.id))
            .where(cards.c.id == bindparam("card_id"))
            .order_by(table.lot.desc())
            .limit(1),
        )
        self.add_conflicts = Statement(insert(lot_conflicts).inline(), _CONFLICT)
        # For many rows: outcome, instant, why, lot, position.
        self._take = Statement(
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
            update(lot_cards)
            .where(table.lot == bindparam("lot_id"), table.position == bindparam("at"))
            .values(conflict=bindparam("why")),
        )

    def take(
        self, connection: Connection, lot_id: int, what: str, rows: Iterable[tuple[int, str, str]]
    ) -> None:
        """Write down what became of cards: position, instant, why the registry did not follow.

        Most rows of a file say the same; those are one statement.
        """
        alike: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, instant, why in rows:
            alike[instant, why].append(position)
        single = []
        for (instant, why), positions in alike.items():
            if len(positions) < _MANY:
                single += [(what, instant, why, lot_id, position) for position in positions]
                continue
            for some in chunks(positions):
                connection.execute(
                    update(lot_cards)
                    .where(lot_cards.c.lot == lot_id, among(lot_cards.c.position, some))
                    .values(outcome=what, outcome_at=instant, conflict=why)
                )
        self._take.run_many(connection, single)
