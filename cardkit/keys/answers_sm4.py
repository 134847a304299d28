"""The answers of card keys of SM4; see `cardkit.keys.answers` for 3DES."""

from __future__ import annotations

from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing
from cardkit.crypto import sm4, ssc
from cardkit.crypto.mac import cbc_mac_sm4
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.keys.answers import KeyArray, cut
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
        return _seal(self._key(index), request.header, request.data, request.iv, request.sealing)


def _seal(key: bytes, header: bytes, data: bytes, iv: bytes, sealing: Sealing) -> bytes:
    used = ssc.process_key_sm4(key, iv) if sealing.key_use is KeyUse.PROCESS else key
    if sealing.encrypt:
        pad = method2 if sealing.always_pad else method2_if_needed
        data = sm4.encrypt_ecb(used, pad(data, sm4.BLOCK))
    if not sealing.mac_length:
        return data
    vector = iv + bytes(sm4.BLOCK - len(iv))
    last = cbc_mac_sm4(used, method2(header + data, sm4.BLOCK), vector)
    return data + cut(last, sealing)


def key_array(ref: KeyRef, keys: bytes | bytearray, *, plain_loading: bool = False) -> KeyArray:
    """The batch of card keys that fits the algorithm of their master key."""
    kind = Sm4KeyArray if ref.algorithm == "sm4" else KeyArray
    return kind(ref, keys, plain_loading=plain_loading)
