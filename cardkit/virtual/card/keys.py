"""Keys and PIN of a directory file, with their try counters.

A key record has 24 bytes: type, id, version, change level, error count (high nibble: limit, low
nibble: tries left), algorithm, level, length, and 16 bytes of key filled with FF.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from cardkit.virtual.card import status
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.security import MASTER
from cardkit.virtual.card.status import Refusal, require

RECORD_LENGTH = 0x18
KEY_LENGTH = 0x10
HEADER_LENGTH = 8
COUNTER_SIZE = 1


class KeyType(IntEnum):
    """First byte of a key record."""

    MASTER = 0x00
    PIN = 0x01
    SECURE_MESSAGING = 0x07  # STK
    LOAD = 0x08  # DLK
    PURCHASE = 0x09  # DPK
    TAC = 0x0A  # DTK
    EXTERNAL = 0x0D  # UK, RK, PUK, BK, LK, DSK
    INTERNAL = 0x0E  # IRK


class Algorithm(IntEnum):
    """Sixth byte of a key record; for a PIN that byte is the level of the key that resets it."""

    TRIPLE_DES = 0x00
    DES = 0x01
    SM4 = 0x03


@dataclass(slots=True)
class Key:
    """One key or the PIN. Its value never shows in a repr."""

    type: int
    id: int
    version: int
    change: int
    limit: int
    left: int
    algorithm: int
    level: int
    length: int
    value: bytes = field(repr=False)

    @classmethod
    def parse(cls, record: bytes) -> Key:
        """Read a key record of 24 bytes; 6A80 when a field cannot be."""
        require(len(record) == RECORD_LENGTH, status.WRONG_DATA)
        kind, kid, version, change, count, algorithm, level, length = record[:HEADER_LENGTH]
        require(kind in KeyType._value2member_map_, status.WRONG_DATA)
        key = cls(
            kind, kid, version, change, count >> 4, count & 0xF, algorithm, level, length,
            record[HEADER_LENGTH:],
        )  # fmt: skip
        require(key.left <= key.limit and key._length_fits(), status.WRONG_DATA)
        return key

    def _length_fits(self) -> bool:
        if self.type == KeyType.PIN:
            return 2 <= self.length <= KEY_LENGTH and is_pin(pin_digits(self.value))
        if self.algorithm == Algorithm.DES:
            return self.length == KEY_LENGTH // 2
        known = self.algorithm in (Algorithm.TRIPLE_DES, Algorithm.SM4)
        return known and self.length == KEY_LENGTH

    def record(self) -> bytes:
        """The 24 bytes of the key record, with the counter as it is now."""
        count = self.limit << 4 | self.left
        head = (self.type, self.id, self.version, self.change, count)
        return bytes((*head, self.algorithm, self.level, self.length)) + self.value

    @property
    def secret(self) -> bytes:
        """The key proper: 16 bytes for 3DES and SM4, 8 for DES."""
        return self.value[: self.length]

    @property
    def is_sm4(self) -> bool:
        """Whether it works with SM4; a PIN has no algorithm."""
        return self.type != KeyType.PIN and self.algorithm == Algorithm.SM4

    @property
    def opens(self) -> int:
        """The level reached by presenting it."""
        return MASTER if self.type == KeyType.MASTER else self.level


def pin_digits(value: bytes) -> bytes:
    """Packed digits without the FF bytes that fill the field."""
    return value.rstrip(b"\xff")


def is_pin(digits: bytes) -> bool:
    """4 to 16 packed digits; the last nibble may be F for an odd number of them.

    Examples
    --------
    >>> is_pin(bytes.fromhex("123456")), is_pin(bytes.fromhex("12345F"))
    (True, True)
    >>> is_pin(bytes.fromhex("12")), is_pin(bytes.fromhex("1A34"))
    (False, False)
    """
    if not 2 <= len(digits) <= 8:
        return False
    text = digits.hex()
    return text.isdecimal() or (text[-1] == "f" and text[:-1].isdecimal())


def spend_try(memory: Memory, key: Key) -> None:
    """Take one try before comparing, for good: a power cut afterwards does not give it back."""
    require(key.left, status.BLOCKED)
    if memory.dirty:
        raise AssertionError("a try is spent before anything else is written")
    memory.assign(key, "left", key.left - 1, COUNTER_SIZE)
    memory.commit()


def restore_tries(memory: Memory, key: Key) -> None:
    """All tries again, after the right value was presented; a later refusal does not matter."""
    memory.assign(key, "left", key.limit, COUNTER_SIZE)
    memory.keep()


def prove(memory: Memory, key: Key, presented: bytes, expected: bytes) -> None:
    """Compare what was presented: 63Cx with the tries left when wrong, 6983 when none is left."""
    spend_try(memory, key)
    if presented != expected:
        raise Refusal(status.WRONG_TRIES | key.left)
    restore_tries(memory, key)
