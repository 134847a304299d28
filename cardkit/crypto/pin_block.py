"""PIN blocks of ISO 9564-1, formats 0, 2, 3 and 4.

The PIN of a social-security card is not one of these: it is BCD filled with F (card.md 6).
Random fill comes from the caller.
"""

from __future__ import annotations

from cardkit.crypto import aes
from cardkit.crypto.bits import xor

_BLOCK_DIGITS = 16
_FILL_3 = frozenset("ABCDEF")


def format0(pin: str, pan: str) -> bytes:
    """Format 0 (ANSI X9.8), 8 bytes: 0L PIN FF... XOR 0000 ‖ 12 digits of the PAN.

    Parameters
    ----------
    pin : str
        4 to 12 digits.
    pan : str
        At least 13 digits; the 12 before the check digit count.

    Examples
    --------
    >>> format0("123456789012", "5555555551234567").hex()
    '0c1261032d8226a9'
    """
    return xor(_pin_field("0", pin, "F" * (14 - len(pin))), _pan_field(pan))


def format2(pin: str) -> bytes:
    """Format 2, 8 bytes: 2L PIN FF...; offline PIN, DGI 8010.

    Examples
    --------
    >>> format2("1234").hex()
    '241234ffffffffff'
    """
    return _pin_field("2", pin, "F" * (14 - len(pin)))


def format3(pin: str, pan: str, fill: str) -> bytes:
    """Format 3, 8 bytes: as format 0 with random fill.

    Parameters
    ----------
    fill : str
        One of A to F for each of the 14 places the PIN leaves.

    Examples
    --------
    >>> format3("1234", "5555555551234567", "FFFFFFFFFF").hex()
    '341261aaaaedcba9'
    """
    if not _FILL_3.issuperset(fill):
        raise ValueError("fill consists of A to F")
    return xor(_pin_field("3", pin, fill), _pan_field(pan))


def format4(key: bytes, pin: str, pan: str, random: bytes) -> bytes:
    r"""Format 4, 16 bytes, encrypted: AES(AES(4L PIN AA... ‖ random) XOR (M ‖ PAN ‖ 00...)).

    Parameters
    ----------
    key : bytes
        AES key, 16, 24 or 32 bytes.
    pan : str
        1 to 19 digits, all of them.
    random : bytes
        8 bytes.

    Examples
    --------
    >>> key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    >>> format4(key, "1234", "1234567890123456789", b"\xff" * 8).hex()
    '28b41fddd29b743e93124bd8e32d921e'
    """
    if len(random) != 8 or not _is_number(pan) or len(pan) > 19:
        raise ValueError("random fill has 8 bytes, a PAN 1 to 19 digits")
    once = aes.encrypt_ecb(key, _pin_field("4", pin, "A" * (14 - len(pin))) + random)
    account = f"{max(len(pan) - 12, 0)}{pan.rjust(12, '0')}".ljust(32, "0")
    return aes.encrypt_ecb(key, xor(once, bytes.fromhex(account)))


def _pin_field(control: str, pin: str, fill: str) -> bytes:
    if not 4 <= len(pin) <= 12 or not _is_number(pin):
        raise ValueError("a PIN has 4 to 12 digits")
    field = f"{control}{len(pin):X}{pin}{fill}"
    if len(field) != _BLOCK_DIGITS:
        raise ValueError("the fill does not fit the PIN")
    return bytes.fromhex(field)


def _pan_field(pan: str) -> bytes:
    if not 13 <= len(pan) <= 19 or not _is_number(pan):
        raise ValueError("a PAN has 13 to 19 digits here")
    return bytes.fromhex("0000" + pan[-13:-1])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
