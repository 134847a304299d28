"""Bytes that do not show themselves: not in ``repr``, not in a pickle, not in an exception."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Unpicklable:
    """Cannot be pickled or copied: a copy would lie somewhere nobody knows of."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds keys and is neither pickled nor copied")


class Secret(Unpicklable):
    """A key while it is in memory.

    Python may have made copies that nobody can reach; `wipe` overwrites the one kept here.

    Examples
    --------
    >>> Secret(b"0123456789ABCDEF")
    Secret(16 bytes)
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytearray(value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def reveal(self) -> bytes:
        """The bytes, for a computation."""
        return bytes(self._value)

    def wipe(self) -> None:
        """Overwrite and forget."""
        self._value[:] = bytes(len(self._value))
        self._value.clear()
