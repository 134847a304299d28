"""Session keys of bank applications from a card key; each scheme has its own rule.

A profile names the rule. The first two encrypt with 3DES, the third only XORs: do not mix them up.
"""

from __future__ import annotations

from cardkit.crypto import sm4
from cardkit.crypto.bits import complement, xor
from cardkit.crypto.des import encrypt_ecb


def pboc(udk: bytes, atc: bytes) -> bytes:
    """PBOC (JR/T 0025.7): 3DES(00 × 6 ‖ ATC) ‖ 3DES(00 × 6 ‖ NOT ATC), 16 bytes.

    Parameters
    ----------
    udk : bytes
        Card key, 16 bytes.
    atc : bytes
        Application transaction counter, 2 bytes.

    Examples
    --------
    >>> udk = bytes.fromhex("014D996FCC8F49157DC8B49E3BCDFD99")
    >>> pboc(udk, bytes.fromhex("0240")).hex()
    'd4102725e6e5ad329e55aab50bf23da9'
    """
    return encrypt_ecb(_card_key(udk), _counter_block(atc))


def pboc_sm4(udk: bytes, atc: bytes) -> bytes:
    """PBOC 3.0 with SM4: SM4(00 × 6 ‖ ATC ‖ 00 × 6 ‖ NOT ATC); by analogy, medium."""
    return sm4.encrypt_ecb(udk, _counter_block(atc))


def common(icc_mk: bytes, r: bytes) -> bytes:
    r"""EMV common session key (EMV book 2 annex A1.3.1), 16 bytes.

    Parameters
    ----------
    icc_mk : bytes
        Card key, 16 bytes.
    r : bytes
        Diversification value, 8 bytes: ATC ‖ 00 × 6 for application cryptograms, the cryptogram for
        secure messaging. Its third byte does not count: F0 makes the left half, 0F the right.

    Examples
    --------
    >>> key = common(bytes.fromhex("946DC1A8C78A624519BC4645CB073737"), b"\x00\x01" + bytes(6))
    >>> len(key)
    16
    """
    if len(r) != 8:
        raise ValueError("a diversification value has 8 bytes")
    blocks = (r[:2] + half + r[3:] for half in (b"\xf0", b"\x0f"))
    return encrypt_ecb(_card_key(icc_mk), b"".join(blocks))


def vis(icc_mk: bytes, atc: bytes) -> bytes:
    """Visa (VIS) secure messaging: card key XOR (00 × 6 ‖ ATC ‖ 00 × 6 ‖ NOT ATC).

    Examples
    --------
    >>> vis(bytes(16), bytes.fromhex("001C")).hex()
    '000000000000001c000000000000ffe3'
    """
    return xor(_card_key(icc_mk), _counter_block(atc))


def _counter_block(atc: bytes) -> bytes:
    if len(atc) != 2:
        raise ValueError("a transaction counter has 2 bytes")
    return bytes(6) + atc + bytes(6) + complement(atc)


def _card_key(key: bytes) -> bytes:
    if len(key) != 16:
        raise ValueError("a card key has 16 bytes")
    return key
