"""Short forms that let a declaration read like the table it comes from."""

from __future__ import annotations

import dataclasses

from cardkit.card.files.codings import AMOUNT, BYTES, DATE, DIGITS, MONEY, TEXT
from cardkit.card.files.model import Confidence, Item, KeySlot, KeyType, Level


def _guessed(name: str) -> Confidence:
    # The sources give tag, type and length; a name for an item of DF01-DF04 is our reading of them.
    return Confidence.INFERRED if name else Confidence.HIGH


def an(tag: int, length: int, name: str = "", chinese: str = "") -> Item:
    """Text."""
    return Item(tag, length, TEXT, name, chinese, _guessed(name))


def cn(tag: int, length: int, name: str = "", chinese: str = "") -> Item:
    """Digits."""
    return Item(tag, length, DIGITS, name, chinese, _guessed(name))


def date(tag: int, name: str, chinese: str) -> Item:
    """Day."""
    return Item(tag, 4, DATE, name, chinese, _guessed(name))


def dec(tag: int, length: int, name: str = "", chinese: str = "") -> Item:
    """Money in fen, BCD."""
    return Item(tag, length, MONEY, name, chinese, _guessed(name))


def hexa(tag: int, length: int, name: str = "", chinese: str = "") -> Item:
    """Money in fen, binary."""
    return Item(tag, length, AMOUNT, name, chinese, _guessed(name))


def b(tag: int, length: int, name: str = "", chinese: str = "") -> Item:
    """Raw bytes."""
    return Item(tag, length, BYTES, name, chinese, _guessed(name))


MASTER_KEY = KeySlot("MK", 0x00, KeyType.MASTER, "主控密钥")


def of_one_source(*slots: KeySlot) -> tuple[KeySlot, ...]:
    """Key slots whose identifiers only one good source tells."""
    return tuple(dataclasses.replace(slot, confidence=Confidence.MEDIUM) for slot in slots)


def stk(kid: int) -> KeySlot:
    """Secure-messaging key."""
    return KeySlot("STK", kid, KeyType.SECURE_MESSAGING, "安全报文密钥")


def external(name: str, kid: int, chinese: str = "") -> KeySlot:
    """A key that opens something by EXTERNAL AUTHENTICATE."""
    return KeySlot(name, kid, KeyType.EXTERNAL, chinese)


PIN_SLOT = KeySlot("PIN", Level.FREE, KeyType.PIN, "个人密码")
