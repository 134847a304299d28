"""Message authentication codes of ISO/IEC 9797-1 with DES, and the CBC-MAC of SM4 cards."""

from __future__ import annotations

from cardkit.crypto import sm4
from cardkit.crypto.des import decrypt_ecb, encrypt_cbc, encrypt_ecb

ZERO_IV = bytes(8)


def cbc_mac(key: bytes, padded: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Algorithm 1: last block of a CBC chain; ``key`` of 8 bytes, input already padded."""
    return encrypt_cbc(key, iv, padded)[-8:]


def retail_mac(key: bytes, padded: bytes, iv: bytes = ZERO_IV) -> bytes:
    """Algorithm 3 (ANSI X9.19): DES chain with the left half, last block through both halves.

    Parameters
    ----------
    key : bytes
        16 bytes.
    padded : bytes
        Multiple of 8 bytes, padded by the caller.
    iv : bytes
        8 bytes.

    Returns
    -------
    bytes
        8 bytes; callers truncate.

    Examples
    --------
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> retail_mac(key, b"Now is the time for it" + bytes(2)).hex()
    '2e2b1428cc78254f'
    """
    if len(key) != 16:
        raise ValueError("the key of a retail MAC has 16 bytes")
    chain = cbc_mac(key[:8], padded, iv)
    return encrypt_ecb(key[:8], decrypt_ecb(key[8:], chain))


def cbc_mac_sm4(key: bytes, padded: bytes, iv: bytes = bytes(16)) -> bytes:
    """Last block of an SM4-CBC chain, 16 bytes; callers truncate or fold it.

    Examples
    --------
    >>> cbc_mac_sm4(bytes(16), bytes(16)) == sm4.encrypt_ecb(bytes(16), bytes(16))
    True
    """
    return sm4.encrypt_cbc(key, iv, padded)[-16:]
