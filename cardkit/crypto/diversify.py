"""PBOC key diversification: a child key from a parent and an 8-byte factor.

3DES: K' = 3DES_K(F) ‖ 3DES_K(NOT F), ECB, no parity adjustment (PBOC 2.0 book 5 annex D.3).
SM4: K' = SM4_K(F ‖ NOT F), one block (as PBOC 3.0 cards and two HSM clients do it; medium).
Several levels repeat the rule, from the issuer down to the card. Both take the same blocks, so that
a bulk derivation is one ECB call.
"""

from __future__ import annotations

import functools

from cardkit.crypto import sm4
from cardkit.crypto.bits import complement
from cardkit.crypto.des import encryptor

FACTOR_LENGTH = 8


def diversify(key: bytes, *factors: bytes) -> bytes:
    """Apply the 3DES rule once per factor, issuer first.

    Parameters
    ----------
    key : bytes
        16 bytes.
    *factors : bytes
        8 bytes each, e.g. province, city, card.

    Examples
    --------
    >>> key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    >>> diversify(key, bytes.fromhex("1122334455667788")).hex()
    '496bd7a3513644533100b54e71196528'
    """
    return functools.reduce(_level, factors, key)


def diversify_sm4(key: bytes, *factors: bytes) -> bytes:
    """Apply the SM4 rule once per factor, issuer first.

    Examples
    --------
    >>> key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    >>> diversify_sm4(key, bytes.fromhex("1122334455667788")).hex()
    '7904dc533e8bca0c93d3c36dc8328866'
    """
    return functools.reduce(_level_sm4, factors, key)


def _level(key: bytes, factor: bytes) -> bytes:
    return encryptor(key).update(_block(factor))


def _level_sm4(key: bytes, factor: bytes) -> bytes:
    return sm4.encryptor(key).update(_block(factor))


def _block(factor: bytes) -> bytes:
    if len(factor) != FACTOR_LENGTH:
        raise ValueError(f"a factor has {FACTOR_LENGTH} bytes, not {len(factor)}")
    return factor + complement(factor)


def diversify_many(key: bytes, factors: bytes) -> bytes:
    """Diversify one parent with many factors in one pass, 3DES.

    Parameters
    ----------
    key : bytes
        16 bytes.
    factors : bytes
        8 bytes a card, concatenated.

    Returns
    -------
    bytes
        16 bytes a card, in the order of the factors.

    Examples
    --------
    >>> key = bytes(range(16))
    >>> two = diversify_many(key, b"AAAAAAAA" + b"BBBBBBBB")
    >>> two == diversify(key, b"AAAAAAAA") + diversify(key, b"BBBBBBBB")
    True
    """
    return encryptor(key).update(interleave(factors))


def diversify_many_sm4(key: bytes, factors: bytes) -> bytes:
    """Diversify one parent with many factors in one pass, SM4; as `diversify_many`."""
    return sm4.encryptor(key).update(interleave(factors))


def interleave(factors: bytes) -> bytes:
    """F1 ‖ NOT F1 ‖ F2 ‖ NOT F2 ..., the blocks that a bulk ECB call takes."""
    if len(factors) % FACTOR_LENGTH:
        raise ValueError("factors are 8 bytes each")
    inverted = complement(factors)
    blocks = (
        factors[at : at + FACTOR_LENGTH] + inverted[at : at + FACTOR_LENGTH]
        for at in range(0, len(factors), FACTOR_LENGTH)
    )
    return b"".join(blocks)
