"""What survives a power cut: identity, transport key, files, life state."""

from __future__ import annotations

from cardkit.crypto.des import encrypt_ecb
from cardkit.virtual.card.directory import DirectoryFile
from cardkit.virtual.card.keys import Key
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.messaging import USUAL, Derivation, Form

CAPACITY = 32 * 1024
SERIAL_LENGTH = 6  # last bytes of the ATR: city 2, serial 4
ATR_HEAD_LENGTH = 11  # first bytes of the ATR, set by a command of their own
TRANSPORT_TRIES = 3
TRANSPORT_LENGTH = 8


class Chip:
    """Persistent state of one chip.

    Parameters
    ----------
    atr : bytes
        Answer to the next reset.
    transport : bytes
        8 bytes, fixed at manufacture.
    capacity : int
        Bytes of EEPROM for files.
    derivation : Derivation
        Whether secure messaging uses the key itself or a process key.
    form : Form
        How its MACs are cut and its fields padded.
    """

    def __init__(
        self,
        atr: bytes,
        transport: bytes,
        capacity: int,
        derivation: Derivation,
        form: Form = USUAL,
    ) -> None:
        self.atr = atr
        self.transport = transport
        self.transport_tries = TRANSPORT_TRIES
        self.derivation = derivation
        self.form = form
        self.memory = Memory(capacity)
        self.mf: DirectoryFile | None = None
        self.locked = False

    def __repr__(self) -> str:
        return f"Chip({'blank' if self.mf is None else 'structured'})"

    @property
    def pre_issue(self) -> bool:
        """Whether any directory file is still in pre-issue, or none exists."""
        return self.mf is None or any(directory.pre_issue for directory in self.mf.walk())

    def named(self, name: bytes) -> DirectoryFile | None:
        """The directory file of a name, anywhere on the card."""
        if self.mf is not None:
            for directory in self.mf.walk():
                if directory.name == name:
                    return directory
        return None


def own_transport_key(master: bytes, atr: bytes) -> bytes:
    """A chip's transport key from the maker's 16-byte master: 3DES(0000 ‖ last 6 ATR bytes).

    Examples
    --------
    >>> atr = bytes.fromhex("3B6D00000087BF10028649371700BF7C7A")
    >>> own_transport_key(bytes(range(16)), atr).hex()
    '6de85d31841c3200'
    """
    return encrypt_ecb(master, bytes(2) + atr[-SERIAL_LENGTH:])


def key_with_parent(directory: DirectoryFile, kind: int) -> tuple[Key, DirectoryFile] | None:
    """First key of a type in a directory file, else in its parent, and where it lies."""
    for place in (directory, directory.parent):
        if place is not None and (key := place.key(kind)) is not None:
            return key, place
    return None
