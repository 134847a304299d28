from __future__ import annotations

import pytest

from cardkit.registry.operators import Approvals, Operator
from cardkit.registry.registry import Registry
from cardkit.registry.stock import Move, Order, Stock
from tests.registry.crew import Crew


@pytest.fixture
def crew(registry: Registry) -> Crew:
    return Crew(registry.books)


@pytest.fixture
def stock(registry: Registry) -> Stock:
    return Stock(registry.books)


class Pair:
    """Two people who do things together: one orders, the other approves exactly that."""

    def __init__(self, registry: Registry, crew: Crew) -> None:
        self.stock = Stock(registry.books)
        self.approvals = Approvals(registry.books)
        self.first, self.second = crew.li, crew.wang

    def approve(self, order: Order, second: Operator | None = None) -> int:
        return self.approvals.on_the_spot(
            order.approved_as, order.subject(), operator=self.first, second=second or self.second
        ).number

    def do(self, order: Order) -> Move:
        return self.stock.do(order, operator=self.first, approval=self.approve(order))


@pytest.fixture
def pair(registry: Registry, crew: Crew) -> Pair:
    return Pair(registry, crew)
