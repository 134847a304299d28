"""How a secret may look when it leaks: every encoding that a program, log or database may use."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

TEXT_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
SHORTEST = 6
"""Bytes of a form; anything shorter would be found by chance."""


def forms(value: str | bytes) -> dict[str, bytes]:
    """What to look for, by the name of the encoding; forms that look the same appear once.

    Blanks and colons between hex digits need no form of their own: see `search.Searcher`.

    Examples
    --------
    >>> forms(bytes.fromhex("A1B2C3D4E5F60718"))["hex lower"]
    b'a1b2c3d4e5f60718'
    """
    found: dict[str, bytes] = {}
    for name, form in _all(value):
        if len(form) >= SHORTEST and form not in found.values():
            found[name] = form
    return found


def _all(value: str | bytes) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bytes):
        yield from _of_bytes("", value)
        yield "decimal", str(int.from_bytes(value, "big")).encode()
        return
    for encoding in TEXT_ENCODINGS:
        yield from _of_bytes(encoding, value.encode(encoding))
    if value.isascii() and value[:-1].isdecimal():
        yield from _packed(value)
    yield "escaped", value.encode("ascii", "backslashreplace")
    yield "escaped upper", _escaped_upper(value)
    yield "character references", value.encode("ascii", "xmlcharrefreplace")


def _packed(value: str) -> Iterator[tuple[str, bytes]]:
    """BCD, beginning at either half of a byte; the check character X has no place in it."""
    digits = "".join(c for c in value if c.isdecimal())
    for name, start in (("bcd", 0), ("bcd shifted", 1)):
        even = digits[start : start + (len(digits) - start) // 2 * 2]
        yield from _of_bytes(name, bytes.fromhex(even))


def _of_bytes(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name or "raw", data
    for form, encoded in (
        ("hex upper", data.hex().upper().encode()),
        ("hex lower", data.hex().encode()),
        ("list", ", ".join(map(str, data)).encode()),
        ("python", repr(data)[2:-1].encode()),
        ("percent", quote_from_bytes(data, safe="").encode()),
        *((f"base64 at {offset}", _base64(data, offset)) for offset in range(3)),
    ):
        yield f"{name} {form}".lstrip(), encoded


def _base64(data: bytes, offset: int) -> bytes:
    """The characters that stand for ``data`` alone when ``offset`` other bytes come before it."""
    text = base64.b64encode(bytes(offset) + data)
    return text[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]


def _escaped_upper(value: str) -> bytes:
    return "".join(c if c.isascii() else f"\\u{ord(c):04X}" for c in value).encode()
