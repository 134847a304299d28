"""Tag-length-value in the two shapes that cards use.

*Simple* (one byte of tag, one of length) is the content of a record of the social-security card;
*BER* (ISO 7816-4 5.2.2) is what SELECT answers.
"""

from __future__ import annotations

from collections.abc import Iterator


def simple(tag: int, value: bytes) -> bytes:
    """Build a record ``tag(1) length(1) value``.

    Examples
    --------
    >>> simple(0x03, b"2.00").hex()
    '0304322e3030'
    """
    return bytes((tag, len(value))) + value


def parse_simple(data: bytes) -> list[tuple[int, bytes]]:
    """Split consecutive simple TLVs.

    Raises
    ------
    ValueError
        A length runs past the end.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise ValueError(f"TLV at byte {at} runs past the end of {len(data)} bytes")
        found.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return found


def ber(tag: int, *values: bytes) -> bytes:
    """Build a BER-TLV object from a tag of one to three bytes and its content.

    Examples
    --------
    >>> ber(0x9F0C, ber(0x86, bytes([1]))).hex()
    '9f0c03860101'
    """
    value = b"".join(values)
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    n = len(value)
    if n < 0x80:
        length = bytes([n])
    elif n < 0x100:
        length = bytes([0x81, n])
    else:
        length = bytes([0x82]) + n.to_bytes(2, "big")
    return head + length + value


def parse_ber(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of consecutive BER-TLV objects, one level deep.

    Raises
    ------
    ValueError
        Truncated tag, length or content, or an indefinite length.
    """
    at = 0
    while at < len(data):
        tag, at = _ber_tag(data, at)
        length, at = _ber_length(data, at)
        if at + length > len(data):
            raise ValueError(f"content of tag {tag:02X} runs past the end")
        yield tag, data[at : at + length]
        at += length


def _ber_tag(data: bytes, at: int) -> tuple[int, int]:
    tag = data[at]
    at += 1
    if tag & 0x1F == 0x1F:
        while True:
            if at >= len(data) or tag > 0xFFFF:
                raise ValueError("truncated or overlong tag")
            tag = tag << 8 | data[at]
            at += 1
            if not data[at - 1] & 0x80:
                break
    return tag, at


def _ber_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise ValueError("truncated length")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    n = first & 0x7F
    if n == 0 or n > 3 or at + 1 + n > len(data):
        raise ValueError("unusable length")
    return int.from_bytes(data[at + 1 : at + 1 + n], "big"), at + 1 + n


def find_ber(data: bytes, *path: int) -> bytes | None:
    """Content of the first object found by following tags downwards, or None.

    Examples
    --------
    >>> find_ber(bytes.fromhex("A5059F0C02AABB"), 0xA5, 0x9F0C).hex()
    'aabb'
    """
    for tag in path:
        content = next((value for found, value in parse_ber(data) if found == tag), None)
        if content is None:
            return None
        data = content
    return data
