"""What ``cardkit stock`` tells people: moves, balances and counts, in their language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cardkit.cli.output import say, table

if TYPE_CHECKING:
    from cardkit.registry.stock import Balance, Count, Move, Order

Local = Callable[[str], str]
"""An instant as the clock on the wall says it."""

_STATES = {
    "held": "在库", "spoilt": "作废待销毁", "used": "已领用", "lent": "已借出",
    "destroyed": "已销毁", "returned": "已退回", "missing": "盘亏",
}  # fmt: skip
_ACTIONS = {
    "receive": "入库", "move": "调拨", "use": "领用", "spoil": "作废", "destroy": "销毁",
    "return": "退回", "write-off": "盘亏核销", "find": "盘盈找回", "correct": "更正",
    "lend": "借出", "take-back": "归还", "lose": "遗失",
}  # fmt: skip
_DIFFERENCES = {"missing": "缺", "surplus": "多"}
_SEEN = re.compile(r"(\S+) at (\S+), move (\d+) \(([\w-]+)\) (\S+) by (\S+)")


def kind_of(name: str) -> str:
    """A kind of thing."""
    from cardkit.registry.stock.kinds import KINDS  # noqa: PLC0415

    return say(KINDS[name].zh, name)


def action_of(name: str) -> str:
    """What was done."""
    return say(_ACTIONS.get(name, name), name)


def state_of(name: str) -> str:
    """Where a thing stands."""
    return say(_STATES.get(name, name), name)


def booked(done: Move, *, moved: bool) -> str:
    """The line that was added to the book."""
    where = f"{done.from_place} → {done.to_place}" if moved else done.to_place
    what = f"{done.count} {kind_of(done.kind)} {done.numbers} {where}"
    return f"{say('流水', 'move ')}{done.move_id}{say('：', ': ')}{action_of(done.action)} {what}"


def asked(number: int, order: Order) -> str:
    """An approval that somebody else has to give."""
    numbers = order.first + (f"-{order.last}" if order.last else "")
    pieces = numbers or str(order.count)
    return say(
        f"已申请复核{number}：{order.at} {action_of(order.action)} {kind_of(order.kind)} {pieces}",
        f"approval {number} asked for: {order.action} {order.kind} {pieces} at {order.at}",
    )


def balances(lines: Iterable[tuple[Balance, str]], *, numbers: bool) -> list[str]:
    """What is where, perhaps with ranges of numbers."""
    heads = say(("地点", "物品", "状态", "数量", "编号"),
                ("PLACE", "KIND", "STATE", "COUNT", "NUMBERS"))  # fmt: skip
    rows = [
        (one.place, kind_of(one.kind), state_of(one.state), str(one.count), shown)
        for one, shown in lines
    ]
    return table(rows, heads if numbers else (*heads[:-1], ""))


def moves(found: Iterable[Move], local: Local) -> list[str]:
    """Lines of the book."""
    heads = say(
        ("流水", "时间", "业务", "物品", "编号", "数量", "从", "到", "经办", "复核"),
        ("MOVE", "WHEN", "ACTION", "KIND", "NUMBERS", "COUNT", "FROM", "TO", "BY", "SECOND"),
    )
    rows = [
        (str(one.move_id), local(one.instant), action_of(one.action), kind_of(one.kind),
         one.numbers, str(one.count), one.from_place, one.to_place, one.operator, one.second)
        for one in found
    ]  # fmt: skip
    return table(rows, heads)


def counted(result: Count, local: Local) -> list[str]:
    """The shelf against the books."""
    name = f"{result.place} {kind_of(result.kind)}"
    head = say(
        f"盘点{result.count_id}：{name}：账面{result.booked}，实点{result.counted}，"
        + ("账实相符" if result.agrees else "账实不符"),
        f"count {result.count_id}: {name}: booked {result.booked}, counted {result.counted}, "
        + ("agrees" if result.agrees else "does not agree"),
    )
    return [head, *(
        say(
            f"  {_DIFFERENCES.get(one.what, one.what)}{one.count}：{one.numbers or '（无编号）'}；"
            f"最后记录：{_seen(one.last_seen, local)}",
            f"  {one.what} {one.count}: {one.numbers or 'pieces'}; last: {one.last_seen}",
        )
        for one in result.differences
    )]  # fmt: skip


def _seen(text: str, local: Local) -> str:
    found = _SEEN.fullmatch(text)
    if found is None:
        return "无" if text == "never seen" else text
    state, place, move, action, instant, who = found.groups()
    return f"{place} {state_of(state)}，流水{move} {action_of(action)} {local(instant)} {who}"
