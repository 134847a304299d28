"""The blacklist as terminals fetch it: cards that must not be taken, page by page."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from cardkit.registry.schema import cards
from cardkit.registry.states import DEAD, State

STOPPED = (State.FROZEN, State.LOST, State.SUSPENDED, State.CANCELLING, *DEAD)
"""States in which a card is not to be taken, besides a temporary loss that has not lapsed."""


class Stopped(NamedTuple):
    """A card on the list."""

    card_id: int
    card_number: str
    state: str
    since: str


def page(connection: Connection, after: int, limit: int, instant: str) -> list[Stopped]:
    """The next stopped cards behind the record `after`, at most `limit`.

    Records that were given up before a card existed are not on it.
    """
    lost_for_now = and_(
        cards.c.state == State.TEMPORARILY_LOST.value,
        or_(cards.c.lapses_at == "", cards.c.lapses_at > instant),
    )
    wanted = (
        select(cards.c.id, cards.c.card_number, cards.c.state, cards.c.changed_at)
        .where(
            cards.c.id > after,
            cards.c.issued_at != "",
            or_(cards.c.state.in_([state.value for state in STOPPED]), lost_for_now),
        )
        .order_by(cards.c.id)
        .limit(limit)
    )
    return [Stopped(*row) for row in connection.execute(wanted)]
