"""What can go wrong between a program and a chip in a PC/SC reader, in words."""

from __future__ import annotations

from collections.abc import Sequence

from cardkit.apdu.link import LinkLostError
from cardkit.apdu.pcsc.holders import Holder
from cardkit.errors import ExitCode, UnreachableError


class PcscError(UnreachableError):
    """Something between this program and the chip does not work.

    Parameters
    ----------
    message, hint, zh : str
        See `cardkit.errors.CardkitError`.
    code : int
        The PC/SC result, 0 when it came from elsewhere.
    """

    def __init__(self, message: str, *, hint: str = "", code: int = 0, zh: str = "") -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code & 0xFFFFFFFF

    def details(self) -> dict[str, object]:
        """The PC/SC result, for programs."""
        return {"pcsc": f"{self.code:08X}"} if self.code else {}


class NoServiceError(PcscError):
    """The PC/SC service does not run."""

    zh = "读卡器服务（PC/SC）没有运行：请启动服务，恢复后会继续"


class NoPermissionError(PcscError):
    """The PC/SC service runs, but this user may not use it."""

    exit_code = ExitCode.REFUSED
    zh = "当前用户没有使用读卡器服务（PC/SC）的权限：请运行 cardkit doctor 查看办法"


class NoSuchReaderError(PcscError):
    """No reader, or more than one, has that name."""


class ReaderGoneError(PcscError):
    """The reader was there and is unplugged."""


class NoCardError(PcscError):
    """The reader is empty."""


class MuteCardError(PcscError):
    """A card is in the reader but gives no ATR."""


class CardBusyError(PcscError):
    """Another program uses the card.

    Parameters
    ----------
    reader : str
        Name of the reader.
    holders : sequence of Holder
        Programs that may hold it, as far as this system tells.
    ours : bool
        This program is connected to the card itself.
    code : int
        The PC/SC result.
    """

    def __init__(
        self, reader: str, holders: Sequence[Holder], *, ours: bool = False, code: int = 0
    ) -> None:
        who = "this program already" if ours else "another program"
        if ours:
            hint = "it can be opened once only, unless it is shared"
        elif holders:
            hint = "end the program that uses it: " + ", ".join(str(holder) for holder in holders)
        else:
            hint = "end the other program that uses the card, or wait for it"
        names = "、".join(str(holder) for holder in holders) or "其他程序"
        zh = f"{reader} 中的卡片正被{'本程序' if ours else names}占用：请先结束占用的程序"
        super().__init__(f"the card in {reader} is in use by {who}", hint=hint, code=code, zh=zh)
        self.reader = reader
        self.holders = tuple(holders)

    def details(self) -> dict[str, object]:
        """Who holds the reader, for programs."""
        holders = [{"pid": holder.pid, "program": holder.program} for holder in self.holders]
        return super().details() | {"reader": self.reader, "holders": holders}


def lost(error: PcscError) -> LinkLostError:
    """The same, for somebody in the middle of a conversation with a chip."""
    lost_error = LinkLostError(error.message, hint=error.hint, zh=error.zh)
    lost_error.__cause__ = error
    return lost_error
