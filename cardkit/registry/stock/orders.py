"""Whether an order is complete, and which pieces it means."""

from __future__ import annotations

from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.numbers import MOST, Range, parse_range
from cardkit.registry.stock.records import REASONS, Order
from cardkit.registry.stock.rules import RULES, Action, Rule, State


def action_named(name: str) -> Action:
    """What people may order.

    Raises
    ------
    StockError
        There is no such action, or it only happens with an act.
    """
    if name not in RULES:
        raise StockError(
            "action", f"stock has no action {name!r}", hint=f"actions are {', '.join(RULES)}"
        )
    return Action(name)


def check(order: Order, action: Action, rule: Rule) -> None:
    """Refuse an order that lacks something.

    Raises
    ------
    StockError
        Minutes, reason or place.
    """
    if rule.minutes and not order.minutes:
        raise StockError(
            "minutes",
            f"stock-{action} needs the number of its minutes",
            hint="--minutes",
            zh="须填写销毁（核销）记录编号：--minutes",
        )
    if rule.reason and order.reason not in REASONS:
        raise StockError(
            "reason",
            f"stock-{action} needs a reason of the list",
            hint=", ".join(REASONS),
            zh="须填写原因：" + "、".join(REASONS.values()),
        )
    if order.reason and order.reason not in REASONS:
        raise StockError("reason", "that reason is not on the list", hint=", ".join(REASONS))
    if (action is Action.MOVE) != bool(order.to) or (order.to and order.to == order.at):
        raise StockError(
            "place",
            "a move goes from one place to another, everything else stays at its place",
            hint="--at and, for a move, --to",
        )
    if (action is Action.CORRECT) != (order.corrects is not None):
        raise StockError("corrects", "a correction names the move that was wrong")


def pieces_of(kind: Kind, order: Order) -> Range:
    """The pieces an order means.

    Raises
    ------
    StockError
        No numbers where they are needed, or numbers that cannot be.
    """
    if order.first:
        found = parse_range(kind, order.first, order.last)
        if order.count and order.count != found.size:
            raise StockError(
                "count",
                f"{order.count} pieces were named, the numbers are of {found.size}",
                hint="count again",
                zh=f"数量{order.count}与号码段{found.size}不符：请重新清点",
            )
        return found
    if kind.numbered:
        raise StockError(
            "number",
            f"{kind.name} is kept by number",
            hint="--first and --last",
            zh=f"{kind.zh}按编号管理：请填写起止号码",
        )
    if not 0 < order.count <= MOST:
        raise StockError("count", f"a move is of 1 to {MOST} pieces", hint="--count")
    return Range("", 1, order.count, 0)


def state_before(rule: Rule, *, spoilt: bool) -> State | None:
    """The state an order takes things from; None: they are new to the books."""
    if not rule.before:
        return None
    return State.SPOILT if spoilt and State.SPOILT in rule.before else rule.before[0]
