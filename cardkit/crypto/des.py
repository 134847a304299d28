"""The one place that touches the 3DES of the `cryptography` package.

The package keeps 3DES in its ``decrepit`` module and warns for keys of 8 and 16 bytes, so keys are
always passed as 24 bytes: K1‖K2‖K1 for double length, K‖K‖K for single DES.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes


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
    """3DES-ECB (DES for an 8-byte key); ``data`` is a multiple of 8 bytes, no padding is added."""
    return encryptor(key).update(data)


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_ecb`."""
    return Cipher(_cipher_key(key), modes.ECB()).decryptor().update(data)  # noqa: S305


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """3DES-CBC (DES for an 8-byte key) without padding."""
    return Cipher(_cipher_key(key), modes.CBC(iv)).encryptor().update(data)
