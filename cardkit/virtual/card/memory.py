"""EEPROM: how much is there, and writes that happen as a whole or not at all.

Every change of something that survives a power cut goes through `Memory`. It does the change at
once and notes how to undo it. At the end of a command the notes are thrown away (`commit`) or
played backwards (`refuse`, `rollback`). So a command costs what it changes, never a copy of the
chip.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cardkit.virtual.card.status import NO_SPACE, require

T = TypeVar("T")

PAGE = 64  # bytes the chip programs at once (ours, a common size)


class Memory:
    """The EEPROM of one chip.

    Parameters
    ----------
    capacity : int
        Bytes for files.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self.bytes_written = 0
        self.pages_written = 0
        self._undo: list[Callable[[], None]] = []
        self._kept = 0  # how many of the notes a refusal leaves alone

    @property
    def free(self) -> int:
        """Bytes left for new files."""
        return self.capacity - self.used

    @property
    def dirty(self) -> bool:
        """Whether the running command has changed anything yet."""
        return bool(self._undo)

    def allocate(self, size: int) -> None:
        """Take ``size`` bytes for a file; 6A84 when they are not there."""
        require(size <= self.free, NO_SPACE)
        self._account(size)

    def release(self, size: int) -> None:
        """Give the bytes of a deleted file back."""
        self._account(-size)

    def _account(self, size: int) -> None:
        def undo() -> None:
            self.used -= size

        self.used += size
        self._undo.append(undo)

    def assign(self, target: object, name: str, value: object, size: int) -> None:
        """Set an attribute that takes ``size`` bytes of EEPROM."""
        old = getattr(target, name)
        setattr(target, name, value)
        self._undo.append(lambda: setattr(target, name, old))
        self._written(size)

    def insert(self, cells: list[T], index: int, value: T, size: int) -> None:
        """Insert a cell into a list."""
        cells.insert(index, value)
        self._undo.append(lambda: cells.__delitem__(index))
        self._written(size)

    def remove(self, cells: list[T], index: int) -> None:
        """Take a cell out of a list; costs one write of its header."""
        old = cells.pop(index)
        self._undo.append(lambda: cells.insert(index, old))
        self._written(1)

    def replace(self, cells: list[T], index: int, value: T, size: int) -> None:
        """Overwrite one cell of a list."""
        old = cells[index]
        cells[index] = value

        def undo() -> None:
            cells[index] = old

        self._undo.append(undo)
        self._written(size)

    def splice(self, content: bytearray, offset: int, data: bytes) -> None:
        """Overwrite part of a transparent file."""
        end = offset + len(data)
        old = bytes(content[offset:end])
        content[offset:end] = data

        def undo() -> None:
            content[offset:end] = old

        self._undo.append(undo)
        self._written(len(data))

    def _written(self, size: int) -> None:
        self.bytes_written += size
        self.pages_written += (size + PAGE - 1) // PAGE

    def keep(self) -> None:
        """What was written so far stays even if the command is refused later on."""
        self._kept = len(self._undo)

    def commit(self) -> None:
        """End of a command that was done: everything stays."""
        self._undo.clear()
        self._kept = 0

    def refuse(self) -> None:
        """End of a command that was refused: undo all but what `keep` has marked."""
        self._undo_down_to(self._kept)
        self.commit()

    def rollback(self) -> None:
        """Power cut: undo everything since the last commit."""
        self._undo_down_to(0)
        self._kept = 0

    def _undo_down_to(self, length: int) -> None:
        while len(self._undo) > length:
            self._undo.pop()()
