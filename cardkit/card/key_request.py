"""What a procedure asks of whoever holds a card's keys: four questions, never a key.

Keys are named by their role on the card (``SSSE.UKSSSE``, ``DF01.UK1``). A store answers with the
bytes that go to the chip or that the chip's answer is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class KeyUse(Enum):
    """How a key enters an algorithm."""

    PROCESS = "process"  # through a process key made from the factor or the initial vector
    DIRECT = "direct"  # as it is


@dataclass(frozen=True, slots=True)
class Sealing:
    """The independent switches of secure messaging.

    Parameters
    ----------
    encrypt : bool
        Encrypt the data field before the MAC is computed.
    key_use : KeyUse
        With a process key the MAC is a single-DES CBC chain, with the key itself a retail MAC.
    always_pad : bool
        Pad the plain text even when it fills its blocks.
    mac_length : int
        Bytes kept of the MAC; 0 for no MAC.
    fold : bool
        Keep the XOR of the words of ``mac_length`` bytes of the last block, not its first bytes.
    """

    encrypt: bool = True
    key_use: KeyUse = KeyUse.PROCESS
    always_pad: bool = False
    mac_length: int = 4
    fold: bool = False


@dataclass(frozen=True, slots=True)
class External:
    """Proof for EXTERNAL AUTHENTICATE: 8 bytes from the card's challenge and data of our choice."""

    key: str
    challenge: bytes
    data: bytes
    key_use: KeyUse = KeyUse.PROCESS

    def put_to(self, keys: CardKeys) -> bytes:
        """Ask ``keys``."""
        return keys.external(self)


@dataclass(frozen=True, slots=True)
class Internal:
    """What the card must answer to INTERNAL AUTHENTICATE: 8 bytes."""

    key: str
    factor: bytes
    data: bytes

    def put_to(self, keys: CardKeys) -> bytes:
        """Ask ``keys``."""
        return keys.internal(self)


@dataclass(frozen=True, slots=True)
class Seal:
    """Data field of a protected command: (encrypted) data ‖ MAC over header ‖ data.

    ``header`` is CLA INS P1 P2 Lc of the final command, or any bytes the MAC shall cover first.
    ``data`` includes its length byte where the command wants one.
    """

    key: str
    header: bytes
    data: bytes = field(repr=False)
    iv: bytes = bytes(8)
    sealing: Sealing = Sealing()

    def put_to(self, keys: CardKeys) -> bytes:
        """Ask ``keys``."""
        return keys.seal(self)


@dataclass(frozen=True, slots=True)
class WriteKey:
    """Data field of WRITE KEY: key header ‖ key, sealed under another key of the card or plain.

    Parameters
    ----------
    under : str or None
        The key that seals; None for a plain load, which a store allows only where the profile does.
    header : bytes
        CLA INS P1 P2 Lc of the final command.
    key : str
        The key to load.
    key_header : bytes
        What goes before the key in the plain text, its length byte included when it is sealed.
    iv : bytes
        The card's challenge.
    """

    under: str | None
    header: bytes
    key: str
    key_header: bytes
    iv: bytes = bytes(8)
    sealing: Sealing = Sealing()

    def put_to(self, keys: CardKeys) -> bytes:
        """Ask ``keys``."""
        return keys.write_key(self)


KeyRequest = External | Internal | Seal | WriteKey


class CardKeys(Protocol):
    """The keys of one card, wherever they are. Every key store provides this."""

    def external(self, request: External) -> bytes:
        """8 bytes of proof."""

    def internal(self, request: Internal) -> bytes:
        """8 bytes to compare."""

    def seal(self, request: Seal) -> bytes:
        """Data field with its MAC."""

    def write_key(self, request: WriteKey) -> bytes:
        """Data field of WRITE KEY."""
