"""What may be done with things in stock, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cardkit.registry.operators import Role


class State(StrEnum):
    """Where a thing stands."""

    HELD = "held"  # 在库
    SPOILT = "spoilt"  # 作废待销毁: still there, no use any more
    USED = "used"  # 已使用
    LENT = "lent"  # 已借出: a temporary card, until it comes back
    DESTROYED = "destroyed"  # 已销毁
    RETURNED = "returned"  # 已退回: given back to whoever supplied it
    MISSING = "missing"  # 盘亏: written off by two people


IN_PLACE = (State.HELD, State.SPOILT)
"""States in which a thing lies at its place and is counted there."""


class Action(StrEnum):
    """What is done with it."""

    RECEIVE = "receive"  # 入库
    MOVE = "move"  # 调拨
    USE = "use"  # 领用
    SPOIL = "spoil"  # 作废
    DESTROY = "destroy"  # 销毁
    RETURN = "return"  # 退回
    WRITE_OFF = "write-off"  # 盘亏核销
    FIND = "find"  # 盘盈找回
    CORRECT = "correct"  # 更正: what an earlier move said is taken back
    LEND = "lend"  # 借出, with the act that lends a temporary card
    TAKE_BACK = "take-back"  # 归还
    LOSE = "lose"  # 遗失


@dataclass(frozen=True, slots=True)
class Rule:
    """What an action asks for.

    Parameters
    ----------
    before : tuple of State
        States it takes things from; none when they are new to the books.
    after : State or None
        State they have then; None: the same as before.
    """

    before: tuple[State, ...]
    after: State | None
    roles: tuple[Role, ...]
    second: bool = False
    minutes: bool = False
    reason: bool = False


_ALL = (Role.WINDOW, Role.TOWNSHIP, Role.COUNTY)
_COUNTY = (Role.COUNTY,)

RULES: Mapping[Action, Rule] = {
    Action.RECEIVE: Rule((), State.HELD, _COUNTY),
    Action.MOVE: Rule(IN_PLACE, None, _ALL, second=True),
    Action.USE: Rule((State.HELD,), State.USED, _ALL),
    Action.SPOIL: Rule((State.HELD,), State.SPOILT, _ALL, reason=True),
    Action.DESTROY: Rule((State.SPOILT,), State.DESTROYED, _COUNTY, second=True, minutes=True),
    Action.RETURN: Rule(IN_PLACE, State.RETURNED, _COUNTY, second=True),
    Action.WRITE_OFF: Rule(IN_PLACE, State.MISSING, _COUNTY, second=True, minutes=True),
    Action.FIND: Rule((State.MISSING,), State.HELD, _COUNTY, second=True, minutes=True),
    Action.CORRECT: Rule((), None, _COUNTY, second=True, reason=True),
}
"""What people may order; lending comes with an act of the life of a temporary card."""
