"""What a lot refuses."""

from __future__ import annotations

from cardkit.errors import ExitCode
from cardkit.registry.errors import RegistryError


class LotError(RegistryError):
    """A lot cannot go that way; nothing was changed.

    Parameters
    ----------
    code : str
        For the history and for programs: ``order``, ``changed``, ``other-list``, ``empty`` ...
    """

    exit_code = ExitCode.USAGE

    def __init__(self, code: str, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint or "`cardkit lot list` shows the lots", zh=zh)
        self.code = code

    def details(self) -> dict[str, object]:
        """The code, for programs."""
        return {"code": self.code}
