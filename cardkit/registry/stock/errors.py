"""What stock refuses."""

from __future__ import annotations

from cardkit.errors import ExitCode
from cardkit.registry.errors import RegistryError


class StockError(RegistryError):
    """A move the books do not allow; nothing was changed.

    Parameters
    ----------
    code : str
        For the history and for programs: ``not-there``, ``twice``, ``number`` ...
    """

    exit_code = ExitCode.USAGE

    def __init__(self, code: str, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint or "`cardkit stock balance` shows what is where", zh=zh)
        self.code = code

    def details(self) -> dict[str, object]:
        """The code, for programs."""
        return {"code": self.code}
