"""Check values, components, key blocks, PIN blocks, check characters."""

from __future__ import annotations

from collections.abc import Callable

from cardkit.codec.numbers import citizen_check
from cardkit.crypto import components, pin_block, tr31
from cardkit.crypto.check_value import (
    check_value_3des,
    check_value_cmac_aes,
    check_value_gp_aes,
    check_value_sm4,
)
from cardkit.keys.selftest.rule import Rule, Unread, agree, inputs

_PIN = "ISO 9564-1"
_PAN = (
    Unread("pan", slice(None, -13), "only the 12 digits before the check digit count"),
    Unread("pan", slice(-1, None), "the check digit does not count"),
)


def _value_3des(key: bytes) -> bytes:
    return check_value_3des(key, 8)


def _value_sm4(key: bytes) -> bytes:
    return check_value_sm4(key, 8)


def _values(c1: bytes, c2: bytes, c3: bytes) -> dict[str, bytes]:
    parts = {"c1": c1, "c2": c2, "c3": c3, "key": components.combine(c1, c2, c3)}
    return {name: check_value_3des(part) for name, part in parts.items()}


def _unwrap(version: str) -> Callable[[bytes, str], bytes]:
    def compute(kbpk: bytes, key_block: str) -> bytes:
        header, key = tr31.unwrap(kbpk, key_block)
        agree(header.version, version, "the version of the key block")
        return key

    return compute


RULES = (
    Rule(
        "Check value 3DES", inputs("key:des"), _value_3des,
        "PBOC DGI 9000, GlobalPlatform; practice",
        also=("KCV", "KCV 3DES 2 bytes", "3DES(0*8)[:3]", "3DES(0*8), 8 bytes"),
        kept=tuple(range(2, 9)),
    ),
    Rule(
        "Check value AES, GlobalPlatform", inputs("key"), check_value_gp_aes,
        "GlobalPlatform amendment D", also=("GP AES KCV: AES(01*16)[:3]", "AES(01*16)[:3]"),
    ),
    Rule(
        "Check value AES, CMAC", inputs("key"), check_value_cmac_aes, "ANSI X9.24-1:2017 annex A",
        also=("AES-CMAC(empty)[:5] (X9.24-1:2017)",),
    ),
    Rule(
        "Check value SM4", inputs("key"), _value_sm4, "practice of Chinese HSMs; medium",
        also=("SM4(0*16), first 8 bytes (show 3..8)",), kept=tuple(range(3, 9)),
    ),
    Rule(
        "Key from components", inputs("c1 c2 c3"), components.combine, "XOR, n of n",
        also=("key = C1 xor C2 xor C3",),
    ),
    Rule(
        "Check values of components", inputs("c1:des c2:des c3:des"), _values, "XOR, n of n",
        also=("KCV of each component and of the key",),
    ),
    *(
        Rule(
            f"TR-31 version {version}", inputs(f"{key} key_block:text"), _unwrap(version),
            "ANSI X9.143 (TR-31:2018)", also=(f"TR-31 version {version} unwrap",),
        )
        for version, key in (("A", "kbpk:des"), ("B", "kbpk:des"), ("C", "kbpk:des"), ("D", "kbpk"))
    ),
    Rule(
        "PIN block format 0", inputs("pin:text pan:text"), pin_block.format0, _PIN,
        also=("ISO 9564 format 0", "format 0, 6-digit PIN"), unread=_PAN,
    ),
    Rule(
        "PIN block format 2", inputs("pin:text"), pin_block.format2, _PIN,
        also=("ISO 9564 format 2 (offline PIN, DGI 8010)", "format 2"),
    ),
    Rule(
        "PIN block format 3", inputs("pin:text pan:text fill:text"), pin_block.format3, _PIN,
        also=("format 3 with fixed fill FFFFFFFFFF",), unread=_PAN,
    ),
    Rule(
        "PIN block format 4", inputs("key pin:text pan:text random"), pin_block.format4, _PIN,
        also=("ISO 9564 format 4 (AES)",),
    ),
    Rule(
        "Citizen number check character", inputs("id17:text"), citizen_check, "GB 11643, ISO 7064",
        also=("GB 11643 / ISO 7064 MOD 11-2",),
    ),
)  # fmt: skip
