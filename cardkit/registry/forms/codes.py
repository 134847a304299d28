"""The code by which a copy of a paper can be checked.

A document is sealed with HMAC-SHA256 under a key that only its registry has, over number, kind and
content. The paper carries the first 60 bits of the seal as twelve characters (Crockford's base 32:
no I, L, O, U); the whole seal stands in the hash-chained history.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
_READ_AS = str.maketrans("OIL", "011", "- \t")


def canonical(content: Mapping[str, Any]) -> str:
    """The content of a document as JSON text that is always the same.

    Examples
    --------
    >>> canonical({"b": 1, "a": "王"})
    '{"a":"王","b":1}'
    """
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(content: str) -> str:
    """SHA-256 of a content as `canonical` gives it, in hex."""
    return hashlib.sha256(content.encode()).hexdigest()


def seal(key: bytes, number: str, kind: str, content_digest: str) -> bytes:
    """32 bytes that only the registry with this key can make for such a document.

    The fields are joined by a character that none of them has.
    """
    message = "\n".join((number, kind, content_digest))
    return hmac.digest(key, message.encode(), "sha256")


def check_code(sealed: bytes) -> str:
    """The twelve characters on paper of a seal.

    Examples
    --------
    >>> check_code(bytes(32)), check_code(bytes.fromhex("FF" * 32))
    ('000000000000', 'ZZZZZZZZZZZZ')
    """
    bits = int.from_bytes(sealed[:8]) >> 4
    return "".join(ALPHABET[bits >> 5 * at & 31] for at in reversed(range(LENGTH)))


def grouped(code: str) -> str:
    """A code in groups of four, for people.

    Examples
    --------
    >>> grouped("0123456789AB")
    '0123-4567-89AB'
    """
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def read_code(text: str) -> str:
    """What somebody typed from a paper → the code; ``''`` when it cannot be one.

    Small letters, hyphens, blanks and full-width characters are taken; O is read as 0, I and L
    as 1.

    Examples
    --------
    >>> read_code("o123-4567-89ab"), read_code("０１２３ ４５６７ ８９ＡＢ"), read_code("0123-4567")
    ('0123456789AB', '0123456789AB', '')
    """
    code = unicodedata.normalize("NFKC", text).upper().translate(_READ_AS)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else ""
