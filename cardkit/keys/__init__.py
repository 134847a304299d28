"""Keys as references: who holds them, what may be derived from them, and the answers they give."""

from cardkit.keys.card_keys import CardKeySet
from cardkit.keys.reference import CheckValue, Factors, KeyRef
from cardkit.keys.store import KeyBatch, KeyStore

__all__ = ["CardKeySet", "CheckValue", "Factors", "KeyBatch", "KeyRef", "KeyStore"]
