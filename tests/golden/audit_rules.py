"""The rules of the audit: ciphers, key derivation, records and numbers, worked out a second time.

Nothing here comes from the toolkit; ciphers are those of the `cryptography` package.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from tests.golden import audit_tables as spec

_MASTERS = Path(__file__).parents[2] / "keys_test" / "masters-3des.toml"

# --- ciphers -------------------------------------------------------------------------------------


def _cipher(key: bytes, iv: bytes | None = None) -> Cipher[modes.ECB | modes.CBC]:
    three = key * 3 if len(key) == 8 else key + key[:8]
    return Cipher(TripleDES(three), modes.ECB() if iv is None else modes.CBC(iv))  # noqa: S305


def encrypt(key: bytes, data: bytes) -> bytes:
    """3DES (16 bytes of key) or DES (8), ECB."""
    return _cipher(key).encryptor().update(data)


def pad(data: bytes) -> bytes:
    """80 00... to a multiple of 8, at least one byte."""
    return data + b"\x80" + bytes(-(len(data) + 1) % 8)


def retail_mac(key: bytes, data: bytes, iv: bytes) -> bytes:
    """ISO 9797-1 algorithm 3: DES chain with the left half, last block D(right), E(left)."""
    last = _cipher(key[:8], iv).encryptor().update(pad(data))[-8:]
    return encrypt(key[:8], _cipher(key[8:]).decryptor().update(last))[:4]


def process(key: bytes, factor: bytes, data: bytes) -> bytes:
    """card.md 5.5: SK = 3DES_K(factor), answer DES_SK(data)."""
    return encrypt(encrypt(key, factor), data)


@functools.cache
def master_key(name: str) -> bytes:
    """As it is in the file of test keys."""
    keys = tomllib.loads(_MASTERS.read_text(encoding="utf-8"))["keys"]
    return bytes.fromhex(keys[name]["value"])


@functools.cache
def card_key(name: str, card_factor: bytes) -> bytes:
    """card.md 5.4: master → province → city → card, a level is 3DES(F) ‖ 3DES(NOT F)."""
    key = master_key(name)
    for factor in (b"630000sh", b"639900sx", card_factor):
        key = encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))
    return key


# --- records -------------------------------------------------------------------------------------

_FILL = {"an": 0x00, "b": 0x00, "dec": 0x00, "hex": 0x00, "cn": 0xFF}


def value(coding: str, length: int, text: str | None) -> bytes:
    """card.md 2.3: text GB18030 and 00, digits BCD and F, money BCD with 0 on the left."""
    if text is None:
        return bytes([_FILL[coding]]) * length
    if coding == "an":
        return text.encode("gb18030").ljust(length, b"\0")
    if coding == "dec":
        return bytes.fromhex(text.rjust(2 * length, "0"))
    return bytes.fromhex(text.ljust(2 * length, "F" if coding == "cn" else "0"))


def records(directory: str, file: spec.File, values: dict[str, str]) -> Iterator[bytes]:
    """Records of a variable file in the order of their numbers, filled or not (card.md 2.2)."""
    place = f"{directory}.EF{file.fid & 0xFF:02X}"
    for entry in file.content.split(" · "):
        template = re.fullmatch(r"(\d+) \* (..)\((.*)\) (..)", entry)
        if template is None:
            tag, coding, length = entry.split()
            yield _tlv(tag, value(coding, int(length, 16), values.get(f"{place}.{tag}")), length)
            continue
        count, tag, inner, length = template.groups()
        for n in range(1, int(count) + 1):
            parts = [part.split() for part in inner.split(", ")]
            body = b"".join(
                _tlv(t, value(c, int(size, 16), values.get(f"{place}.{tag}.{n}.{t}")), size)
                for t, c, size in parts
            )
            yield _tlv(tag, body, length)


def _tlv(tag: str, content: bytes, length: str) -> bytes:
    assert len(content) == int(length, 16), (tag, length)
    return bytes.fromhex(tag + length) + content


def space(file: spec.File) -> int:
    """cos.md 7.2: variable Σlen + 2·n + 2, cyclic len·n + 2, the others their size."""
    if file.kind == "variable":
        return sum(len(record) for record in records("", file, {})) + 2
    if file.kind == "cyclic":
        return cyclic(file)[0] * cyclic(file)[1] + 2
    return int(file.content, 16)


def cyclic(file: spec.File) -> tuple[int, int]:
    """Number and length of the records of a cyclic file."""
    count, _, fields = file.content.partition(" * ")
    return int(count), sum(int(field.split()[1], 16) for field in fields.split(", "))


def row() -> dict[str, str]:
    """What stands on the card, by address (card.md 2.4, 8)."""
    name = spec.NAME
    cut = next(n for n in range(len(name), 0, -1) if len(name[:n].encode("gb18030")) <= 0x1E)
    number = spec.CITIZEN_NUMBER
    assert number[17] == citizen_check(number[:17])
    return spec.SUPPLIED | {
        "SSSE.EF05.02": "3",
        "SSSE.EF05.03": "2.00",
        "SSSE.EF05.04": spec.INSTITUTION,
        "SSSE.EF05.05": spec.ISSUED,
        "SSSE.EF05.06": spec.VALID_UNTIL,
        "SSSE.EF05.07": spec.CARD_NUMBER_BODY + card_number_check(spec.CARD_NUMBER_BODY),
        "SSSE.EF06.08": number,
        "SSSE.EF06.09": name[:cut],
        "SSSE.EF06.4E": name[cut:],
        "SSSE.EF06.0A": "2" if int(number[16]) % 2 == 0 else "1",
        "SSSE.EF06.0B": "05",
        "SSSE.EF06.0C": number[:6],
        "SSSE.EF06.0D": number[6:14],
    }


def citizen_check(digits: str) -> str:
    """ISO 7064 MOD 11-2 with the weights and letters of card.md 8."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return "10X98765432"[total % 11]


def card_number_check(body: str) -> str:
    """card.md 8: weights 3 7 9 10 5 8 4 2, letters A = 10, 11 - Σ mod 11, 10 → X, 11 → 0."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(char, 36) * weight for char, weight in zip(body, weights, strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
