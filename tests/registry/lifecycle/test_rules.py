"""The shipped rule sets: nothing leads nowhere, and every word has a Chinese one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.profile import load as load_profile
from cardkit.registry.lifecycle import RuleSet, load
from cardkit.registry.lifecycle.describing import describe
from cardkit.registry.lifecycle.reading import STATES
from cardkit.registry.lifecycle.requests import Appears
from cardkit.registry.lifecycle.rules import shipped
from cardkit.registry.lifecycle.transition import PREVIOUS, SAME
from cardkit.registry.states import DEAD, TRANSITIONS, State

DOCUMENT = Path(__file__).parents[3] / "docs" / "lifecycle.md"
FIRST = {"application": "draft", "temporary": "pool", "bank": "none"}
ENDS = {
    "application": {"confirmed", "refused", "withdrawn"},
    "temporary": {"lost", "retired"},
    "bank": {"closed"},
    "card": {state.value for state in DEAD},
}


@pytest.fixture(params=shipped())
def rules(request: pytest.FixtureRequest) -> RuleSet:
    return load(base=request.param)


def moves(rules: RuleSet, subject: str) -> set[tuple[str, str]]:
    found = {
        (source, rule.target)
        for rule in rules.transitions
        if rule.subject == subject and rule.target not in (PREVIOUS, SAME)
        for source in rule.sources
    }
    if subject == "card":
        found |= {(str(source or ""), target.value) for (source, _), target in TRANSITIONS.items()}
    return found


@pytest.mark.parametrize("subject", STATES)
def test_every_state_is_reached_from_the_first(rules: RuleSet, subject: str) -> None:
    reached = {FIRST.get(subject, "")}
    while more := {to for of, to in moves(rules, subject) if of in reached} - reached:
        reached |= more
    assert reached - {""} == STATES[subject]


@pytest.mark.parametrize("subject", STATES)
def test_exactly_the_ends_lead_nowhere(rules: RuleSet, subject: str) -> None:
    leads_on = {source for source, _ in moves(rules, subject)} | {
        source
        for rule in rules.transitions
        if rule.subject == subject and rule.target == PREVIOUS
        for source in rule.sources
    }
    assert STATES[subject] - leads_on == ENDS[subject]


def test_no_rule_of_any_kind_begins_at_a_dead_card(rules: RuleSet) -> None:
    for rule in rules.transitions:
        if rule.subject == "card":
            assert rule.sources.isdisjoint(ENDS["card"]), rule.name


def test_every_held_state_can_be_left_towards_where_the_card_was(rules: RuleSet) -> None:
    for subject in ("card", "bank"):
        held = {r.target for r in rules.transitions if r.subject == subject and r.hold}
        back = {
            source
            for r in rules.transitions
            if r.subject == subject and r.target == PREVIOUS
            for source in r.sources
        }
        kept_to_the_end = {"lost"} if rules.settings["found_until"] == "formal-loss" else set()
        assert back <= held
        assert held - back <= kept_to_the_end


def test_every_action_and_code_has_a_chinese_and_an_english_name(rules: RuleSet) -> None:
    for rule in rules.transitions:
        assert rule.en
        assert not rule.zh.isascii()
        for sort, codes in {
            "state": rule.sources | rule.bank_in | rule.card_in,
            "role": rule.roles,
            "appears": rule.appears,
            "channel": rule.channels,
            "paper": {
                p for papers in rule.papers.values() for one in papers for p in one.split("|")
            },
        }.items():
            for code in codes:
                assert not rules.zh(sort, code).isascii(), f"{sort} {code}"


def test_no_two_rules_of_an_action_begin_at_the_same_state(rules: RuleSet) -> None:
    seen: set[tuple[str, str]] = set()
    for rule in rules.transitions:
        starts = {(rule.action, source) for source in rule.sources}
        assert seen.isdisjoint(starts), rule.name
        seen |= starts


def test_pin_acts_are_the_holders_own_in_person(rules: RuleSet) -> None:
    for action in ("unlock-pin", "reset-pin", "bank-pin-unlock", "bank-pin-reset", "bank-pin-loss"):
        for rule in rules.of_action(action):
            assert rule.appears == {Appears.HOLDER}, action
            assert rule.papers_for(Appears.HOLDER, "window") >= {"id", "card"}
            assert rule.channels <= {"window", "bank"}


def test_ending_acts_of_the_agency_need_two_people(rules: RuleSet) -> None:
    for action in ("hand-out", "freeze", "unfreeze", "transfer", "cancel-finish", "end"):
        assert all(rule.second for rule in rules.of_action(action)), action


def test_the_strict_rules_differ_where_the_sources_differ() -> None:
    loose, strict = load(), load(base="strict")
    assert {State.LOST.value} <= loose.of_action("find")[1].sources
    assert [rule.name for rule in strict.of_action("find")] == ["find"]
    assert strict.of_action("hand-out")[0].appears == {Appears.HOLDER}
    assert loose.of_action("replace")[0].working_days == 30
    assert strict.of_action("replace")[0].working_days == 15


def test_a_profile_overrides_single_values() -> None:
    profile = dataclasses.replace(
        load_profile("test"),
        lifecycle={
            "settings": {"replacement_fee": 1500, "temporary_loss_days": 3},
            "rule": {"hand-out": {"appears": ["holder"]}},
            "calendar": {"holidays": ["2012-05-02"]},
            "operators": {"idle_minutes": 5},
        },
    )
    rules = load(profile)
    assert rules.of_action("replace")[0].fee == 1500
    assert rules.of_action("report-loss-temporary")[0].lapse_days == 3
    assert rules.of_action("hand-out")[0].appears == {Appears.HOLDER}
    assert rules.of_action("hand-out")[0].second
    assert rules.operators.idle_minutes == 5
    assert rules.numbering is not None
    assert rules.numbering.district == "639900"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"setings": {}}, "unknown section setings"),
        ({"settings": {"fee": 1}}, "unknown setting fee"),
        ({"rule": {"open": {"roles": ["wizard"]}}}, "'wizard' is not a valid Role"),
        ({"rule": {"open": {"from": ["nowhere"]}}}, "rule open: unknown state 'nowhere'"),
        ({"rule": {"open": {"papers": {"holder": ["pass"]}}}}, "rule open: unknown paper 'pass'"),
        ({"rule": {"open": {"fee": -1}}}, "rule open: -1 is not a number"),
        ({"rule": {"new": {"from": ["active"]}}}, "rule new: 'to' is missing or unknown"),
        ({"calendar": {"holidays": ["May"]}}, "calendar: days are written"),
        ({"operators": {"lock_after": 0}}, "numbers below their least"),
        ({"base": "loose"}, "there is no rule set 'loose'"),
    ],
)
def test_a_profile_with_a_mistake_is_refused_by_name(own: dict[str, object], said: str) -> None:
    profile = dataclasses.replace(load_profile("test"), lifecycle=own)
    with pytest.raises(UsageError) as caught:
        load(profile)
    assert said in caught.value.message


FOUND_AFTER_ALL = {
    "action": "find", "from": ["replaced"], "to": "active", "roles": ["window"],
    "appears": ["holder"], "channels": ["window"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"again": FOUND_AFTER_ALL}, "rule again: replaced is for ever"),
        ({"end": {"from": ["writing"]}}, "rule end: a card that is writing lies in a reader"),
        (
            {"suspend": {"to": "issued", "hold": False}, "open": {"to": "planned"}},
            "rule open: only the making of cards leads to planned",
        ),
        ({"replace": {"to": "suspended", "hold": True}}, "rule replace: nobody has two cards"),
        ({"open": {"to": "previous"}}, "rule open: handed_out has nothing to go back to"),
        ({"suspend": {"hold": False}}, "rule release: suspended has nothing to go back to"),
        ({"open": {"to": "suspended"}}, "rule open: suspended has to go back later"),
        ({"find": {"hold": True}}, "rule find: 'hold' goes with a state"),
        ({"freeze": {"hold": "keep"}}, "rule freeze: active has nothing to keep"),
        ({"bank-report-loss-after-temporary": {"hold": True}}, "remembers one state"),
        ({"suspend": {"lapse_days": 3}}, "rule suspend: only temporarily_lost"),
        ({"check": {"to": "same"}}, "rule check: 'hold', 'previous' and 'same' are for cards"),
        ({"withdraw": {"from": ["confirmed"]}}, "rule withdraw: confirmed is the end"),
        ({"temporary-wipe": {"chip": ""}}, "rule temporary-wipe: a card goes back to the pool"),
        ({"temporary-out": {"from": ["returned"]}}, "rule temporary-out: only what is in the pool"),
        ({"reset-pin": {"appears": ["holder", "agent"]}}, "rule reset-pin: a PIN is helped"),
        ({"bank-pin-unlock": {"appears": ["nobody"]}}, "rule bank-pin-unlock: a PIN is helped"),
        ({"open": {"roles": ["inspector"]}}, "rule open: an inspector looks"),
        ({"open": {"appears": []}}, "rule open: 'appears' and 'channels' name at least one"),
        ({"find": {"from": ["temporarily_lost", "lost"]}}, "find is the same action at lost"),
        ({"release": {"action": "bank-find"}}, "is the same action on something else"),
    ],
)
def test_no_place_changes_what_stays_fixed(rule: dict[str, object], said: str) -> None:
    profile = dataclasses.replace(load_profile("test"), lifecycle={"rule": rule})
    with pytest.raises(UsageError) as caught:
        load(profile)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("found_until", "replacment"),
        ("temporary_loss_days", 0),
        ("temporary_loss_days", True),
        ("replacement_fee", "free"),
        ("first_replacement_free", "no"),
        ("initial_pin", 888888),
        ("initial_pin", "12"),
        ("chip_hours", "24"),
        ("bound_to_place", ["wizard"]),
        ("place_needed", "yes"),
        ("changeable", ["citizen_number"]),
        ("on_the_face", "name"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(setting: str, value: object) -> None:
    """Not in the middle of an act, when the second person has given the password."""
    profile = dataclasses.replace(load_profile("test"), lifecycle={"settings": {setting: value}})
    with pytest.raises(UsageError, match=rf"setting {setting}: it is "):
        load(profile)


def test_the_documentation_shows_this_table() -> None:
    assert describe(load()).strip() in DOCUMENT.read_text("utf-8")
