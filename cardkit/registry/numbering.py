"""Numbers that are given out once and never again: card numbers and card id codes.

A *card number* (卡号) is eight digits or capitals and a check character (GB 11714); here a prefix
of the region and a running number. A *card id code* (卡识别码) is district(3, BCD) ||
``D156000005`` || serial(4) and, once the card is issued, a MAC(4).

The registry keeps one counter a prefix and one a district. Counters only go forward, in the same
transaction as the records that use the numbers; what another program or a factory took already is
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from cardkit.codec import bcd
from cardkit.codec.numbers import CARD_WEIGHTS
from cardkit.errors import UsageError

CARD_NUMBER_LENGTH = 8  # characters before the check character
ID_CODE_LENGTH = 12  # bytes without the MAC
SERIAL_LENGTH = 4  # bytes
REGISTERED_APPLICATION = bytes.fromhex("D156000005")

N = TypeVar("N", str, bytes)

_CHECKS = "0X987654321"  # 11 - (weighted sum mod 11), with 10 written X and 11 written 0
_HEAD = 5  # characters that stay the same for a thousand numbers

_PREFIX_CHARACTERS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which numbers a region gives to its cards.

    Parameters
    ----------
    card_prefix : str
        Zero to seven digits or capitals; the rest of the eight is the running number.
    card_first : int
        The lowest running number; a registry that has given it goes on behind its last one.
    serial_first : int
        The lowest chip serial, likewise.
    district : str
        Six digits (GB/T 2260), the first three bytes of the card id code.

    Raises
    ------
    UsageError
        One of them cannot be.
    """

    card_prefix: str
    card_first: int
    serial_first: int
    district: str

    def __post_init__(self) -> None:
        """Refuse settings that could not give a single correct number."""
        if len(self.card_prefix) >= CARD_NUMBER_LENGTH or not _PREFIX_CHARACTERS.issuperset(
            self.card_prefix
        ):
            raise UsageError(
                f"card number prefix {self.card_prefix!r} is not 0-7 digits or capitals",
                hint="set [numbers] in the profile",
                zh="卡号前缀不是0至7位数字或大写字母：请更正配置的 [numbers]",
            )
        if len(self.district) != 6 or not self.district.isdecimal():
            raise UsageError(
                f"district {self.district!r} is not six digits", hint="set [region] in the profile"
            )
        if self.card_first < 0 or self.serial_first < 0:
            raise UsageError("numbers start at 0 or above", hint="set [numbers] in the profile")

    @property
    def card_limit(self) -> int:
        """First running number that has no room behind the prefix."""
        return int(10 ** (CARD_NUMBER_LENGTH - len(self.card_prefix)))


@lru_cache(maxsize=4096)
def _weighted(part: str, at: int) -> int:
    return sum(w * int(c, 36) for w, c in zip(CARD_WEIGHTS[at:], part, strict=False))


def card_number(prefix: str, running: int) -> str:
    """Card number with its check character (GB 11714, as `cardkit.codec.numbers.card_check`).

    Made for a county at a time: neighbours share the sum over their first characters.

    Examples
    --------
    >>> card_number("X", 1)
    'X00000019'
    """
    body = prefix + str(running).zfill(CARD_NUMBER_LENGTH - len(prefix))
    return body + _CHECKS[(_weighted(body[:_HEAD], 0) + _weighted(body[_HEAD:], _HEAD)) % 11]


def id_code(district: str, serial: int) -> bytes:
    """The first twelve bytes of a card id code.

    Examples
    --------
    >>> id_code("639900", 0xBF7C7A).hex().upper()
    '639900D15600000500BF7C7A'
    """
    head = bcd.encode(district, 3) + REGISTERED_APPLICATION
    return head + serial.to_bytes(SERIAL_LENGTH, "big")


def draw(
    count: int,
    first: int,
    limit: int,
    make: Callable[[int], N],
    taken: Callable[[N, N], Iterable[N]],
    name: str,
) -> tuple[list[N], int]:
    """The next `count` free numbers from running number `first` on.

    Parameters
    ----------
    limit : int
        First running number that cannot be used.
    make : callable
        Running number → number.
    taken : callable
        Numbers in use from the lowest to the highest given, both included.
    name : str
        What runs out, for the error.

    Returns
    -------
    numbers, next
        `next` is the running number to begin with another time.

    Raises
    ------
    UsageError
        The range is exhausted.
    """
    found: list[N] = []
    running = first
    while missing := count - len(found):
        if running + missing > limit:
            raise UsageError(
                f"the {name} are used up: {missing} more are needed, {max(limit - running, 0)} "
                "are left",
                hint="give the profile a new range in [numbers]",
                zh="配置的号码段已用完：请在配置的 [numbers] 中设定新的号段",
            )
        block = [make(n) for n in range(running, running + missing)]
        running += missing
        used = set(taken(block[0], block[-1]))
        found += [number for number in block if number not in used] if used else block
    return found, running


def lot_name(lot_id: int) -> str:
    """How papers call a lot.

    Examples
    --------
    >>> lot_name(12)
    'L000012'
    """
    return f"L{lot_id:06d}"
