"""Applications and temporary cards: anybody tries anything, and the table is never left.

As in the machine of cards, the model reads the TOML file and shares no code with the engine. Beside
the states it keeps who worked on an application, whose loan is open, and the money of deposits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, insert, select

from cardkit.registry.errors import IllegalMoveError
from cardkit.registry.lifecycle import Appearance, Appears, Request
from cardkit.registry.lifecycle.pool import temporary_pool
from cardkit.registry.operators import NotAllowedError
from cardkit.registry.schema.cards import history
from cardkit.registry.schema.intake import applications
from cardkit.registry.schema.life import charges, temporary_loans
from tests.registry.lifecycle import model
from tests.registry.lifecycle.conftest import Offices, offices_of
from tests.registry.lifecycle.support import AGENT, Office
from tests.registry.support import crowd, enrol

PERSONS = 3
FIRST = {"application": "draft", "temporary": "pool"}
ACTIONS = {
    kind: sorted(n for n, r in model.CONTENT["rule"].items() if r.get("subject") == kind)
    for kind in FIRST
}
SECONDS = ("none", "granted", "granted", "granted", "asked", "refused", "other action", "no such")
choices: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(1, 3),
    "login": st.sampled_from(["wang", "wang", "zhao", "tang", "chen", "ji"]),
    "second": st.sampled_from(SECONDS),
    "who": st.sampled_from([Appears.HOLDER, Appears.HOLDER, *Appears]),
    "papers": st.sampled_from(["all", "all", "none"]),
    "channel": st.sampled_from(["window", "window", "window", "phone"]),
}
on_applications = {"action": st.sampled_from(ACTIONS["application"]), **choices}
on_temporary_cards = {
    "action": st.sampled_from(ACTIONS["temporary"]), "person": st.integers(1, PERSONS), **choices,
}  # fmt: skip


@dataclass
class Thing:
    """An application or a temporary card."""

    state: str
    workers: list[tuple[str, str]] = field(default_factory=list)  # who did what
    person: int | None = None  # who has it
    deposit: int = 0


class OtherMachine(RuleBasedStateMachine):
    """An office with three applications and three temporary cards."""

    def __init__(self, make: Offices, content: model.Content) -> None:
        super().__init__()
        self.make_office, self.content = make, content

    @initialize()
    def open(self) -> None:
        self.office: Office = self.make_office()
        enrol(self.office.registry, crowd(PERSONS))  # cards are planned for all of them
        self.things = {kind: {n: Thing(FIRST[kind]) for n in (1, 2, 3)} for kind in FIRST}
        self.office.life.stock_pool(["T1", "T2", "T3"], operator=self.office.people["wang"])
        with self.office.registry.books.store.writing() as connection:
            for number in self.things["application"]:
                connection.execute(
                    insert(applications).values(
                        id=number, state="draft", citizen_number=f"{number}"
                    )
                )
        self.loans = self.paid = self.given_back = 0
        self.entries = self.count()

    def count(self) -> int:
        with self.office.registry.books.store.reading() as connection:
            query = select(func.count()).where(
                history.c.action.in_([*ACTIONS["application"], *ACTIONS["temporary"], "refused"])
            )
            return int(connection.execute(query).scalar_one())

    @rule(**on_applications)  # type: ignore[call-overload, untyped-decorator]
    def somebody_works_on_an_application(self, action: str, **given: Any) -> None:
        self.attempt("application", action, person=None, **given)

    @rule(**on_temporary_cards)  # type: ignore[call-overload, untyped-decorator]
    def somebody_takes_a_temporary_card(self, action: str, person: int, **given: Any) -> None:
        self.attempt("temporary", action, person=person, **given)

    @rule(
        number=st.integers(1, 3),
        taker=st.sampled_from(["wang", "tang", "chen"]),
        checker=st.sampled_from(["wang", "tang"]),
        confirmer=st.sampled_from(["wang", "chen", "qian"]),
    )
    def an_application_goes_all_the_way(
        self, number: int, taker: str, checker: str, confirmer: str
    ) -> None:
        """Unless whoever entered it would confirm it, too."""
        steps = (("apply", taker), ("check", checker), ("confirm", confirmer))
        for action, login in steps:
            who = Appears.HOLDER if action == "apply" else Appears.NOBODY
            self.attempt(
                "application", action, number=number, login=login, second="none", who=who,
                papers="all", channel="window", person=None,
            )  # fmt: skip

    def approval(self, second: str, action: str, number: int, login: str) -> int | None:
        """A second person in one of the ways that can go right or wrong."""
        approvals, people = self.office.life.approvals, self.office.people
        if second == "none":
            return None
        if second == "no such":
            return 1_000_000
        asked = approvals.request(
            "freeze" if second == "other action" else action, number, operator=people[login]
        )
        decide = {"refused": approvals.refuse, "asked": None}.get(second, approvals.grant)
        if decide is not None:
            decide(asked.number, operator=people["qian"])
        return asked.number

    def allowed(
        self, kind: str, action: str, number: int, login: str, person: int | None
    ) -> model.Content | None:
        """The rule that applies to this subject and this person, before papers and approval."""
        thing, others = self.things[kind][number], self.things[kind].values()
        for wanted in model.rules_of(self.content, action):
            if thing.state not in wanted["from"]:
                continue
            if {(login, step) for step in wanted.get("not_by", ())} & set(thing.workers):
                return None
            lent_already = person is not None and any(one.person == person for one in others)
            if action == "temporary-out" and lent_already:
                return None
            return wanted
        return None

    def attempt(
        self, kind: str, action: str, *, number: int, login: str, second: str, who: Appears,
        papers: str, channel: str, person: int | None,
    ) -> None:  # fmt: skip
        thing = self.things[kind][number]
        shown = set(self.content["words"]["paper"]) if papers == "all" else set()
        request = Request(
            action, number, self.office.people[login],
            Appearance(who, frozenset(shown), AGENT if who is Appears.AGENT else None),
            self.approval(second, action, number, login), channel,
            details={"person": str(person)} if person is not None else {},
        )  # fmt: skip
        wanted = self.allowed(kind, action, number, login, person)
        roles = {role.value for role in self.office.people[login].roles}
        lawful = wanted is not None and model.permitted(
            wanted, roles, second, who.value, shown, channel
        )
        try:
            act = self.office.life.perform(request)
        except (NotAllowedError, IllegalMoveError):
            assert not lawful, f"{action} was refused"
        else:
            assert lawful, f"{action} was done at {thing.state}"
            assert wanted is not None
            self.follow(thing, action, wanted, login, person, act.deposit)
        self.entries += 1

    def follow(
        self, thing: Thing, action: str, wanted: model.Content, login: str, person: int | None,
        deposit: int,
    ) -> None:  # fmt: skip
        thing.state = wanted["to"]
        thing.workers.append((login, action))
        expected = 0
        if action == "temporary-out":
            expected = thing.deposit = self.content["settings"][wanted["deposit"]]
            thing.person, self.loans, self.paid = person, self.loans + 1, self.paid + expected
        elif wanted.get("deposit") == "give-back":
            expected, self.given_back = -thing.deposit, self.given_back + thing.deposit
        assert deposit == expected
        if thing.state != "out":
            thing.person, thing.deposit = None, 0

    @invariant()
    def everything_is_where_the_model_is(self) -> None:
        books = self.office.registry.books
        pool = temporary_pool(books, self.office.rules.calendar)
        cards = self.things["temporary"]
        assert {c.number: (c.state, c.person) for c in pool} == {
            number: (thing.state, thing.person) for number, thing in cards.items()
        }
        with books.store.reading() as connection:
            query = select(applications.c.id, applications.c.state)
            states = {row[0]: row[1] for row in connection.execute(query)}
        assert states == {n: thing.state for n, thing in self.things["application"].items()}
        assert self.count() == self.entries

    @invariant()
    def no_number_comes_twice_and_the_money_adds_up(self) -> None:
        with self.office.registry.books.store.reading() as connection:
            numbers = list(connection.execute(select(temporary_loans.c.number)).scalars())
            query = select(charges.c.kind, func.sum(charges.c.amount)).group_by(charges.c.kind)
            money = {row[0]: int(row[1]) for row in connection.execute(query)}
        assert len(set(numbers)) == len(numbers) == self.loans
        assert money.get("deposit", 0) == self.paid
        assert money.get("refund", 0) == self.given_back

    @invariant()
    def the_history_is_whole(self) -> None:
        assert self.office.registry.verify_history().intact


@pytest.mark.parametrize(
    ("kind", "place", "examples"),
    [("sqlite", "default", 15), ("postgresql", "default", 5), ("sqlite", "elsewhere", 10)],
)
def test_the_table_is_never_left(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, place: str, examples: int
) -> None:
    chosen = settings(max_examples=examples, stateful_step_count=30, deadline=None)
    own = model.PLACES[place]
    with offices_of(request, kind, tmp_path, own) as make:
        content = model.content_of(own)
        machine: Any = lambda: OtherMachine(make, content)  # noqa: E731 - its own office each
        run_state_machine_as_test(machine, settings=chosen)
