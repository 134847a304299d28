"""What people are refused, with the code that history and statistics keep."""

from __future__ import annotations

from cardkit.errors import ExitCode, RefusedError
from cardkit.registry.errors import RegistryError


class NotAllowedError(RegistryError, RefusedError):
    """Somebody may not do this.

    Parameters
    ----------
    code : str
        ``role``, ``second-person``, ``same-person``, ``appearance``, ``papers``, ``password`` ...
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, code: str, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code

    def details(self) -> dict[str, object]:
        """The code, for programs."""
        return {"code": self.code}
