"""Block ciphers by the name a profile or a card gives them; SSF33, which nobody but a chip has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cardkit.crypto import des, sm4
from cardkit.errors import UsageError


class Algorithm(Enum):
    """Algorithm of a card application.

    The value is its name in profiles. ``card_id`` is the byte by which a social-security card names
    it in the answer to SELECT.
    """

    TDES = "3des"
    SSF33 = "ssf33"
    SM4 = "sm4"

    @property
    def card_id(self) -> int:
        """01 3DES, 02 SSF33, 03 SM4."""
        return list(Algorithm).index(self) + 1

    @classmethod
    def of_card(cls, card_id: int) -> Algorithm:
        """The algorithm of a byte from a card.

        Examples
        --------
        >>> Algorithm.of_card(3)
        <Algorithm.SM4: 'sm4'>

        Raises
        ------
        ValueError
            No such byte is known.
        """
        for algorithm in cls:
            if algorithm.card_id == card_id:
                return algorithm
        raise ValueError(f"no algorithm has the id {card_id:02X}")


class SecretAlgorithmError(UsageError):
    """SSF33 was asked of software."""

    zh = "SSF33 算法不公开，软件无法计算；请使用持有该密钥的 PSAM 卡或加密机"

    def __init__(self) -> None:
        super().__init__(
            "SSF33 is a secret cipher, no software can compute it",
            hint="use a PSAM or an HSM that holds the key",
        )


@dataclass(frozen=True, slots=True)
class BlockCipher:
    """What rules for several algorithms need of one; keys and data as in `des` and `sm4`."""

    block: int
    encrypt_ecb: Callable[[bytes, bytes], bytes]
    decrypt_ecb: Callable[[bytes, bytes], bytes]


_CIPHERS = {
    Algorithm.TDES: BlockCipher(des.BLOCK, des.encrypt_ecb, des.decrypt_ecb),
    Algorithm.SM4: BlockCipher(sm4.BLOCK, sm4.encrypt_ecb, sm4.decrypt_ecb),
}


def cipher_of(algorithm: Algorithm) -> BlockCipher:
    """The cipher of an algorithm.

    Raises
    ------
    SecretAlgorithmError
        SSF33: only a PSAM or an HSM can compute it.

    Examples
    --------
    >>> cipher_of(Algorithm.SM4).block
    16
    >>> cipher_of(Algorithm.SSF33)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    cardkit.crypto.algorithm.SecretAlgorithmError: SSF33 is a secret cipher, ...
    """
    try:
        return _CIPHERS[algorithm]
    except KeyError:
        raise SecretAlgorithmError from None
