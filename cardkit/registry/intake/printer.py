"""The port to a card printer: it gets a finished picture and says what became of the card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cardkit.errors import UnreachableError


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One face to be printed.

    Parameters
    ----------
    number : int
        Number of the print in the registry.
    image : bytes
        PNG; not shown by ``repr``.
    width, height, dpi : int
    """

    number: int
    image: bytes = field(repr=False)
    width: int
    height: int
    dpi: int


class PrinterError(UnreachableError):
    """The card was not printed as it should be.

    Parameters
    ----------
    code : str
        ``offline``, ``ribbon``, ``hopper``, ``jam`` ...
    spoilt : bool
        Whether a card was begun: it has to be destroyed under number, like any spoilt card.
    """

    def __init__(
        self, code: str, message: str, *, spoilt: bool = False, hint: str = "", zh: str = ""
    ) -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code
        self.spoilt = spoilt

    def details(self) -> dict[str, object]:
        """For programs."""
        return {"code": self.code, "spoilt": self.spoilt}


class Printer(Protocol):
    """A card printer."""

    @property
    def name(self) -> str:
        """What the history calls it."""

    def print_face(self, job: PrintJob) -> None:
        """Print one card; returns once the card lies in the output tray.

        Raises
        ------
        PrinterError
            It does not; the error says whether a card was spoilt.
        """
