"""Compressed numeric ("cn", BCD): two digits a byte, filled on the right with F.

Source of the rule: ISO 7816-4 / PBOC 2.0 book 5 "cn"; for the social-security card card.md 2.3,
reproduced in docs/card-files.md.
"""

from __future__ import annotations

_HEX = frozenset("0123456789ABCDEF")


def encode(digits: str, length: int) -> bytes:
    """Pack decimal digits, left to right, filled with F.

    Parameters
    ----------
    digits : str
        ``0``-``9`` and, for institution numbers that use it, ``A``-``F``.
    length : int
        Bytes of the result.

    Raises
    ------
    ValueError
        A character is no hexadecimal digit, or there are more than ``2 * length``.

    Examples
    --------
    >>> encode("20101001", 4).hex()
    '20101001'
    >>> encode("123", 3).hex()
    '123fff'
    """
    if not _HEX.issuperset(digits):
        raise ValueError("only digits can be packed")
    if len(digits) > 2 * length:
        raise ValueError(f"{len(digits)} digits do not fit into {length} bytes")
    return bytes.fromhex(digits.ljust(2 * length, "F"))


def decode(data: bytes) -> str:
    """Unpack digits, without the F on the right.

    Examples
    --------
    >>> decode(bytes.fromhex("123FFF"))
    '123'
    """
    return data.hex().upper().rstrip("F")
