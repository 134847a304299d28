"""Codes of ISO/IEC 9797-1 and CMAC."""

from __future__ import annotations

from collections.abc import Callable

from cardkit.crypto import aes, mac, padding
from cardkit.keys.selftest.rule import Choices, Rule, inputs

_PADDINGS = {"pad1": padding.method1, "pad2": padding.method2, "pad3": padding.method3}
_SOURCE = "ISO/IEC 9797-1"


def _padded(code: Callable[[bytes, bytes], bytes], key: bytes, data: bytes) -> Choices:
    return Choices({word: code(key, pad(data)) for word, pad in _PADDINGS.items()})


def _single(key: bytes, data: bytes) -> Choices:
    if len(key) != 8:
        raise ValueError("a DES key has 8 bytes")
    return _padded(mac.cbc_mac, key, data)


def _retail(key: bytes, data: bytes) -> Choices:
    return _padded(mac.retail_mac, key, data)


def _zero_padded(key: bytes, data: bytes) -> bytes:
    return _single(key, data)["pad1"]


RULES = (
    Rule(
        "DES CBC-MAC", inputs("key:des data"), _single, f"{_SOURCE} algorithm 1, padding 1 to 3",
        kept=(4, 8),
    ),
    Rule(
        "DES CBC-MAC, padding method 1", inputs("key:des data"), _zero_padded, "FIPS 113",
        also=("DES CBC-MAC zero pad",), kept=(4, 8),
    ),
    Rule(
        "Retail MAC", inputs("key:des data"), _retail, f"{_SOURCE} algorithm 3, padding 1 to 3",
        kept=(4, 8),
    ),
    Rule(
        "AES CMAC", inputs("key data"), aes.cmac, "RFC 4493, SP 800-38B", also=("AES-CMAC",),
    ),
)  # fmt: skip
