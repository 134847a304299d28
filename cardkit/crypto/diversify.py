"""PBOC key diversification: a child key from a parent and an 8-byte factor.

K' = 3DES_K(F) ‖ 3DES_K(NOT F), ECB, no parity adjustment (PBOC 2.0 book 5 annex D.3). Several
levels repeat the rule, from the issuer down to the card.
"""

from __future__ import annotations

import functools

from cardkit.crypto.des import encryptor

FACTOR_LENGTH = 8
_INVERT = bytes(255 - b for b in range(256))


def complement(factor: bytes) -> bytes:
    """NOT of every bit."""
    return factor.translate(_INVERT)


def diversify(key: bytes, *factors: bytes) -> bytes:
    """Apply the rule once per factor, issuer first.

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


def _level(key: bytes, factor: bytes) -> bytes:
    if len(factor) != FACTOR_LENGTH:
        raise ValueError(f"a factor has {FACTOR_LENGTH} bytes, not {len(factor)}")
    return encryptor(key).update(factor + complement(factor))


def diversify_many(key: bytes, factors: bytes) -> bytes:
    """Diversify one parent with many factors in one pass.

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
    if len(factors) % FACTOR_LENGTH:
        raise ValueError("factors are 8 bytes each")
    return encryptor(key).update(interleave(factors))


def interleave(factors: bytes) -> bytes:
    """F1 ‖ NOT F1 ‖ F2 ‖ NOT F2 ..., the blocks that a bulk ECB call takes."""
    inverted = complement(factors)
    blocks = (
        factors[at : at + FACTOR_LENGTH] + inverted[at : at + FACTOR_LENGTH]
        for at in range(0, len(factors), FACTOR_LENGTH)
    )
    return b"".join(blocks)
