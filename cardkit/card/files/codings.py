"""How the value of an item is written into its bytes (card.md 2.3, docs/card-files.md).

A value is a `str`, `int`, `bytes` or `datetime.date`; None stands for an item nobody has filled.
Every coding also reads its value from text, so that a column of a roster can supply any item.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cardkit.codec import bcd
from cardkit.codec.text import FOUR_BYTES, decode_text, encode_text

Value = str | int | bytes | dt.date | Mapping[str, "Value"] | None


@dataclass(frozen=True, slots=True)
class Coding:
    """One way to write values.

    Parameters
    ----------
    letters : str
        The abbreviation of the card specification: an, cn, b, dec, hex.
    encode : callable
        ``(value, length) -> bytes`` of exactly ``length``; raises ValueError.
    decode : callable
        The inverse.
    fill : int
        The byte an unfilled item consists of.
    """

    letters: str
    encode: Callable[[Value, int], bytes]
    decode: Callable[[bytes], Value]
    fill: int = 0x00


def _wrong(value: Value, wanted: str) -> ValueError:
    return ValueError(f"{wanted} wanted, not {type(value).__name__}")


def _encode_text(value: Value, length: int) -> bytes:
    if not isinstance(value, str):
        raise _wrong(value, "text")
    # What a place lets its cards carry is checked with the roster; a coding carries all it can.
    return encode_text(value, length, FOUR_BYTES)


def _encode_digits(value: Value, length: int) -> bytes:
    if not isinstance(value, str):
        raise _wrong(value, "digits")
    return bcd.encode(value, length)


def _encode_date(value: Value, length: int) -> bytes:
    if isinstance(value, str):
        value = dt.datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    if not isinstance(value, dt.date):
        raise _wrong(value, "a date")
    return bcd.encode(value.isoformat().replace("-", ""), length)


def _decode_date(data: bytes) -> Value:
    try:
        return dt.datetime.strptime(data.hex(), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return bcd.decode(data)


def _encode_money(value: Value, length: int) -> bytes:
    fen = int(value) if isinstance(value, str | int) else -1
    digits = str(fen)
    if fen < 0 or len(digits) > 2 * length:
        raise ValueError(f"an amount of at most {2 * length} digits, in fen, wanted")
    return bytes.fromhex(digits.rjust(2 * length, "0"))


def _encode_amount(value: Value, length: int) -> bytes:
    fen = int(value) if isinstance(value, str | int) else -1
    if not 0 <= fen < 1 << 8 * length:
        raise ValueError(f"an amount that fits {length} bytes, in fen, wanted")
    return fen.to_bytes(length, "big")


def _encode_bytes(value: Value, length: int) -> bytes:
    data = bytes.fromhex(value) if isinstance(value, str) else value
    if not isinstance(data, bytes):
        raise _wrong(value, "bytes")
    if len(data) > length:
        raise ValueError(f"{len(data)} bytes do not fit into {length}")
    return data.ljust(length, b"\x00")


TEXT = Coding("an", _encode_text, decode_text)
"""GB18030 text, filled with 00 on the right."""

DIGITS = Coding("cn", _encode_digits, bcd.decode, fill=0xFF)
"""BCD digits, filled with F on the right."""

DATE = Coding("cn", _encode_date, _decode_date, fill=0xFF)
"""BCD YYYYMMDD; bytes that are no date come back as their digits."""

MONEY = Coding("dec", _encode_money, lambda data: int(data.hex()))
"""Fen, BCD with two implied decimals, filled with 0 on the left."""

AMOUNT = Coding("hex", _encode_amount, lambda data: int.from_bytes(data, "big"))
"""Fen, big-endian binary."""

BYTES = Coding("b", _encode_bytes, lambda data: data)
"""Raw bytes, filled with 00 on the right."""
