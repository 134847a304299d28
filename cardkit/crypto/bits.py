"""XOR, complement and folding: what several rules do with whole strings of bytes."""

from __future__ import annotations

import functools

_INVERT = bytes(255 - b for b in range(256))


def xor(*parts: bytes) -> bytes:
    r"""XOR of strings of one length.

    Examples
    --------
    >>> xor(b"\x0f\x0f", b"\xff\x00", b"\x01\x01").hex()
    'f10e'
    """
    if len({len(part) for part in parts}) != 1:
        raise ValueError("XOR wants strings of one length")
    number = functools.reduce(lambda a, b: a ^ b, (int.from_bytes(part) for part in parts))
    return number.to_bytes(len(parts[0]))


def complement(data: bytes) -> bytes:
    """NOT of every bit."""
    return data.translate(_INVERT)


def fold(block: bytes, width: int) -> bytes:
    """XOR of the ``width``-byte words of a block.

    Examples
    --------
    >>> fold(bytes.fromhex("0102030405060708"), 4).hex()
    '0404040c'
    """
    if width <= 0 or not block or len(block) % width:
        raise ValueError(f"a block folded to {width} bytes has a multiple of them")
    return xor(*(block[at : at + width] for at in range(0, len(block), width)))


def whole_blocks(data: bytes, block: int) -> bytes:
    """``data``, if it fills blocks; the ciphers below would silently keep an unfilled one."""
    if not data or len(data) % block:
        raise ValueError(f"data for a cipher fill blocks of {block} bytes")
    return data
