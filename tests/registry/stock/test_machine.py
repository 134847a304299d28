"""Any sequence of orders: a number is in one place, used once, and the books agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cardkit.registry.operators import Approvals, NotAllowedError
from cardkit.registry.stock import Order, Stock, StockError
from tests.registry.crew import Crew
from tests.registry.support import open_at

PLACES = ("C", "W1", "V1")
places = st.sampled_from(PLACES)
numbers = st.integers(1, 8)
sizes = st.integers(1, 4)
DEAD = ("used", "destroyed", "returned")


class StockMachine(RuleBasedStateMachine):
    """A stock under people who order anything; a plain dict says where everything must be."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="cardkit-stock-"))
        self.registry = open_at(self.directory / "registry.db")
        self.crew = Crew(self.registry.books)
        self.stock = Stock(self.registry.books)
        self.approvals = Approvals(self.registry.books)
        self.where: dict[int, tuple[str, str]] = {}
        self.pieces: dict[tuple[str, str], int] = {}

    def teardown(self) -> None:
        assert self.registry.verify_history().intact
        self.registry.close()
        shutil.rmtree(self.directory)

    def order(self, order: Order, *, two: bool = True) -> bool:
        """Whether the stock accepts it."""
        number = None
        if two:
            number = self.approvals.on_the_spot(
                order.approved_as, order.subject(), operator=self.crew.li, second=self.crew.wang
            ).number
        try:
            self.stock.do(order, operator=self.crew.li, approval=number)
        except (StockError, NotAllowedError):
            return False
        return True

    def numbered(self, order: Order, before: str, after: str, first: int, size: int) -> None:
        """What a move of numbers has to do: all of it when each is where it should be, or none."""
        wanted = range(first, first + size)
        there = [self.where.get(n) == (order.at, before) for n in wanted]
        accepted = self.order(order)
        assert accepted == all(there)
        if accepted:
            self.where |= dict.fromkeys(wanted, (order.to or order.at, after))

    @rule(first=numbers, size=sizes, at=places)
    def receive(self, first: int, size: int, at: str) -> None:
        wanted = range(first, first + size)
        new = not any(n in self.where for n in wanted)
        order = Order("receive", "psam", at, f"P{first:03d}", f"P{first + size - 1:03d}")
        assert self.order(order, two=False) == new
        if new:
            self.where |= dict.fromkeys(wanted, (at, "held"))

    @rule(first=numbers, size=sizes, at=places, to=places, spoilt=st.booleans())
    def move(self, first: int, size: int, at: str, to: str, spoilt: bool) -> None:
        last = f"P{first + size - 1:03d}"
        order = Order("move", "psam", at, f"P{first:03d}", last, to=to, spoilt=spoilt)
        if at == to:
            assert not self.order(order)
            return
        state = "spoilt" if spoilt else "held"
        self.numbered(order, state, state, first, size)

    @rule(
        first=numbers,
        size=sizes,
        at=places,
        what=st.sampled_from(
            [
                ("use", "held", "used"),
                ("spoil", "held", "spoilt"),
                ("destroy", "spoilt", "destroyed"),
                ("return", "held", "returned"),
                ("write-off", "held", "missing"),
                ("find", "missing", "held"),
            ]
        ),
    )
    def change(self, first: int, size: int, at: str, what: tuple[str, str, str]) -> None:
        action, before, after = what
        order = Order(
            action,
            "psam",
            at,
            f"P{first:03d}",
            f"P{first + size - 1:03d}",
            minutes="M1",
            reason="damaged" if action == "spoil" else "",
        )
        self.numbered(order, before, after, first, size)

    @rule(count=sizes, at=places, to=places, action=st.sampled_from(["receive", "move", "use"]))
    def count_pieces(self, count: int, at: str, to: str, action: str) -> None:
        order = Order(action, "blank-card", at, count=count, to=to if action == "move" else "")
        there = self.pieces.get((at, "held"), 0)
        possible = action == "receive" or (there >= count and not (action == "move" and at == to))
        assert self.order(order, two=action == "move") == possible
        if not possible:
            return
        if action != "receive":
            self.pieces[at, "held"] = there - count
        target = (to if action == "move" else at, "used" if action == "use" else "held")
        self.pieces[target] = self.pieces.get(target, 0) + count

    @invariant()
    def the_books_agree(self) -> None:
        assert self.stock.verify() == []
        expected: dict[tuple[str, str, str], int] = {}
        for place, state in self.where.values():
            expected["psam", place, state] = expected.get(("psam", place, state), 0) + 1
        for (place, state), count in self.pieces.items():
            if count:
                expected["blank-card", place, state] = count
        booked = {(b.kind, b.place, b.state): b.count for b in self.stock.balance()}
        assert booked == expected

    @invariant()
    def nothing_comes_back_from_its_end(self) -> None:
        for number in self.where:
            moves = self.stock.trace("psam", f"P{number:03d}")
            states = [move.to_state for move in moves]
            assert [move.from_state for move in moves] == ["", *states[:-1]]
            assert not set(states[:-1]) & set(DEAD)


TestStockMachine = StockMachine.TestCase
TestStockMachine.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
