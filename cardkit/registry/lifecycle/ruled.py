"""What an act on cards comes to: the rule of each card, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cardkit.registry.errors import RegistryError
from cardkit.registry.lifecycle.bookkeeping import Move
from cardkit.registry.lifecycle.requests import Act
from cardkit.registry.lifecycle.standing import Standing
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.store import instant

Refused = tuple[int, Standing | None, RegistryError]
"""Card, its standing (None: there is no such record), and why."""


@dataclass(slots=True)
class Outcome:
    """What came of a request."""

    acts: list[Act] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A card, the rule that applies to it, and where that leads."""

    at: Standing
    rule: Transition
    after: Standing


def lapse_of(rule: Transition, now: str) -> str:
    """Instant at which what is done now lapses, or ``''``."""
    if not rule.lapse_days:
        return ""
    then = datetime.fromisoformat(now) + timedelta(days=rule.lapse_days)
    return instant(lambda: then)


def move_of(one: Ruled) -> Move:
    """What is written down of it, without money and days."""
    at, after, rule = one.at, one.after, one.rule
    bank = rule.subject == "bank"
    return Move(
        rule=rule,
        subject=at.card_id,
        card_id=at.card_id,
        person_id=at.person_id,
        from_state=at.bank_state if bank else at.state,
        to_state=after.bank_state if bank else after.state,
        card_from=at.state,
        card_to=after.state,
        bank_from=at.bank_state,
        bank_to=after.bank_state,
        lapses_at=_lapses(after, bank=bank) if rule.lapse_days else "",
    )


def _lapses(after: Standing, *, bank: bool) -> str:
    return after.bank_lapses_at if bank else after.lapses_at
