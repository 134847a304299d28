"""The keys of the coming cards, derived in bulk; those of an unannounced card, on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from cardkit.card.files import Tree
from cardkit.crypto.algorithm import Algorithm
from cardkit.crypto.diversify import FACTOR_LENGTH
from cardkit.keys import CardKeySet, KeyBatch, KeyStore
from cardkit.keys.card_keys import UNDERIVED, derive, references
from cardkit.keys.reference import Factors, KeyRef


class SameVersions:
    """A store that goes on with the version of a key it first gave, as long as a run lasts.

    Without it a run would go on with an older version when somebody suspends the newest one, or
    with a newer one at midnight: cards of two versions in one batch, and nobody told.

    Parameters
    ----------
    store : KeyStore
        Any store.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._versions: dict[str, int] = {}

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        ref = self._store.reference(name, version or self._versions.get(name))
        if version is None:
            self._versions.setdefault(name, ref.version)
        return ref

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyBatch:
        """See `KeyStore`."""
        return self._store.derive_many(ref, factors)


class Keyring:
    """Hands out the `CardKeySet` of a card by its card factor.

    Parameters
    ----------
    store : KeyStore
        Where the master keys are.
    above : tuple of bytes
        Province and city factor.
    tree : Tree
        Names the keys a card has.
    algorithm : Algorithm, optional
        What the cards compute with; keys of another are refused. Without it any will do.
    """

    def __init__(
        self,
        store: KeyStore,
        above: tuple[bytes, ...],
        tree: Tree,
        algorithm: Algorithm | None = None,
    ) -> None:
        self._store = SameVersions(store)
        self._algorithm = algorithm.value if algorithm else ""
        self._above = above
        self._names = sorted(_names(tree) | UNDERIVED)
        self._lock = threading.Lock()
        self._batches: dict[str, KeyBatch] = {}
        self._places: dict[bytes, int] = {}

    def check(self, names: Iterable[str]) -> None:
        """Make sure that keys are there and of the algorithm of the cards, before any card comes.

        Raises
        ------
        KeyMissingError, KeyPolicyError
        """
        references(self._store, names, self._algorithm)

    def prepare(self, factors: Sequence[bytes]) -> None:
        """Derive every key of these cards, one bulk call a master key; drop earlier batches."""
        cards = b"".join(factors)
        batches = derive(self._store, self._names, self._above, cards, self._algorithm)
        places = {factor: place for place, factor in enumerate(factors)}
        with self._lock:
            self._batches, self._places = batches, places

    def prepared(self, factor: bytes) -> bool:
        """Whether the card is in the current batch."""
        return factor in self._places

    def for_card(self, factor: bytes) -> CardKeySet:
        """Keys of one card.

        Parameters
        ----------
        factor : bytes
            Last 8 bytes of the ATR the card has, or of the one it will get.
        """
        if len(factor) != FACTOR_LENGTH:
            raise ValueError(f"a card factor has {FACTOR_LENGTH} bytes")
        with self._lock:
            place, batches = self._places.get(factor), self._batches
        if place is None:
            return CardKeySet.on_demand(self._store, self._above, factor, self._algorithm)
        return CardKeySet.from_batches(batches, place)


def _names(tree: Tree) -> set[str]:
    return {d.key_name(slot) for d in tree.directories for slot in d.keys if slot.name != "PIN"}
