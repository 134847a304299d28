"""A county with people at work, a card with a story, and forms in stock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardkit.profile import load as load_profile
from cardkit.registry.forms import Forms, Kind, Subject
from cardkit.registry.forms.contents import ActContent
from cardkit.registry.forms.sources import Desk, of_act
from cardkit.registry.lifecycle import Act, Agent, Appearance, Appears, Lifecycle, Request, load
from cardkit.registry.operators import Approvals, Operator
from cardkit.registry.registry import Registry
from cardkit.registry.stock import Order, Stock
from tests.registry.crew import Crew
from tests.registry.support import crowd, enrol, issue, open_at

HOLDER = Appearance(Appears.HOLDER, frozenset({"id", "card"}))
BY_AGENT = Appearance(
    Appears.AGENT,
    frozenset({"id", "agent-id"}),
    Agent("李代办", "639900196501010015", "13900009999", "父亲"),
)


class Office:
    """A window of the county, and what it does with the card of the first person."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.crew = Crew(registry.books)
        self.rules = load(load_profile("test"))
        self.life = Lifecycle(registry.books, self.rules)
        self.forms = Forms(registry.books)
        self.desk = Desk(self.rules, "测试县社会保障卡服务窗口")
        (card,) = enrol(registry, crowd(1)).card_ids
        assert card is not None
        self.card = card
        issue(registry, registry.get(self.card))
        Stock(registry.books).do(
            Order("receive", "receipt", "W1", "SJ000001", "SJ000100"), operator=self.crew.li
        )

    def do(self, action: str, appears: Appearance = HOLDER, channel: str = "window") -> Act:
        approval = None
        if any(rule.second for rule in self.rules.of_action(action)):
            approvals = Approvals(self.registry.books)
            approval = approvals.on_the_spot(
                action, self.card, operator=self.crew.zhao, second=self.crew.qian
            ).number
        return self.life.perform(
            Request(action, self.card, self.crew.zhao, appears, approval, channel)
        )

    def lose(self) -> Act:
        """Hand the card out, open it, and report it lost through an agent."""
        self.do("hand-out")
        self.do("open")
        return self.do("report-loss", BY_AGENT)

    def content(self, act: Act, kind: Kind) -> ActContent:
        with self.registry.books.store.reading() as connection:
            return of_act(connection, self.desk, act.act_id, kind)

    def print(self, act: Act, kind: Kind, operator: Operator | None = None) -> tuple[str, bytes]:
        """Make a paper of an act; its number and its PDF."""
        document, pdf = self.forms.make(
            kind,
            self.content(act, kind),
            subject=Subject("act", act.act_id),
            operator=operator or self.crew.zhao,
            card_id=act.card_id,
        )
        return document.number, pdf


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """An empty registry, whose history has to be whole at the end unless a test broke it."""
    with open_at(url) as opened:
        yield opened
        assert opened.verify_history().intact


@pytest.fixture
def office(registry: Registry) -> Office:
    return Office(registry)
