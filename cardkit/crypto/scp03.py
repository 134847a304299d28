"""GlobalPlatform SCP03 (card specification amendment D), MACs of 8 bytes (S8).

Session keys by the KDF of NIST SP 800-108 in counter mode with CMAC; every C-MAC is chained to the
one before; with level 03 data are encrypted under a counter that runs with every command.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cardkit.crypto import aes
from cardkit.crypto.channel_command import split
from cardkit.crypto.padding import method2

CARD_CRYPTOGRAM = 0x00
HOST_CRYPTOGRAM = 0x01
S_ENC = 0x04
S_MAC = 0x06
MAC_LENGTH = 8
LEVELS = (0x01, 0x03, 0x11, 0x13, 0x33)
"""C-MAC; with command encryption; with R-MAC; with both; with response encryption too."""

_IDENTIFIER = 3
_ENCRYPTS = 0x02
_PSEUDO_RANDOM = 0x10
_R_MAC, _R_ENC = 0x20, 0x40


class InitializeUpdate(NamedTuple):
    """Answer of INITIALIZE UPDATE: 29 bytes, 32 with a sequence counter."""

    diversification_data: bytes
    key_version: int
    options: int
    card_challenge: bytes
    card_cryptogram: bytes
    sequence: bytes

    @classmethod
    def parse(cls, command: bytes, answer: bytes) -> InitializeUpdate:
        """Take an answer apart.

        Parameters
        ----------
        command : bytes
            INITIALIZE UPDATE as it was sent.

        Raises
        ------
        ValueError
            It answers another command or is none of SCP03 with S8.
        """
        host_challenge(command)
        if len(answer) not in (29, 32) or answer[11] != _IDENTIFIER:
            raise ValueError("not an answer of SCP03 with MACs of 8 bytes")
        head, (version, _, options) = answer[:10], answer[10:13]
        parsed = cls(head, version, options, answer[13:21], answer[21:29], answer[29:])
        if not parsed._is_possible():
            raise ValueError("options of SCP03 that do not exist, or MACs of 16 bytes")
        if command[2] not in (0, parsed.key_version):
            raise ValueError("another key version than was asked for")
        return parsed

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels of `LEVELS` that the card offers."""
        offered = {0x00: True, 0x10: bool(self.options & _R_MAC), 0x30: bool(self.options & _R_ENC)}
        return tuple(level for level in LEVELS if offered[level & 0x30])

    def _is_possible(self) -> bool:
        # Low bits: S16 and reserved. R-ENC exists only with R-MAC.
        known = self.options & ~(_PSEUDO_RANDOM | _R_MAC | _R_ENC) == 0
        paired = bool(self.options & _R_MAC) or not self.options & _R_ENC
        counted = 3 if self.options & _PSEUDO_RANDOM else 0
        return known and paired and len(self.sequence) == counted


def host_challenge(command: bytes) -> bytes:
    """The 8 bytes of an INITIALIZE UPDATE command."""
    parts = split(command)
    known = parts.header[:2] == b"\x80\x50" and not parts.header[3] and not any(parts.le)
    if not known or len(parts.data) != 8:
        raise ValueError("not an INITIALIZE UPDATE with a challenge of 8 bytes")
    return parts.data


def derive(key: bytes, constant: int, context: bytes, length: int) -> bytes:
    """SP 800-108 in counter mode with CMAC: label 00 × 11 ‖ constant, 00, length in bits, counter.

    Parameters
    ----------
    constant : int
        `CARD_CRYPTOGRAM`, `HOST_CRYPTOGRAM`, `S_ENC` or `S_MAC`.
    context : bytes
        Host challenge ‖ card challenge.
    length : int
        Bytes wanted.
    """
    head = bytes(11) + bytes((constant, 0)) + (8 * length).to_bytes(2)
    blocks = range(1, -(-length // aes.BLOCK) + 1)
    return b"".join(aes.cmac(key, head + bytes((n,)) + context) for n in blocks)[:length]


@dataclass(frozen=True, slots=True)
class Channel:
    """A secure channel; it never changes, `wrap` returns the next one.

    Parameters
    ----------
    level : int
        One of `LEVELS`.
    chaining : bytes
        The last C-MAC, 16 bytes.
    counter : int
        Commands since EXTERNAL AUTHENTICATE, that one not counted.
    """

    s_enc: bytes = field(repr=False)
    s_mac: bytes = field(repr=False)
    level: int
    chaining: bytes = bytes(16)
    counter: int = 0

    def wrap(self, command: bytes) -> tuple[bytes, Channel]:
        """The command encrypted (level 03) and with its C-MAC, and the channel for the next one."""
        parts = split(command)
        counter = self.counter + 1
        data = parts.data
        if data and self.level & _ENCRYPTS:
            vector = aes.encrypt_ecb(self.s_enc, counter.to_bytes(16))
            data = aes.encrypt_cbc(self.s_enc, vector, method2(data, aes.BLOCK))
        return self._with_mac(parts.secured(data, mac_length=MAC_LENGTH), parts.le, counter)

    def _with_mac(self, covered: bytes, le: bytes, counter: int) -> tuple[bytes, Channel]:
        whole = aes.cmac(self.s_mac, self.chaining + covered)
        after = replace(self, chaining=whole, counter=counter)
        return covered + whole[:MAC_LENGTH] + le, after

    def authenticate(self, proof: bytes) -> tuple[bytes, Channel]:
        """EXTERNAL AUTHENTICATE, which is never encrypted and not counted."""
        header = bytes((0x84, 0x82, self.level, 0x00, len(proof) + MAC_LENGTH))
        return self._with_mac(header + proof, b"", 0)


def card_cryptogram(mac: bytes, command: bytes, answer: InitializeUpdate) -> bytes:
    """What a card with this static MAC key answers to INITIALIZE UPDATE, 8 bytes."""
    context = host_challenge(command) + answer.card_challenge
    return derive(derive(mac, S_MAC, context, len(mac)), CARD_CRYPTOGRAM, context, 8)


def open_channel(
    enc: bytes, mac: bytes, command: bytes, answer: InitializeUpdate, level: int
) -> tuple[bytes, Channel]:
    """EXTERNAL AUTHENTICATE, and the channel behind it.

    Parameters
    ----------
    enc, mac : bytes
        Static AES keys.
    command : bytes
        INITIALIZE UPDATE as it was sent.
    level : int
        One of `LEVELS`.

    Raises
    ------
    ValueError
        The card does not hold these keys, or does not offer that level.

    Examples
    --------
    >>> update = bytes.fromhex("8050300008B13E5F938FC108C400")
    >>> answer = InitializeUpdate.parse(update, bytes.fromhex(
    ...     "000000000000000000003003703EB51047495B249F66C484C1D2EF1948000002"
    ... ))
    >>> enc, mac = bytes(range(16)), bytes(range(0x10, 0x20))
    >>> open_channel(enc, mac, update, answer, 0x11)[0].hex()
    '84821100107d5f5826a993ebc89eea24957fa0b3ce'
    """
    if level not in answer.levels:
        raise ValueError("the card does not offer that security level")
    if card_cryptogram(mac, command, answer) != answer.card_cryptogram:
        raise ValueError("the card's cryptogram does not fit the keys")
    context = host_challenge(command) + answer.card_challenge
    s_mac = derive(mac, S_MAC, context, len(mac))
    channel = Channel(derive(enc, S_ENC, context, len(enc)), s_mac, level)
    return channel.authenticate(derive(s_mac, HOST_CRYPTOGRAM, context, 8))
