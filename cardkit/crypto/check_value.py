"""Key check values (KCV): what may be shown of a key."""

from __future__ import annotations

from cardkit.crypto.des import encrypt_ecb


def check_value_3des(key: bytes, length: int = 3) -> bytes:
    """3DES_K(00 × 8), the first ``length`` bytes (3 for PBOC and GlobalPlatform, up to 8 in HSMs).

    Examples
    --------
    >>> check_value_3des(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")).hex()
    '08d7b4'
    """
    return encrypt_ecb(key, bytes(8))[:length]
