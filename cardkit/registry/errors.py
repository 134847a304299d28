"""What can go wrong with a registry, in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterable

from cardkit.errors import CardkitError, ExitCode, RefusedError, UnreachableError


class RegistryError(CardkitError):
    """The registry cannot be used as asked: wrong file, wrong version, wrong request."""

    exit_code = ExitCode.USAGE


class RegistryUnavailableError(RegistryError, UnreachableError):
    """The registry is there but cannot be used now: locked, disk full, disk failing."""

    exit_code = ExitCode.UNREACHABLE


class UnknownCardError(RegistryError):
    """There is no such card record."""

    def __init__(self, card_id: int) -> None:
        super().__init__(
            f"the registry has no card record {card_id}",
            hint="`cardkit registry list` shows the records",
            zh=f"登记库没有记录{card_id}：请用 cardkit registry list 查看",
        )


class IllegalMoveError(RegistryError):
    """An action that the state of a card record does not allow."""

    def __init__(self, card_id: int, state: str, action: str, legal: Iterable[str]) -> None:
        self.card_id = card_id
        self.state = state
        self.action = action
        self.legal = tuple(sorted(legal))
        possible = ", ".join(self.legal)
        super().__init__(
            f"card record {card_id} is {state}: '{action}' is not allowed",
            hint=f"allowed now: {possible or f'nothing, {state} is final'}",
            zh=f"记录{card_id}的状态为 {state}，不能执行 {action}；"
            + (f"现在可以：{possible}" if possible else "已不能再变更"),
        )

    def details(self) -> dict[str, object]:
        """Record, state, action and the legal actions."""
        return {
            "card": self.card_id,
            "state": self.state,
            "action": self.action,
            "legal": list(self.legal),
        }


class ChipTakenError(RegistryError, RefusedError):
    """The chip carries, or is promised to, another record, or must never be used again."""

    exit_code = ExitCode.REFUSED


class WrongChipError(RegistryError):
    """The record is bound to another chip, which may carry its data already."""


class BeingMadeError(RegistryError, RefusedError):
    """Another window has the record in hand."""

    exit_code = ExitCode.REFUSED

    def __init__(self, card_id: int, window: str) -> None:
        super().__init__(
            f"card record {card_id} is being made at window {window}",
            hint="when that window has ended or its lease has passed (10 minutes), try again",
            zh=f"记录{card_id}正在窗口 {window} 制卡：请等该窗口结束，或其占用到期（10分钟）后再试",
        )


class ClockSetBackError(RegistryError, RefusedError):
    """The clock of this computer lies before what the history has already."""

    exit_code = ExitCode.REFUSED

    def __init__(self, instant: str, last: str) -> None:
        super().__init__(
            f"the clock says {instant}, the last entry of the history is of {last}: nothing was "
            "changed",
            hint="set the clock of this computer right; if the earlier one was wrong: `cardkit "
            "registry accept-clock`",
            zh=f"本机时钟为 {instant}，而登记历史的最后一条是 {last}，没有任何改动："
            "请校准本机时钟；如果是先前的时钟错了，请运行 cardkit registry accept-clock",
        )
