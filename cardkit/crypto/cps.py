"""Personalization of bank applications by EMV CPS: keys of the card's domain, values of DGIs.

EMV Card Personalization Specification clauses 3 and 4; GlobalPlatform for the VISA2 rule. The DGI
numbers of PBOC applications are a product's own, and so are choices like `component`'s padding.
"""

from __future__ import annotations

from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.padding import method2, method2_if_needed

ENC, MAC, DEK = 1, 2, 3
"""Numbers of the three static keys of a security domain."""

ENCRYPTED = 0x60
LAST = 0x80


def static_key(kmc: bytes, diversification_data: bytes, number: int) -> bytes:
    """Static key of a card from the KMC (CPS): 3DES(KDD[4:10] ‖ F0 ‖ n ‖ KDD[4:10] ‖ 0F ‖ n).

    Parameters
    ----------
    kmc : bytes
        16 bytes.
    diversification_data : bytes
        10 bytes of the card's answer to INITIALIZE UPDATE; the last 6 count.
    number : int
        `ENC`, `MAC` or `DEK`.

    Examples
    --------
    >>> kmc = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
    >>> check_value_3des(static_key(kmc, bytes(range(10)), ENC)).hex()
    'c33013'
    """
    return _static(kmc, diversification_data, diversification_data[4:10], number)


def static_key_visa2(kmc: bytes, diversification_data: bytes, number: int) -> bytes:
    """The older rule (VISA2): KDD[0:2] ‖ KDD[4:8] in place of KDD[4:10]."""
    part = diversification_data[:2] + diversification_data[4:8]
    return _static(kmc, diversification_data, part, number)


def _static(kmc: bytes, diversification_data: bytes, part: bytes, number: int) -> bytes:
    if len(kmc) != 16 or len(diversification_data) != 10 or number not in (ENC, MAC, DEK):
        raise ValueError("a KMC has 16 bytes, diversification data 10, keys are 1 to 3")
    return encrypt_ecb(kmc, part + bytes((0xF0, number)) + part + bytes((0x0F, number)))


def encrypt_keys(s_dek: bytes, keys: bytes) -> bytes:
    """Value of DGI 8000 and of PUT KEY: keys under the session DEK, ECB, no padding.

    Parameters
    ----------
    s_dek : bytes
        SCP02 session key, 16 bytes.
    keys : bytes
        Multiple of 8 bytes, for DGI 8000 UDK-AC ‖ UDK-MAC ‖ UDK-ENC.
    """
    if len(s_dek) != 16:
        raise ValueError("a session DEK has 16 bytes")
    return encrypt_ecb(s_dek, keys)


def check_values(keys: bytes) -> bytes:
    """Value of DGI 9000: 3 bytes of check value for each key of 16 bytes.

    Examples
    --------
    >>> check_values(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210") * 2).hex()
    '08d7b408d7b4'
    """
    if not keys or len(keys) % 16:
        raise ValueError("keys of 16 bytes each")
    return b"".join(check_value_3des(keys[at : at + 16]) for at in range(0, len(keys), 16))


def component(s_dek: bytes, value: bytes, *, always_pad: bool) -> bytes:
    """Value of a private-key DGI (8201-8205, 8501), encrypted.

    Parameters
    ----------
    always_pad : bool
        PBOC scripts pad also what fills its blocks, an M/Chip manual does not: a profile's choice.
    """
    pad = method2 if always_pad else method2_if_needed
    return encrypt_keys(s_dek, pad(value))


def grouping(identifier: int, value: bytes) -> bytes:
    """DGI ‖ length ‖ value; from 255 bytes on the length is FF and two bytes.

    Examples
    --------
    >>> grouping(0x9010, bytes.fromhex("0303")).hex()
    '9010020303'
    """
    if not 0 <= identifier <= 0xFFFF or len(value) > 0xFFFF:
        raise ValueError("a DGI has 2 bytes and at most 65535 bytes of value")
    size = len(value)
    length = bytes((size,)) if size < 0xFF else b"\xff" + size.to_bytes(2)
    return identifier.to_bytes(2) + length + value


def store_data(group: bytes, sequence: int, *, encrypted: bool, last: bool = False) -> bytes:
    r"""STORE DATA command for one grouping that fits a command, before its C-MAC.

    Parameters
    ----------
    sequence : int
        Number of the command, 0 to 255.
    encrypted : bool
        The value is encrypted under the session DEK.

    Examples
    --------
    >>> store_data(grouping(0x9010, b"\x03\x03"), 1, encrypted=False, last=True).hex()
    '80e28001059010020303'
    """
    if not 0 <= sequence <= 255 or not 1 <= len(group) <= 255:
        raise ValueError("a sequence number is 0 to 255, a grouping here at most 255 bytes")
    p1 = encrypted * ENCRYPTED | last * LAST
    return bytes((0x80, 0xE2, p1, sequence, len(group))) + group
