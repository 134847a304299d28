"""Elementary files: what creation data says, what they hold, how they spend their space.

Space of a record file with n records of length L: ΣL + 2·n + reserve + 2. In a variable TLV file
the 2·n are tag and length of each record, in a fixed file and in the key file they stand beside
each record. A cyclic file takes L·n + 2, a transparent file exactly its size.
"""

from __future__ import annotations

from enum import IntEnum

from cardkit.virtual.card import status
from cardkit.virtual.card.keys import RECORD_LENGTH, Key
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.security import Access
from cardkit.virtual.card.status import require

CREATION_LENGTH = 16
FILE_OVERHEAD = 2  # bytes of the space of a record file that hold no record
RECORD_OVERHEAD = 2
_AND = 4

KEY_FILE = 0x80  # internal SFIs
FCI_FILE = 0x23
PURSE_FILE = 0x81
DIR_FILE = 0x1E


class FileType(IntEnum):
    """Type byte of the creation data."""

    INTERNAL = 0xC3
    TRANSPARENT = 0xC4
    FIXED = 0xC5
    VARIABLE = 0xC6
    CYCLIC = 0xC7
    DIR = 0xD6


class ElementaryFile:
    """A file with content.

    Parameters
    ----------
    creation : bytes
        The 16 bytes of the CREATE command: 00 ‖ 0000 ‖ space(2) ‖ FID(2) ‖ type ‖ 00 ‖ SFI ‖ SCW ‖
        record length ‖ read levels(2) ‖ write levels(2).
    directory : int
        FID of the directory file it lies in.
    """

    def __init__(self, creation: bytes, directory: int) -> None:
        self.creation = creation
        self.directory = directory
        self.space = int.from_bytes(creation[3:5], "big")
        self.fid = int.from_bytes(creation[5:7], "big")
        self.sfi = creation[9]
        self.record_length = creation[11]
        scw = creation[10]
        self.read = Access(creation[12], creation[13], scw >> 4 == _AND)
        self.write = Access(creation[14], creation[15], scw & 0xF == _AND)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.directory:04X}/{self.fid:04X})"

    @property
    def size(self) -> int:
        """Bytes it takes on the chip: its declared space and its header."""
        return self.space + CREATION_LENGTH

    def content_image(self) -> list[bytes]:
        """Everything it holds, line by line, for the image file."""
        return []

    def restore(self, lines: list[bytes]) -> None:
        """Fill a new file from an image."""
        require(not lines, status.WRONG_DATA)


class RecordsFile(ElementaryFile):
    """What linear and cyclic files share; record n is ``records[n - 1]``."""

    def __init__(self, creation: bytes, directory: int) -> None:
        super().__init__(creation, directory)
        self.records: list[bytes] = []

    def check(self, record: bytes) -> None:
        """6700 for a record of another length than declared."""
        require(len(record) == self.record_length, status.WRONG_LENGTH)

    def check_room(self, record: bytes) -> None:
        """6A84 when a record more does not fit into the declared space."""
        raise NotImplementedError

    def add(self, record: bytes, memory: Memory) -> None:
        """Make record n + 1."""
        self.check(record)
        self.check_room(record)
        memory.insert(self.records, len(self.records), record, len(record))

    def overwrite(self, index: int, record: bytes, memory: Memory) -> None:
        """Replace record ``index + 1`` in place."""
        self.check(record)
        memory.replace(self.records, index, record, len(record))

    def content_image(self) -> list[bytes]:
        """Its records."""
        return list(self.records)

    def restore(self, lines: list[bytes]) -> None:
        """Fill a new file with records."""
        for line in lines:
            self.check(line)
            self.check_room(line)
            self.records.append(line)


class RecordFile(RecordsFile):
    """Linear records, variable TLV or fixed."""

    def __init__(self, creation: bytes, directory: int) -> None:
        super().__init__(creation, directory)
        self.tlv = creation[7] != FileType.FIXED

    def check(self, record: bytes) -> None:
        """6700 for a fixed record of another length, 6A80 for a TLV that does not agree."""
        if not self.tlv:
            super().check(record)
            return
        require(len(record) >= 2 and record[1] == len(record) - 2, status.WRONG_DATA)

    def check_room(self, record: bytes) -> None:
        """6A84 when the declared space is used up."""
        require(self.spent + self._cost(record) <= self.space, status.NO_SPACE)

    def overwrite(self, index: int, record: bytes, memory: Memory) -> None:
        """Replace record ``index + 1``: same length (else 6700), same tag (else 6A80)."""
        old = self.records[index]
        require(len(record) == len(old), status.WRONG_LENGTH)
        require(not self.tlv or record[0] == old[0], status.WRONG_DATA)
        super().overwrite(index, record, memory)

    def find(self, tag: int) -> int | None:
        """Index of the first record with a tag."""
        for index, record in enumerate(self.records):
            if record[0] == tag:
                return index
        return None

    @property
    def spent(self) -> int:
        """Bytes of the space in use."""
        return FILE_OVERHEAD + sum(map(self._cost, self.records))

    def _cost(self, record: bytes) -> int:
        return len(record) if self.tlv else len(record) + RECORD_OVERHEAD


class CyclicFile(RecordsFile):
    """Fixed records in a ring: record 1 is the newest."""

    def __init__(self, creation: bytes, directory: int) -> None:
        super().__init__(creation, directory)
        self.capacity = (self.space - FILE_OVERHEAD) // self.record_length

    def check_room(self, record: bytes) -> None:  # noqa: ARG002 - all records are alike
        """6A84 when the ring is full."""
        require(len(self.records) < self.capacity, status.NO_SPACE)

    def append(self, record: bytes, memory: Memory) -> None:
        """Make it record 1; in a full ring the oldest is lost."""
        self.check(record)
        if len(self.records) == self.capacity:
            memory.remove(self.records, self.capacity - 1)
        memory.insert(self.records, 0, record, len(record))


class BinaryFile(ElementaryFile):
    """Transparent content, 00 after creation."""

    def __init__(self, creation: bytes, directory: int) -> None:
        super().__init__(creation, directory)
        self.content = bytearray(self.space)

    def content_image(self) -> list[bytes]:
        """Its content, one line."""
        return [bytes(self.content)]

    def restore(self, lines: list[bytes]) -> None:
        """Fill a new file."""
        require(len(lines) == 1 and len(lines[0]) == self.space, status.WRONG_DATA)
        self.content[:] = lines[0]


class KeyFile(ElementaryFile):
    """SF: keys and PIN, one record each. Nothing reads it from outside."""

    def __init__(self, creation: bytes, directory: int) -> None:
        super().__init__(creation, directory)
        self.capacity = (self.space - FILE_OVERHEAD) // (RECORD_LENGTH + RECORD_OVERHEAD)
        self.keys: list[Key] = []

    def find(self, kind: int, kid: int | None = None) -> Key | None:
        """The key of a type and id; without id the first of the type."""
        for key in self.keys:
            if key.type == kind and kid in (None, key.id):
                return key
        return None

    def add(self, key: Key, memory: Memory) -> None:
        """Take one record more; 6A84 when the file is full."""
        require(len(self.keys) < self.capacity, status.NO_SPACE)
        memory.insert(self.keys, len(self.keys), key, RECORD_LENGTH)

    def overwrite(self, old: Key, key: Key, memory: Memory) -> None:
        """Put a new key, with a new counter, into the place of an old one."""
        memory.replace(self.keys, self.keys.index(old), key, RECORD_LENGTH)

    def content_image(self) -> list[bytes]:
        """Its key records, counters included."""
        return [key.record() for key in self.keys]

    def restore(self, lines: list[bytes]) -> None:
        """Fill a new file with key records."""
        require(len(lines) <= self.capacity, status.NO_SPACE)
        self.keys = [Key.parse(line) for line in lines]


class PurseFile(ElementaryFile):
    """TF: the medical account. This card only keeps its space; it has no purse commands."""


def create(creation: bytes, directory: int) -> ElementaryFile:
    """Build an empty file from its creation data; 6700 or 6A80 when that cannot be."""
    require(creation[7] in _BUILDERS, status.WRONG_DATA)
    require(len(creation) == CREATION_LENGTH, status.WRONG_LENGTH)
    constant = creation[0] == 0 and creation[1:3] == b"\0\0" and creation[8] == 0
    scw = creation[10]
    require(constant and {scw >> 4, scw & 0xF} <= {0, _AND}, status.WRONG_DATA)
    kind = creation[7]
    require(_sfi_fits(kind, creation[9]) and _layout_fits(kind, creation), status.WRONG_DATA)
    builder = _INTERNAL[creation[9]] if kind == FileType.INTERNAL else _BUILDERS[kind]
    return builder(creation, directory)


_BUILDERS: dict[int, type[ElementaryFile]] = {
    FileType.INTERNAL: ElementaryFile,
    FileType.TRANSPARENT: BinaryFile,
    FileType.FIXED: RecordFile,
    FileType.VARIABLE: RecordFile,
    FileType.CYCLIC: CyclicFile,
    FileType.DIR: RecordFile,
}
_INTERNAL: dict[int, type[ElementaryFile]] = {
    KEY_FILE: KeyFile,
    FCI_FILE: RecordFile,
    PURSE_FILE: PurseFile,
}


def _sfi_fits(kind: int, sfi: int) -> bool:
    if kind == FileType.INTERNAL:
        return sfi in _INTERNAL
    if kind == FileType.DIR:
        return sfi == DIR_FILE
    return 1 <= sfi < DIR_FILE


def _layout_fits(kind: int, creation: bytes) -> bool:
    space = int.from_bytes(creation[3:5], "big")
    length = creation[11]
    if kind == FileType.TRANSPARENT:
        return space > 0 and length == 0
    if kind in (FileType.FIXED, FileType.CYCLIC):
        return 0 < length < 0xFF and space >= length + FILE_OVERHEAD
    if kind == FileType.INTERNAL:
        return creation[9] != KEY_FILE or length == RECORD_LENGTH
    return length == 0xFF
