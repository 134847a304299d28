"""Derivation in bulk: one ECB call a master key, over blocks that all keys of a batch share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cardkit.crypto import des, diversify, sm4
from cardkit.crypto.check_value import check_value_3des, check_value_cmac_aes, check_value_sm4
from cardkit.crypto.diversify import FACTOR_LENGTH
from cardkit.errors import UsageError

Derive = Callable[..., Any]

_ENCRYPTORS: Mapping[str, Derive] = {"3des": des.encryptor, "sm4": sm4.encryptor}
_LEVELS: Mapping[str, Derive] = {"3des": diversify.diversify, "sm4": diversify.diversify_sm4}
_SPARE = 15  # bytes the library wants to have beyond what it writes: a block less one
_WORTH_NUMPY = 64  # cards; below, importing and calling it costs more than it saves


def check_value(algorithm: str, key: bytes, length: int = 0) -> bytes:
    """Check value of a key: 3 bytes, 5 for AES, or ``length`` (`cardkit.crypto.check_value`)."""
    if algorithm == "3des":
        return check_value_3des(key, length or 3)
    if algorithm == "sm4":
        return check_value_sm4(key, length or 3)
    return check_value_cmac_aes(key, length or 5)


def descend(algorithm: str, key: bytes, above: tuple[bytes, ...]) -> bytes:
    """The key below a master key by the factors of the levels above the card."""
    lower: bytes = _of(_LEVELS, algorithm)(key, *above) if above else key
    return lower


def derive(algorithm: str, parent: bytes, blocks: bytes) -> bytearray:
    """One key a block of `interleave`, 16 bytes each, concatenated."""
    # Into memory of ours: returning bytes costs a copy, which is a tenth of the time of SM4.
    keys = bytearray(len(blocks) + _SPARE)
    _of(_ENCRYPTORS, algorithm)(parent).update_into(blocks, keys)
    del keys[len(blocks) :]
    return keys


def interleave(factors: bytes) -> bytes:
    """F1 ‖ NOT F1 ‖ F2 ‖ NOT F2 ..., the blocks of a bulk ECB call.

    Examples
    --------
    >>> many = bytes(range(256)) * 4
    >>> interleave(many) == diversify.interleave(many)
    True
    """
    if len(factors) < _WORTH_NUMPY * FACTOR_LENGTH:
        return diversify.interleave(factors)
    import numpy as np  # noqa: PLC0415 - a window derives one card and never needs it

    column = np.frombuffer(factors, dtype=np.uint64)
    blocks = np.empty((len(column), 2), dtype=np.uint64)
    blocks[:, 0] = column
    np.invert(column, out=blocks[:, 1])
    return blocks.tobytes()


def _of(table: Mapping[str, Derive], algorithm: str) -> Derive:
    try:
        return table[algorithm]
    except KeyError:
        raise UsageError(
            f"no card keys are derived with {algorithm}", hint="3des and sm4 can"
        ) from None
