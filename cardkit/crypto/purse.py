"""Electronic purse of PBOC 2.0 (book 1 and 2): process keys, MAC1, MAC2 and TAC.

Recomputed against traces of FMCOS cards, whose answers match. Always the full 3DES with a 16-byte
key, also where a card reports algorithm id 01. The SM4 process key and the grey lock come from one
source each: medium, no published answer.
"""

from __future__ import annotations

from cardkit.crypto import sm4
from cardkit.crypto.bits import complement, xor
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import cbc_mac
from cardkit.crypto.padding import method2

MAC_LENGTH = 4
ONLINE_SUFFIX = bytes.fromhex("8000")


def online_input(random: bytes, sequence: bytes) -> bytes:
    """Input of the process key for load 圈存, unload 圈提 and change of the overdraft limit.

    Parameters
    ----------
    random : bytes
        4 bytes of the card.
    sequence : bytes
        The card's online transaction number, 2 bytes.
    """
    return _sized(random, 4) + _sized(sequence, 2) + ONLINE_SUFFIX


def offline_input(random: bytes, sequence: bytes, terminal_sequence: bytes) -> bytes:
    """Input of the process key for purchase, cash withdrawal and composite purchase.

    Parameters
    ----------
    random : bytes
        4 bytes of the card.
    sequence : bytes
        The card's offline transaction number, 2 bytes.
    terminal_sequence : bytes
        The terminal's transaction number; its last 2 bytes count.
    """
    if len(terminal_sequence) < 2:
        raise ValueError("a terminal's transaction number has 2 bytes or more")
    return _sized(random, 4) + _sized(sequence, 2) + terminal_sequence[-2:]


def process_key(key: bytes, block: bytes) -> bytes:
    """SK = 3DES_K(block), 8 bytes; ``block`` from `online_input` or `offline_input`.

    Examples
    --------
    >>> key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    >>> process_key(key, online_input(bytes.fromhex("E0B84748"), bytes(2))).hex()
    '7c45fbfb5b3a68f5'
    """
    if len(key) != 16:
        raise ValueError("a purse key has 16 bytes")
    return encrypt_ecb(key, _sized(block, 8))


def process_key_sm4(key: bytes, block: bytes) -> bytes:
    """SK = SM4_K(block ‖ NOT block), 16 bytes; medium."""
    return sm4.encrypt_ecb(key, _sized(block, 8) + complement(block))


def grey_lock_process_key(key: bytes, block: bytes, terminal_random: bytes) -> bytes:
    """Process key of a grey lock 灰锁 (fuel purse): the purchase's, diversified once more; medium.

    Parameters
    ----------
    key : bytes
        Purchase key, 16 bytes.
    block : bytes
        From `offline_input`.
    terminal_random : bytes
        4 bytes of the terminal.
    """
    once = process_key(key, block)
    return encrypt_ecb(once, _sized(terminal_random, 4) + bytes.fromhex("80000000"))


def transaction_mac(session_key: bytes, data: bytes) -> bytes:
    """MAC1, MAC2 or TAC, 4 bytes: CBC-MAC with single DES, vector 0, padded always.

    Parameters
    ----------
    session_key : bytes
        8 bytes: `process_key` for MAC1 and MAC2, `tac_key` for a TAC.
    data : bytes
        Fields of the transaction in the order of the standard.

    Examples
    --------
    >>> purchase = bytes.fromhex("000000010600112233445520161216134600")
    >>> transaction_mac(bytes.fromhex("C08346DF9F1D457A"), purchase).hex()
    'd45737c5'
    """
    return cbc_mac(_sized(session_key, 8), method2(data))[:MAC_LENGTH]


def tac_key(key: bytes) -> bytes:
    """Key of a TAC: left half XOR right half of the DTK, all bits, parity included.

    Examples
    --------
    >>> tac_key(bytes.fromhex("00112233445566778899AABBCCDDEEFF")).hex()
    '8888888888888888'
    """
    return xor(_sized(key, 16)[:8], key[8:])


def _sized(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise ValueError(f"{length} bytes wanted, not {len(value)}")
    return value
