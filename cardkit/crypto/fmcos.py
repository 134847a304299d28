"""Authentication and PIN reload of FMCOS cards (manual of FMCOS 2.0): direct keys, no process key.

Keys of 8 bytes are single DES, keys of 16 bytes 3DES.
"""

from __future__ import annotations

from cardkit.crypto.bits import xor
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import cbc_mac
from cardkit.crypto.padding import method2

MAC_LENGTH = 4


def external_authentication(key: bytes, challenge: bytes) -> bytes:
    """E_K(challenge), a challenge of 4 bytes filled with 00.

    Examples
    --------
    >>> key = bytes.fromhex("0102030405060708")
    >>> external_authentication(key, bytes.fromhex("BB83BFF3")).hex()
    '74b0047dd681d96c'
    """
    if len(challenge) not in (4, 8):
        raise ValueError("a challenge has 4 or 8 bytes")
    return encrypt_ecb(key, challenge + bytes(8 - len(challenge)))


def internal_mac(key: bytes, data: bytes) -> bytes:
    """Answer of INTERNAL AUTHENTICATE in MAC mode, 4 bytes: DES CBC-MAC, padded always.

    Examples
    --------
    >>> key = bytes.fromhex("1122334455667788")
    >>> internal_mac(key, bytes.fromhex("0102030405060708")).hex()
    'a82a8ceb'
    """
    return cbc_mac(key, method2(data))[:MAC_LENGTH]


def pin_reload_mac(key: bytes, pin: bytes) -> bytes:
    """MAC of RELOAD PIN (805E), 4 bytes over the new PIN.

    Parameters
    ----------
    key : bytes
        Reload key, 16 bytes; the XOR of its halves makes the single-DES key.
    pin : bytes
        New PIN as in the command.
    """
    if len(key) != 16:
        raise ValueError("a reload key has 16 bytes")
    return cbc_mac(xor(key[:8], key[8:]), method2(pin))[:MAC_LENGTH]
