"""The table of transitions: what it allows, and that the documentation shows the same."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from cardkit.registry.errors import IllegalMoveError
from cardkit.registry.states import TRANSITIONS, Action, State, after, legal

DOCUMENT = Path(__file__).parents[2] / "docs" / "registry.md"


@pytest.mark.parametrize(("state", "action"), [*itertools.product(State, Action)])
def test_every_move_is_allowed_or_refused_with_the_legal_ones(state: State, action: Action) -> None:
    if (state, action) in TRANSITIONS:
        assert after(7, state, action) is TRANSITIONS[state, action]
        return
    with pytest.raises(IllegalMoveError) as caught:
        after(7, state, action)
    assert caught.value.message == f"card record 7 is {state}: '{action}' is not allowed"
    for move in legal(state):
        assert move in caught.value.hint
    assert caught.value.details()["legal"] == sorted(legal(state))


def test_a_final_state_says_so() -> None:
    with pytest.raises(IllegalMoveError) as caught:
        after(7, State.ISSUED, Action.SPOIL)
    assert caught.value.hint == "allowed now: nothing, issued is final"


def test_every_state_of_making_can_be_reached_from_the_beginning() -> None:
    reached: set[State | None] = {None}
    while (
        more := {target for (source, _), target in TRANSITIONS.items() if source in reached}
        - reached
    ):
        reached |= more
    making = set(list(State)[: list(State).index(State.HANDED_OUT)])
    assert reached == {None, *making}
    # those of its life are reached by the rules: tests/registry/lifecycle/test_rules.py


def test_a_card_is_issued_only_after_it_was_verified_here_or_by_its_factory() -> None:
    leads_to_issued = [source for source, target in TRANSITIONS.items() if target is State.ISSUED]
    assert leads_to_issued == [(State.VERIFIED, Action.ISSUE), (State.ORDERED, Action.RETURN)]


def test_the_documentation_shows_this_table() -> None:
    row = re.compile(r"^\| (\S+) \| `(\w+)` \| (\w+) \|", re.MULTILINE)
    rows = row.findall(DOCUMENT.read_text("utf-8"))
    documented = {(source, action): target for source, action, target in rows}
    assert documented == {
        (str(source or "-"), str(action)): str(target)
        for (source, action), target in TRANSITIONS.items()
    }
