"""What the rest of the program may know of a key: a reference, and the factors of a derivation."""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.crypto.diversify import FACTOR_LENGTH


class CheckValue(bytes):
    """Check value of a key; the only part of it that may be shown."""

    def __str__(self) -> str:
        return self.hex().upper()

    def __repr__(self) -> str:
        return f"CheckValue({self})"


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key in a store.

    Parameters
    ----------
    name : str
        Role on the card with its directory, ``SSSE.UKSSSE``, or a name of its own.
    version : int
        Versions stand side by side.
    check_value : CheckValue
        3 bytes; empty for a key whose store tells none, a PSAM's.
    test : bool
        Made for tests: refused by a profile that is not marked as one.
    algorithm : str
        ``3des``, ``sm4``, or ``aes`` for keys that only seal others.
    """

    name: str
    version: int
    check_value: CheckValue
    test: bool = False
    algorithm: str = "3des"

    def __str__(self) -> str:
        return f"{self.name} v{self.version} ({str(self.check_value) or 'no check value'})"


@dataclass(frozen=True, slots=True)
class Factors:
    """What a batch of card keys is derived from.

    Parameters
    ----------
    above : tuple of bytes
        Factors shared by the whole batch, issuer first: province, city. 8 bytes each.
    cards : bytes
        One factor of 8 bytes a card, concatenated. Empty with ``above`` empty means the key itself.
    """

    above: tuple[bytes, ...] = ()
    cards: bytes = b""

    def __post_init__(self) -> None:
        if len(self.cards) % FACTOR_LENGTH or any(len(f) != FACTOR_LENGTH for f in self.above):
            raise ValueError("a factor has 8 bytes")

    @property
    def count(self) -> int:
        """Keys the batch will have."""
        return len(self.cards) // FACTOR_LENGTH or 1


def province_factor(province: str) -> bytes:
    """ASCII of the two digits, then ``0000sh`` (card.md 5.4).

    Examples
    --------
    >>> province_factor("37")
    b'370000sh'
    """
    return f"{province}0000sh".encode("ascii")


def city_factor(city: str) -> bytes:
    """ASCII of the six digits of the issuing city, then ``sx``.

    Examples
    --------
    >>> city_factor("371700")
    b'371700sx'
    """
    return f"{city}sx".encode("ascii")
