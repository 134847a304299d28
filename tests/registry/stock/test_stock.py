"""Stock: a number is in one place, used once; what does not agree is named."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from cardkit.registry.operators import NotAllowedError
from cardkit.registry.places import PlacesError
from cardkit.registry.registry import Registry
from cardkit.registry.stock import Order, State, Stock, StockError
from tests.registry.crew import Crew
from tests.registry.stock.conftest import Pair


def receive(first: str, last: str = "", kind: str = "receipt", at: str = "C") -> Order:
    return Order("receive", kind, at, first, last)


def refusals(registry: Registry) -> list[dict[str, str]]:
    with registry.books.store.reading() as connection:
        rows = connection.execute(text("SELECT detail FROM history WHERE action = 'refused'"))
        return [json.loads(row[0]) for row in rows]


def test_what_comes_in_is_there_and_what_goes_out_is_elsewhere(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    stock.do(receive("SJ000001", "SJ000100"), operator=crew.li)
    pair.do(Order("move", "receipt", "C", "SJ000011", "SJ000030", to="W1"))
    stock.do(Order("use", "receipt", "W1", "SJ000011", act=7), operator=crew.zhao)

    assert stock.holdings("C", "receipt") == ["SJ000001-SJ000010", "SJ000031-SJ000100"]
    assert stock.holdings("W1", "receipt") == ["SJ000012-SJ000030"]
    assert {(b.place, b.state): b.count for b in stock.balance(kind="receipt")} == {
        ("C", "held"): 80,
        ("W1", "held"): 19,
        ("W1", "used"): 1,
    }
    story = stock.trace("receipt", "SJ000011")
    assert [(m.action, m.operator, m.second) for m in story] == [
        ("receive", "li", ""),
        ("move", "li", "wang"),
        ("use", "zhao", ""),
    ]
    assert story[-1].act == 7
    assert stock.verify() == []


def test_a_number_comes_in_once(crew: Crew, stock: Stock) -> None:
    stock.do(receive("SJ000001", "SJ000100"), operator=crew.li)

    with pytest.raises(StockError, match="SJ000100 held at C") as refused:
        stock.do(receive("SJ000100", "SJ000200", at="W1"), operator=crew.li)

    assert refused.value.code == "twice"
    assert stock.balance(place="W1") == []


def test_a_number_is_used_once(crew: Crew, stock: Stock, registry: Registry) -> None:
    stock.do(receive("SJ000001", "SJ000002", at="W1"), operator=crew.li)
    use = Order("use", "receipt", "W1", "SJ000001")
    stock.do(use, operator=crew.zhao)

    with pytest.raises(StockError, match="SJ000001 used at W1"):
        stock.do(use, operator=crew.qian)

    assert refusals(registry) == [{"for": "stock-use", "why": "not-there"}]
    assert len(stock.trace("receipt", "SJ000001")) == 2


def test_a_range_moves_whole_or_not_at_all(crew: Crew, stock: Stock, pair: Pair) -> None:
    stock.do(receive("SJ000001", "SJ000010", at="W1"), operator=crew.li)
    stock.do(Order("use", "receipt", "W1", "SJ000005"), operator=crew.zhao)

    with pytest.raises(StockError, match=r"SJ000005 used at W1; 2 unknown"):
        pair.do(Order("move", "receipt", "W1", "SJ000001", "SJ000012", to="C"))

    assert stock.holdings("W1", "receipt") == ["SJ000001-SJ000004", "SJ000006-SJ000010"]
    assert stock.verify() == []


def test_what_is_counted_never_goes_below_nothing(crew: Crew, stock: Stock) -> None:
    stock.do(Order("receive", "blank-card", "W1", count=100), operator=crew.li)
    stock.do(Order("use", "blank-card", "W1", count=60), operator=crew.zhao)

    with pytest.raises(StockError, match="W1 has 40 blank-card held, not 41"):
        stock.do(Order("use", "blank-card", "W1", count=41), operator=crew.zhao)

    assert {b.state: b.count for b in stock.balance("W1")} == {"held": 40, "used": 60}


def test_destroying_takes_spoilt_things_minutes_and_two_people(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    stock.do(receive("P0001", "P0003", kind="psam"), operator=crew.li)
    destroy = Order("destroy", "psam", "C", "P0002", minutes="XH-2026-1")
    with pytest.raises(StockError, match="held at C"):
        pair.do(destroy)
    stock.do(Order("spoil", "psam", "C", "P0002", reason="dead-chip"), operator=crew.zhao)
    with pytest.raises(StockError, match="minutes"):
        pair.do(Order("destroy", "psam", "C", "P0002"))
    with pytest.raises(NotAllowedError, match="never done alone"):
        stock.do(destroy, operator=crew.li)

    gone = pair.do(destroy)

    assert (gone.operator, gone.second, gone.minutes) == ("li", "wang", "XH-2026-1")
    assert stock.holdings("C", "psam", State.DESTROYED) == ["P0002"]


def test_an_approval_is_for_exactly_one_order(crew: Crew, stock: Stock, pair: Pair) -> None:
    stock.do(receive("P0001", "P0003", kind="psam"), operator=crew.li)
    one, other = (Order("move", "psam", "C", number, to="W1") for number in ("P0001", "P0002"))
    number = pair.approve(one)

    with pytest.raises(NotAllowedError):
        stock.do(other, operator=crew.li, approval=number)
    with pytest.raises(NotAllowedError):
        stock.do(one, operator=crew.wang, approval=number)
    stock.do(one, operator=crew.li, approval=number)
    with pytest.raises(NotAllowedError):
        stock.do(Order("move", "psam", "W1", "P0001", to="C"), operator=crew.li, approval=number)
    with pytest.raises(NotAllowedError):
        pair.approve(other, second=crew.li)


@pytest.mark.parametrize("who", ["zhao", "sun"])
def test_only_the_county_receives(crew: Crew, stock: Stock, registry: Registry, who: str) -> None:
    with pytest.raises(NotAllowedError, match="county"):
        stock.do(receive("SJ000001"), operator=getattr(crew, who))

    assert stock.balance() == []
    assert refusals(registry) == [{"for": "stock-receive", "why": "role"}]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order("receive", "receipt", "C", count=3), "number"),
        (Order("receive", "receipt", "C", "SJ1", "AB9"), "number"),
        (Order("receive", "receipt", "C", "SJ9", "SJ1"), "number"),
        (Order("receive", "receipt", "C", "SJ0001", "SJ0009", count=8), "count"),
        (Order("receive", "preprinted-card", "C", "A00000012"), "number"),
        (Order("receive", "blank-card", "C", count=0), "count"),
        (Order("receive", "stone", "C", count=1), "kind"),
        (Order("paint", "receipt", "C", "SJ1"), "action"),
        (Order("spoil", "receipt", "C", "SJ1", reason="fell down"), "reason"),
        (Order("use", "receipt", "C", "SJ1", to="W1"), "place"),
    ],
)
def test_orders_that_make_no_sense(crew: Crew, stock: Stock, order: Order, code: str) -> None:
    with pytest.raises(StockError) as refused:
        stock.do(order, operator=crew.li)

    assert refused.value.code == code
    assert stock.balance() == []


def test_an_unknown_place_is_named(crew: Crew, stock: Stock) -> None:
    with pytest.raises(PlacesError, match="'X9'"):
        stock.do(receive("SJ1", at="X9"), operator=crew.li)


def test_pre_printed_cards_are_kept_by_card_number(crew: Crew, stock: Stock) -> None:
    stock.do(receive("A00000011", "A00000038", kind="preprinted-card"), operator=crew.li)

    assert stock.holdings("C", "preprinted-card") == ["A00000011-A00000038"]
    assert stock.balance("C")[0].count == 3


def test_a_count_names_what_is_missing_and_what_is_too_much(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    stock.do(receive("SJ000001", "SJ000010"), operator=crew.li)
    pair.do(Order("move", "receipt", "C", "SJ000009", "SJ000010", to="W1"))

    result = stock.reconcile(
        "C",
        "receipt",
        operator=crew.li,
        second=crew.wang,
        numbers=[("SJ000001", "SJ000003"), ("SJ000006", "SJ000009"), ("SJ000044", "")],
    )

    assert (result.booked, result.counted) == (8, 8)  # the same number, and yet
    named = {(d.what, d.numbers): d.last_seen for d in result.differences}
    assert set(named) == {
        ("missing", "SJ000004-SJ000005"),
        ("surplus", "SJ000009"),
        ("surplus", "SJ000044"),
    }
    assert "held at C, move 1 (receive)" in named["missing", "SJ000004-SJ000005"]
    assert "held at W1, move 2 (move)" in named["surplus", "SJ000009"]
    assert named["surplus", "SJ000044"] == "never seen"


def test_what_is_missing_is_written_off_and_may_be_found(
    crew: Crew, stock: Stock, pair: Pair
) -> None:
    stock.do(Order("receive", "blank-card", "C", count=10), operator=crew.li)
    short = stock.reconcile("C", "blank-card", operator=crew.li, count=8)
    assert [(d.what, d.count) for d in short.differences] == [("missing", 2)]
    assert "move 1 (receive 10)" in short.differences[0].last_seen

    pair.do(Order("write-off", "blank-card", "C", count=2, minutes="PK-1"))
    assert stock.reconcile("C", "blank-card", operator=crew.li, count=8).agrees
    pair.do(Order("find", "blank-card", "C", count=1, minutes="PK-2"))

    assert stock.reconcile("C", "blank-card", operator=crew.li, count=9).agrees


def test_nobody_counts_with_themselves(crew: Crew, stock: Stock) -> None:
    with pytest.raises(NotAllowedError):
        stock.reconcile("C", "blank-card", operator=crew.li, second=crew.li)


def test_books_changed_behind_our_back_are_found(
    crew: Crew, stock: Stock, registry: Registry
) -> None:
    stock.do(receive("SJ000001", "SJ000010"), operator=crew.li)
    stock.do(Order("receive", "blank-card", "C", count=5), operator=crew.li)
    with registry.books.store.writing() as connection:
        connection.execute(text("UPDATE stock_numbers SET state = 'used' WHERE number = 3"))
        connection.execute(text("UPDATE stock_quantities SET count = 4"))

    problems = stock.verify()

    assert any("receipt 3 is not where its last move left it" in p for p in problems) or any(
        "SJ000003" in p for p in problems
    )
    assert any("add up to 5, the books show 4" in p for p in problems)


def test_every_move_is_in_the_history(
    crew: Crew, stock: Stock, pair: Pair, registry: Registry
) -> None:
    stock.do(receive("SJ000001", "SJ000010"), operator=crew.li)
    pair.do(Order("move", "receipt", "C", "SJ000009", to="W1"))

    with registry.books.store.reading() as connection:
        rows = connection.execute(
            text("SELECT actor, action, detail FROM history WHERE action LIKE 'stock-%'")
        ).all()

    assert [(row[0], row[1]) for row in rows] == [("li", "stock-receive"), ("li", "stock-move")]
    assert json.loads(rows[1][2])["numbers"] == "SJ000009"
    assert json.loads(rows[1][2])["second"] == "wang"
