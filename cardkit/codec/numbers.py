"""Numbers that carry a check digit: citizen number, card number, bank card number."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cardkit.codec.dates import parse_day

CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""2^(17-i) mod 11 for the seventeen digits of a citizen number (ISO 7064 MOD 11-2)."""

CITIZEN_CHECKS = "10X98765432"
"""Check character by the weighted sum mod 11."""

CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
"""Weights of the eight characters of a card number (GB 11714)."""

TEMPORARY_PREFIX = "L"
"""First character of the number on a temporary card 临时卡: one for each loan."""

BANK_CARD_LENGTHS = range(16, 20)
"""Digits of a bank card number."""

OLDEST_YEARS = 130
"""A birth date further back is taken for a mistake; the oldest known person lived 122 years."""

_DIGITS = frozenset("0123456789")
_CARD_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class NumberError(ValueError):
    """A number that cannot be right.

    Parameters
    ----------
    code : str
        ``form``, ``old_number``, ``birth_date``, ``birth_date_future`` or ``check_digit``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """What a citizen number says (GB 11643): six digits place, eight birth date, three sequence.

    ``sex`` is ``'1'`` (male, odd sequence) or ``'2'`` (female), as GB/T 2261.1 writes it.
    """

    district: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    sex: str = field(repr=False)


def citizen_check(first17: str) -> str:
    """Check character of a citizen number (GB 11643, ISO 7064 MOD 11-2).

    Raises
    ------
    NumberError
        Not seventeen digits.

    Examples
    --------
    >>> citizen_check("11010519491231002")
    'X'
    """
    if len(first17) != 17 or not _DIGITS.issuperset(first17):
        raise NumberError("form", "seventeen digits wanted")
    total = sum(w * int(d) for w, d in zip(CITIZEN_WEIGHTS, first17, strict=True))
    return CITIZEN_CHECKS[total % 11]


def parse_citizen_number(number: str, today: dt.date | None = None) -> CitizenNumber:
    """Take a citizen number apart, refusing one that cannot be right.

    Parameters
    ----------
    number : str
        Eighteen characters, the last a digit or ``X``.
    today : date, optional
        When given, birth dates after it, and those more than 130 years before it, are refused.

    Raises
    ------
    NumberError
        With the first of: wrong form, impossible birth date, wrong check digit.

    Examples
    --------
    >>> parse_citizen_number("11010519491231002X").sex
    '2'
    """
    if len(number) == 15 and _DIGITS.issuperset(number):
        raise NumberError("old_number", "a citizen number of the old form with 15 digits")
    if len(number) != 18 or not _DIGITS.issuperset(number[:17]) or number[0] == "0":
        raise NumberError("form", "a citizen number has 17 digits and a check character")
    birth_date = _birth_date(number[6:14], today)
    if citizen_check(number[:17]) != number[17]:
        raise NumberError("check_digit", "the check digit is wrong")
    return CitizenNumber(number[:6], birth_date, "1" if int(number[16]) % 2 else "2")


def _birth_date(digits: str, today: dt.date | None) -> dt.date:
    try:
        day = parse_day(digits)
    except ValueError:
        raise NumberError("birth_date", "the birth date is impossible") from None
    if today is not None and day > today:
        raise NumberError("birth_date_future", "the birth date is in the future")
    if today is not None and day.year < today.year - OLDEST_YEARS:
        raise NumberError("birth_date", "the birth date is too long ago")
    return day


def card_check(first8: str) -> str:
    """Check character of a card number 卡号 (card.md 8, the method of GB 11714).

    c = 11 - (sum of weight times value) mod 11, letters counting A = 10 ... Z = 35; 10 is written
    X and 11 is written 0.

    Raises
    ------
    NumberError
        Not eight digits or capitals.

    Examples
    --------
    >>> card_check("X0000001")
    '9'
    """
    if len(first8) != 8 or any(c not in _CARD_CHARACTERS for c in first8):
        raise NumberError("form", "eight digits or capital letters wanted")
    values = map(_CARD_CHARACTERS.index, first8)
    check = 11 - sum(w * v for w, v in zip(CARD_WEIGHTS, values, strict=True)) % 11
    return "X" if check == 10 else str(check % 11)


def is_card_number(number: str) -> bool:
    """Whether nine characters are a card number with the right check character.

    Examples
    --------
    >>> is_card_number("X00000019"), is_card_number("X00000018")
    (True, False)
    """
    if len(number) != 9 or any(c not in _CARD_CHARACTERS for c in number[:8]):
        return False
    return card_check(number[:8]) == number[8]


def luhn_check(digits: str) -> str:
    """Check digit that completes a bank card number (ISO/IEC 7812-1, Luhn).

    Raises
    ------
    NumberError
        Something else than digits.

    Examples
    --------
    >>> luhn_check("7992739871")
    '3'
    """
    if not digits or not _DIGITS.issuperset(digits):
        raise NumberError("form", "digits wanted")
    doubled = (2 * int(d) for d in reversed(digits[-1::-2]))
    total = sum(d // 10 + d % 10 for d in doubled) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def is_bank_card_number(number: str) -> bool:
    """Whether 16 to 19 digits end in the right check digit.

    Examples
    --------
    >>> is_bank_card_number("6200000000000005"), is_bank_card_number("6200000000000004")
    (True, False)
    """
    if len(number) not in BANK_CARD_LENGTHS or not _DIGITS.issuperset(number):
        return False
    return luhn_check(number[:-1]) == number[-1]
