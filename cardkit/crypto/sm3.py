"""SM3 (GM/T 0004, GB/T 32905)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SM3, Hash


def digest(data: bytes) -> bytes:
    """Hash, 32 bytes.

    Examples
    --------
    >>> digest(b"abc").hex()
    '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
    """
    state = Hash(SM3())
    state.update(data)
    return state.finalize()
