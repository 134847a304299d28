"""What of a PSAM survives a power cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cardkit.virtual.card.memory import Memory

KEY_LENGTH = 16
SERIAL_LENGTH = 10
TERMINAL_LENGTH = 6
LOAD_TRIES = 3
CAPACITY = 8 * 1024
RECORD_SIZE = 3 + KEY_LENGTH


class Place(Enum):
    """An environment; the value is its directory name, ``sxN.sh.社会保障``."""

    DES = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
    SSF33 = bytes.fromhex("7378322E73682EC9E7BBE1B1A3D5CF")
    SM4 = bytes.fromhex("7378332E73682EC9E7BBE1B1A3D5CF")

    @property
    def block(self) -> int:
        """Bytes of a block of its cipher."""
        return 8 if self is Place.DES else 16

    @property
    def algorithms(self) -> tuple[int, ...]:
        """Algorithm bytes that keys may have here: 00 3DES, 02 SSF33, 03 SM4."""
        return {Place.DES: (0x00,), Place.SSF33: (0x02,), Place.SM4: (0x03,)}[self]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key with its usage byte, id and algorithm. Its value never shows in a repr."""

    place: Place
    usage: int
    id: int
    algorithm: int
    value: bytes = field(repr=False)

    @property
    def levels(self) -> int:
        """How often it is diversified."""
        return self.usage >> 5

    @property
    def type(self) -> int:
        """What it may do."""
        return self.usage & 0x1F

    def __post_init__(self) -> None:
        if not (0 <= self.usage <= 0xFF and 0 <= self.id <= 0xFF):
            raise ValueError("usage and id are one byte each")
        if self.algorithm not in self.place.algorithms or len(self.value) != KEY_LENGTH:
            raise ValueError("this environment has no such keys")


@dataclass(slots=True)
class Chip:
    """Persistent state.

    Parameters
    ----------
    atr : bytes
        Answer to reset.
    master : bytes
        16 bytes; seals the keys that are loaded.
    serial : bytes
        10 bytes, EF15.
    terminal : bytes
        6 bytes, EF16.
    finished : bool
        No more keys are taken.
    """

    atr: bytes
    master: bytes = field(repr=False)
    serial: bytes
    terminal: bytes
    tries: int = LOAD_TRIES
    finished: bool = False
    keys: list[StoredKey] = field(default_factory=list, repr=False)
    memory: Memory = field(default_factory=lambda: Memory(CAPACITY), repr=False)

    def __post_init__(self) -> None:
        lengths = (len(self.master), len(self.serial), len(self.terminal))
        if lengths != (KEY_LENGTH, SERIAL_LENGTH, TERMINAL_LENGTH):
            raise ValueError("master key, serial or terminal number of another length")

    def named(self, place: Place, number: int) -> list[StoredKey]:
        """Keys of an environment with an id; several when they differ in usage."""
        return [key for key in self.keys if key.place is place and key.id == number]
