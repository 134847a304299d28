"""Every action at every state of a card: done where the table says so, refused everywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from cardkit.registry.lifecycle import load
from cardkit.registry.lifecycle.errors import OutOfOrderError
from cardkit.registry.lifecycle.transition import PREVIOUS, SAME
from tests.registry.lifecycle.support import ROADS, Office

RULES = load()
CARD_ACTIONS = sorted({rule.action for rule in RULES.transitions if rule.subject == "card"})
BANK_ACTIONS = sorted({rule.action for rule in RULES.transitions if rule.subject == "bank"})
STATES = ["planned", *ROADS]
BANK_ROADS = {
    "none": (),
    "opened": ("bank-open",),
    "active": ("bank-open", "bank-activate"),
    "temporarily_lost": ("bank-open", "bank-report-loss-temporary"),
    "lost": ("bank-open", "bank-report-loss"),
    "frozen": ("bank-open", "bank-freeze"),
    "pin_locked": ("bank-open", "bank-activate", "bank-pin-lock"),
    "pin_lost": ("bank-open", "bank-activate", "bank-pin-loss"),
    "closed": ("bank-open", "bank-close"),
}
MORE: dict[str, dict[str, Any]] = {"change-data": {"details": {"address": "新地址"}}}


@pytest.fixture
def office(busy_office: Office) -> Office:
    """Every test takes a card of its own."""
    return busy_office


@pytest.mark.parametrize("action", CARD_ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_card(office: Office, state: str, action: str) -> None:
    card = office.card(state)
    if action == "cancel-bank" and state == "cancelling":
        office.act("bank-open", card)
    before = office.registry.show(card)
    rule = next((r for r in RULES.of_action(action) if state in r.sources), None)
    if rule is None:
        with pytest.raises(OutOfOrderError) as caught:
            office.act(action, card, **MORE.get(action, {}))
        refused = office.registry.show(card)
        assert refused.record == before.record
        (entry,) = refused.history[len(before.history) :]
        assert (entry.action, entry.from_state, entry.to_state) == ("refused", state, state)
        told = {rule.action for rule in office.life.legal(card)}
        assert set(caught.value.legal) == told
        return
    act = office.act(action, card, **MORE.get(action, {}))
    wanted = {PREVIOUS: "active", SAME: state}.get(rule.target, rule.target)
    assert office.state(card) == act.to_state == wanted
    (entry,) = office.registry.show(card).history[len(before.history) :]
    assert (entry.action, entry.from_state, entry.to_state) == (action, state, wanted)


@pytest.mark.parametrize("action", BANK_ACTIONS)
@pytest.mark.parametrize("state", BANK_ROADS)
def test_bank_side(office: Office, state: str, action: str) -> None:
    card = office.card("active")
    for step in BANK_ROADS[state]:
        office.act(step, card)
    rule = next((r for r in RULES.of_action(action) if state in r.sources), None)
    if rule is None:
        with pytest.raises(OutOfOrderError):
            office.act(action, card)
        assert office.life.standing(card).bank_state == state
    else:
        act = office.act(action, card)
        wanted = "opened" if rule.target == PREVIOUS else rule.target
        assert office.life.standing(card).bank_state == act.to_state == wanted
    assert office.state(card) == "active"  # the other side is reported apart


@pytest.mark.parametrize("dead", ["replaced", "cancelled", "transferred", "ended"])
def test_nothing_brings_a_dead_card_back(office: Office, dead: str) -> None:
    card = office.card(dead)
    assert office.life.legal(card) == []
    for action in CARD_ACTIONS + BANK_ACTIONS:
        with pytest.raises(OutOfOrderError):
            office.act(action, card, **MORE.get(action, {}))
    assert office.state(card) == dead
