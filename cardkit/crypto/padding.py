"""Padding of ISO/IEC 9797-1, used by every MAC and every encrypted field of the cards."""

from __future__ import annotations


def method1(data: bytes, block: int = 8) -> bytes:
    """Append as few 00 as fill the block, one block at least.

    Examples
    --------
    >>> method1(b"ab").hex()
    '6162000000000000'
    """
    return (data or bytes(block)) + bytes(-len(data) % block)


def method2(data: bytes, block: int = 8) -> bytes:
    """Append 80 and as many 00 as fill the block; always adds at least one byte.

    Examples
    --------
    >>> method2(bytes(8)).hex()
    '00000000000000008000000000000000'
    """
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def method2_if_needed(data: bytes, block: int = 8) -> bytes:
    """Pad as `method2`, but leave data that already fills its blocks as it is (PBOC 2.0 book 5)."""
    return data if len(data) % block == 0 else method2(data, block)


def method3(data: bytes, block: int = 8) -> bytes:
    """Put a block with the length in bits before the data, then fill with 00.

    Examples
    --------
    >>> method3(b"ab").hex()
    '00000000000000106162000000000000'
    """
    return (8 * len(data)).to_bytes(block) + data + bytes(-len(data) % block)
