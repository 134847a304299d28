"""What statistics and inspection refuse."""

from __future__ import annotations

from cardkit.errors import ExitCode
from cardkit.registry.errors import RegistryError


class StatisticsError(RegistryError):
    """A question, a sample or a volume that cannot be; nothing was changed."""

    exit_code = ExitCode.USAGE

    def __init__(self, code: str, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code

    def details(self) -> dict[str, object]:
        """The code, for programs."""
        return {"code": self.code}
