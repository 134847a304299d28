"""Stock: cards, PSAMs, machines and numbered forms, under number (domain.md [D9])."""

from __future__ import annotations

from cardkit.registry.stock.automatic import FactoryStock, TemporaryStock, WindowStock
from cardkit.registry.stock.counting import Count, Difference
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import KINDS, Kind
from cardkit.registry.stock.numbers import Range, parse_range
from cardkit.registry.stock.records import Move, Order
from cardkit.registry.stock.room import Stock
from cardkit.registry.stock.rules import RULES, Action, State
from cardkit.registry.stock.summing import Balance

__all__ = [
    "KINDS",
    "RULES",
    "Action",
    "Balance",
    "Count",
    "Difference",
    "FactoryStock",
    "Kind",
    "Move",
    "Order",
    "Range",
    "State",
    "Stock",
    "StockError",
    "TemporaryStock",
    "WindowStock",
    "parse_range",
]
