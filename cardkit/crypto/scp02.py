"""GlobalPlatform SCP02: session keys, cryptograms, commands and answers of its secure channel.

Options i = 55 or 15, with R-MAC 75 or 35. Levels: C-MAC (01), encryption of commands too (03),
R-MAC on answers (11, 13).

GlobalPlatform card specification 2.2 annex E; the secure channel of EMV CPS personalization.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cardkit.crypto.channel_command import SECURE, split, split_answer
from cardkit.crypto.des import encrypt_cbc, encrypt_ecb
from cardkit.crypto.mac import ZERO_IV, retail_mac
from cardkit.crypto.padding import method2

S_ENC = bytes.fromhex("0182")
S_MAC = bytes.fromhex("0101")
S_DEK = bytes.fromhex("0181")
S_RMAC = bytes.fromhex("0102")
MAC_LENGTH = 8
LEVEL_MAC = 0x01
LEVELS = (0x01, 0x03, 0x11, 0x13)
"""C-MAC; with command encryption; with R-MAC; with both."""

_ENCRYPTS, _ANSWERS = 0x02, 0x10
_IDENTIFIER = 2


class InitializeUpdate(NamedTuple):
    """Answer of INITIALIZE UPDATE, 28 bytes."""

    diversification_data: bytes
    key_version: int
    sequence: bytes
    card_challenge: bytes
    card_cryptogram: bytes

    @classmethod
    def parse(cls, answer: bytes) -> InitializeUpdate:
        """Take an answer apart; ValueError when it is none of SCP02."""
        if len(answer) != 28 or answer[11] != _IDENTIFIER:
            raise ValueError("not an answer of SCP02")
        return cls(answer[:10], answer[10], answer[12:14], answer[14:20], answer[20:])


def session_key(static_key: bytes, constant: bytes, sequence: bytes) -> bytes:
    """Session key, 16 bytes: 3DES-CBC of constant ‖ sequence ‖ 00 × 12.

    Parameters
    ----------
    static_key : bytes
        16 bytes.
    constant : bytes
        `S_ENC`, `S_MAC`, `S_DEK` or `S_RMAC`.
    sequence : bytes
        The card's sequence counter, 2 bytes.
    """
    if len(static_key) != 16 or len(constant) != 2 or len(sequence) != 2:
        raise ValueError("a static key has 16 bytes, constant and sequence counter 2")
    return encrypt_cbc(static_key, ZERO_IV, constant + sequence + bytes(12))


def card_cryptogram(s_enc: bytes, host_challenge: bytes, answer: InitializeUpdate) -> bytes:
    """8 bytes: 3DES CBC-MAC of host challenge ‖ sequence ‖ card challenge."""
    return _cryptogram(s_enc, host_challenge + answer.sequence + answer.card_challenge)


def host_cryptogram(s_enc: bytes, host_challenge: bytes, answer: InitializeUpdate) -> bytes:
    """8 bytes: 3DES CBC-MAC of sequence ‖ card challenge ‖ host challenge."""
    return _cryptogram(s_enc, answer.sequence + answer.card_challenge + host_challenge)


def _cryptogram(s_enc: bytes, data: bytes) -> bytes:
    if len(data) != 16:
        raise ValueError("a host challenge has 8 bytes")
    return encrypt_cbc(s_enc, ZERO_IV, method2(data))[-8:]


@dataclass(frozen=True, slots=True)
class Channel:
    """A secure channel; it never changes, `wrap` and `unwrap` return the next one.

    Every command carries a C-MAC, which is chained to the one before.

    Parameters
    ----------
    s_mac, s_enc, s_rmac : bytes
        Session keys; the last two for levels that use them.
    level : int
        One of `LEVELS`.
    last_mac : bytes
        The last C-MAC.
    last_answer_mac : bytes
        The last R-MAC; the C-MAC of EXTERNAL AUTHENTICATE before the first.
    asked : bytes
        The last command without its protection: an R-MAC covers it.
    """

    s_mac: bytes = field(repr=False)
    s_enc: bytes = field(default=b"", repr=False)
    s_rmac: bytes = field(default=b"", repr=False)
    level: int = LEVEL_MAC
    last_mac: bytes = b""
    last_answer_mac: bytes = b""
    asked: bytes = field(default=b"", repr=False)

    def wrap(self, command: bytes) -> tuple[bytes, Channel]:
        """The command with its C-MAC, encrypted where the level says so; the channel after it.

        The C-MAC covers the data in clear (annex E.4.6); a command without data has nothing to
        encrypt.

        Raises
        ------
        ValueError
            Not a short command on the basic channel, or too long.
        """
        parts = split(command)
        # The first vector is zero, later ones are the last MAC under single DES.
        vector = encrypt_ecb(self.s_mac[:8], self.last_mac) if self.last_mac else ZERO_IV
        covered = parts.secured(parts.data, mac_length=MAC_LENGTH)
        mac = retail_mac(self.s_mac, method2(covered), vector)
        data = parts.data
        if data and self.level & _ENCRYPTS:
            data = encrypt_cbc(self.s_enc, ZERO_IV, method2(data))
        asked = bytes((parts.header[0] & ~(SECURE | 0x03),)) + parts.header[1:]
        asked += bytes((len(parts.data),)) + parts.data
        return parts.secured(data, mac), replace(self, last_mac=mac, asked=asked)

    def unwrap(self, answer: bytes) -> tuple[bytes, Channel]:
        """Data of the answer to the last command, and the channel after it; R-MAC checked.

        Parameters
        ----------
        answer : bytes
            Data ‖ R-MAC ‖ status word; below level 11 data ‖ status word.

        Raises
        ------
        ValueError
            A wrong R-MAC: the answer is not that of the card, or not to this command.
        """
        if not self.level & _ANSWERS:
            return split_answer(answer, 0)[0], self
        data, sent, status = split_answer(answer, MAC_LENGTH)
        covered = self.asked + bytes((len(data) & 0xFF,)) + data + status
        mac = retail_mac(self.s_rmac, method2(covered), self.last_answer_mac)
        if mac != sent:
            raise ValueError("the R-MAC of the answer is wrong")
        return data, replace(self, last_answer_mac=mac)


def open_channel(
    enc: bytes,
    mac: bytes,
    host_challenge: bytes,
    answer: InitializeUpdate,
    level: int = LEVEL_MAC,
) -> tuple[bytes, Channel]:
    """EXTERNAL AUTHENTICATE, which is never encrypted, and the channel behind it.

    Parameters
    ----------
    enc, mac : bytes
        Static keys, 16 bytes each.
    host_challenge : bytes
        8 bytes.
    level : int
        One of `LEVELS`.

    Raises
    ------
    ValueError
        The card does not hold these keys; no such level.

    Examples
    --------
    >>> answer = InitializeUpdate.parse(
    ...     bytes.fromhex("00000000000000000000700200016B4524ABEE7CF32EA3838BC148F3")
    ... )
    >>> command, channel = open_channel(
    ...     bytes.fromhex("100102030405060708090A0B0C0D0E0F"),
    ...     bytes.fromhex("101102030405060708090A0B0C0D0E0F"),
    ...     bytes.fromhex("40A62C37FA6304F8"), answer,
    ... )
    >>> command.hex()
    '8482010010ba6961667737c5bcebece14c7d6a4376'
    >>> channel.wrap(bytes.fromhex("80F22002"))[0].hex()
    '84f220020814db34fa4341dca8'
    """
    if level not in LEVELS:
        raise ValueError("SCP02 has no such security level")
    s_enc = session_key(enc, S_ENC, answer.sequence)
    if card_cryptogram(s_enc, host_challenge, answer) != answer.card_cryptogram:
        raise ValueError("the card's cryptogram does not fit the keys")
    proof = host_cryptogram(s_enc, host_challenge, answer)
    s_mac, s_rmac = (session_key(mac, constant, answer.sequence) for constant in (S_MAC, S_RMAC))
    command = bytes((0x80, 0x82, level, 0x00, len(proof))) + proof
    wrapped, after = Channel(s_mac).wrap(command)
    opened = Channel(s_mac, s_enc, s_rmac, level, after.last_mac, after.last_mac)
    return wrapped, opened
