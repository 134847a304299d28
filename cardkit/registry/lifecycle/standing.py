"""Where a card stands on both sides, and where a move takes it: pure.

A card that is held (suspended, frozen, lost ...) remembers what it goes back to. A temporary loss
lapses by itself: whoever asks after that instant is told the state it went back to, whether or not
the lapse was written down yet.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from cardkit.registry.effective import LAPSING
from cardkit.registry.lifecycle.transition import PREVIOUS, SAME, Transition
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.cards import cards
from cardkit.registry.states import BankState

NO_ACCOUNT = (BankState.NONE.value, BankState.CLOSED.value)


class Standing(NamedTuple):
    """A card as its row says it, in the order of `STANDING`."""

    card_id: int
    person_id: int
    state: str
    held_from: str
    held_below: str
    lapses_at: str
    bank_state: str
    bank_held_from: str
    bank_lapses_at: str
    kind: str
    district: str
    batch: int
    row: int


STANDING = select(
    *columns(
        cards,
        "id",
        "person",
        "state",
        "held_from",
        "held_below",
        "lapses_at",
        "bank_state",
        "bank_held_from",
        "bank_lapses_at",
        "kind",
        "district",
        "batch",
        "row",
    )
)


def lapsed(at: Standing, now: str) -> Standing:
    """The standing after what has lapsed by then.

    Examples
    --------
    >>> lost = Standing(1, 1, "temporarily_lost", "active", "", "2012-05-11", *[""] * 5, 1, 2)
    >>> lapsed(lost, "2012-05-10").state, lapsed(lost, "2012-05-11").state
    ('temporarily_lost', 'active')
    """
    if at.state == LAPSING and at.lapses_at and at.lapses_at <= now:
        at = _popped(at)
    if at.bank_state == LAPSING and at.bank_lapses_at and at.bank_lapses_at <= now:
        at = at._replace(bank_state=at.bank_held_from, bank_held_from="", bank_lapses_at="")
    return at


def moved(at: Standing, rule: Transition, lapses_at: str) -> Standing:
    """The standing after a transition.

    Parameters
    ----------
    lapses_at : str
        Instant at which this one lapses, ``''`` for most.
    """
    if rule.subject == "bank":
        return _bank_moved(at, rule, lapses_at)
    if rule.bank_to and at.bank_state not in NO_ACCOUNT:
        at = at._replace(bank_state=rule.bank_to, bank_held_from="", bank_lapses_at="")
    if rule.target == SAME:
        return at
    if rule.target == PREVIOUS:
        return _popped(at)
    if rule.hold == "yes":
        below = f"{at.held_from} {at.held_below}".strip()
        kept = at.lapses_at if LAPSING in (at.state, *below.split()) else ""
        return at._replace(
            state=rule.target,
            held_from=at.state,
            held_below=below,
            lapses_at=lapses_at or kept,
        )
    if rule.hold == "keep":
        return at._replace(state=rule.target, lapses_at=lapses_at)
    return at._replace(state=rule.target, held_from="", held_below="", lapses_at=lapses_at)


def _popped(at: Standing) -> Standing:
    following, _, below = at.held_below.partition(" ")
    return at._replace(
        state=at.held_from,
        held_from=following,
        held_below=below,
        lapses_at=at.lapses_at if LAPSING in (at.held_from, *at.held_below.split()) else "",
    )


def _bank_moved(at: Standing, rule: Transition, lapses_at: str) -> Standing:
    before = at.bank_held_from
    if rule.target == PREVIOUS:
        return at._replace(bank_state=before, bank_held_from="", bank_lapses_at="")
    held = {"yes": at.bank_state, "keep": before}.get(rule.hold, "")
    return at._replace(bank_state=rule.target, bank_held_from=held, bank_lapses_at=lapses_at)
