"""Application cryptograms (ARQC, TC, AAC), the issuer's answer (ARPC), and MACs of issuer scripts.

EMV book 2 clauses 8.1, 8.2 and 9.2; PBOC (JR/T 0025.7) does the same with its own session keys.
"""

from __future__ import annotations

from cardkit.crypto import sm4
from cardkit.crypto.bits import xor
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import cbc_mac_sm4, retail_mac
from cardkit.crypto.padding import method2


def application_cryptogram(session_key: bytes, data: bytes) -> bytes:
    """ARQC, TC or AAC, 8 bytes: retail MAC, padded always.

    Parameters
    ----------
    session_key : bytes
        16 bytes; the card key itself in schemes without session keys.
    data : bytes
        Terminal data of the CDOL ‖ AIP ‖ ATC ‖ CVR for PBOC.

    Examples
    --------
    >>> key = bytes.fromhex("40F454B643E54C0D7A20DA4A62A72A5E")
    >>> application_cryptogram(key, bytes.fromhex("0123456789ABCDEF" * 2)).hex()
    '8698a7319324fd93'
    """
    return retail_mac(session_key, method2(data))


def application_cryptogram_sm4(session_key: bytes, data: bytes) -> bytes:
    """The same with SM4, 8 bytes: first half of a CBC-MAC padded to 16; medium (JR/T 0025.17)."""
    return cbc_mac_sm4(session_key, method2(data, 16))[:8]


def arpc_method1(key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """ARPC of method 1, 8 bytes: 3DES(cryptogram XOR (response code ‖ 00 × 6)).

    Parameters
    ----------
    key : bytes
        16 bytes: session key, or card key, as the scheme says.
    cryptogram : bytes
        ARQC, 8 bytes.
    response_code : bytes
        ARC, 2 bytes.

    Examples
    --------
    >>> key = bytes.fromhex("D4102725E6E5AD329E55AAB50BF23DA9")
    >>> arpc_method1(key, bytes.fromhex("5D016C91005E7CC2"), b"01").hex()
    '21415243527ce78f'
    """
    if len(response_code) != 2:
        raise ValueError("a response code has 2 bytes")
    return encrypt_ecb(key, xor(cryptogram, response_code + bytes(6)))


def arpc_method1_sm4(session_key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """The same with SM4, 8 bytes: first half of SM4((cryptogram XOR (code ‖ 00 × 6)) ‖ 00 × 8).

    By analogy with 3DES and with the cryptogram of SM4; JR/T 0025.17 governs and was not available.

    Examples
    --------
    >>> key = bytes.fromhex("05318F86C6A2462310763A58153EA3E2")
    >>> arpc_method1_sm4(key, bytes.fromhex("DC7FF148159B8C9D"), b"00").hex()
    '3fa56557a692ba3b'
    """
    if len(cryptogram) != 8 or len(response_code) != 2:
        raise ValueError("a cryptogram has 8 bytes, a response code 2")
    block = xor(cryptogram, response_code + bytes(6)) + bytes(8)
    return sm4.encrypt_ecb(session_key, block)[:8]


def arpc_method2(key: bytes, cryptogram: bytes, status: bytes, proprietary: bytes = b"") -> bytes:
    """ARPC of method 2, 4 bytes: retail MAC over cryptogram ‖ card status update ‖ own data.

    Parameters
    ----------
    status : bytes
        CSU, 4 bytes.
    proprietary : bytes
        0 to 8 bytes.
    """
    if len(cryptogram) != 8 or len(status) != 4 or len(proprietary) > 8:
        raise ValueError("a cryptogram has 8 bytes, a card status update 4, own data 8 at most")
    return retail_mac(key, method2(cryptogram + status + proprietary))[:4]


def script_mac(session_key: bytes, message: bytes, length: int = 8) -> bytes:
    """MAC of an issuer script command: retail MAC, padded always, its first 4 to 8 bytes.

    Parameters
    ----------
    session_key : bytes
        16 bytes.
    message : bytes
        PBOC and VIS: header ‖ ATC ‖ cryptogram ‖ data. EMV: header ‖ data as the scheme says.
    length : int
        4 for PBOC.

    Examples
    --------
    >>> key = bytes.fromhex("89F1F7F63B648D7C2DE9EE8956F5B979")
    >>> message = bytes.fromhex("04DA9F790A0012E2F6ED390FDB4755000000000104")
    >>> script_mac(key, message, 4).hex()
    '523c7be1'
    """
    if not 4 <= length <= 8:
        raise ValueError("a script MAC has 4 to 8 bytes")
    return retail_mac(session_key, method2(message))[:length]
