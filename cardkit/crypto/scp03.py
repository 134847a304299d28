"""GlobalPlatform SCP03 (card specification amendment D), MACs of 8 bytes (S8) or of 16 (S16).

Session keys by the KDF of NIST SP 800-108 in counter mode with CMAC; every C-MAC is chained to the
one before; with level 03 data are encrypted under a counter that runs with every command. An R-MAC
covers the C-MAC of its command, the answer as sent and the status word; level 33 encrypts answers
under the same counter with its highest bit set.

Which bit of "i" announces S16 is told differently by different programs (01 and 08): the length of
the answer to INITIALIZE UPDATE decides here, and either bit is taken. No published session of S16
was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cardkit.crypto import aes
from cardkit.crypto.channel_command import split, split_answer, unpad
from cardkit.crypto.padding import method2

CARD_CRYPTOGRAM = 0x00
HOST_CRYPTOGRAM = 0x01
S_ENC = 0x04
S_MAC = 0x06
S_RMAC = 0x07
S8, S16 = 8, 16
"""Bytes of challenges, cryptograms and MACs."""

MAC_LENGTH = S8
LEVELS = (0x01, 0x03, 0x11, 0x13, 0x33)
"""C-MAC; with command encryption; with R-MAC; with both; with response encryption too."""

_IDENTIFIER = 3
_ENCRYPTS = 0x02
_PSEUDO_RANDOM = 0x10
_R_MAC, _R_ENC = 0x20, 0x40
_LONG = 0x01 | 0x08  # bits of i for S16: sources disagree
_ANSWERS, _ENCRYPTS_ANSWERS = 0x10, 0x20  # of a level


class InitializeUpdate(NamedTuple):
    """Answer of INITIALIZE UPDATE: 29 bytes (S16: 45), 3 more with a sequence counter."""

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
            It answers another command or is none of SCP03.
        """
        length = len(host_challenge(command))
        if len(answer) not in (13 + 2 * length, 16 + 2 * length) or answer[11] != _IDENTIFIER:
            raise ValueError("not an answer of SCP03 to that command")
        head, (version, _, options) = answer[:10], answer[10:13]
        challenge, rest = answer[13 : 13 + length], answer[13 + length :]
        parsed = cls(head, version, options, challenge, rest[:length], rest[length:])
        if not parsed._is_possible():
            raise ValueError("options of SCP03 that do not exist, or not those of its length")
        if command[2] not in (0, parsed.key_version):
            raise ValueError("another key version than was asked for")
        return parsed

    @property
    def length(self) -> int:
        """`S8` or `S16`."""
        return len(self.card_challenge)

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels of `LEVELS` that the card offers."""
        offered = {0x00: True, 0x10: bool(self.options & _R_MAC), 0x30: bool(self.options & _R_ENC)}
        return tuple(level for level in LEVELS if offered[level & 0x30])

    def _is_possible(self) -> bool:
        # R-ENC exists only with R-MAC; one bit of two announces S16.
        long = self.options & _LONG
        known = self.options & ~(_PSEUDO_RANDOM | _R_MAC | _R_ENC | _LONG) == 0
        known = known and (long in (0x01, 0x08) if self.length == S16 else not long)
        paired = bool(self.options & _R_MAC) or not self.options & _R_ENC
        counted = 3 if self.options & _PSEUDO_RANDOM else 0
        return known and paired and len(self.sequence) == counted


def host_challenge(command: bytes) -> bytes:
    """The 8 bytes of an INITIALIZE UPDATE command, 16 for S16."""
    parts = split(command)
    known = parts.header[:2] == b"\x80\x50" and not parts.header[3] and not any(parts.le)
    if not known or len(parts.data) not in (S8, S16):
        raise ValueError("not an INITIALIZE UPDATE with a challenge of 8 or 16 bytes")
    return parts.data


def derive(key: bytes, constant: int, context: bytes, length: int) -> bytes:
    """SP 800-108 in counter mode with CMAC: label 00 × 11 ‖ constant, 00, length in bits, counter.

    Parameters
    ----------
    constant : int
        `CARD_CRYPTOGRAM`, `HOST_CRYPTOGRAM`, `S_ENC`, `S_MAC` or `S_RMAC`.
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
    """A secure channel; it never changes, `wrap` and `unwrap` return the next one.

    Parameters
    ----------
    level : int
        One of `LEVELS`.
    chaining : bytes
        The last C-MAC, 16 bytes.
    counter : int
        Commands since EXTERNAL AUTHENTICATE, that one not counted.
    s_rmac : bytes
        For levels with R-MAC.
    length : int
        `S8` or `S16`: bytes of a MAC as sent.
    """

    s_enc: bytes = field(repr=False)
    s_mac: bytes = field(repr=False)
    level: int
    chaining: bytes = bytes(16)
    counter: int = 0
    s_rmac: bytes = field(default=b"", repr=False)
    length: int = S8

    def wrap(self, command: bytes) -> tuple[bytes, Channel]:
        """The command encrypted (level 03) and with its C-MAC, and the channel for the next one."""
        parts = split(command)
        counter = self.counter + 1
        data = parts.data
        if data and self.level & _ENCRYPTS:
            vector = aes.encrypt_ecb(self.s_enc, counter.to_bytes(16))
            data = aes.encrypt_cbc(self.s_enc, vector, method2(data, aes.BLOCK))
        return self._with_mac(parts.secured(data, mac_length=self.length), parts.le, counter)

    def _with_mac(self, covered: bytes, le: bytes, counter: int) -> tuple[bytes, Channel]:
        whole = aes.cmac(self.s_mac, self.chaining + covered)
        after = replace(self, chaining=whole, counter=counter)
        return covered + whole[: self.length] + le, after

    def unwrap(self, answer: bytes) -> tuple[bytes, Channel]:
        """Data of the answer to the last command, and the same channel; R-MAC checked.

        Parameters
        ----------
        answer : bytes
            Data ‖ R-MAC ‖ status word; below level 11 data ‖ status word. An answer that only tells
            an error (anything but 9000, 62xx, 63xx) has no R-MAC.

        Raises
        ------
        ValueError
            A wrong R-MAC, or data that do not decrypt.
        """
        refused = len(answer) == 2 and answer[0] not in {0x90, 0x62, 0x63}
        if refused or not self.level & _ANSWERS:
            return split_answer(answer, 0)[0], self
        data, sent, status = split_answer(answer, self.length)
        if aes.cmac(self.s_rmac, self.chaining + data + status)[: self.length] != sent:
            raise ValueError("the R-MAC of the answer is wrong")
        if data and self.level & _ENCRYPTS_ANSWERS:
            vector = aes.encrypt_ecb(self.s_enc, (1 << 127 | self.counter).to_bytes(16))
            data = unpad(aes.decrypt_cbc(self.s_enc, vector, data))
        return data, self

    def authenticate(self, proof: bytes) -> tuple[bytes, Channel]:
        """EXTERNAL AUTHENTICATE, which is never encrypted and not counted."""
        header = bytes((0x84, 0x82, self.level, 0x00, len(proof) + self.length))
        return self._with_mac(header + proof, b"", 0)


def card_cryptogram(mac: bytes, command: bytes, answer: InitializeUpdate) -> bytes:
    """What a card with this static MAC key answers to INITIALIZE UPDATE, 8 bytes (S16: 16)."""
    context = host_challenge(command) + answer.card_challenge
    s_mac = derive(mac, S_MAC, context, len(mac))
    return derive(s_mac, CARD_CRYPTOGRAM, context, answer.length)


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
    s_enc = derive(enc, S_ENC, context, len(enc))
    s_rmac = derive(mac, S_RMAC, context, len(mac))
    channel = Channel(s_enc, s_mac, level, s_rmac=s_rmac, length=answer.length)
    return channel.authenticate(derive(s_mac, HOST_CRYPTOGRAM, context, answer.length))
