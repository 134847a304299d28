"""What can be wrong with an exchange file, named by line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
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
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        self.more = more
        first = self.faults[0]
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

    def further(self, lang: str = "en") -> list[str]:
        """The other faults that are named, those of lines that say the same in one."""
        chinese = lang == "zh"
        lines: list[str] = []
        for (text, zh), same in groupby(self.faults[1:], lambda fault: (fault.text, fault.zh)):
            numbers = _ranges([fault.line for fault in same])
            where = f"第{numbers}行" if chinese else f"line {numbers}: "
            lines.append(where + (zh if chinese else text))
        if self.more:
            lines.append(f"…… 另有{self.more}处" if chinese else f"... and {self.more} more")
        return lines

    def details(self) -> dict[str, object]:
        """Every fault that is named."""
        return {"faults": [fault._asdict() for fault in self.faults], "more": self.more}


def _ranges(numbers: Sequence[int]) -> str:
    """Line numbers, those that follow each other as from - to.

    Examples
    --------
    >>> _ranges([3]), _ranges([3, 4, 5, 9])
    ('3', '3-5, 9')
    """
    runs: list[list[int]] = []
    for number in dict.fromkeys(numbers):  # several faults of one line
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


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
