"""Secure messaging: MAC and encryption of command data (PBOC 2.0 book 5).

MAC: initial vector = the challenge, input = CLA INS P1 P2 Lc ‖ data as sent, padded with 80 00...
always; the first 4 bytes. Encryption: ECB of length ‖ data, padded only when it does not fill its
blocks. With the key itself (`DIRECT`) that is the retail MAC and 3DES; with a process key of 8
bytes from key and challenge (`PROCESS`) it is the CBC-MAC and DES.

A key of SM4: SM4-CBC-MAC over blocks of 16 bytes, the initial vector filled with 00 to a block, the
XOR of the four words of the last block; the process key has 16 bytes. `Form` says where a chip
differs from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cardkit.crypto import des, sm4
from cardkit.crypto.bits import fold
from cardkit.crypto.mac import cbc_mac, cbc_mac_sm4, retail_mac
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.crypto.ssc import process_key, process_key_sm4
from cardkit.virtual.card import status
from cardkit.virtual.card.keys import Key, restore_tries, spend_try
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.session import Session
from cardkit.virtual.card.status import Refusal, require
from cardkit.virtual.card.tpdu import Request

MAC_LENGTH = 4


class Derivation(Enum):
    """How secure messaging uses a key."""

    DIRECT = "direct"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Form:
    """What makers choose differently, each for itself.

    Parameters
    ----------
    fold : bool or None
        Whether a MAC is the XOR of the words of the last block; None: for SM4.
    always_pad : bool
        Whether length and data are padded even when they fill their blocks.
    """

    fold: bool | None = None
    always_pad: bool = False


USUAL = Form()


class Channel:
    """One protected command: key, challenge, and what they are used for.

    Parameters
    ----------
    key : Key
        Its tries count wrong MACs.
    derivation : Derivation
        Rule for this command.
    form : Form
        Of the chip.
    """

    def __init__(self, key: Key, derivation: Derivation, form: Form = USUAL) -> None:
        self._key = key
        self._form = form
        self._derivation = derivation
        self._iv = bytes(8)
        self._secret = key.secret

    def open(self, request: Request, session: Session, memory: Memory) -> bytes:
        """Check the MAC and return the data before it.

        6987 without a MAC, 6984 without a challenge, 6988 for a wrong MAC (one try less), 6983
        when no try is left. The challenge is used up in every case but the first.
        """
        require(len(request.data) >= MAC_LENGTH, status.MAC_MISSING)
        data, sent = request.data[:-MAC_LENGTH], request.data[-MAC_LENGTH:]
        challenge = session.take_challenge(self._challenge_length())
        self._iv = challenge.ljust(_block(self._key), b"\0")
        spend_try(memory, self._key)
        if self._derivation is Derivation.PROCESS:
            rule = process_key_sm4 if self._key.is_sm4 else process_key
            self._secret = rule(self._key.secret, challenge)
        if sent != self.mac(request.header + data):
            raise Refusal(status.MAC_WRONG)
        restore_tries(memory, self._key)
        return data

    def mac(self, data: bytes) -> bytes:
        """4 bytes: the MAC under this command's key and vector."""
        if self._key.is_sm4:
            rule = cbc_mac_sm4
        else:
            rule = cbc_mac if len(self._secret) == des.BLOCK else retail_mac
        last = rule(self._secret, method2(data, _block(self._key)), self._iv)
        folded = self._key.is_sm4 if self._form.fold is None else self._form.fold
        return fold(last, MAC_LENGTH) if folded else last[:MAC_LENGTH]

    def decrypt(self, data: bytes) -> bytes:
        """Open an encrypted field under this command's key."""
        return decrypt_field(self._key, data, self._secret, self._form)

    def _challenge_length(self) -> int:
        # A process key is made from 8 bytes; the key itself takes what fills its block.
        return 8 if self._derivation is Derivation.PROCESS else _block(self._key)


def decrypt_field(key: Key, data: bytes, secret: bytes = b"", form: Form = USUAL) -> bytes:
    """Data of ECB(length ‖ data ‖ padding); 6700 for odd blocks, 6A80 for a wrong inside.

    Parameters
    ----------
    secret : bytes
        Process key of ``key``; the key itself without it.
    """
    block = _block(key)
    require(data and len(data) % block == 0, status.WRONG_LENGTH)
    decrypt = sm4.decrypt_ecb if key.is_sm4 else des.decrypt_ecb
    plain = decrypt(secret or key.secret, data)
    content = plain[1 : 1 + plain[0]]
    pad = method2 if form.always_pad else method2_if_needed
    whole = pad(plain[:1] + content, block)
    require(len(content) == plain[0] and whole == plain, status.WRONG_DATA)
    return content


def _block(key: Key) -> int:
    return sm4.BLOCK if key.is_sm4 else des.BLOCK
