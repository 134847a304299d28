"""SM4 (GM/T 0002, GB/T 32907): the one place that touches the cipher of `cryptography`."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from cardkit.crypto.bits import whole_blocks

BLOCK = 16


def _cipher_key(key: bytes) -> SM4:
    if len(key) != BLOCK:
        raise ValueError("an SM4 key has 16 bytes")
    return SM4(key)


def encryptor(key: bytes) -> CipherContext:
    """Return an ECB context that can be reused for any number of blocks under one key."""
    return Cipher(_cipher_key(key), modes.ECB()).encryptor()  # noqa: S305 - the cards' own mode


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """SM4-ECB; ``data`` is a multiple of 16 bytes, no padding is added.

    Examples
    --------
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> encrypt_ecb(key, key).hex()  # GM/T 0002 annex A.1
    '681edf34d206965e86b3e94f536e4246'
    """
    return encryptor(key).update(whole_blocks(data, BLOCK))


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_ecb`."""
    cipher = Cipher(_cipher_key(key), modes.ECB())  # noqa: S305
    return cipher.decryptor().update(whole_blocks(data, BLOCK))


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """SM4-CBC without padding; ``iv`` of 16 bytes."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.encryptor().update(whole_blocks(data, BLOCK))


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_cbc`."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.decryptor().update(whole_blocks(data, BLOCK))


def encrypt_repeatedly(key: bytes, block: bytes, times: int) -> bytes:
    """Encrypt one block again and again; an example of the standard does it 1,000,000 times.

    Examples
    --------
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> encrypt_repeatedly(key, key, 2) == encrypt_ecb(key, encrypt_ecb(key, key))
    True
    """
    if len(block) != BLOCK or times < 1:
        raise ValueError("one block, once at least")
    update = encryptor(key).update
    for _ in range(times):
        block = update(block)
    return block
