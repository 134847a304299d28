"""What lapses by itself: written down with the instant at which it did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, and_, or_, update

from cardkit.registry.books import Books
from cardkit.registry.effective import LAPSING
from cardkit.registry.journal import Detail, Event
from cardkit.registry.lifecycle.many import among, chunks
from cardkit.registry.lifecycle.standing import STANDING, Standing, lapsed
from cardkit.registry.schema.cards import cards

ACTOR = "cardkit"  # nobody does this


def save(
    connection: Connection, now: str, changes: Sequence[tuple[Standing, Standing]], reason: str
) -> None:
    """Write the standings after some moves, in a few statements however many they are."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for _, after in changes:
        groups[after[2:9]].append(after.card_id)
    for values, card_ids in groups.items():
        names = Standing._fields[2:9]
        change = dict(zip(names, values, strict=True)) | {"changed_at": now, "reason": reason}
        for some in chunks(card_ids):
            connection.execute(update(cards).where(among(cards.c.id, some)).values(**change))


class Lapsing:
    """Temporary losses that have run out."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def all(self, connection: Connection, now: str) -> int:
        """Write every lapse down; returns how many cards it were."""
        query = STANDING.where(
            or_(
                and_(cards.c.state == LAPSING, cards.c.lapses_at <= now),
                and_(cards.c.bank_state == LAPSING, cards.c.bank_lapses_at <= now),
            )
        )
        rows = [Standing(*row) for row in connection.execute(query.order_by(cards.c.id))]
        return len(self.settle(connection, now, rows))

    def settle(
        self, connection: Connection, now: str, standings: Iterable[Standing]
    ) -> Mapping[int, Standing]:
        """Write down what has lapsed of some cards; returns the new standings of those."""
        changes = [(at, after) for at in standings if (after := lapsed(at, now)) is not at]
        if changes:
            save(connection, now, changes, "")
            journal = self._books.journal.by(ACTOR)
            journal.append_many(connection, now, (_event(*change) for change in changes))
        return {after.card_id: after for _, after in changes}


def _event(before: Standing, after: Standing) -> Event:
    detail: Detail = {}
    if before.state != after.state:
        detail = {"lapsed_at": before.lapses_at}
    if before.bank_state != after.bank_state:
        detail = {
            **detail,
            "bank_from": before.bank_state,
            "bank_lapsed_at": before.bank_lapses_at,
            "bank_to": after.bank_state,
        }
    return Event("lapse", before.card_id, before.person_id, before.state, after.state, detail)
