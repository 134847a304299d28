"""Rules of the social-security card: process keys, authentication data, id-code MAC.

Compiled from working implementations, no standard text was available: confidence medium
(docs/established.md). The card names its algorithm in the answer to SELECT: 01 3DES, 02 SSF33, 03
SM4. SSF33 is secret (`cardkit.crypto.algorithm`). With SM4 an 8-byte challenge or factor is filled
with 00 to a block, and a result of 16 bytes is folded to 8.
"""

from __future__ import annotations

from cardkit.crypto import sm4
from cardkit.crypto.bits import fold
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import retail_mac
from cardkit.crypto.padding import method2

KEY_VERSIONS = range(1, 4)
"""Versions that the SM4 form of EXTERNAL AUTHENTICATE may name (LD/T 6001.3)."""


def process_key(key: bytes, factor: bytes) -> bytes:
    """SK = 3DES_K(factor): a DES key from the card's challenge or the terminal's factor."""
    return encrypt_ecb(key, _eight(factor))


def process_key_sm4(key: bytes, factor: bytes) -> bytes:
    """SK = SM4_K(factor ‖ 00 × 8): 16 bytes."""
    return sm4.encrypt_ecb(key, _eight(factor) + bytes(8))


def authentication_data(key: bytes, factor: bytes, data: bytes) -> bytes:
    """DES_SK(data): the answer of INTERNAL and the proof of EXTERNAL AUTHENTICATE.

    Parameters
    ----------
    key : bytes
        Card key, 16 bytes.
    factor : bytes
        8 bytes: the card's challenge (external) or the terminal's process factor (internal).
    data : bytes
        8 bytes of the terminal's choice.

    Examples
    --------
    >>> key = bytes.fromhex("D8CE3551A46E242C20C4D81CD6E534C1")
    >>> authentication_data(
    ...     key, bytes.fromhex("1122334455667788"), bytes.fromhex("0102030405060708")
    ... ).hex()
    '8f91a74ca5cadd5c'
    """
    return encrypt_ecb(process_key(key, factor), _eight(data))


def authentication_data_sm4(key: bytes, factor: bytes, data: bytes) -> bytes:
    """SM4_SK(data ‖ 00 × 8), its halves XORed to 8 bytes; SK from `process_key_sm4`.

    Parameters are those of `authentication_data`; terminals take the challenge as ``data`` too.

    Examples
    --------
    >>> key = bytes.fromhex("8BD3502BD6C592FAF09A1724926F620D")
    >>> challenge = bytes.fromhex("1122334455667788")
    >>> authentication_data_sm4(key, challenge, challenge).hex()
    '8e2a5ff5ba6f2024'
    """
    return fold(sm4.encrypt_ecb(process_key_sm4(key, factor), _eight(data) + bytes(8)), 8)


def external_data_sm4(key: bytes, challenge: bytes, data: bytes, version: int) -> bytes:
    """Data field of EXTERNAL AUTHENTICATE with SM4, 17 bytes: proof ‖ data ‖ version of the key.

    Examples
    --------
    >>> challenge = bytes.fromhex("1122334455667788")
    >>> external_data_sm4(bytes(16), challenge, challenge, 1).hex()[16:]
    '112233445566778801'
    """
    if version not in KEY_VERSIONS:
        raise ValueError("a key version is 1, 2 or 3")
    return authentication_data_sm4(key, challenge, data) + data + bytes((version,))


def id_code_mac(key: bytes, id_code: bytes) -> bytes:
    """MAC of a card id code (卡识别码): 4 bytes over its first 12, under the card's IRK.

    Examples
    --------
    >>> key = bytes.fromhex("D8CE3551A46E242C20C4D81CD6E534C1")
    >>> id_code_mac(key, bytes.fromhex("371700D15600000500BF7C7A")).hex()
    '24f22251'
    """
    return retail_mac(key, method2(id_code))[:4]


def _eight(value: bytes) -> bytes:
    if len(value) != 8:
        raise ValueError("a challenge, factor or source has 8 bytes")
    return value
