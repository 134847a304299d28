"""Rules of the social-security card (3DES): process keys, authentication data, id-code MAC.

Compiled from working implementations, no standard text was available: confidence medium
(docs/established.md). The algorithm id of these rules is 01.
"""

from __future__ import annotations

from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import retail_mac
from cardkit.crypto.padding import method2


def process_key(key: bytes, factor: bytes) -> bytes:
    """SK = 3DES_K(factor): a DES key from the card's challenge or the terminal's factor."""
    return encrypt_ecb(key, factor)


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
    return encrypt_ecb(process_key(key, factor), data)


def id_code_mac(key: bytes, id_code: bytes) -> bytes:
    """MAC of a card id code (卡识别码): 4 bytes over its first 12, under the card's IRK.

    Examples
    --------
    >>> key = bytes.fromhex("D8CE3551A46E242C20C4D81CD6E534C1")
    >>> id_code_mac(key, bytes.fromhex("371700D15600000500BF7C7A")).hex()
    '24f22251'
    """
    return retail_mac(key, method2(id_code))[:4]
