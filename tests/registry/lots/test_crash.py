"""kill -9 before and after every durable commit of a county's day: the same day again finishes it.

Every act is written as people work: look whether it is done, else do it. After the kill the books
agree, nothing is half done, and going on leads where an undisturbed day leads.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from cardkit.registry.lifecycle import Lifecycle, load
from cardkit.registry.lots import Clerk, Lot, Lots, Outcome, OutcomeRow
from cardkit.registry.operators import Approvals, Operators
from cardkit.registry.places import Membership, PlaceRow, Places, Residence
from cardkit.registry.registry import Registry
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.inspection import samples
from cardkit.registry.schema.stock import stock_counts, stock_moves
from cardkit.registry.states import State
from cardkit.registry.statistics import Archive, Inspection, Statistics
from cardkit.registry.stock import Order, Stock, WindowStock
from cardkit.registry.store import CommitHook
from tests import postgres
from tests.registry import children
from tests.registry.crew import Crew
from tests.registry.support import assert_consistent, crowd, enrol, issue, open_at

PEOPLE = 6


def prepared(place: Path | str) -> None:
    """People with accounts and places; nobody has a card."""
    with open_at(place) as registry:
        Crew(registry.books)
        enrol(registry, crowd(PEOPLE))
    open_at(place).close()


class Day:
    """What people do in one day, each act only if it is not done yet."""

    def __init__(self, registry: Registry) -> None:
        self.registry, books = registry, registry.books
        self.people = Operators(books)
        self.stock, self.approvals = Stock(books), Approvals(books)
        self.lots = Lots(books, Lifecycle(books, load()))
        self.li, self.wang, self.zhao, self.sun = (
            self.people.get(login) for login in ("li", "wang", "zhao", "sun")
        )

    def work(self) -> None:
        self.places()
        self.cards()
        self.village()
        self.employer()
        self.papers()

    def places(self) -> None:
        books = self.registry.books
        Places(books).load([PlaceRow("E1", "employer", "厂", "C")], operator=self.li)
        Residence(books).assign_by_address(operator=self.li)
        Membership(books).assign([("card_id", "4", "E1")], operator=self.li)

    def booked(self, action: str, kind: str) -> bool:
        return any(move.action == action for move in self.stock.moves(kind=kind))

    def cards(self) -> None:
        for order in (
            Order("receive", "blank-card", "W1", count=10),
            Order("receive", "pos", "C", "POS1"),
            Order("receive", "receipt", "C", "SJ01", "SJ09"),
        ):
            if not self.booked("receive", order.kind):
                self.stock.do(order, operator=self.li)
        self.registry.uses_stock(WindowStock(self.registry.books, "W1"))
        for record in list(self.registry.list([State.WRITING])):
            code = record.id_code + bytes(4)
            self.registry.result(record.card_id, ok=True, id_code=code)
        for record in self.registry.next_planned(PEOPLE):
            issue(self.registry, record)
        move = Order("move", "receipt", "C", "SJ02", to="W1")
        if not self.booked("move", "receipt"):
            number = self.second(move.approved_as, move.subject())
            self.stock.do(move, operator=self.li, approval=number)
        if not self.booked("use", "receipt"):
            self.stock.do(Order("use", "receipt", "C", "SJ01"), operator=self.li)
        if not self.booked("correct", "receipt"):
            wrong = next(m for m in self.stock.moves(kind="receipt") if m.action == "use")
            order = Order("correct", "receipt", "C", "SJ01", reason="other", corrects=wrong.move_id)
            number = self.second(order.approved_as, order.subject())
            self.stock.do(order, operator=self.li, approval=number)

    def second(self, action: str, subject: int, who: str = "li") -> int:
        return self.approvals.on_the_spot(
            action, subject, operator=self.people.get(who), second=self.wang
        ).number

    def lot(self, place: str) -> Lot | None:
        return next((lot for lot in self.lots.list() if lot.place == place), None)

    def village(self) -> None:
        lot = self.lot("V1") or self.lots.pack("V1", operator=self.li)
        if lot.state == "packed":
            self.lots.take(lot.lot_id, operator=self.li)
            self.lots.out(lot.lot_id, operator=self.li, card_carrier="zhao",
                          machine_carrier="qian", machine="POS1")  # fmt: skip
        self.return_(lot, "holder", None)

    def employer(self) -> None:
        lot = self.lot("E1") or self.lots.pack("E1", "employer", operator=self.li)
        if lot.state == "packed":
            number = self.second("lot-pick-up", lot.lot_id, "zhao")
            clerk = Clerk("经办", "639900197001010013")
            self.lots.pick_up(lot.lot_id, clerk, operator=self.zhao, approval=number)
        self.return_(lot, "employer", "lot-merge")

    def return_(self, lot: Lot, appeared: str, approved: str | None) -> None:
        pack = self.lots.pack_file(lot.lot_id)
        papers = ("stamped-list",) if approved else ("id",)
        rows = [
            OutcomeRow(card.position, card.card_id, "handed", appeared, papers)
            for card in pack.cards
        ]
        outcome = Outcome(lot.lot_id, pack.digest, rows).sealed(pack.seal_key)
        number = self.second(approved, outcome.subject(), "zhao") if approved else None
        self.lots.merge(outcome, operator=self.zhao, approval=number)
        now = self.lots.show(lot.lot_id).lot.state
        if now == "out":
            self.lots.back(lot.lot_id, [], operator=self.li)
        if now != "closed":
            self.lots.close(lot.lot_id, operator=self.li)

    def papers(self) -> None:
        books = self.registry.books
        archive, inspection = Archive(books), Inspection(books, 8)
        archive.bind("C", operator=self.li)
        if not archive.register(None):
            archive.lend(1, "稽核科", purpose="抽查", operator=self.li)
        if not archive.register(None)[0].back_at:
            archive.give_back(1, operator=self.li)
        if not self.kept(samples):
            inspection.sample("hand-out", 1, seed="s", operator=self.sun)
        if not inspection.show(1).items[0].result:
            inspection.say(1, 1, "fine", operator=self.sun)
        if not self.kept(stock_counts):
            self.stock.reconcile("W1", "blank-card", operator=self.li, count=4)

    def kept(self, table: Table) -> bool:
        with self.registry.books.store.reading() as connection:
            return bool(connection.execute(select(func.count()).select_from(table)).scalar())


def assert_half_done_nowhere(registry: Registry) -> None:
    """Whatever moment the power went: books, cards and lots agree."""
    assert_consistent(registry)
    assert Stock(registry.books).verify() == []
    with registry.books.store.reading() as connection:
        made = connection.execute(
            select(func.count()).where(cards.c.state.not_in(["planned", "writing"]))
        ).scalar_one()
        used = connection.execute(
            select(func.count()).where(
                stock_moves.c.action == "use", stock_moves.c.card.is_not(None)
            )
        ).scalar_one()
    assert made == used
    for lot in Lots(registry.books, Lifecycle(registry.books, load())).list():
        assert lot.handed + lot.returned + lot.missing + lot.unknown == lot.count


def assert_finished(registry: Registry) -> None:
    assert_half_done_nowhere(registry)
    day = Day(registry)
    assert [(lot.place, lot.state, lot.handed) for lot in day.lots.list()] == [
        ("V1", "closed", 1), ("E1", "closed", 1),
    ]  # fmt: skip
    balance = {(b.place, b.kind, b.state): b.count for b in day.stock.balance()}
    assert balance == {
        ("W1", "blank-card", "held"): 4, ("W1", "blank-card", "used"): 6, ("C", "pos", "held"): 1,
        ("C", "receipt", "held"): 8, ("W1", "receipt", "held"): 1,
    }  # fmt: skip
    table = Statistics(registry.books).events(period="all")
    totals = dict(zip(table.measures, table.totals, strict=True))
    assert (totals["made"], totals["handed_out"]) == (6, 2)


def commits_of(place: Path | str) -> int:
    """Of a day in a registry that is prepared."""
    hooked: list[str] = []
    with open_at(place, on_commit=hooked.append) as registry:
        Day(registry).work()
        assert_finished(registry)
        done = len(hooked)
        Day(registry).work()
        assert_finished(registry)
    return done


def killer(point: int) -> CommitHook:
    left = point

    def count(_when: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            children.kill_this_process()

    return count


def killed_at(place: Path | str, point: int) -> None:
    """In a registry that is prepared."""

    def until_then() -> None:
        with open_at(place, on_commit=killer(point)) as registry:
            Day(registry).work()

    assert children.run(until_then) == children.KILLED, f"point {point} was not reached"
    with open_at(place) as registry:
        assert_half_done_nowhere(registry)
        Day(registry).work()
        assert_finished(registry)


@pytest.mark.parametrize("part", range(4))
def test_killed_at_every_commit(tmp_path: Path, part: int) -> None:
    """In four parts, which several processes can share."""
    morning = tmp_path / "morning.db"
    prepared(morning)
    for point in range(1 + part, commits_of(copied(morning, "whole")) + 1, 4):
        killed_at(copied(morning, str(point)), point)


def copied(morning: Path, name: str) -> Path:
    place = morning.with_name(f"{name}.db")
    shutil.copyfile(morning, place)
    return place


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_some_commits_on_a_server(server: postgres.Server, when: str) -> None:
    """Every seventh commit: of the places, the stock, the lots, the archive."""
    morning = server.database()
    prepared(morning)
    like = postgres.name_of(morning)
    commits = commits_of(server.database(like))
    for point in range(1 if when == "before" else 2, commits + 1, 14):
        url = server.database(like)
        killed_at(url, point)
        server.drop(url)
