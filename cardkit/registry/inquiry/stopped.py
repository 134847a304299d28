"""The blacklist as terminals fetch it: cards that must not be taken, page by page."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from cardkit.registry.effective import effective_state
from cardkit.registry.schema import cards
from cardkit.registry.states import DEAD, State

STOPPED = (
    State.FROZEN,
    State.TEMPORARILY_LOST,
    State.LOST,
    State.SUSPENDED,
    State.CANCELLING,
    *DEAD,
)
"""States in which a card is not to be taken; a temporary loss that has lapsed is over."""


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
    state = effective_state(instant)
    wanted = (
        select(cards.c.id, cards.c.card_number, state, cards.c.changed_at)
        .where(
            cards.c.id > after,
            cards.c.issued_at != "",
            state.in_([one.value for one in STOPPED]),
        )
        .order_by(cards.c.id)
        .limit(limit)
    )
    return [Stopped(*row) for row in connection.execute(wanted)]
