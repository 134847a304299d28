"""Key components: a key is the XOR of parts that different custodians hold (n of n)."""

from __future__ import annotations

from cardkit.crypto.bits import xor


def combine(*components: bytes) -> bytes:
    r"""The key of its components; each of its length, two at least.

    Raises
    ------
    ValueError
        Lengths differ, there is only one, or they cancel each other out (one was typed twice).

    Examples
    --------
    >>> combine(b"\xaa\xbb", b"\x11\x22", b"\xff\x00").hex()
    '4499'
    """
    if len(components) < 2:
        raise ValueError("a key has two components at least")
    key = xor(*components)
    if not any(key):
        raise ValueError("the components cancel each other out")
    return key
