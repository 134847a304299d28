"""Anybody doing anything with any card at any time: the table is never left, in no place.

The model reads the TOML files itself and shares no code with the engine. After every step the whole
registry is compared with it; at the end the history is checked link by link.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cardkit.registry.errors import IllegalMoveError
from cardkit.registry.lifecycle import Appearance, Appears, Request
from cardkit.registry.operators import NotAllowedError, Operators, Role
from cardkit.registry.places import PlaceRow, Places, Residence
from tests.registry.lifecycle import model
from tests.registry.lifecycle.conftest import Offices, offices_of
from tests.registry.lifecycle.support import AGENT, CHEAP, Office
from tests.registry.support import crowd, enrol, issue

PEOPLE = 3
HOME = {1: "T1", 2: "T1V", 3: "T2"}
"""Place of each person; tang of the township works for T1, and so for its village."""
CARD_ACTIONS = sorted(
    {
        rule.get("action", name)
        for name, rule in model.CONTENT["rule"].items()
        if rule.get("subject", "card") in ("card", "bank")
    }
)
SECONDS = ("none", "granted", "refused", "asked", "other action", "used", "no such")
places = st.integers(0, 7)  # among the cards there are, whatever state they are in
some_papers = st.sampled_from(["all", "all", "all", "none", "one"])
choices: dict[str, st.SearchStrategy[Any]] = {
    "place": places,
    "action": st.sampled_from(CARD_ACTIONS),
    "login": st.sampled_from(["wang", "wang", "chen", "chen", "tang", "boss", "ji", "mi"]),
    "second": st.sampled_from(("granted", "granted", "granted", *SECONDS)),
    "who": st.sampled_from(list(Appears)),
    "papers": some_papers,
    "channel": st.sampled_from(["window", "window", "window", "phone", "file", "bank"]),
}


class LifeMachine(RuleBasedStateMachine):
    """An office where everybody tries everything."""

    def __init__(self, make: Offices, content: model.Content) -> None:
        super().__init__()
        self.make_office = make
        self.content = content

    @initialize()
    def open(self) -> None:
        self.office: Office = self.make_office()
        self.cards: dict[int, model.ModelCard] = {}
        self.entries: dict[int, int] = {}  # entries of the history that have to be there
        for card_id in enrol(self.office.registry, crowd(PEOPLE)).new:
            self.cards[card_id] = self.planned(card_id)
            self.entries[card_id] = 1
            self.make(card_id)
        self.settle_down()

    def planned(self, person: int) -> model.ModelCard:
        return model.ModelCard(person, model.Side("planned"), content=self.content)

    def settle_down(self) -> None:
        """Everybody belongs to a place, and the township has its own."""
        books, people = self.office.registry.books, self.office.people
        rows = [
            PlaceRow("T1", "township", "一乡"),
            PlaceRow("T1V", "village", "一村", "T1"),
            PlaceRow("T2", "township", "二乡"),
        ]
        Places(books).load(rows, operator=people["chen"])
        homes = [("card_id", str(card), place) for card, place in HOME.items()]
        Residence(books).assign(homes, operator=people["chen"])
        accounts = Operators(books, cost=CHEAP)
        people["tang"] = accounts.set_place("tang", "T1", by=people["boss"])

    def make(self, card_id: int) -> None:
        issue(self.office.registry, self.office.registry.get(card_id))
        self.cards[card_id].social.state = "issued"
        self.entries[card_id] += 4  # intent, write, verify, issue

    @precondition(lambda self: any(c.social.state == "planned" for c in self.cards.values()))
    @rule()
    def make_what_is_planned(self) -> None:
        for card_id, card in self.cards.items():
            if card.social.state == "planned":
                self.make(card_id)

    @rule(days=st.sampled_from([1, 5, 9, 10, 11]), seconds=st.integers(-1, 1))
    def time_passes(self, days: int, seconds: int) -> None:
        self.office.clock.later(days=days, seconds=seconds)

    @rule(place=places, days=st.sampled_from([1, 8, 9, 10, 11]), late=st.sampled_from([0, 2, 12]))
    def a_loss_by_phone_is_frozen_and_released_again(
        self, place: int, days: int, late: int
    ) -> None:
        """The ten days go on while the card is frozen, whether they end before or after that."""
        for action, login in (
            ("hand-out", "wang"),
            ("open", "wang"),
            ("report-loss-temporary", "wang"),
            ("freeze", "chen"),
        ):
            self.attempt(place, action, login, "granted", Appears.HOLDER, "all", "window")
            self.attempt(place, action, login, "granted", Appears.NOBODY, "all", "window")
        self.office.clock.later(days=days)
        self.the_registry_is_where_the_model_is()
        self.attempt(place, "unfreeze", "chen", "granted", Appears.NOBODY, "all", "window")
        self.the_registry_is_where_the_model_is()
        self.office.clock.later(days=late)

    @rule(place=places, days=st.sampled_from([0, 9, 11]))
    def a_loss_by_phone_becomes_formal_and_is_found(self, place: int, days: int) -> None:
        for action in ("hand-out", "open", "report-loss-temporary"):
            self.attempt(place, action, "wang", "granted", Appears.HOLDER, "all", "window")
        self.office.clock.later(days=days)
        for action in ("report-loss", "find"):
            self.attempt(place, action, "wang", "granted", Appears.HOLDER, "all", "window")
            self.the_registry_is_where_the_model_is()

    @rule(place=places, days=st.sampled_from([0, 3, 9, 11]))
    def a_loss_told_to_the_bank_becomes_formal_and_is_found(self, place: int, days: int) -> None:
        for action in ("hand-out", "open", "bank-open", "bank-report-loss-temporary"):
            self.attempt(place, action, "wang", "granted", Appears.HOLDER, "all", "window")
        self.office.clock.later(days=days)
        for action, login in (("bank-report-loss", "wang"), ("bank-find", "chen")):
            self.attempt(place, action, login, "granted", Appears.HOLDER, "all", "window")
            self.the_registry_is_where_the_model_is()

    @rule(place=places, action=st.sampled_from(["hand-out", "report-loss-temporary"]))
    def the_township_tries(self, place: int, action: str) -> None:
        self.attempt(place, action, "tang", "granted", Appears.HOLDER, "all", "window")

    @rule()
    def lapses_are_written_down(self) -> None:
        lapsed = self.settle(set(self.cards))
        assert self.office.life.lapse() == lapsed

    def settle(self, card_ids: set[int]) -> int:
        count = 0
        for card_id in card_ids:
            if self.cards[card_id].lapse(self.office.clock.now):
                self.entries[card_id] += 1
                count += 1
        return count

    def approval(self, second: str, action: str, card_id: int, login: str) -> int | None:
        """A second person in one of the ways that can go right or wrong."""
        approvals, people = self.office.life.approvals, self.office.people
        if second in ("none", "no such"):
            return None if second == "none" else 1_000_000
        asked = approvals.request(
            "apply" if second == "other action" else action, card_id, operator=people[login]
        )
        decide = {"refused": approvals.refuse, "asked": None}.get(second, approvals.grant)
        if decide is not None:
            county = "window" not in {role.value for role in self.approvers(asked.action)}
            decide(asked.number, operator=people["qian" if county else "zhao"])
        if second == "used":
            with self.office.registry.books.store.writing() as connection:
                approvals.use(
                    connection, asked.number, action=action, subject=card_id,
                    operator=people[login],
                )  # fmt: skip
        return asked.number

    def approvers(self, action: str) -> frozenset[Role]:
        return self.office.rules.approvers().get(action, frozenset(Role))

    @rule(**choices)  # type: ignore[call-overload, untyped-decorator]
    def somebody_tries(
        self,
        place: int,
        action: str,
        login: str,
        second: str,
        who: Appears,
        papers: str,
        channel: str,
    ) -> None:
        self.attempt(place, action, login, second, who, papers, channel)

    @rule(
        place=places,
        choice=st.integers(0, 30),
        who=st.sampled_from(list(Appears)),
        broken=st.sampled_from(["", "", "", "", "login", "second", "who", "papers", "channel"]),
        second=st.sampled_from(SECONDS),
    )
    def somebody_does_what_is_legal_but_for_one_thing(
        self, place: int, choice: int, who: Appears, broken: str, second: str
    ) -> None:
        """Most random attempts are refused: this one takes the card further, or almost."""
        card_id = sorted(self.cards)[place % len(self.cards)]
        legal = self.office.life.legal(card_id)
        if not legal:
            return
        wanted = legal[choice % len(legal)]
        people = self.office.people.values()
        login = next(p.login for p in people if p.has(*wanted.roles) == (broken != "login"))
        channel = "window" if "window" in wanted.channels else min(wanted.channels)
        if broken == "channel":
            channel = "village"
        appears = who if who in wanted.appears or broken == "who" else min(wanted.appears)
        papers = "none" if broken == "papers" else "all"
        granted = second if broken == "second" else "granted"
        self.attempt(place, wanted.action, login, granted, appears, papers, channel)

    def attempt(
        self,
        place: int,
        action: str,
        login: str,
        second: str,
        who: Appears,
        papers: str,
        channel: str,
    ) -> None:
        if not model.rules_of(self.content, action):
            return  # this place has no such action
        card_id = sorted(self.cards)[place % len(self.cards)]
        card = self.cards[card_id]
        shown = set(model.CONTENT["words"]["paper"]) if papers == "all" else set()
        shown |= {"id"} if papers == "one" else set()
        approval = self.approval(second, action, card_id, login)
        request = Request(
            action, card_id, self.office.people[login],
            Appearance(who, frozenset(shown), AGENT if who is Appears.AGENT else None),
            approval, channel,
            details={"address": f"地址{self.office.clock.now}"} if action == "change-data" else {},
        )  # fmt: skip
        roles = {role.value for role in self.office.people[login].roles}
        before = model.Side(card.social.state)
        near = HOME[card.person] != "T2" or login != "tang"
        will_lapse = self.would_lapse(card)
        try:
            act = self.office.life.perform(request)
        except (NotAllowedError, IllegalMoveError):
            allowed = self.settled_rule(card, action)
            assert (
                allowed is None
                or not near
                or not model.permitted(allowed, roles, second, who.value, shown, channel)
            )
            self.entries[card_id] += 1  # the attempt; a lapse was not written down
            return
        if will_lapse:
            self.settle({card_id})
        allowed = card.rule(action)
        assert allowed is not None, f"{action} was done at {before.state}"
        assert near, "the township acted on somebody of another"
        assert model.permitted(allowed, roles, second, who.value, shown, channel)
        card.go(allowed, self.office.clock.now)
        self.entries[card_id] += 1
        if act.new_card is not None:
            assert act.new_card not in self.cards
            self.cards[act.new_card] = self.planned(card.person)
            self.entries[act.new_card] = 1

    def would_lapse(self, card: model.ModelCard) -> bool:
        now = self.office.clock.now
        return any(
            side.state == "temporarily_lost" and side.until is not None and side.until <= now
            for side in (card.social, card.bank)
        )

    def settled_rule(self, card: model.ModelCard, action: str) -> dict[str, object] | None:
        """The rule at the state that counts, whether or not its lapse was written down."""
        copy = card.copy()
        copy.lapse(self.office.clock.now)
        return copy.rule(action)

    @invariant()
    def the_registry_is_where_the_model_is(self) -> None:
        for card_id, card in self.cards.items():
            at = self.office.life.standing(card_id)
            copy = card.copy()
            copy.lapse(self.office.clock.now)
            assert (at.state, at.bank_state) == (copy.social.state, copy.bank.state)
            assert self.office.registry.get(card_id).state == at.state
            assert len(self.office.registry.show(card_id).history) == self.entries[card_id]

    @invariant()
    def nobody_has_two_living_cards(self) -> None:
        living = [c.person for c in self.cards.values() if c.social.state not in model.DEAD]
        assert len(set(living)) == len(living)

    @invariant()
    def the_history_is_whole(self) -> None:
        assert self.office.registry.verify_history().intact


EXAMPLES = [
    ("sqlite", "default", 20), ("postgresql", "default", 8),
    ("sqlite", "strict", 8), ("sqlite", "elsewhere", 12),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "place", "examples"), EXAMPLES)
def test_the_table_is_never_left(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, place: str, examples: int
) -> None:
    chosen = settings(max_examples=examples, stateful_step_count=30, deadline=None)
    own = model.PLACES[place]
    with offices_of(request, kind, tmp_path, own) as make:
        content = model.content_of(own)
        machine: Any = lambda: LifeMachine(make, content)  # noqa: E731 - its own office each
        run_state_machine_as_test(machine, settings=chosen)
