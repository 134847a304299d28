"""Secure messaging of PBOC, FMCOS and social-security cards: one procedure, independent switches.

MAC: CBC chain from an initial vector made of the card's challenge, over CLA INS P1 P2 Lc ‖ data as
sent (Lc counts the MAC), padded with 80 00... always, cut to 4 bytes. Encryption: ECB of length ‖
data. What differs between chips is a field of `Rules`, and each field is a profile's to choose: no
combination stands for a chip by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cardkit.crypto import ssc
from cardkit.crypto.algorithm import Algorithm, cipher_of
from cardkit.crypto.bits import fold
from cardkit.crypto.mac import cbc_mac, cbc_mac_sm4, retail_mac
from cardkit.crypto.padding import method2, method2_if_needed

MAC_LENGTH = 4


class InitialVector(Enum):
    """How the initial vector comes from the challenge."""

    FILLED = "filled"  # 4, 8 or 16 bytes of challenge, filled with 00 to a block
    ZERO = "zero"  # 00 whatever the challenge


class Truncation(Enum):
    """How the last block becomes a MAC of 4 bytes."""

    LEFT4 = "left4"
    FOLD4 = "fold4"  # XOR of its words of 32 bits


class FieldPadding(Enum):
    """When length ‖ data is padded before encryption."""

    IF_NEEDED = "if-needed"  # only when it does not fill its blocks (PBOC 2.0 book 5)
    ALWAYS = "always"


class KeyUse(Enum):
    """Which key the chain works with."""

    DIRECT = "direct"  # the card's key
    PROCESS = "process"  # a process key from it and the challenge


@dataclass(frozen=True, slots=True)
class Rules:
    """The switches, independent of each other.

    Parameters
    ----------
    algorithm : Algorithm
        3DES (DES for a key of 8 bytes) or SM4.
    initial_vector, truncation, padding, key_use
        See their types.
    """

    algorithm: Algorithm = Algorithm.TDES
    initial_vector: InitialVector = InitialVector.FILLED
    truncation: Truncation = Truncation.LEFT4
    padding: FieldPadding = FieldPadding.IF_NEEDED
    key_use: KeyUse = KeyUse.DIRECT


def initial_vector(challenge: bytes, rules: Rules) -> bytes:
    """Initial vector of a block, from a challenge of 4, 8 or 16 bytes.

    Examples
    --------
    >>> initial_vector(bytes.fromhex("4C45BAB9"), Rules()).hex()
    '4c45bab900000000'
    """
    block = cipher_of(rules.algorithm).block
    if rules.initial_vector is InitialVector.ZERO:
        return bytes(block)
    if len(challenge) not in (4, 8, 16) or len(challenge) > block:
        raise ValueError(f"a challenge has 4, 8 or 16 bytes, {block} at most")
    return challenge + bytes(block - len(challenge))


def working_key(key: bytes, challenge: bytes, rules: Rules) -> bytes:
    """The key itself or its process key (social-security card: `cardkit.crypto.ssc`)."""
    if rules.key_use is KeyUse.DIRECT:
        return key
    process_key = ssc.process_key_sm4 if rules.algorithm is Algorithm.SM4 else ssc.process_key
    return process_key(key, challenge)


def mac(key: bytes, message: bytes, vector: bytes, rules: Rules) -> bytes:
    r"""MAC of a message, 4 bytes.

    Parameters
    ----------
    key : bytes
        From `working_key`. 8 bytes: DES chain; 16 bytes: retail MAC, or SM4 chain.
    message : bytes
        Header with its final Lc, then the data as sent; the data alone for a READ answer.
    vector : bytes
        From `initial_vector`; an answer takes the one of its command.

    Examples
    --------
    >>> message = bytes.fromhex("84D40102147C87BC23140021B3AFEA67E6359DDCFE")
    >>> mac(b"\xff" * 8, message, bytes.fromhex("4C45BAB900000000"), Rules()).hex()
    'd7c943f6'
    """
    last = chain(key, message, vector, rules)
    return fold(last, MAC_LENGTH) if rules.truncation is Truncation.FOLD4 else last[:MAC_LENGTH]


def chain(key: bytes, message: bytes, vector: bytes, rules: Rules) -> bytes:
    """Last block of the chain over the padded message, from which the MAC is taken."""
    padded = method2(message, cipher_of(rules.algorithm).block)
    if rules.algorithm is Algorithm.SM4:
        return cbc_mac_sm4(key, padded, vector)
    return (cbc_mac if len(key) == 8 else retail_mac)(key, padded, vector)


def encrypt_field(key: bytes, data: bytes, rules: Rules) -> bytes:
    r"""ECB of length ‖ data ‖ padding; at most 255 bytes of data.

    Examples
    --------
    >>> plain = bytes.fromhex("F9F0F0AAFF1122334455667788")
    >>> encrypt_field(b"\xff" * 8, plain, Rules()).hex()
    '7c87bc23140021b3afea67e6359ddcfe'
    """
    if len(data) > 255:
        raise ValueError("an encrypted field has at most 255 bytes")
    return encrypt(key, bytes((len(data),)) + data, rules)


def encrypt(key: bytes, content: bytes, rules: Rules) -> bytes:
    """ECB of what already carries its length, padded as the rules say."""
    cipher = cipher_of(rules.algorithm)
    return cipher.encrypt_ecb(key, _padded(content, cipher.block, rules))


def decrypt_field(key: bytes, field: bytes, rules: Rules) -> bytes:
    """Inverse of `encrypt_field`.

    Raises
    ------
    ValueError
        Length or padding are not what the rules make: another key, or damage.
    """
    cipher = cipher_of(rules.algorithm)
    plain = cipher.decrypt_ecb(key, field)
    content = plain[: 1 + plain[0]]
    if len(content) != 1 + plain[0] or _padded(content, cipher.block, rules) != plain:
        raise ValueError("the encrypted field does not fit the key")
    return content[1:]


def protect(
    key: bytes, header: bytes, data: bytes, challenge: bytes, rules: Rules, *, encrypt: bool
) -> bytes:
    """A whole protected command: header ‖ Lc ‖ data, encrypted or plain, ‖ MAC.

    Parameters
    ----------
    key : bytes
        The card's key; a process key is made from it where the rules say so.
    header : bytes
        CLA INS P1 P2; the class already says that the command is protected.
    challenge : bytes
        What the card gave for this command.

    Examples
    --------
    >>> sm4 = Rules(Algorithm.SM4, truncation=Truncation.FOLD4)
    >>> plain = bytes.fromhex("000000404142434445464748494A4B4C4D4E4F")
    >>> command = protect(
    ...     bytes(range(16)), bytes.fromhex("84D40100"), plain,
    ...     bytes.fromhex("1122334455667788"), sm4, encrypt=True,
    ... )
    >>> command.hex()
    '84d4010024a3d52af5ed2e6d022e8fe9d073e2d37c17511899e28b3483fe4babf4b46dbff583aae09b'
    """
    if len(header) != 4:
        raise ValueError("a header is CLA INS P1 P2")
    used = working_key(key, challenge, rules)
    field = encrypt_field(used, data, rules) if encrypt else data
    if len(field) + MAC_LENGTH > 255:
        raise ValueError("the command is too long for its MAC")
    message = header + bytes((len(field) + MAC_LENGTH,)) + field
    return message + mac(used, message, initial_vector(challenge, rules), rules)


def _padded(content: bytes, block: int, rules: Rules) -> bytes:
    pad = method2 if rules.padding is FieldPadding.ALWAYS else method2_if_needed
    return pad(content, block)
