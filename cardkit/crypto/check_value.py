"""Key check values (KCV): what may be shown of a key.

Four conventions live side by side, and none can be told from its bytes: the key's algorithm and the
place where the value was written decide.
"""

from __future__ import annotations

from cardkit.crypto import aes, sm4
from cardkit.crypto.des import encrypt_ecb


def check_value_3des(key: bytes, length: int = 3) -> bytes:
    """3DES_K(00 × 8), the first ``length`` bytes.

    3 for PBOC DGI 9000, GlobalPlatform and Visa; 4 or 8 in terminals and HSMs; 2 in EMV test tools.

    Examples
    --------
    >>> check_value_3des(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")).hex()
    '08d7b4'
    """
    return _first(encrypt_ecb(key, bytes(8)), length, least=2)


def check_value_gp_aes(key: bytes) -> bytes:
    """AES_K(01 × 16), 3 bytes (GlobalPlatform card specification amendment D).

    Examples
    --------
    >>> check_value_gp_aes(bytes.fromhex("404142434445464748494A4B4C4D4E4F")).hex()
    '504a77'
    """
    return aes.encrypt_ecb(key, b"\x01" * 16)[:3]


def check_value_cmac_aes(key: bytes, length: int = 5) -> bytes:
    """CMAC of nothing, 5 bytes (ANSI X9.24-1:2017 annex A; TR-31 with AES); 3 to 8 on paper.

    Examples
    --------
    >>> check_value_cmac_aes(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")).hex()
    'bb1d6929e9'
    """
    return _first(aes.cmac(key, b""), length, least=3)


def check_value_sm4(key: bytes, length: int = 3) -> bytes:
    """SM4_K(00 × 16), the first 3 to 8 bytes: practice of Chinese HSMs, medium.

    Examples
    --------
    >>> check_value_sm4(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), 8).hex()
    '2677f46b09c122cc'
    """
    return _first(sm4.encrypt_ecb(key, bytes(16)), length, least=3)


def _first(value: bytes, length: int, *, least: int) -> bytes:
    # A shorter value would let every key through, a longer one gives the key's work away.
    if not least <= length <= 8:
        raise ValueError(f"a check value has {least} to 8 bytes")
    return value[:length]
