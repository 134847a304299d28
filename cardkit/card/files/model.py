"""The words of the specification tree: directory files, files, items, access, keys.

A tree says what *should* be on a card. It never knows a particular card; what is selected and what
is open on one is the business of `cardkit.card.card.Card`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from cardkit.card.files.codings import BYTES, Coding, Value
from cardkit.codec import tlv


class Confidence(Enum):
    """How well a declaration is known (docs/established.md)."""

    HIGH = "H"  # independent implementations agree
    MEDIUM = "M"  # one good source
    LOW = "L"  # a hint
    INFERRED = "INF"  # concluded by this project


class Level(IntEnum):
    """Security levels with a fixed meaning; any other level is the KID of the key that opens it."""

    FREE = 0x00
    PIN = 0x01
    NEVER = 0xEF
    MASTER = 0xFF


@dataclass(frozen=True, slots=True)
class Access:
    """Condition for reading or updating: a level of the parent directory, one of its own.

    ``both`` asks for the two together, otherwise either opens; a single condition is written as
    "or never" (cos.md 7.2, decisions 1 and 2).
    """

    parent: int
    own: int
    both: bool = False

    @property
    def free(self) -> bool:
        """Open to everybody."""
        return not self.both and Level.FREE in (self.parent, self.own)

    def opened_by(self, parent: frozenset[int], own: frozenset[int]) -> bool:
        """Whether the levels reached in both directories satisfy the condition."""
        if self.free:
            return True
        opened = (self.parent in parent, self.own in own)
        return all(opened) if self.both else any(opened)

    def to_bytes(self) -> bytes:
        """Parent level ‖ own level, as CREATE FILE wants them."""
        return bytes((self.parent, self.own))


FREE = Access(Level.FREE, Level.FREE)
NEVER = Access(Level.NEVER, Level.NEVER)
PIN = Access(Level.PIN, Level.NEVER)
"""The PIN, which lives in the parent of every application."""


def key(kid: int) -> Access:
    """Only the key ``kid`` of the file's own directory."""
    return Access(Level.NEVER, kid)


def pin_or(kid: int) -> Access:
    """The PIN or a read key."""
    return Access(Level.PIN, kid)


def pin_and(kid: int) -> Access:
    """The PIN and a read key."""
    return Access(Level.PIN, kid, both=True)


@dataclass(frozen=True, slots=True)
class Item:
    """One data item: a record ``tag length value`` of a record file, or a part of a template.

    Parameters
    ----------
    tag : int
        One byte; in a cyclic record, the position of the field.
    length : int
        Bytes of the value, fixed when the record is created.
    """

    tag: int
    length: int
    coding: Coding
    name: str = ""
    chinese: str = ""
    confidence: Confidence = Confidence.HIGH

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"tag_{self.tag:02x}")

    @property
    def unfilled(self) -> bytes:
        """Value bytes of an item nobody has filled: 00 for text and bytes, FF for digits."""
        return bytes((self.coding.fill,)) * self.length

    def encode(self, value: Value) -> bytes:
        """Value bytes, exactly `length` of them.

        Raises
        ------
        ValueError
            The value does not fit, or has characters the card cannot carry.
        """
        if value is None:
            return self.unfilled
        data = self.coding.encode(value, self.length)
        if len(data) != self.length:
            raise ValueError(f"{self.name} takes {self.length} bytes")
        return data

    def decode(self, data: bytes) -> Value:
        """Value of the bytes; None for an unfilled item."""
        return None if data == self.unfilled else self.coding.decode(data)

    def record(self, value: Value) -> bytes:
        """The whole record."""
        return tlv.simple(self.tag, self.encode(value))


@dataclass(frozen=True, slots=True)
class Template(Item):
    """A "B-TLV" item: a record whose value is a list of items; occurs several times in its file.

    Its value is a mapping from item names to values; names left out stay unfilled.
    """

    parts: tuple[Item, ...] = ()

    @property
    def unfilled(self) -> bytes:
        """Every part unfilled."""
        return b"".join(part.record(None) for part in self.parts)

    def encode(self, value: Value) -> bytes:
        """All parts, in their order."""
        if value is None:
            return self.unfilled
        if not isinstance(value, Mapping):
            names = [part.name for part in self.parts]
            raise ValueError(f"{self.name} is made of {names}")  # noqa: TRY004 - a wrong value
        unknown = set(value) - {part.name for part in self.parts}
        if unknown:
            raise ValueError(f"{self.name} has no {sorted(unknown)}")
        return b"".join(part.record(value.get(part.name)) for part in self.parts)

    def decode(self, data: bytes) -> Value:
        """Names and values of the parts; None when no part is filled."""
        if data == self.unfilled:
            return None
        found = dict(tlv.parse_simple(data))
        return {part.name: part.decode(found.get(part.tag, part.unfilled)) for part in self.parts}


def template(tag: int, name: str, chinese: str, *parts: Item) -> Template:
    """Declare a template; its length follows from its parts.

    One with a Chinese name is named by us; the others are called by their tags.
    """
    length = sum(part.length + 2 for part in parts)
    confidence = Confidence.INFERRED if chinese else Confidence.HIGH
    return Template(tag, length, BYTES, name, chinese, confidence, parts)


@dataclass(frozen=True, slots=True)
class Vector:
    """A known pair of value and bytes, beside the declaration it belongs to.

    ``where`` is the record number (1 for binary files); ``data`` the whole record or content.
    """

    where: int
    value: Value
    data: bytes


@dataclass(frozen=True, slots=True)
class File:
    """What every elementary file has."""

    fid: int
    name: str
    chinese: str
    read: Access
    update: Access
    clause: str
    vectors: tuple[Vector, ...] = ()
    confidence: Confidence = Confidence.HIGH

    @property
    def sfi(self) -> int:
        """Short file identifier: the low five bits of the identifier."""
        return self.fid & 0x1F

    @property
    def label(self) -> str:
        """``EF05``."""
        return f"EF{self.fid & 0xFF:02X}"


@dataclass(frozen=True, slots=True)
class RecordFile(File):
    """Linear variable file, one item a record; ``items`` in the order of the record numbers."""

    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class CyclicFile(File):
    """Cyclic file: records of one fixed layout without tags, record 1 is the newest."""

    fields: tuple[Item, ...] = ()
    count: int = 0

    @property
    def record_length(self) -> int:
        """Bytes of a record."""
        return sum(item.length for item in self.fields)

    def encode(self, value: Mapping[str, Value]) -> bytes:
        """One record."""
        return b"".join(item.encode(value.get(item.name)) for item in self.fields)

    def decode(self, data: bytes) -> dict[str, Value]:
        """Names and values of one record."""
        found: dict[str, Value] = {}
        for item in self.fields:
            found[item.name], data = item.decode(data[: item.length]), data[item.length :]
        return found


@dataclass(frozen=True, slots=True)
class BinaryFile(File):
    """Transparent file of ``size`` bytes."""

    size: int = 0


@dataclass(frozen=True, slots=True)
class InternalFile(File):
    """A file only the chip itself works with, e.g. the purse of the medical account."""

    size: int = 0


class KeyType(IntEnum):
    """Type byte of WRITE KEY (cos.md 7.2)."""

    MASTER = 0x00
    PIN = 0x01
    SECURE_MESSAGING = 0x07
    EXTERNAL = 0x0D
    INTERNAL = 0x0E


@dataclass(frozen=True, slots=True)
class KeySlot:
    """A key a directory file holds.

    Parameters
    ----------
    name : str
        Role, unique on the card with the directory before it: ``UK1`` in DF01 is ``DF01.UK1``.
    kid : int
        Key identifier on the card.
    """

    name: str
    kid: int
    type: KeyType
    chinese: str = ""
    confidence: Confidence = Confidence.HIGH

    @property
    def level(self) -> int:
        """Security level a successful use of the key reaches; 00 for keys that open nothing."""
        if self.type is KeyType.MASTER:
            return Level.MASTER
        return self.kid if self.type is KeyType.EXTERNAL else Level.FREE


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """MF, DDF or ADF with its files and keys; ``parent`` is the label of the one above."""

    fid: int
    label: str
    aid: bytes
    chinese: str
    clause: str
    files: tuple[File, ...] = ()
    keys: tuple[KeySlot, ...] = ()
    parent: str | None = None
    lock_level: int = Level.NEVER

    def key(self, name: str) -> KeySlot:
        """The key of that role."""
        return next(slot for slot in self.keys if slot.name == name)

    def key_name(self, slot: KeySlot) -> str:
        """Name of a key that is unique on the card, ``DF01.UK1``."""
        return f"{self.label}.{slot.name}"

    def file(self, label: str) -> File:
        """The file ``EFxx``."""
        return next(file for file in self.files if file.label == label)


@dataclass(frozen=True, slots=True)
class Field:
    """An item and where it stands.

    ``number`` is its record number; ``unique`` whether its tag alone finds the record in the file;
    ``inner`` the part of a template the address points to.
    """

    address: str
    directory: DirectoryFile
    file: RecordFile
    item: Item
    number: int
    unique: bool = True
    inner: Item | None = None

    @property
    def place(self) -> str:
        """``SSSE EF06``, for messages."""
        return f"{self.directory.label} {self.file.label}"

    @property
    def target(self) -> Item:
        """The item whose value the address means."""
        return self.inner or self.item

    @property
    def length(self) -> int:
        """Bytes of the value."""
        return self.target.length

    @property
    def coding(self) -> Coding:
        """Coding of the value."""
        return self.target.coding

    def encode(self, value: Value) -> bytes:
        """Value bytes; raises ValueError as `Item.encode`."""
        return self.target.encode(value)

    def decode(self, data: bytes) -> Value:
        """Value of the bytes."""
        return self.target.decode(data)


@dataclass(frozen=True)
class Tree:
    """All directory files of a card generation, MF first, parents before children."""

    generation: str
    directories: tuple[DirectoryFile, ...]
    _fields: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fields", {f.address: f for f in self._all_fields()})

    def directory(self, label: str) -> DirectoryFile:
        """``SSSE``, ``DF01`` ..."""
        return next(d for d in self.directories if d.label == label)

    def parent(self, directory: DirectoryFile) -> DirectoryFile | None:
        """The directory above, None for the MF."""
        return None if directory.parent is None else self.directory(directory.parent)

    def children(self, directory: DirectoryFile) -> tuple[DirectoryFile, ...]:
        """The directories directly below."""
        return tuple(d for d in self.directories if d.parent == directory.label)

    def find(self, address: str) -> Field:
        """Field of an address: ``SSSE.EF06.09``, ``DF01.EF15.40.2`` (a template), ``….40.2.57``.

        Raises
        ------
        KeyError
            No such item.
        """
        return self._fields[address]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address, in the order of the tree."""
        return tuple(self._fields)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every record of the tree, once (parts of templates left out)."""
        return tuple(f for f in self._fields.values() if f.inner is None)

    def _all_fields(self) -> Iterator[Field]:
        for directory in self.directories:
            for file in directory.files:
                if isinstance(file, RecordFile):
                    yield from _fields_of(directory, file)


def _fields_of(directory: DirectoryFile, file: RecordFile) -> Iterator[Field]:
    tags = [item.tag for item in file.items]
    for number, item in enumerate(file.items, start=1):
        address = f"{directory.label}.{file.label}.{item.tag:02X}"
        unique = tags.count(item.tag) == 1
        if not isinstance(item, Template):
            yield Field(address, directory, file, item, number, unique)
            continue
        address = f"{address}.{tags[:number].count(item.tag)}"
        yield Field(address, directory, file, item, number, unique)
        for part in item.parts:
            inner = f"{address}.{part.tag:02X}"
            yield Field(inner, directory, file, item, number, unique, part)
