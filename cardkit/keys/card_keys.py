"""The keys of one card: one place in several batches. Answers the key requests of procedures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cardkit.card.key_request import External, Internal, Seal, WriteKey
from cardkit.crypto.algorithm import Algorithm, SecretAlgorithmError
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.store import KeyBatch, KeyMissingError, KeyPolicyError, KeyStore

BatchSource = Callable[[str], tuple[KeyBatch, int]]


class CardKeySet:
    """Implements `cardkit.card.key_request.CardKeys` over batches of one store.

    Parameters
    ----------
    source : callable
        Name of a key → its batch and this card's place in it.
    """

    def __init__(self, source: BatchSource) -> None:
        self._source = source

    @classmethod
    def from_batches(cls, batches: Mapping[str, KeyBatch], place: int) -> CardKeySet:
        """The keys of one card of batches that were derived for the same cards.

        ``place`` is the card's in all of them; a key that is used underived has one place only.
        """

        def source(name: str) -> tuple[KeyBatch, int]:
            try:
                return batches[name], 0 if name in UNDERIVED else place
            except KeyError:
                raise KeyMissingError(f"key {name} was not derived for this card") from None

        return cls(source)

    @classmethod
    def on_demand(
        cls, store: KeyStore, above: tuple[bytes, ...], card: bytes, algorithm: str = ""
    ) -> CardKeySet:
        """Keys of one card, each derived when it is first needed.

        The window's road needs two of a card's fifty keys, and the card is known only when it is in
        the reader.
        """
        batches: dict[str, KeyBatch] = {}

        def source(name: str) -> tuple[KeyBatch, int]:
            if name not in batches:
                batches[name] = derive(store, [name], above, card, algorithm)[name]
            return batches[name], 0

        return cls(source)

    def external(self, request: External) -> bytes:
        """See `CardKeys`."""
        batch, index = self._source(request.key)
        return batch.external(index, request)

    def internal(self, request: Internal) -> bytes:
        """See `CardKeys`."""
        batch, index = self._source(request.key)
        return batch.internal(index, request)

    def seal(self, request: Seal) -> bytes:
        """See `CardKeys`."""
        batch, index = self._source(request.key)
        return batch.seal(index, request)

    def write_key(self, request: WriteKey) -> bytes:
        """See `CardKeys`."""
        batch, index = self._source(request.key)
        under = None if request.under is None else self._source(request.under)[0]
        return batch.write_key(index, request, under)


UNDERIVED = frozenset({"T514.TRANSPORT"})
"""Keys that a chip maker diversifies in a way of its own, used as they are."""


def derive(
    store: KeyStore,
    names: Iterable[str],
    above: tuple[bytes, ...],
    cards: bytes,
    algorithm: str = "",
) -> dict[str, KeyBatch]:
    """Derive every named key for the same cards, one bulk call a master key.

    Parameters
    ----------
    above : tuple of bytes
        Province and city factor.
    cards : bytes
        8 bytes a card.
    algorithm : str
        ``3des`` or ``sm4``: what the cards compute with; keys of another are refused. Empty: any.

    Raises
    ------
    KeyPolicyError
        A key is of another algorithm than the cards. Nothing was derived.
    SecretAlgorithmError
        The cards compute with SSF33, and this is not a PSAM that has keys of it.
    """
    return {
        name: store.derive_many(ref, Factors() if name in UNDERIVED else Factors(above, cards))
        for name, ref in references(store, names, algorithm).items()
    }


def references(store: KeyStore, names: Iterable[str], algorithm: str = "") -> dict[str, KeyRef]:
    """Every named key, if it fits the algorithm of the cards; parameters, errors as `derive`."""
    refs = {name: store.reference(name) for name in names}
    secret = algorithm == Algorithm.SSF33.value
    if secret and any(ref.algorithm != algorithm for ref in refs.values()):
        raise SecretAlgorithmError
    for name, ref in refs.items():
        if algorithm and name not in UNDERIVED and ref.algorithm != algorithm:
            raise KeyPolicyError(
                f"{ref} is a key of {ref.algorithm}, the cards compute with {algorithm}",
                hint="check card.algorithm and keys.store of the profile, keys.version too",
                zh=f"密钥 {name} 的算法是 {ref.algorithm}，与卡片算法 {algorithm} 不符：请核对配置",
            )
    return refs
