"""Card keys of bank applications (UDK, ICC master key) from PAN and sequence number.

EMV book 2 annex A1.4, options A and B; PBOC (JR/T 0025.7) uses option A. The blocks that the cipher
takes are those of `cardkit.crypto.diversify`: Y ‖ NOT Y. EMV tools set odd parity on the result,
this module does not: compare with `cardkit.crypto.des.same_key`.
"""

from __future__ import annotations

import hashlib

from cardkit.crypto.diversify import diversify, diversify_sm4

_DIGITS = 16
_LETTERS = str.maketrans("abcdef", "012345")


def option_a_block(pan: str, psn: str = "00") -> bytes:
    """Y of option A: the rightmost 16 digits of PAN ‖ PSN, filled with 0 on the left.

    Parameters
    ----------
    pan : str
        1 to 19 digits.
    psn : str
        2 digits, 00 when the card has none.

    Examples
    --------
    >>> option_a_block("6228000100001", "01").hex()
    '0622800010000101'
    """
    return bytes.fromhex(_number(pan, psn).rjust(_DIGITS, "0")[-_DIGITS:])


def option_b_block(pan: str, psn: str = "00") -> bytes:
    """Y of option B: 16 decimal digits of SHA-1(PAN ‖ PSN); up to 16 digits of PAN as option A.

    Where the digest has fewer than 16 decimal digits, its letters A-F follow as 0-5.

    Examples
    --------
    >>> option_b_block("12345678901234567", "45").hex()
    '8760370157480518'
    """
    if len(pan) <= _DIGITS:
        return option_a_block(pan, psn)
    number = _number(pan, psn)
    packed = bytes.fromhex(number.rjust(len(number) + len(number) % 2, "0"))
    # The digest only spreads the digits: nothing rests on its strength.
    digest = hashlib.sha1(packed, usedforsecurity=False).hexdigest()
    digits = "".join(d for d in digest if d.isdecimal())
    letters = "".join(d for d in digest if not d.isdecimal()).translate(_LETTERS)
    return bytes.fromhex((digits + letters)[:_DIGITS])


def option_a(imk: bytes, pan: str, psn: str = "00") -> bytes:
    """UDK by option A, 3DES, 16 bytes.

    Examples
    --------
    >>> imk = bytes.fromhex("F0C34A8124CEE0A91A0B034AA97D6EAC")
    >>> option_a(imk, "6228000100001", "01").hex()
    '014d996fcc8f49157dc8b49e3bcdfd99'
    """
    return diversify(imk, option_a_block(pan, psn))


def option_b(imk: bytes, pan: str, psn: str = "00") -> bytes:
    """UDK by option B, 3DES, 16 bytes."""
    return diversify(imk, option_b_block(pan, psn))


def option_a_sm4(imk: bytes, pan: str, psn: str = "00") -> bytes:
    """UDK of PBOC 3.0 with SM4: SM4(IMK, Y ‖ NOT Y); medium (JR/T 0025.17 governs)."""
    return diversify_sm4(imk, option_a_block(pan, psn))


def _number(pan: str, psn: str) -> str:
    digits = pan + psn
    if not 1 <= len(pan) <= 19 or len(psn) != 2 or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("a PAN has 1 to 19 digits, its sequence number 2")
    return digits
