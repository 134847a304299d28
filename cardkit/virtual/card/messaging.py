"""Secure messaging: MAC and encryption of command data (PBOC 2.0 book 5).

MAC: initial vector = the challenge, input = CLA INS P1 P2 Lc ‖ data as sent, padded with 80 00...
always; the first 4 bytes. Encryption: ECB of length ‖ data, padded only when it does not fill its
blocks. With the key itself (`DIRECT`) that is the retail MAC and 3DES; with a process key of 8
bytes from key and challenge (`PROCESS`) it is the CBC-MAC and DES.
"""

from __future__ import annotations

from enum import Enum

from cardkit.crypto.des import decrypt_ecb
from cardkit.crypto.mac import cbc_mac, retail_mac
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.crypto.ssc import process_key
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


class Channel:
    """One protected command: key, challenge, and what they are used for.

    Parameters
    ----------
    key : Key
        Its tries count wrong MACs.
    derivation : Derivation
        Rule for this command.
    """

    def __init__(self, key: Key, derivation: Derivation) -> None:
        self._key = key
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
        self._iv = session.take_challenge()
        spend_try(memory, self._key)
        if self._derivation is Derivation.PROCESS:
            self._secret = process_key(self._key.secret, self._iv)
        if sent != self.mac(request.header + data):
            raise Refusal(status.MAC_WRONG)
        restore_tries(memory, self._key)
        return data

    def mac(self, data: bytes) -> bytes:
        """First 4 bytes of the MAC under this command's key and vector."""
        rule = cbc_mac if len(self._secret) == 8 else retail_mac
        return rule(self._secret, method2(data), self._iv)[:MAC_LENGTH]

    def decrypt(self, data: bytes) -> bytes:
        """Open an encrypted field under this command's key."""
        return decrypt_field(self._secret, data)


def decrypt_field(key: bytes, data: bytes) -> bytes:
    """Data of ECB(length ‖ data ‖ padding); 6700 for odd blocks, 6A80 for a wrong inside."""
    require(data and len(data) % 8 == 0, status.WRONG_LENGTH)
    plain = decrypt_ecb(key, data)
    content = plain[1 : 1 + plain[0]]
    whole = method2_if_needed(plain[:1] + content)
    require(len(content) == plain[0] and whole == plain, status.WRONG_DATA)
    return content
