"""The bytes of T514's native commands (docs/decisions.md gives the layouts and their source)."""

from __future__ import annotations

from cardkit.apdu import Command
from cardkit.card.authentication import KEY_ALGORITHMS, KEY_VERSION
from cardkit.card.files.model import (
    Access,
    BinaryFile,
    CyclicFile,
    DirectoryFile,
    File,
    InternalFile,
    KeySlot,
    KeyType,
    Level,
    RecordFile,
)
from cardkit.codec import tlv
from cardkit.crypto.algorithm import Algorithm

SF_SFI = 0x80
FCI_SFI = 0x23
DIR_SFI = 0x1E
TF_SFI = 0x81
DIR_P2 = DIR_SFI << 3 | 4

KEY_RECORD = 0x18
"""Length of a key record: header of 8 bytes and a key of 16."""

_TRANSPARENT, _FIXED, _VARIABLE, _CYCLIC, _INTERNAL, _DIRECTORY = (
    0xC4, 0xC5, 0xC6, 0xC7, 0xC3, 0xD6,
)  # fmt: skip
_NOT_FIXED = 0xFF
_AND = 0x4

ERROR_COUNTER = 0x33
"""Three tries, three left (decision 7)."""

CHANGE_FORBIDDEN = 0xEF
KEY_LENGTH = 16


def verify_transport_key(proof: bytes) -> Command:
    """80 E0 03 00 08: the transport key of this chip."""
    return Command(0x80, 0xE0, 0x03, 0x00, proof)


def set_serial(serial: bytes) -> Command:
    """80 E0 05 00 08: ``serial`` are the last 6 ATR bytes, city (2) and number (4)."""
    return Command(0x80, 0xE0, 0x05, 0x00, bytes(2) + serial)


def set_atr_head(head: bytes) -> Command:
    """00 14 00 00 0B: the first 11 ATR bytes; the new ATR shows at the next reset."""
    return Command(0x00, 0x14, 0x00, 0x00, head)


def end_of_pre_issue() -> Command:
    """80 E0 02 00 00, in every directory file."""
    return Command(0x80, 0xE0, 0x02, 0x00)


def delete_directory(directory: DirectoryFile) -> Command:
    """80 E1 00 02|03 02 FID: a directory file, or the whole master file, with all in it."""
    kind = 0x03 if directory.parent is None else 0x02
    return Command(0x80, 0xE1, 0x00, kind, directory.fid.to_bytes(2, "big"))


def create_directory(directory: DirectoryFile, *, ddf: bool) -> Command:
    """80 E0 01 00 for the MF, a DDF or an ADF; only the MF becomes current by it."""
    head = bytes((
        0x00, directory.lock_level, 0x00, 0xFF, 0x01,
        *directory.fid.to_bytes(2, "big"),
        0x01 if ddf else 0x02, 0x00, 0x01 if directory.parent is None else 0x00,
        FCI_SFI, 0x00, 0x00, SF_SFI, 0x00, TF_SFI,
    ))  # fmt: skip
    return Command(0x80, 0xE0, 0x01, 0x00, head + directory.aid)


def _create_file(  # noqa: PLR0917 - in the order of the bytes
    fid: int, kind: int, sfi: int, space: int, record_length: int, read: Access, write: Access
) -> Command:
    condition = (_AND if read.both else 0) << 4 | (_AND if write.both else 0)
    data = bytes((
        0x00, 0x00, 0x00, *space.to_bytes(2, "big"), *fid.to_bytes(2, "big"),
        kind, 0x00, sfi, condition, record_length,
    ))  # fmt: skip
    return Command(0x80, 0xE0, 0x01, 0x00, data + read.to_bytes() + write.to_bytes())


_MASTER_ONLY = Access(Level.NEVER, Level.MASTER)


def create_key_file(directory: DirectoryFile) -> Command:
    """The file of the keys (SF): one record of 18h bytes a key, never readable."""
    n = len(directory.keys)
    return _create_file(
        0xEF00 | SF_SFI, _INTERNAL, SF_SFI, record_space([KEY_RECORD] * n), KEY_RECORD,
        Access(Level.NEVER, Level.NEVER), _MASTER_ONLY,
    )  # fmt: skip


def create_fci_file(record: bytes) -> Command:
    """The file control information (FCI) of a directory: one record."""
    return _create_file(
        0xEF00 | FCI_SFI, _INTERNAL, FCI_SFI, record_space([len(record) - 2]), _NOT_FIXED,
        Access(Level.FREE, Level.FREE), _MASTER_ONLY,
    )  # fmt: skip


def create_dir_file(records: list[bytes]) -> Command:
    """The list of the applications below a DDF (DIR)."""
    return _create_file(
        0xEF00 | DIR_SFI, _DIRECTORY, DIR_SFI, record_space([len(r) - 2 for r in records]),
        _NOT_FIXED, Access(Level.FREE, Level.FREE), _MASTER_ONLY,
    )  # fmt: skip


def create_file(file: File) -> Command:
    """An elementary file of the specification tree."""
    if isinstance(file, RecordFile):
        kind, length = _VARIABLE, _NOT_FIXED
    elif isinstance(file, CyclicFile):
        kind, length = _CYCLIC, file.record_length
    elif isinstance(file, BinaryFile):
        kind, length = _TRANSPARENT, 0
    else:
        kind, length = _INTERNAL, 0
    sfi = TF_SFI if isinstance(file, InternalFile) else file.sfi
    return _create_file(file.fid, kind, sfi, space(file), length, file.read, file.update)


def space(file: File) -> int:
    """Bytes a file takes: the sum that CREATE FILE is given."""
    if isinstance(file, RecordFile):
        return record_space([item.length for item in file.items])
    if isinstance(file, CyclicFile):
        return file.record_length * file.count + 2
    if isinstance(file, BinaryFile | InternalFile):
        return file.size
    raise TypeError(type(file).__name__)


def record_space(lengths: list[int], reserve: int = 0) -> int:
    """Σ length + 2 a record + reserve + 2."""
    return sum(lengths) + 2 * len(lengths) + reserve + 2


def key_header(
    slot: KeySlot,
    algorithm: Algorithm,
    *,
    puk_level: int,
    length: int = KEY_LENGTH,
    version: int = KEY_VERSION,
) -> bytes:
    """Type ‖ id ‖ version ‖ EF ‖ error counter ‖ algorithm ‖ level ‖ length (8 bytes).

    For the PIN the algorithm byte names the key that opens its reset, its level is 01 and its
    length that of its digits; the field it stands in has 16 bytes all the same.
    """
    pin = slot.type is KeyType.PIN
    return bytes((
        slot.type, slot.kid, version, CHANGE_FORBIDDEN, ERROR_COUNTER,
        puk_level if pin else KEY_ALGORITHMS[algorithm], Level.PIN if pin else slot.level, length,
    ))  # fmt: skip


def write_key_header(*, master: bool, sealed: bool) -> bytes:
    """CLA D4 P1 00 Lc: 00 … 18 plain, 84 … 24 encrypted with MAC."""
    return bytes((0x84 if sealed else 0x00, 0xD4, 0x01 if master else 0x00, 0x00,
                  0x24 if sealed else KEY_RECORD))  # fmt: skip


def fci_record(directory: DirectoryFile, *, ddf: bool) -> bytes:
    """70 L FID L 6F L 84 L AID [A5 03 88 01 1E]; the bracket names the DIR file of a DDF."""
    name = tlv.ber(0x84, directory.aid)
    template = tlv.ber(0x6F, name, tlv.ber(0xA5, tlv.ber(0x88, bytes((DIR_SFI,)))) if ddf else b"")
    entry = directory.fid.to_bytes(2, "big") + bytes((len(template),)) + template
    return tlv.ber(0x70, entry)


def write_fci(record: bytes) -> Command:
    """00 D2 01 23: P2 is the identifier as it is, not shifted (decision 10)."""
    return Command(0x00, 0xD2, 0x01, FCI_SFI, record)


def dir_record(directory: DirectoryFile) -> bytes:
    """70 L 61 L 4F L AID 50 L label."""
    label = directory.label.encode("ascii")
    return tlv.ber(0x70, tlv.ber(0x61, tlv.ber(0x4F, directory.aid), tlv.ber(0x50, label)))


def write_dir(number: int, record: bytes) -> Command:
    """UPDATE RECORD in DIR."""
    return Command(0x00, 0xDC, number, DIR_P2, record)
