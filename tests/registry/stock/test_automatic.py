"""Cards made, spoilt, lent and delivered move the stock in the same commit; the counts agree."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select

from cardkit.registry.operators import Approvals
from cardkit.registry.registry import Registry
from cardkit.registry.schema.cards import cards, chips, history
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.states import State as CardState
from cardkit.registry.stock import (
    FactoryStock,
    Order,
    Stock,
    StockError,
    TemporaryStock,
    WindowStock,
)
from tests.registry.crew import Crew
from tests.registry.stock.conftest import Pair
from tests.registry.support import (
    MAC,
    assert_consistent,
    begin,
    crowd,
    enrol,
    issue,
    open_at,
)

PEOPLE = 6


def standing(stock: Stock, kind: str = "") -> dict[tuple[str, str, str], int]:
    return {(b.place, b.kind, b.state): b.count for b in stock.balance(kind=kind)}


def test_a_made_card_uses_one_in_the_commit_of_its_result(
    registry: Registry, crew: Crew, stock: Stock
) -> None:
    record = registry.get_many(enrol(registry, crowd(1)).new)[0]
    stock.do(Order("receive", "blank-card", "W1", count=2), operator=crew.li)
    registry.uses_stock(WindowStock(registry.books, "W1"))
    begin(registry, record)
    registry.spoil(record.card_id, "6581")
    again = registry.get(record.card_id)
    commits: list[str] = []
    begin(registry, again)
    registry.books.store._on_commit = commits.append
    registry.result(record.card_id, ok=True, id_code=again.id_code + MAC)
    assert commits == ["before", "after"]
    assert standing(stock) == {("W1", "blank-card", "used"): 1, ("W1", "blank-card", "spoilt"): 1}
    assert [(m.action, m.card, m.reason) for m in reversed(stock.moves())][1:] == [
        ("spoil", record.card_id, "dead-chip"),
        ("use", record.card_id, ""),
    ]


@pytest.mark.usefixtures("crew")
def test_no_card_is_begun_when_the_books_have_none(registry: Registry, stock: Stock) -> None:
    record = registry.get_many(enrol(registry, crowd(1)).new)[0]
    registry.uses_stock(WindowStock(registry.books, "W1"))
    with pytest.raises(StockError, match="no blank card is left at W1"):
        begin(registry, record)
    assert registry.get(record.card_id).state == CardState.PLANNED
    assert not stock.moves()


def test_a_pre_printed_card_is_used_by_its_own_record_only(
    registry: Registry, crew: Crew, stock: Stock
) -> None:
    first, second, third = registry.get_many(enrol(registry, crowd(3)).new)
    for number in (first.card_number, third.card_number):
        stock.do(Order("receive", "preprinted-card", "W1", number), operator=crew.li)
    stock.do(Order("receive", "blank-card", "W1", count=5), operator=crew.li)
    registry.uses_stock(WindowStock(registry.books, "W1"))
    issue(registry, first)
    issue(registry, second)
    registry.discard(third.card_id, "misprinted")
    assert standing(stock) == {
        ("W1", "preprinted-card", "used"): 1,
        ("W1", "preprinted-card", "spoilt"): 1,
        ("W1", "blank-card", "used"): 1,
        ("W1", "blank-card", "held"): 4,
    }
    assert stock.trace("preprinted-card", third.card_number)[-1].reason == "misprinted"


def test_a_card_made_without_stock_is_named_until_the_delivery_is_booked(
    registry: Registry, crew: Crew, stock: Stock, pair: Pair
) -> None:
    """Two windows began a card each when one was left: both cards are there."""
    one, two = registry.get_many(enrol(registry, crowd(2)).new)
    stock.do(Order("receive", "blank-card", "W1", count=1), operator=crew.li)
    registry.uses_stock(WindowStock(registry.books, "W1"))
    begin(registry, one)
    begin(registry, two)
    for record in (one, two):
        registry.result(record.card_id, ok=True, id_code=record.id_code + MAC)
    assert standing(stock) == {("W1", "blank-card", "used"): 2}
    (problem,) = stock.verify()
    assert problem.startswith("W1: 1 blank-card used that were never received there")
    unbooked = stock.moves()[0].move_id
    stock.do(Order("receive", "blank-card", "W1", count=10), operator=crew.li)
    order = stock.wrong_way(unbooked)
    pair.do(Order(**{n: getattr(order, n) for n in order.__slots__} | {"reason": "wrong-data"}))
    assert stock.verify() == []
    assert standing(stock) == {("W1", "blank-card", "used"): 2, ("W1", "blank-card", "held"): 9}


def test_temporary_cards_go_out_and_come_back(registry: Registry, crew: Crew, stock: Stock) -> None:
    stock.do(Order("receive", "temporary-card", "W1", "LS0001", "LS0004"), operator=crew.li)
    temporary = TemporaryStock(registry.books)

    def step(serial: str, state: str) -> None:
        with registry.books.store.writing() as connection:
            temporary.follow(connection, serial, state, act=7, operator="zhao")

    for serial in ("LS0001", "LS0002", "XX0009", "no number"):
        step(serial, "out")  # two are not the stock's
    step("LS0001", "returned")
    step("LS0001", "pool")
    step("LS0002", "lost")
    step("LS0003", "retired")
    assert standing(stock) == {
        ("W1", "temporary-card", "held"): 2,
        ("W1", "temporary-card", "missing"): 1,
        ("W1", "temporary-card", "spoilt"): 1,
    }
    with pytest.raises(StockError, match="LS0003 spoilt at W1"):
        step("LS0003", "out")
    assert [m.action for m in stock.trace("temporary-card", "LS0001")] == [
        "receive", "lend", "take-back",
    ]  # fmt: skip
    assert stock.verify() == []


def test_cards_from_a_factory_come_in_and_are_used_and_a_strange_number_is_named(
    registry: Registry, crew: Crew, stock: Stock
) -> None:
    records = registry.get_many(enrol(registry, crowd(5)).new)
    numbers = [record.card_number for record in records]
    stock.do(Order("receive", "preprinted-card", "C", numbers[1]), operator=crew.li)
    stock.do(Order("receive", "preprinted-card", "C", numbers[3]), operator=crew.li)
    stock.do(Order("spoil", "preprinted-card", "C", numbers[3], reason="misprinted"),
             operator=crew.li)  # fmt: skip
    with registry.books.store.writing() as connection:
        strange = FactoryStock(registry.books, "W1").came(connection, numbers, operator="li")
    assert strange == [f"{numbers[3]} spoilt at C"]
    assert standing(stock) == {
        ("W1", "preprinted-card", "used"): 3,
        ("C", "preprinted-card", "used"): 1,
        ("C", "preprinted-card", "spoilt"): 1,
    }
    assert stock.verify() == []


# --- corrections ---------------------------------------------------------------------------------


def correction(stock: Stock, move: int, **change: object) -> Order:
    order = stock.wrong_way(move)
    fields = {name: getattr(order, name) for name in order.__slots__}
    return Order(**fields | {"reason": "wrong-data"} | change)


def test_a_wrong_use_is_taken_back_by_a_line_that_names_it(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    stock.do(Order("receive", "receipt", "C", "SJ-001", "SJ-100"), operator=crew.li)
    used = stock.do(Order("use", "receipt", "C", "SJ-003", "SJ-005"), operator=crew.li)
    done = pair.do(correction(stock, used.move_id, first="SJ-004", last="SJ-005"))
    assert (done.corrects, done.from_state, done.to_state) == (used.move_id, "used", "held")
    assert stock.holdings("C", "receipt") == ["SJ-001-SJ-002", "SJ-004-SJ-100"]
    with pytest.raises(StockError, match="is not the last one"):
        pair.do(correction(stock, used.move_id, first="SJ-004", last=""))
    pair.do(correction(stock, used.move_id, first="SJ-003", last=""))
    with pytest.raises(StockError, match="3 of the 3 pieces"):
        pair.do(correction(stock, used.move_id))
    assert stock.verify() == []


def test_a_wrong_delivery_leaves_the_books_and_may_come_in_right(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    wrong = stock.do(Order("receive", "psam", "C", "P0001", "P0100"), operator=crew.li)
    stock.do(Order("use", "psam", "C", "P0001"), operator=crew.li)
    with pytest.raises(StockError, match="not the last one"):
        pair.do(correction(stock, wrong.move_id))
    pair.do(correction(stock, wrong.move_id, first="P0011", last="P0100"))
    assert stock.holdings("C", "psam") == ["P0002-P0010"]
    stock.do(Order("receive", "psam", "W1", "P0050"), operator=crew.li)
    counted = stock.do(Order("receive", "blank-card", "C", count=100), operator=crew.li)
    pair.do(correction(stock, counted.move_id, count=90))
    with pytest.raises(StockError, match="90 of the 100"):
        pair.do(correction(stock, counted.move_id, count=11))
    assert standing(stock, "blank-card") == {("C", "blank-card", "held"): 10}
    assert stock.verify() == []


def test_what_cannot_be_corrected(registry: Registry, crew: Crew, stock: Stock, pair: Pair) -> None:
    stock.do(Order("receive", "blank-card", "W1", count=3), operator=crew.li)
    registry.uses_stock(WindowStock(registry.books, "W1"))
    issue(registry, registry.get_many(enrol(registry, crowd(1)).new)[0])
    with pytest.raises(StockError, match="of card record 1"):
        pair.do(correction(stock, stock.moves()[0].move_id))
    moved = pair.do(Order("move", "blank-card", "W1", count=1, to="C"))
    with pytest.raises(StockError, match="undone by another move"):
        pair.do(correction(stock, moved.move_id))
    with pytest.raises(StockError, match="no move 99"):
        stock.wrong_way(99)
    with pytest.raises(StockError, match="names the move"):
        pair.do(Order("correct", "blank-card", "W1", count=1, reason="other"))
    with pytest.raises(StockError, match="other pieces"):
        pair.do(correction(stock, 1, at="C"))


# --- issue and stock together --------------------------------------------------------------------


class Making(RuleBasedStateMachine):
    """Cards made, spoilt and given up in any order, while cards come in and go elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="cardkit-making-"))
        self.registry = open_at(self.directory / "registry.db")
        self.crew = Crew(self.registry.books)
        self.stock = Stock(self.registry.books)
        self.approvals = Approvals(self.registry.books)
        self.ids = list(enrol(self.registry, crowd(PEOPLE)).new)
        self.registry.uses_stock(WindowStock(self.registry.books, "W1"))
        self.received = 0

    def teardown(self) -> None:
        assert_consistent(self.registry)
        self.registry.close()
        shutil.rmtree(self.directory)

    @rule(count=st.integers(1, 3))
    def blank_cards_come(self, count: int) -> None:
        order = Order("receive", "blank-card", "W1", count=count)
        self.stock.do(order, operator=self.crew.li)
        self.received += count

    @rule(at=st.integers(0, PEOPLE - 1))
    def a_pre_printed_card_comes(self, at: int) -> None:
        number = self.registry.get(self.ids[at]).card_number
        order = Order("receive", "preprinted-card", "W1", number)
        try:
            self.stock.do(order, operator=self.crew.li)
        except StockError:
            return
        self.received += 1

    @precondition(lambda self: self.received)
    @rule()
    def one_goes_elsewhere(self) -> None:
        order = Order("move", "blank-card", "W1", count=1, to="C")
        number = self.approvals.on_the_spot(
            order.approved_as, order.subject(), operator=self.crew.li, second=self.crew.wang
        ).number
        try:
            self.stock.do(order, operator=self.crew.li, approval=number)
        except StockError:
            return

    @rule(at=st.integers(0, PEOPLE - 1), what=st.sampled_from(["result", "spoil", "fail", "leave"]))
    def a_card_is_made(self, at: int, what: str) -> None:
        record = self.registry.get(self.ids[at])
        if record.state == CardState.FAILED:
            self.registry.retry(record.card_id)
        elif record.state == CardState.PLANNED:
            try:
                begin(self.registry, record)
            except StockError:
                return
        elif record.state != CardState.WRITING:
            return
        record = self.registry.get(record.card_id)
        if record.state != CardState.WRITING:
            return
        if what == "result":
            code = record.id_code + MAC
            self.registry.result(record.card_id, ok=True, id_code=code)
        elif what == "spoil":
            self.registry.spoil(record.card_id, "6581")
        elif what == "fail":
            self.registry.fail(record.card_id, "6F00")

    @rule(at=st.integers(0, PEOPLE - 1))
    def a_record_is_given_up(self, at: int) -> None:
        record = self.registry.get(self.ids[at])
        if record.state in (CardState.PLANNED, CardState.FAILED):
            self.registry.discard(record.card_id, "given up")

    @invariant()
    def the_counts_agree(self) -> None:
        with self.registry.books.store.reading() as connection:
            issued = connection.execute(
                select(func.count()).where(history.c.action == "issue")
            ).scalar_one()
            dead = connection.execute(
                select(func.count()).where(chips.c.state.in_(["spoilt", "retired"]))
            ).scalar_one()
            moves = connection.execute(
                select(stock_moves.c.action, stock_moves.c.from_place, stock_moves.c.reason)
                .where(stock_moves.c.card.is_not(None))
            ).all()  # fmt: skip
            assert (
                issued
                == connection.execute(
                    select(func.count()).where(cards.c.state == "issued")
                ).scalar_one()
            )
        totals: Counter[str] = Counter()
        for line in self.stock.balance():
            totals[line.state] += line.count
        unbooked = sum(move[1] is None for move in moves)
        never_written = sum(move[2] == "misprinted" for move in moves)
        assert totals["used"] == issued
        assert totals["spoilt"] == dead + never_written
        assert sum(totals.values()) == self.received + unbooked
        problems = self.stock.verify()
        assert bool(problems) == bool(unbooked)
        assert all("never received" in problem for problem in problems)


TestMaking = Making.TestCase
TestMaking.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
