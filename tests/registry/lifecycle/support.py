"""People with accounts, cards in their hands, and a clock that is moved on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cardkit.profile import load as load_profile
from cardkit.registry.lifecycle import (
    Act,
    Agent,
    Appearance,
    Appears,
    Lifecycle,
    Request,
    RuleSet,
    load,
)
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.registry import Registry, sqlite_url
from tests.registry.support import crowd, enrol, issue

CHEAP = Cost(passes=1, lanes=1, kibibytes=64)
PASSWORD = "Tea-at-five"
AGENT = Agent("李代办", "639900197001011235", "13900000000", "spouse")


class HandClock:
    """A clock that stands still until somebody moves it; every look is a millisecond later."""

    def __init__(self) -> None:
        self.now = datetime(2012, 5, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Office:
    """A registry with everybody who works there."""

    registry: Registry
    clock: HandClock
    rules: RuleSet
    life: Lifecycle
    people: dict[str, Operator] = field(default_factory=dict)
    enrolled: int = 0

    def act(self, action: str, subject: int, *, by: str = "", **more: Any) -> Act:
        """Do it as the rule wants it, by whoever may, unless told otherwise."""
        return self.life.perform(self.request(action, subject, by=by, **more))

    def request(
        self,
        action: str,
        subject: int,
        *,
        by: str = "",
        who: Appears | None = None,
        papers: Iterable[str] | None = None,
        second: str = "",
        channel: str = "",
        **more: Any,
    ) -> Request:
        rule = self.rules.of_action(action)[0]
        appears = who or min(rule.appears, key=list(Appears).index)
        through = channel or ("window" if "window" in rule.channels else min(rule.channels))
        wanted = frozenset().union(
            *(r.papers_for(appears, through) for r in self.rules.of_action(action))
        )
        wanted = frozenset(paper.split("|")[0] for paper in wanted)  # one of them is enough
        operator = self.people[by] if by else self.somebody(rule.roles)
        approval: int | None = None
        if rule.second and second != "none":
            approvers = self.rules.approvers()[action]
            other = self.people[second] if second else self.another(operator, approvers)
            approval = self.life.approvals.on_the_spot(
                action, subject, operator=operator, second=other
            ).number
        request = Request(
            action,
            subject,
            operator,
            Appearance(
                appears,
                wanted if papers is None else frozenset(papers),
                AGENT if appears is Appears.AGENT else None,
            ),
            approval,
            through,
        )
        return replace(request, **more)

    def somebody(self, roles: frozenset[Role]) -> Operator:
        return next(person for person in self.people.values() if person.has(*roles))

    def another(self, operator: Operator, roles: frozenset[Role]) -> Operator:
        return next(
            person
            for person in self.people.values()
            if person.login != operator.login and person.has(*roles)
        )

    def card(self, state: str = "active", index: int | None = None) -> int:
        """A fresh card in a state of its life, of somebody who has none."""
        number = self.enrolled if index is None else index
        self.enrolled = max(self.enrolled, number + 1)
        (card_id,) = enrol(self.registry, crowd(1, number), f"roster {number}").new
        if state == "planned":
            return card_id
        issue(self.registry, self.registry.get(card_id))
        for action in ROADS[state]:
            self.act(action, card_id)
        return card_id

    def state(self, card_id: int) -> str:
        return self.life.standing(card_id).state


ROADS: dict[str, tuple[str, ...]] = {
    "issued": (),
    "handed_out": ("hand-out",),
    "active": ("hand-out", "open"),
    "suspended": ("hand-out", "open", "suspend"),
    "frozen": ("hand-out", "open", "freeze"),
    "temporarily_lost": ("hand-out", "open", "report-loss-temporary"),
    "lost": ("hand-out", "open", "report-loss"),
    "cancelling": ("hand-out", "open", "cancel"),
    "replaced": ("hand-out", "open", "exchange"),
    "cancelled": ("hand-out", "open", "cancel", "cancel-finish"),
    "transferred": ("hand-out", "open", "transfer"),
    "ended": ("hand-out", "open", "end"),
}
"""How a card that was made comes into a state."""


def staff(books_of: Registry) -> dict[str, Operator]:
    """One person a role, and a second one at the window; all with the same password."""
    accounts = Operators(books_of.books, cost=CHEAP)
    if found := accounts.all():
        return {one.operator.login: one.operator for one in found}
    boss = accounts.init("boss", "管理员", PASSWORD)
    people = {"boss": boss}
    for login, role in [
        ("wang", Role.WINDOW),
        ("zhao", Role.WINDOW),
        ("tang", Role.TOWNSHIP),
        ("chen", Role.COUNTY),
        ("qian", Role.COUNTY),
        ("ji", Role.INSPECTOR),
        ("mi", Role.ENCRYPTION),
    ]:
        people[login] = accounts.add(login, f"某{login}", [role], PASSWORD, by=boss)
    return people


def open_office(place: Path | str, own: dict[str, Any] | None = None) -> Office:
    """An office whose registry is a file, or at a URL; its people are there or are made.

    ``own``: what the profile of the place says under ``[lifecycle]``.
    """
    clock = HandClock()
    url = place if isinstance(place, str) else sqlite_url(place)
    registry = Registry.open(url, clock=clock, actor="window 1")
    rules = load(replace(load_profile("test"), lifecycle=own or {}))
    return Office(registry, clock, rules, Lifecycle(registry.books, rules), staff(registry))
