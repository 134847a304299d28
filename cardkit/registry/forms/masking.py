"""What of a personal number stands on a paper that others will see."""

from __future__ import annotations


def masked(number: str, first: int = 6, last: int = 4) -> str:
    """A number with its middle hidden.

    Examples
    --------
    >>> masked("639900199001010015"), masked("13900001234", 3), masked("1234567"), masked("")
    ('639900********0015', '139****1234', '*******', '')
    """
    hidden = len(number) - first - last
    if hidden <= 0:
        return "*" * len(number)
    return number[:first] + "*" * hidden + number[-last:]


def masked_name(name: str) -> str:
    """A name as the answer to a check shows it: family name only.

    Examples
    --------
    >>> masked_name("王小明"), masked_name("")
    ('王**', '')
    """
    return name[:1] + "**" if name else ""
