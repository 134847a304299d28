"""AES (FIPS 197) and its CMAC (RFC 4493), as GlobalPlatform and TR-31 use them."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from cardkit.crypto.bits import whole_blocks

BLOCK = 16


def _cipher_key(key: bytes) -> AES:
    if len(key) not in (16, 24, 32):
        raise ValueError("an AES key has 16, 24 or 32 bytes")
    return AES(key)


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """AES-ECB without padding.

    Examples
    --------
    >>> block = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    >>> encrypt_ecb(bytes(range(16)), block).hex()  # FIPS 197 annex C.1
    '69c4e0d86a7b0430d8cdb78070b4c55a'
    """
    cipher = Cipher(_cipher_key(key), modes.ECB())  # noqa: S305 - blocks of their own
    return cipher.encryptor().update(whole_blocks(data, BLOCK))


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CBC without padding; ``iv`` of 16 bytes."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.encryptor().update(whole_blocks(data, BLOCK))


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Inverse of `encrypt_cbc`."""
    cipher = Cipher(_cipher_key(key), modes.CBC(iv))
    return cipher.decryptor().update(whole_blocks(data, BLOCK))


def cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC, 16 bytes.

    Examples
    --------
    >>> cmac(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"), b"").hex()
    'bb1d6929e95937287fa37d129b756746'
    """
    code = CMAC(_cipher_key(key))
    code.update(data)
    return code.finalize()
