"""A link to a virtual chip in the same process."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from cardkit.apdu.link import LinkLostError
from cardkit.virtual.card import PowerLostError


class Contacts(Protocol):
    """A chip in this process: `VirtualCard` or `VirtualPsam`."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""

    @property
    def powered(self) -> bool:
        """Whether commands are answered."""

    def power_on(self) -> bytes:
        """Give power, return the ATR."""

    def reset(self) -> bytes:
        """Warm reset, return the ATR."""

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command."""


C = TypeVar("C", bound=Contacts)


class VirtualLink(Generic[C]):
    """Carries bytes to one virtual chip; the card side is T=0 (61xx, 6Cxx).

    Parameters
    ----------
    card : VirtualCard or VirtualPsam
        Powered on when it has no power yet.

    Raises
    ------
    LinkLostError
        From the constructor too: the card is not in the reader. After a power cut or removal the
        link stays lost; make a new one, as a reader would.
    """

    def __init__(self, card: C) -> None:
        self._card = card
        self._lost = False
        if not card.powered:
            try:
                card.power_on()
            except PowerLostError as lost:
                raise self._lose(lost) from None

    @property
    def card(self) -> C:
        """The card at the other end."""
        return self._card

    @property
    def atr(self) -> bytes:
        """Answer to the last reset."""
        return self._card.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command, return data and status word."""
        if self._lost:
            raise LinkLostError("the link to the virtual card is lost", hint="connect again")
        try:
            return self._card.transmit(apdu)
        except PowerLostError as lost:
            raise self._lose(lost) from None

    def reset(self) -> bytes:
        """Warm reset; returns the ATR."""
        try:
            return self._card.reset()
        except PowerLostError as lost:
            raise self._lose(lost) from None

    def _lose(self, lost: PowerLostError) -> LinkLostError:
        self._lost = True
        return LinkLostError(lost.message, hint=lost.hint)
