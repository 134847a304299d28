"""The rules of `cardkit.codec.numbers` and `cardkit.codec.text` for whole columns at once.

The only module that needs numpy. Each function agrees with the scalar rule it speeds up; a test
compares them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cardkit.codec.numbers import CITIZEN_CHECKS, CITIZEN_WEIGHTS, OLDEST_YEARS
from cardkit.codec.text import width

Mask = NDArray[np.bool_]

_WEIGHTS = np.array(CITIZEN_WEIGHTS, dtype=np.int16)
_CHECKS = np.frombuffer(CITIZEN_CHECKS.encode(), dtype=np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)
_BLOCK = 16_384  # texts widened to code points at a time
_TWO_BYTES = bytes(
    byte
    for lead in range(0x81, 0xFF)
    for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF))
    for byte in (lead, trail)
)


def _mask(values: object) -> Mask:
    # numpy's stubs lose the type of comparisons.
    return np.asarray(values, dtype=np.bool_)


def _numeric(digits: NDArray[np.int16]) -> Mask:
    return _mask(((digits >= 0) & (digits <= 9)).all(axis=1))


def citizen_numbers_are_right(numbers: Sequence[str], today: dt.date) -> Mask:
    """For each citizen number, whether `parse_citizen_number` would accept it.

    Parameters
    ----------
    numbers : sequence of str
        Any texts.
    today : date
        The last day a person can have been born.
    """
    shaped = [n if len(n) == 18 and n.isascii() else "0" * 18 for n in numbers]
    characters = np.frombuffer("".join(shaped).encode(), dtype=np.uint8).reshape(-1, 18)
    digits = characters[:, :17].astype(np.int16) - ord("0")
    numeric = _numeric(digits) & (digits[:, 0] != 0)
    digits[~numeric] = 0
    checks = _CHECKS[(digits @ _WEIGHTS) % 11] == characters[:, 17]
    return _mask(numeric & checks & _days_are_right(digits[:, 6:14].astype(np.int32), today))


def _days_are_right(digits: NDArray[np.int32], today: dt.date) -> Mask:
    year = digits[:, :4] @ np.array([1000, 100, 10, 1], dtype=np.int32)
    month = digits[:, 4] * 10 + digits[:, 5]
    day = digits[:, 6] * 10 + digits[:, 7]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.where(month <= 12, month, 0)] + (leap & (month == 2))
    written = year * 10_000 + month * 100 + day
    latest = today.year * 10_000 + today.month * 100 + today.day
    earliest = max(today.year - OLDEST_YEARS, 1)
    return _mask((day >= 1) & (day <= days) & (written <= latest) & (year >= earliest))


def bank_card_numbers_are_right(numbers: Sequence[str]) -> Mask:
    """For each number, whether it has 16 to 19 digits and a right check digit (Luhn)."""
    shaped = [n.zfill(19) if 16 <= len(n) <= 19 and n.isascii() else "x" * 19 for n in numbers]
    characters = np.frombuffer("".join(shaped).encode(), dtype=np.uint8).reshape(-1, 19)
    digits = characters.astype(np.int16) - ord("0")
    doubled = 2 * digits[:, 1::2]
    total = digits[:, 0::2].sum(axis=1) + (doubled // 10 + doubled % 10).sum(axis=1)
    return _mask(_numeric(digits) & (total % 10 == 0))


@cache
def _widths() -> NDArray[np.uint8]:
    """Bytes in GB18030 by code point, 0 for whatever has not one or two."""
    table = np.zeros(0x10000, dtype=np.uint8)
    for character in {*map(chr, range(0x80)), *_TWO_BYTES.decode("gb18030")}:
        table[ord(character)] = width(character)
    return table


def short_texts(texts: Sequence[str], limit: int) -> Mask:
    """For each text, whether it has one- and two-byte characters only and at most ``limit`` bytes.

    What is not short needs a closer look; it may still be right.
    """
    parts = [_short(texts[at : at + _BLOCK], limit) for at in range(0, len(texts), _BLOCK)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)


def _short(texts: Sequence[str], limit: int) -> Mask:
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(joined, dtype=np.uint32)
    widths = _widths()[np.minimum(points, 0xFFFF)]
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    return _mask((_sums(widths == 0, ends) == 0) & (_sums(widths, ends) <= limit))


def _sums(
    values: NDArray[np.bool_] | NDArray[np.uint8], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    totals = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    return np.diff(totals[ends], prepend=0)
