"""Code 128 (ISO/IEC 15417), code set B: the card number as bars that any scanner reads."""

from __future__ import annotations

_WIDTHS = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312",
    "132212", "221213", "221312", "231212", "112232", "122132", "122231", "113222",
    "123122", "123221", "223211", "221132", "221231", "213212", "223112", "312131",
    "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321",
    "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121",
    "313121", "211331", "231131", "213113", "213311", "213131", "311123", "311321",
    "331121", "312113", "312311", "332111", "314111", "221411", "431111", "111224",
    "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112",
    "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113",
    "114311", "411113", "411311", "113141", "114131", "311141", "411131", "211412",
    "211214", "211232",
]  # fmt: skip
"""Widths of bars and spaces in turn, by symbol value 0 to 105."""

_START_B = 104
_STOP = "2331112"
_MODULUS = 103
QUIET = 10
"""Modules of white that belong on both sides."""


def check_value(text: str) -> int:
    """Check symbol: the start value and each value times its place, modulo 103.

    Examples
    --------
    >>> check_value("PJJ123C")  # with start A, one less, it would be 54
    55
    """
    return (
        _START_B + sum(place * value for place, value in enumerate(_values(text), 1))
    ) % _MODULUS


def modules(text: str) -> str:
    """The bars: ``1`` black, ``0`` white, one character a module, without the quiet zones.

    Raises
    ------
    ValueError
        A character that code set B has not, or no text.

    Examples
    --------
    >>> modules("A")[:11], len(modules("A"))
    ('11010010000', 46)
    """
    if not text:
        raise ValueError("a bar code of nothing")
    symbols = (_START_B, *_values(text), check_value(text))
    widths = "".join(_WIDTHS[symbol] for symbol in symbols) + _STOP
    return "".join("10"[place % 2] * int(width) for place, width in enumerate(widths))


def _values(text: str) -> list[int]:
    values = [ord(character) - 32 for character in text]
    if any(not 0 <= value <= 95 for value in values):
        raise ValueError("code set B has printable ASCII only")
    return values
