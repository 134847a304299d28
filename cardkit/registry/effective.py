"""The state of a card at an instant: a temporary loss that has lapsed counts no more.

The row keeps what was written last; whether the lapse was written down yet makes no difference to
whoever asks. `cardkit.registry.lifecycle.lapsing` writes it down.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, and_, case, literal

from cardkit.registry.schema.cards import cards
from cardkit.registry.states import State

LAPSING = State.TEMPORARILY_LOST.value
"""State on either side of a card that ends by itself."""


def effective_state(now: str | BindParameter[str]) -> ColumnElement[str]:
    """SQL for the state on the social-security side at an instant (UTC text)."""
    return _effective(cards.c.state, cards.c.lapses_at, cards.c.held_from, now)


def effective_bank_state(now: str | BindParameter[str]) -> ColumnElement[str]:
    """The same for the bank's side."""
    return _effective(cards.c.bank_state, cards.c.bank_lapses_at, cards.c.bank_held_from, now)


def _effective(
    state: ColumnElement[str],
    lapses_at: ColumnElement[str],
    before: ColumnElement[str],
    now: str | BindParameter[str],
) -> ColumnElement[str]:
    instant = literal(now) if isinstance(now, str) else now
    lapsed = and_(state == LAPSING, lapses_at != "", lapses_at <= instant)
    return case((lapsed, before), else_=state)
