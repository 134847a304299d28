"""The one place that touches the 3DES of the `cryptography` package (FIPS 46-3, GB/T 17964 modes).

The package keeps 3DES in its ``decrepit`` module and warns for keys of 8 and 16 bytes, so keys are
always passed as 24 bytes: K1‖K2‖K1 for double length, K‖K‖K for single DES. Parity bits are taken
as they come and never set: PBOC keys are used as raw data elsewhere.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes

from cardkit.crypto.bits import whole_blocks

BLOCK = 8
_PARITY_OFF = bytes(b & 0xFE for b in range(256))


def _cipher_key(key: bytes) -> TripleDES:
    if len(key) == 16:
        return TripleDES(key + key[:8])
    if len(key) == 8:
        return TripleDES(key * 3)
    if len(key) == 24:
        return TripleDES(key)
    raise ValueError("a DES key has 8, 16 or 24 bytes")


def encryptor(key: bytes) -> CipherContext:
    """Return an ECB context that can be reused for any number of blocks under one key."""
    return Cipher(_cipher_key(key), modes.ECB()).encryptor()  # noqa: S305 - the cards' own mode


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """3DES-ECB (DES for an 8-byte key); ``data`` is a multiple of 8 bytes, no padding is added.

    Examples
    --------
    >>> encrypt_ecb(bytes.fromhex("0123456789ABCDEF"), b"Now is t").hex()  # FIPS 81 table B1
    '3fa40e8a984d4815'
    """
    return encryptor(key).update(whole_blocks(data, BLOCK))


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_ecb`."""
    cipher = Cipher(_cipher_key(key), modes.ECB())  # noqa: S305
    return cipher.decryptor().update(whole_blocks(data, BLOCK))


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """3DES-CBC (DES for an 8-byte key) without padding."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.encryptor().update(whole_blocks(data, BLOCK))


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_cbc`."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.decryptor().update(whole_blocks(data, BLOCK))


def same_key(one: bytes, other: bytes) -> bool:
    """Whether two DES keys differ in parity bits at most.

    HSMs and EMV libraries set odd parity on what they derive, PBOC cards do not: the key is the
    same, its bytes are not.

    Examples
    --------
    >>> same_key(bytes.fromhex("946DC1A8C78A6245"), bytes.fromhex("946CC0A9C68B6244"))
    True
    """
    return one.translate(_PARITY_OFF) == other.translate(_PARITY_OFF)
