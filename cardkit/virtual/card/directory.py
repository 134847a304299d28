"""Directory files (MF, DDF, ADF): creation data, name, children, FCI, phase of life."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from cardkit.codec.tlv import ber, parse_ber
from cardkit.virtual.card import status
from cardkit.virtual.card.files import (
    DIR_FILE,
    FCI_FILE,
    KEY_FILE,
    PURSE_FILE,
    ElementaryFile,
    KeyFile,
    RecordFile,
)
from cardkit.virtual.card.keys import Key, KeyType
from cardkit.virtual.card.security import NEVER, Access
from cardkit.virtual.card.status import Refusal, require

MF = 0x3F00
CREATION_LENGTH = 16  # without the name
_TRIPLE_DES, _SM4 = 0x01, 0x03  # algorithm id in the FCI
_FIXED_TAIL = bytes((FCI_FILE, 0, 0, KEY_FILE, 0, PURSE_FILE))


class DirectoryType(IntEnum):
    """Type byte of the creation data."""

    DDF = 0x01  # MF too
    ADF = 0x02


class Blocked(IntEnum):
    """State of the application."""

    NO = 0
    FOR_NOW = 1
    FOR_EVER = 2


class DirectoryFile:
    """A directory file.

    Parameters
    ----------
    creation : bytes
        The data of the CREATE command: 00 ‖ lock level ‖ 00FF ‖ 01 ‖ FID(2) ‖ 01 or 02 ‖ 00 ‖
        00 (01 for MF) ‖ 23 ‖ 00 ‖ 00 ‖ 80 ‖ 00 ‖ 81 ‖ name.
    parent : DirectoryFile or None
        None for the MF.
    """

    def __init__(self, creation: bytes, parent: DirectoryFile | None) -> None:
        self.creation = creation
        self.parent = parent
        self.fid = int.from_bytes(creation[5:7], "big")
        self.type = creation[7]
        self.lock = Access(NEVER, creation[1], both=False)
        self.name = creation[CREATION_LENGTH:]
        self.files: list[ElementaryFile] = []
        self.directories: list[DirectoryFile] = []
        self.pre_issue = True
        self.blocked: int = Blocked.NO

    def __repr__(self) -> str:
        return f"DirectoryFile({self.fid:04X})"

    @property
    def size(self) -> int:
        """Bytes its own header takes on the chip."""
        return len(self.creation)

    @property
    def whole_size(self) -> int:
        """Bytes it takes with everything in it."""
        inside = sum(file.size for file in self.files)
        return self.size + inside + sum(child.whole_size for child in self.directories)

    def path(self) -> list[DirectoryFile]:
        """From the MF down to this directory file."""
        above = self.parent.path() if self.parent else []
        return [*above, self]

    def walk(self) -> Iterator[DirectoryFile]:
        """Itself and all directory files below it."""
        yield self
        for child in self.directories:
            yield from child.walk()

    def file(self, fid: int) -> ElementaryFile | None:
        """The elementary file of a FID."""
        return next((file for file in self.files if file.fid == fid), None)

    def short(self, sfi: int) -> ElementaryFile | None:
        """The elementary file of a short identifier."""
        return next((file for file in self.files if file.sfi == sfi), None)

    def child(self, fid: int) -> DirectoryFile | None:
        """The directory file of a FID directly below."""
        return next((child for child in self.directories if child.fid == fid), None)

    @property
    def keys(self) -> KeyFile | None:
        """SF."""
        found = self.short(KEY_FILE)
        return found if isinstance(found, KeyFile) else None

    def key(self, kind: int, kid: int | None = None) -> Key | None:
        """A key of this directory file, None without it or without SF."""
        return self.keys.find(kind, kid) if self.keys else None

    @property
    def fci_records(self) -> RecordFile | None:
        """The FCI file."""
        found = self.short(FCI_FILE)
        return found if isinstance(found, RecordFile) else None

    def fci(self) -> bytes:
        """What SELECT answers: 6F{84 name, A5{88 01 SFI, 9F0C{86 01 algorithm}}}.

        Name and SFI come from the record of the FCI file (own or parent's) that carries this FID;
        before there is one the card composes them from the creation data.
        """
        stored = self._stored_fci()
        name, proprietary = self.name, b""
        if stored is not None:
            objects = dict(parse_ber(stored))
            name, proprietary = objects.get(0x84, name), objects.get(0xA5, b"")
        elif self.short(DIR_FILE):
            proprietary = ber(0x88, bytes((DIR_FILE,)))
        if not any(tag == 0x9F0C for tag, _ in parse_ber(proprietary)):
            proprietary += ber(0x9F0C, ber(0x86, bytes((self._algorithm(),))))
        return ber(0x6F, ber(0x84, name), ber(0xA5, proprietary))

    def _algorithm(self) -> int:
        """That of its master key, or of the nearest above while it has none."""
        masters = (place.key(KeyType.MASTER) for place in reversed(self.path()))
        nearest = next((key for key in masters if key is not None), None)
        return _SM4 if nearest is not None and nearest.is_sm4 else _TRIPLE_DES

    def _stored_fci(self) -> bytes | None:
        for directory in (self, self.parent):
            if directory is None or directory.fci_records is None:
                continue
            for record in directory.fci_records.records:
                fid, template = parse_fci_record(record)
                if fid == self.fid:
                    return template
        return None


def parse_fci_record(record: bytes) -> tuple[int, bytes]:
    """FID and FCI content of ``70 L FID(2) L 6F L ...``; 6A80 for anything else."""
    try:
        ((outer, body),) = parse_ber(record)
        ((inner, template),) = parse_ber(body[3:])
        for tag, value in parse_ber(template):
            if tag == 0xA5:
                list(parse_ber(value))
    except (ValueError, IndexError):
        raise Refusal(status.WRONG_DATA) from None
    agrees = outer == 0x70 and inner == 0x6F and body[2] == len(body) - 3
    require(agrees and len(template) <= 128, status.WRONG_DATA)
    return int.from_bytes(body[:2], "big"), template


def create(creation: bytes, parent: DirectoryFile | None) -> DirectoryFile:
    """Build an empty directory file; 6700 or 6A80 when its creation data cannot be."""
    require(CREATION_LENGTH + 5 <= len(creation) <= CREATION_LENGTH + 16, status.WRONG_LENGTH)
    constant = (
        creation[0] == 0
        and creation[2:5] == b"\x00\xff\x01"
        and creation[8] == 0
        and creation[10:16] == _FIXED_TAIL
    )
    require(constant and creation[7] in DirectoryType._value2member_map_, status.WRONG_DATA)
    fid = int.from_bytes(creation[5:7], "big")
    is_mf = parent is None
    require((fid == MF) == is_mf and creation[9] == is_mf, status.WRONG_DATA)
    require(not is_mf or creation[7] == DirectoryType.DDF, status.WRONG_DATA)
    return DirectoryFile(creation, parent)
