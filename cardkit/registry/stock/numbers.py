"""Numbers printed on things, and ranges of them.

A number is a series (whatever stands before its last digits) and those digits; a range has one
series and one width. Pre-printed cards end with a check character, which is checked and left out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cardkit.codec.numbers import is_card_number
from cardkit.registry.numbering import card_number
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind

MOST = 1_000_000
"""Pieces of one move: more is a slip of the pen."""

_NUMBER = re.compile(r"([A-Z0-9./-]*?)([0-9]{1,15})", re.ASCII)


class Range(NamedTuple):
    """Numbers `first` to `last` of a series, both included.

    Parameters
    ----------
    width : int
        Digits, with leading zeros.
    """

    series: str
    first: int
    last: int
    width: int

    @property
    def size(self) -> int:
        """How many."""
        return self.last - self.first + 1

    def shown(self, kind: Kind) -> str:
        """As people write it.

        Examples
        --------
        >>> Range("SJ", 7, 9, 6).shown(Kind("receipt", "收款收据", numbered=True))
        'SJ000007-SJ000009'
        """
        first, last = (number_text(kind, self.series, n, self.width) for n in self[1:3])
        return first if first == last else f"{first}-{last}"


def number_text(kind: Kind, series: str, number: int, width: int) -> str:
    """A number as it is printed."""
    if kind.checked:
        return card_number(series, number)
    return f"{series}{number:0{width}d}"


def parse_range(kind: Kind, first: str, last: str = "") -> Range:
    """The range from `first` to `last`; one number without `last`.

    Raises
    ------
    StockError
        No number of this kind, a wrong check character, two series, or the wrong way round.

    Examples
    --------
    >>> parse_range(Kind("receipt", "收款收据", numbered=True), "SJ000001", "SJ000100").size
    100
    """
    low = _parse(kind, first)
    high = _parse(kind, last) if last else low
    if (low.series, low.width) != (high.series, high.width):
        raise _wrong(f"{first} and {last} are not of one series")
    if high.first < low.first:
        raise _wrong(f"{last} comes before {first}")
    found = Range(low.series, low.first, high.first, low.width)
    if found.size > MOST:
        raise _wrong(f"{found.size} pieces in one move: {MOST} at most")
    return found


def _parse(kind: Kind, text: str) -> Range:
    text = text.strip().upper()
    if kind.checked:
        if not is_card_number(text):
            raise _wrong(f"{text} is not a card number: its check character is wrong")
        text = text[:-1]
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise _wrong(f"{text!r} is not a number that stock can count")
    digits = match[2]
    return Range(match[1], int(digits), int(digits), len(digits))


def _wrong(what: str) -> StockError:
    return StockError(
        "number",
        what,
        hint="give first and last number as they are printed",
        zh=f"编号不对（{what}）：请照印刷的起止号码填写",
    )


def ranges(numbers: list[tuple[str, int, int]]) -> list[Range]:
    """Sorted (series, width, number) closed up to ranges.

    Examples
    --------
    >>> ranges([("A", 3, 1), ("A", 3, 2), ("A", 3, 4)])
    [Range(series='A', first=1, last=2, width=3), Range(series='A', first=4, last=4, width=3)]
    """
    found: list[Range] = []
    for series, width, number in numbers:
        before = found[-1] if found else None
        if before and (before.series, before.width, before.last + 1) == (series, width, number):
            found[-1] = before._replace(last=number)
        else:
            found.append(Range(series, number, number, width))
    return found
