"""How a chip protects commands (secure messaging), switch by switch.

The switches are independent of each other and of the algorithm; sources know chips of either kind
(decisions 13 and 27 of docs/decisions.md). A profile's section ``[messaging]`` sets them.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.card.key_request import KeyUse, Sealing
from cardkit.crypto.algorithm import Algorithm, cipher_of

VECTOR_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Messaging:
    """The rules of one kind of chip.

    Parameters
    ----------
    key_use : KeyUse
        What commands under STK are protected with. WRITE KEY always takes the master key itself.
    challenge : int
        Bytes of GET CHALLENGE that make the initial vector, filled with 00 to a block: 4 or 8; 16
        for SM4 only. A process key is made from 8.
    fold : bool or None
        Whether the words of the last block are XORed to the MAC; None: with SM4 they are.
    always_pad : bool
        Whether a plain text that fills its blocks is padded too.

    Examples
    --------
    >>> Messaging().sealing(Algorithm.SM4, encrypt=True).fold
    True
    >>> Messaging(fold=False).sealing(Algorithm.SM4, encrypt=True).fold
    False
    """

    key_use: KeyUse = KeyUse.PROCESS
    challenge: int = 8
    fold: bool | None = None
    always_pad: bool = False

    def sealing(
        self, algorithm: Algorithm, *, encrypt: bool, key_use: KeyUse | None = None
    ) -> Sealing:
        """What a key store is asked to do with a data field."""
        fold = algorithm is Algorithm.SM4 if self.fold is None else self.fold
        return Sealing(encrypt, key_use or self.key_use, self.always_pad, fold=fold)

    def sealed_length(self, algorithm: Algorithm, length: int) -> int:
        """Bytes of a field of ``length`` bytes once it is padded and encrypted.

        Examples
        --------
        >>> Messaging().sealed_length(Algorithm.TDES, 8)
        8
        >>> Messaging(always_pad=True).sealed_length(Algorithm.TDES, 8)
        16
        """
        block = cipher_of(algorithm).block
        return -(-(length + self.always_pad) // block) * block

    @staticmethod
    def vector(challenge: bytes) -> bytes:
        """A challenge as key stores take it; they fill it to the block of their cipher."""
        return challenge.ljust(VECTOR_LENGTH, b"\0")


USUAL = Messaging()
