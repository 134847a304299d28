"""What can be wrong with an exchange file, named by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cardkit.errors import RefusedError, UsageError
from cardkit.registry.errors import RegistryError

SHOWN = 20
"""Faults named one by one; more are only counted."""


class Fault(NamedTuple):
    """One thing wrong with a file.

    Parameters
    ----------
    line : int
        Counted from 1; 0 for the file as a whole.
    code : str
        Short word for programs (``totals``, ``encoding`` ...).
    text, zh : str
        What is wrong. Never the content of a field.
    """

    line: int
    code: str
    text: str
    zh: str


class LayoutError(UsageError):
    """A layout that cannot be, or that nobody declared."""


class FileFaultsError(UsageError):
    """The file cannot be used as a whole; nothing was changed."""

    def __init__(self, name: str, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(faults)
        self.more = more
        first = faults[0]
        others = len(faults) - 1 + more
        tail = f" (and {others} more)" if others else ""
        tail_zh = f"（另有{others}处）" if others else ""
        where = f"line {first.line}: " if first.line else ""
        where_zh = f"第{first.line}行" if first.line else ""
        super().__init__(
            f"{name}: {where}{first.text}{tail}",
            hint="nothing was changed; let the sender repair the file and send it again",
            zh=f"{name}：{where_zh}{first.zh}{tail_zh}；没有任何改动，请对方更正后重新发送",
        )

    def details(self) -> dict[str, object]:
        """Every fault that is named."""
        return {"faults": [fault._asdict() for fault in self.faults], "more": self.more}


class ExchangeRefusedError(RegistryError, RefusedError):
    """The exchange is not allowed: another content under a known number, no right, no key.

    Parameters
    ----------
    code : str
        Short word for the history (``role``, ``layout``, ``carrier`` ...).
    """

    exit_code = RefusedError.exit_code

    def __init__(self, code: str, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code

    def details(self) -> dict[str, object]:
        """The code, for programs."""
        return {"code": self.code}


class ExchangeError(RegistryError):
    """The exchange cannot be done as asked: no such partner, batch or layout."""
