"""Ciphers, hashes, SM2."""

from __future__ import annotations

from cardkit.crypto import aes, des, sm2, sm3, sm4
from cardkit.keys.selftest.rule import Rule, inputs

_LONGEST_CHAIN = 1_000_000


def _chain(key: bytes, data: bytes, iterations: int) -> bytes:
    if iterations > _LONGEST_CHAIN:
        raise ValueError("a chain has at most 1,000,000 links")
    return sm4.encrypt_repeatedly(key, data, iterations)


def _signature(curve: sm2.Curve, d: bytes, k: bytes, user: str, data: bytes) -> dict[str, bytes]:
    user_id = user.encode("utf-8")
    public = sm2.public_key(d, curve)
    signature = sm2.sign_known(d, data, user_id, k, curve)
    return {
        "Px": public[:32],
        "Py": public[32:],
        "ZA": sm2.user_digest(public, user_id, curve),
        "e": sm2.message_digest(public, user_id, data, curve),
        "r": signature[:32],
        "s": signature[32:],
    }


def _sign(d: bytes, k: bytes, user: str, data: bytes) -> dict[str, bytes]:
    return _signature(sm2.Curve.SM2P256V1, d, k, user, data)


def _sign_on_example(d: bytes, k: bytes, user: str, data: bytes) -> dict[str, bytes]:
    return _signature(sm2.Curve.EXAMPLE, d, k, user, data)


def _encrypt(d: bytes, k: bytes, data: bytes) -> dict[str, bytes]:
    cipher = sm2.encrypt_known(sm2.public_key(d), data, k)
    return {"C1": cipher[:65], "C3": cipher[65:97], "C2": cipher[97:]}


RULES = (
    Rule(
        "DES and 3DES ECB", inputs("key:des data"), des.encrypt_ecb, "FIPS 46-3, FIPS 81",
        also=(
            "DES-ECB", "3DES-ECB", "DES", "3DES",
            "3DES although the card reports algorithm id 01",
        ),
    ),
    Rule(
        "DES and 3DES CBC", inputs("key:des iv data"), des.encrypt_cbc, "FIPS 81",
        also=("DES-CBC", "3DES-CBC"),
    ),
    Rule("SM4 ECB", inputs("key data"), sm4.encrypt_ecb, "GM/T 0002", also=("SM4-ECB", "SM4")),
    Rule("SM4 CBC", inputs("key iv data"), sm4.encrypt_cbc, "GB/T 17964", also=("SM4-CBC",)),
    Rule(
        "SM4 ECB, repeated", inputs("key data iterations:number"), _chain, "GM/T 0002 annex A.2",
        also=("SM4 chained 1,000,000 times",), slow=True,
    ),
    Rule("SM3", inputs("data"), sm3.digest, "GM/T 0004"),
    Rule("AES ECB", inputs("key data"), aes.encrypt_ecb, "FIPS 197", also=("AES-ECB", "AES")),
    Rule("AES CBC", inputs("key iv data"), aes.encrypt_cbc, "SP 800-38A", also=("AES-CBC",)),
    Rule(
        "SM2 signature", inputs("d k id:text data"), _sign, "GM/T 0003.2, curve of GM/T 0003.5",
        also=("SM2 sign (sm2p256v1)",), slow=True,
    ),
    Rule(
        "SM2 signature, example curve", inputs("d k id:text data"), _sign_on_example,
        "GM/T 0003.2 annex A", also=("SM2 sign (Fp-256 test curve)",), slow=True,
    ),
    Rule(
        "SM2 encryption", inputs("d k data"), _encrypt, "GM/T 0003.4, order of GM/T 0009",
        also=("SM2 encrypt C1||C3||C2",), slow=True,
    ),
)  # fmt: skip
