"""What can go wrong, one class per audience.

Every error a person may see carries one line that says what happened and, in ``hint``, what to do
next. Programs read the exit code. Anything that is not a `CardkitError` is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; promised to programs that call ``cardkit``."""

    DONE = 0
    PARTIAL = 1  # done, some rows rejected or failed: see the report
    USAGE = 2  # wrong usage or bad file
    UNREACHABLE = 3  # reader, card or device
    REFUSED = 4  # for security: locked, wrong PIN, wrong key, no permission
    BUG = 70  # sysexits EX_SOFTWARE


class CardkitError(Exception):
    """Something a person can act on.

    Parameters
    ----------
    message : str
        One line: what happened. Never holds a key, a PIN or a personal number.
    hint : str, optional
        One line: what to do next.
    zh : str, optional
        What an operator at a window reads instead: happening and remedy in one Chinese line. A
        class may have one for all its errors.
    """

    exit_code: ExitCode = ExitCode.BUG
    zh: str = ""

    def __init__(self, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if zh:
            self.zh = zh

    def line(self, lang: str = "en") -> str:
        """What happened and what to do, in one line: Chinese (``zh``) where there is a text.

        Examples
        --------
        >>> UsageError("no such file", hint="check the name").line()
        'no such file; check the name'
        """
        if lang == "zh" and self.zh:
            return self.zh
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def further(self, lang: str = "en") -> Sequence[str]:  # noqa: ARG002 - for those that have some
        """Lines below the first, where an error is one of several: each the next place."""
        return ()

    def details(self) -> dict[str, object]:
        """What a program gets beside the message (``--json``)."""
        return {}


class UsageError(CardkitError):
    """Wrong usage, or a file that cannot be used as a whole."""

    exit_code = ExitCode.USAGE


class UnreachableError(CardkitError):
    """A reader, card or device does not answer."""

    exit_code = ExitCode.UNREACHABLE


class RefusedError(CardkitError):
    """Refused for security: locked, wrong PIN, wrong key, no permission."""

    exit_code = ExitCode.REFUSED
