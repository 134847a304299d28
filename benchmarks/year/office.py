"""The county's office: the registry with everybody who works there, and a clock that is set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from benchmarks.year.county import COUNTY, WINDOW, Citizen, County
from benchmarks.year.partners import Agency, Bank, Factory, Partner, Police, Terminals
from cardkit.profile import load as load_profile
from cardkit.registry.exchange.custody import Custody
from cardkit.registry.exchange.exchange import Exchange, Receipt
from cardkit.registry.forms import Forms
from cardkit.registry.lifecycle import Act, Agent, Appearance, Appears, Lifecycle, Request, load
from cardkit.registry.lifecycle.requests import NOTHING
from cardkit.registry.lots import Lots
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.registry import Registry
from cardkit.registry.schema import cards, people
from cardkit.registry.stock import Order, Stock

YEAR = 2015
_HOURS = 8  # ahead of UTC
_CHEAP = Cost(passes=1, lanes=1, kibibytes=64)  # what a password costs is no part of the story
_PASSWORD = "Tea-at-five-1"  # noqa: S105 - of people who do not exist
_STAFF = {
    "li": Role.COUNTY,
    "wang": Role.COUNTY,
    "zhao": Role.WINDOW,
    "qian": Role.WINDOW,
    "zhou": Role.TOWNSHIP,
    "wu": Role.TOWNSHIP,
    "sun": Role.INSPECTOR,
}


class Clock:
    """Stands where the story has put it; every look is a millisecond later."""

    def __init__(self) -> None:
        self.now = datetime(YEAR, 1, 4, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def to(self, month: int, day: int, hour: int = 9) -> None:
        """Move on to an hour of the place; never back."""
        then = datetime(YEAR, month, day, hour, tzinfo=UTC) - timedelta(hours=_HOURS)
        self.now = max(self.now, then)

    @property
    def today(self) -> date:
        """The day at the place."""
        return (self.now + timedelta(hours=_HOURS)).date()


@dataclass
class Office:
    """What every chapter works with.

    Parameters
    ----------
    done : Counter of (str, str)
        Acts by month (``2015-07``) and action, as the people who did them count.
    cash : Counter of str
        Fen, by what it was taken or given back for.
    shelf : Counter of (str, str)
        Pieces that really lie at a place, by kind and place.
    """

    registry: Registry
    clock: Clock
    county: County
    folder: Path
    bank: Bank = field(init=False)
    factory: Factory = field(default_factory=Factory)
    agency: Agency = field(default_factory=Agency)
    terminals: Terminals = field(default_factory=Terminals)
    police: Police = field(default_factory=Police)
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    cash: Counter[str] = field(default_factory=Counter)
    shelf: Counter[tuple[str, str]] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Open the rooms."""
        books = self.registry.books
        self.books, self.store = books, books.store
        self.rules = load(load_profile("test"))
        self.life = Lifecycle(books, self.rules)
        self.lots = Lots(books, self.life)
        self.stock = Stock(books)
        self.exchange = Exchange(books, life=self.life)
        self.custody = Custody(books, self.exchange)
        self.forms = Forms(books)
        self.bank = Bank(self.county)
        self.staff: dict[str, Operator] = {}

    @property
    def partners(self) -> tuple[Partner, ...]:
        """Everybody files are exchanged with."""
        return (self.bank, self.factory, self.agency, self.terminals, self.police)

    def employ(self) -> None:
        """Everybody gets an account."""
        accounts = Operators(self.books, cost=_CHEAP)
        root = accounts.init("root", "管理员", _PASSWORD)
        for login, role in _STAFF.items():
            place = {Role.WINDOW: WINDOW, Role.COUNTY: COUNTY}.get(role, "")
            self.staff[login] = accounts.add(
                login, f"测试{login}", [role], _PASSWORD, place=place, by=root
            )

    def __getitem__(self, login: str) -> Operator:
        """Somebody who works here."""
        return self.staff[login]

    # -- acts -----------------------------------------------------------------------------------

    def act(
        self,
        action: str,
        subject: int,
        *,
        who: Appears | None = None,
        channel: str = "window",
        agent: Agent | None = None,
        reason: str = "",
        details: Mapping[str, str] = NOTHING,
    ) -> Act:
        """One act at a window or at the agency, with the papers and the second person it asks."""
        by, appearance, second = self._as_the_rules_want(action, who, channel, agent)
        approval = self.approve(action, [subject], by) if second else None
        act = self.life.perform(
            Request(action, subject, by, appearance, approval, channel, reason, details)
        )
        self.done[self.month, action] += 1
        self.cash[action] += act.fee + act.deposit
        return act

    def many(
        self,
        action: str,
        card_ids: Sequence[int],
        *,
        who: Appears | None = None,
        channel: str = "file",
        reason: str = "",
    ) -> list[int]:
        """The same act for many cards; returns those it was refused for."""
        if not card_ids:
            return []
        by, appearance, second = self._as_the_rules_want(action, who, channel, None)
        approval = self.approve(action, card_ids, by) if second else None
        result = self.life.perform_many(
            action, card_ids, operator=by, appearance=appearance, approval=approval,
            channel=channel, reason=reason,
        )  # fmt: skip
        self.done[self.month, action] += result.done
        self.tally["refused in bulk"] += len(result.refused)
        return [card for card, _ in result.refused]

    def _as_the_rules_want(
        self, action: str, who: Appears | None, channel: str, agent: Agent | None
    ) -> tuple[Operator, Appearance, bool]:
        rules = self.rules.of_action(action)
        appears = who or min(rules[0].appears, key=list(Appears).index)
        wants = frozenset[str]().union(*(rule.papers_for(appears, channel) for rule in rules))
        papers = frozenset(one.partition("|")[0] for one in wants)  # the first of several that do
        wanted = (Role.WINDOW, Role.COUNTY, Role.TOWNSHIP)
        role = next(role for role in wanted if role in rules[0].roles)
        by = next(person for person in self.staff.values() if person.has(role))
        return by, Appearance(appears, papers, agent), rules[0].second

    def approve(self, action: str, subjects: int | Iterable[int], by: Operator) -> int:
        """A colleague of the same role looks at it and agrees."""
        second = next(
            person
            for person in self.staff.values()
            if person.login != by.login and person.roles == by.roles
        )
        approvals = self.life.approvals
        return approvals.on_the_spot(action, subjects, operator=by, second=second).number

    @property
    def month(self) -> str:
        """``2015-07``, of the place."""
        return f"{self.clock.today:%Y-%m}"

    # -- stock ----------------------------------------------------------------------------------

    def move(self, order: Order, by: str = "li", *, second: bool = False) -> None:
        """A move of stock, with two people where it asks for them."""
        person = self[by]
        approval = self.approve(order.approved_as, order.subject(), person) if second else None
        self.stock.do(order, operator=person, approval=approval)

    # -- files ----------------------------------------------------------------------------------

    def send(self, layout: str, partner: Partner, limit: int | None = None) -> tuple[Receipt, Path]:
        """Make a file and give it, sealed, to the clerk who carries it."""
        receipt = self.exchange.send(layout, partner=partner.name, operator=self["li"], limit=limit)
        return receipt, self.carried(receipt)

    def carried(self, receipt: Receipt, role: str = "original") -> Path:
        """A kept file on its way, sealed to its receiver."""
        batch, name = receipt.batch, receipt.batch.layout
        self.tally[f"{name} {role} sent"] += receipt.batch.rows
        return self.custody.hand_over(
            batch.id, role, self.folder, carrier="wang", operator=self["li"]
        )

    def take(self, layout: str, data: bytes, partner: Partner) -> Receipt:
        """A file comes; the same one once more changes nothing."""
        receipt = self.exchange.receive(
            layout, data, partner=partner.name, operator=self["li"], name=f"{layout}.txt"
        )
        again = self.exchange.receive(
            layout, data, partner=partner.name, operator=self["li"], name=f"{layout}.txt"
        )
        if not again.known or again.batch.id != receipt.batch.id:
            raise AssertionError(f"{layout}: the same file was taken twice")
        return receipt

    # -- looking --------------------------------------------------------------------------------

    def cards_in(self, *states: str, bank: str = "", place: str = "") -> list[tuple[int, Citizen]]:
        """Cards in some states, with their people; in order."""
        query = (
            select(cards.c.id, people.c.citizen_number)
            .join_from(cards, people, cards.c.person == people.c.id)
            .where(cards.c.state.in_(states))
            .order_by(cards.c.id)
        )
        if bank:
            query = query.where(cards.c.bank_state == bank)
        with self.store.reading() as connection:
            found = [(row[0], self.county.citizens[row[1]]) for row in connection.execute(query)]
        if place:
            found = [one for one in found if self.county.township_of(one[1]) == place]
        return found

    def person_of(self, connection: Connection, card_id: int) -> int:
        """Number of the person who holds a card."""
        found: int = connection.execute(
            select(cards.c.person).where(cards.c.id == card_id)
        ).scalar_one()
        return found
