"""Why an act is refused, in one line; the code goes into history and statistics."""

from __future__ import annotations

from collections.abc import Iterable

from cardkit.errors import UsageError
from cardkit.registry.errors import IllegalMoveError, RegistryError
from cardkit.registry.numbering import lot_name
from cardkit.registry.operators.errors import NotAllowedError

__all__ = [
    "InLotError",
    "NotAllowedError",
    "OutOfOrderError",
    "SameDataError",
    "UnknownActionError",
]


class OutOfOrderError(IllegalMoveError):
    """An action that the state does not allow, told in the words of the rule set.

    Parameters
    ----------
    legal : iterable of (str, str)
        Names of the actions that are allowed, and their Chinese names.
    """

    code = "order"

    def __init__(
        self,
        subject: int,
        state: tuple[str, str],
        action: tuple[str, str],
        legal: Iterable[tuple[str, str]],
        kind: str = "card record",
    ) -> None:
        moves = sorted(set(legal))
        super().__init__(subject, state[0], action[0], (name for name, _ in moves))
        possible = "、".join(zh for _, zh in moves) or "无"
        noun = {"application": "申请", "temporary card": "临时卡"}.get(kind, "记录")
        self.zh = f"{noun}{subject}{state[1]}，不能办理{action[1]}；现在可以办理：{possible}"
        self.message = self.message.replace("card record", kind, 1)
        self.args = (self.message,)


class InLotError(RegistryError):
    """A card that left the office in a hand-out lot: it cannot be given away here too."""

    code = "in-lot"

    def __init__(self, card_id: int, lot_id: int) -> None:
        lot = lot_name(lot_id)
        super().__init__(
            f"card record {card_id} is out with the hand-out lot {lot}",
            hint="merge the outcome of the lot (`cardkit lot merge`), or wait until it is back and "
            "counted",
            zh=f"记录{card_id}在已带出的发放批次{lot}中：请合并该批次的发放结果"
            "（cardkit lot merge），或待带回清点后再发放",
        )


class SameDataError(RegistryError):
    """A data change that changes nothing."""

    code = "same-data"

    def __init__(self) -> None:
        super().__init__(
            "the registry has these data already",
            hint="nothing was changed",
            zh="登记库中的数据与此相同，无须变更",
        )


class UnknownActionError(UsageError):
    """The rule set has no such action."""

    code = "unknown-action"

    def __init__(self, action: str, known: Iterable[str]) -> None:
        super().__init__(
            f"the rules have no action '{action}'",
            hint=f"they have {', '.join(sorted(known))}",
            zh=f"没有名为 {action} 的业务：cardkit lifecycle table 可查看",
        )
