"""The answers of a store, computed from card keys: pure, shared by every store that holds them.

A store in this process, the process that owns a token and a key service all keep their card keys in
a `KeyArray`. A token that keeps even the card keys to itself gives its ECB encryption instead
(`Encrypt`), and what can be computed from that alone is here too.
"""

from __future__ import annotations

from collections.abc import Callable

from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing, WriteKey
from cardkit.crypto import des, secure_messaging, ssc
from cardkit.crypto.algorithm import Algorithm
from cardkit.crypto.bits import fold
from cardkit.crypto.secure_messaging import FieldPadding, Rules
from cardkit.keys.reference import KeyRef
from cardkit.keys.secret import Unpicklable
from cardkit.keys.store import KeyPolicyError

KEY_LENGTH = 16

Encrypt = Callable[[bytes], bytes]
"""3DES-ECB under one key; whole blocks."""


class KeyArray(Unpicklable):
    """Card keys in the memory of this process; implements `cardkit.keys.store.KeyBatch`.

    Parameters
    ----------
    ref : KeyRef
        What they were derived from.
    keys : bytes
        16 bytes a card, concatenated.
    plain_loading : bool
        Whether they may leave in clear for a chip that loads them so.
    """

    def __init__(
        self, ref: KeyRef, keys: bytes | bytearray, *, plain_loading: bool = False
    ) -> None:
        self.ref = ref
        self._keys = keys
        self._plain_loading = plain_loading

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ref}, {len(self)} keys)"

    def __len__(self) -> int:
        return len(self._keys) // KEY_LENGTH

    def _key(self, index: int) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(f"the batch has {len(self)} keys")
        return bytes(self._keys[index * KEY_LENGTH : (index + 1) * KEY_LENGTH])

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`."""
        return external(des.encryptor(self._key(index)).update, request)

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`."""
        return ssc.authentication_data(self._key(index), request.factor, request.data)

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`."""
        return seal(self._key(index), request.header, request.data, request.iv, request.sealing)

    def write_key(self, index: int, request: WriteKey, under: KeyArray | None) -> bytes:
        """See `CardKeys`."""
        plain = request.key_header + self._key(index)
        if under is not None:
            return under.seal(index, Seal("", request.header, plain, request.iv, request.sealing))
        if not self._plain_loading:
            raise KeyPolicyError(
                f"{self.ref.name} may not leave the store in clear",
                hint="only a chip that loads keys plain needs this: plain_key_loading of the "
                "profile, or --plain-loading of `key serve`",
            )
        return plain


def external(encrypt: Encrypt, request: External) -> bytes:
    """Proof for EXTERNAL AUTHENTICATE from a key that is known by its encryption only.

    Examples
    --------
    >>> key = bytes.fromhex("D8CE3551A46E242C20C4D81CD6E534C1")
    >>> challenge = bytes.fromhex("1122334455667788")
    >>> request = External("SSSE.IRK", challenge, bytes.fromhex("0102030405060708"))
    >>> external(des.encryptor(key).update, request).hex()
    '8f91a74ca5cadd5c'
    """
    if request.key_use is KeyUse.DIRECT:
        return encrypt(_eight(request.data))
    return authentication_data(encrypt, request.challenge, request.data)


def authentication_data(encrypt: Encrypt, factor: bytes, data: bytes) -> bytes:
    """As `cardkit.crypto.ssc.authentication_data`, from the encryption of the key."""
    return des.encrypt_ecb(encrypt(_eight(factor)), _eight(data))


def seal(
    key: bytes,
    header: bytes,
    data: bytes,
    iv: bytes,
    sealing: Sealing,
    algorithm: Algorithm = Algorithm.TDES,
) -> bytes:
    """Encrypt and MAC a data field by the switches of `Sealing`.

    Parameters
    ----------
    key : bytes
        16 bytes.
    header : bytes
        Covered by the MAC before the data.
    iv : bytes
        The card's challenge, 8 bytes; with a process key it is the factor too.
    """
    used = secure_messaging.working_key(key, iv, _rules(sealing, algorithm))
    return seal_with(used, header, data, iv, sealing, algorithm)


def seal_with(
    used: bytes,
    header: bytes,
    data: bytes,
    iv: bytes,
    sealing: Sealing,
    algorithm: Algorithm = Algorithm.TDES,
) -> bytes:
    """The same with the key that does the work: a process key, or the key itself.

    `cardkit.crypto.secure_messaging` computes, and that is what the self-test has known answers of.
    """
    rules = _rules(sealing, algorithm)
    if sealing.encrypt:
        data = secure_messaging.encrypt(used, data, rules)
    if not sealing.mac_length:
        return data
    vector = secure_messaging.initial_vector(iv, rules)
    return data + cut(secure_messaging.chain(used, header + data, vector, rules), sealing)


def _rules(sealing: Sealing, algorithm: Algorithm) -> Rules:
    return Rules(
        algorithm,
        padding=FieldPadding.ALWAYS if sealing.always_pad else FieldPadding.IF_NEEDED,
        key_use=secure_messaging.KeyUse(sealing.key_use.value),
    )


def cut(last: bytes, sealing: Sealing) -> bytes:
    """What is kept of the last block of a MAC.

    Examples
    --------
    >>> last = bytes.fromhex("0102030405060708")
    >>> cut(last, Sealing()).hex(), cut(last, Sealing(fold=True)).hex()
    ('01020304', '0404040c')
    """
    return fold(last, sealing.mac_length) if sealing.fold else last[: sealing.mac_length]


def _eight(value: bytes) -> bytes:
    if len(value) != des.BLOCK:
        raise ValueError("a challenge, factor or source has 8 bytes")
    return value
