"""Faults on request, as data: what goes wrong, and at which command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cardkit.errors import UnreachableError
from cardkit.virtual.card import status
from cardkit.virtual.card.files import ElementaryFile
from cardkit.virtual.card.status import require


class PowerLostError(UnreachableError):
    """The card has no power; `VirtualCard.power_on` gives it back."""

    def __init__(self) -> None:
        super().__init__("the virtual card has lost its power", hint="power it on again")


class CardRemovedError(PowerLostError):
    """The card is not in the reader; `VirtualCard.insert` puts it back."""

    def __init__(self) -> None:
        UnreachableError.__init__(
            self, "the virtual card was taken out", hint="put it in again, then power it on"
        )


class FaultKind(Enum):
    """What goes wrong."""

    CUT_BEFORE = "cut-before"  # the power goes before the command arrives
    TORN = "torn"  # it goes in the middle: writes are undone, spent tries are not given back
    UNANSWERED = "unanswered"  # it goes after all is done, before the answer is out
    REMOVED = "removed"  # the card is taken out before the command arrives
    SLOW = "slow"  # the answer comes late
    # From this command on, every write to a file or record fails with 6581; try counters do not.
    WORN = "worn"
    CORRUPT = "corrupt"  # from this command on, reading a file or record answers 6281


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Parameters
    ----------
    kind : FaultKind
        What goes wrong.
    at : int
        At which command after arming, from 1. GET RESPONSE is not counted.
    seconds : float
        How late the answer comes (SLOW).
    directory, file : int or None
        FID of the directory file and of the file concerned (WORN, CORRUPT).
    record : int or None
        Record number, None for the whole file (WORN, CORRUPT).

    Examples
    --------
    >>> Fault(FaultKind.TORN, at=3)
    Fault(TORN, at=3)
    """

    kind: FaultKind
    at: int = 1
    seconds: float = 0.0
    directory: int | None = None
    file: int | None = None
    record: int | None = None

    def __post_init__(self) -> None:
        if self.at < 1:
            raise ValueError("commands are counted from 1")
        needs_file = self.kind in (FaultKind.WORN, FaultKind.CORRUPT)
        if needs_file and (self.file is None or self.directory is None):
            raise ValueError(f"a {self.kind.value} fault names a directory and a file")

    def __repr__(self) -> str:
        where = "" if self.file is None else f", {self.directory:04X}/{self.file:04X}"
        record = "" if self.record is None else f" record {self.record}"
        return f"Fault({self.kind.name}, at={self.at}{where}{record})"

    def concerns(self, file: ElementaryFile, record: int | None) -> bool:
        """Whether a file, or one record of it, is the one named."""
        if (file.directory, file.fid) != (self.directory, self.file):
            return False
        return self.record is None or self.record == record


class Wear:
    """Files and records that age has taken."""

    __slots__ = ("faults",)

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def check_write(self, file: ElementaryFile, record: int | None = None) -> None:
        """6581 when the cell to be written is worn out."""
        for fault in self.faults:
            worn = fault.kind is FaultKind.WORN and fault.concerns(file, record)
            require(not worn, status.MEMORY_FAILURE)

    def read_status(self, file: ElementaryFile, record: int | None = None) -> int:
        """9000, or 6281 when the cell has lost charge."""
        for fault in self.faults:
            if fault.kind is FaultKind.CORRUPT and fault.concerns(file, record):
                return status.DATA_MAY_BE_CORRUPT
        return status.DONE


class Schedule:
    """Armed faults, and how many commands each still waits."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Fault]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def arm(self, fault: Fault) -> None:
        """Count from the next command."""
        self._waiting.append((fault.at, fault))

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

    def next_command(self) -> list[Fault]:
        """Count one command; the faults that fall on it leave the schedule."""
        due = [fault for left, fault in self._waiting if left == 1]
        self._waiting = [(left - 1, fault) for left, fault in self._waiting if left > 1]
        return due
