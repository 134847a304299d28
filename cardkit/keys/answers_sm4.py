"""The answers of card keys of SM4; see `cardkit.keys.answers` for 3DES."""

from __future__ import annotations

from cardkit.card.key_request import External, Internal, KeyUse, Seal
from cardkit.crypto import sm4, ssc
from cardkit.crypto.algorithm import Algorithm
from cardkit.keys.answers import KeyArray, seal
from cardkit.keys.reference import KeyRef


class Sm4KeyArray(KeyArray):
    """Card keys of SM4; implements `cardkit.keys.store.KeyBatch`."""

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`: SM4_SK(data ‖ 00 × 8) folded to 8 bytes; direct: SM4_K(data)."""
        key = self._key(index)
        if request.key_use is KeyUse.DIRECT:
            return sm4.encrypt_ecb(key, request.data + bytes(-len(request.data) % sm4.BLOCK))
        return ssc.authentication_data_sm4(key, request.challenge, request.data)

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`."""
        return ssc.authentication_data_sm4(self._key(index), request.factor, request.data)

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`."""
        key, iv = self._key(index), request.iv
        return seal(key, request.header, request.data, iv, request.sealing, Algorithm.SM4)


def key_array(ref: KeyRef, keys: bytes | bytearray, *, plain_loading: bool = False) -> KeyArray:
    """The batch of card keys that fits the algorithm of their master key."""
    kind = Sm4KeyArray if ref.algorithm == "sm4" else KeyArray
    return kind(ref, keys, plain_loading=plain_loading)
