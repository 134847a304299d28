"""The interface of every key store."""

from __future__ import annotations

from typing import Protocol, Self

from cardkit.card.key_request import External, Internal, Seal, WriteKey
from cardkit.errors import RefusedError, UsageError
from cardkit.keys.reference import Factors, KeyRef


class KeyMissingError(UsageError):
    """The store has no key of that name."""


class KeyPolicyError(RefusedError):
    """The key may not be used like that."""


class KeyBatch(Protocol):
    """Keys derived in one go. Nobody outside the store sees their bytes."""

    @property
    def ref(self) -> KeyRef:
        """The key they were derived from."""

    def __len__(self) -> int:
        """How many."""

    def external(self, index: int, request: External) -> bytes:
        """See `cardkit.card.key_request.CardKeys.external`, for one key of the batch."""

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys.internal`."""

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys.seal`."""

    def write_key(self, index: int, request: WriteKey, under: Self | None) -> bytes:
        """See `CardKeys.write_key`; ``under`` is a batch of the same store, for the same cards."""


class KeyStore(Protocol):
    """Holds master keys, derives from them, answers with the result."""

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """A key by name, its newest version unless one is asked for.

        Raises
        ------
        KeyMissingError
        """

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyBatch:
        """Derive one key a card, in one call.

        Raises
        ------
        KeyPolicyError
            The key may not be diversified with such factors.
        """
