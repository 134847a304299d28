"""The card from outside: how it is made and kept, what wears out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cardkit.virtual.card import image
from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.card.chip import (
    ATR_HEAD_LENGTH,
    CAPACITY,
    SERIAL_LENGTH,
    TRANSPORT_LENGTH,
    Chip,
    own_transport_key,
)
from cardkit.virtual.card.contacts import Contacts, Random
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.execute import execute
from cardkit.virtual.card.faults import Fault, FaultKind, Wear
from cardkit.virtual.card.messaging import USUAL, Derivation, Form
from cardkit.virtual.card.session import Session
from cardkit.virtual.card.tpdu import Request

DEFAULT_ATR = bytes.fromhex("3B6D00000087BF10028649639900000001")


class VirtualCard(Contacts[Session]):
    """A social-security card that exists only in software.

    Made by `blank` or `load`. Nothing about files is known to it beforehand: structure comes from
    creation commands, or from an image.

    Examples
    --------
    >>> card = VirtualCard.blank(transport_key=bytes(8))
    >>> card.power_on().hex()
    '3b6d00000087bf10028649639900000001'
    >>> card.transmit(bytes.fromhex("00A40000023F00")).hex()
    '6a81'
    >>> card.transmit(bytes.fromhex("80E0030008") + bytes(8)).hex()
    '9000'
    """

    def __init__(
        self,
        chip: Chip,
        *,
        random: Random = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.chip = chip
        super().__init__(random=random, sleep=sleep)
        self._wear = Wear()

    @classmethod
    def blank(
        cls,
        *,
        transport_key: bytes,
        atr: bytes = DEFAULT_ATR,
        capacity: int = CAPACITY,
        messaging: Derivation | str = Derivation.PROCESS,
        form: Form = USUAL,
        random: Random = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
    ) -> VirtualCard:
        """A chip as it leaves the factory.

        Parameters
        ----------
        transport_key : bytes
            8 bytes: this chip's; 16 bytes: the maker's master, applied to the last 6 ATR bytes.
        atr : bytes
            At least 17 bytes; a TA1 in it offers a higher speed.
        capacity : int
            Bytes of EEPROM for files.
        messaging : Derivation or str
            ``"process"`` (default): MACs and encryption under a process key of STK and challenge;
            ``"direct"``: under STK itself. WRITE KEY is always direct under the master key.
        form : Form
            How MACs are cut and fields padded.
        random : callable
            Gives n bytes; pass a fixed one for golden traces.
        sleep : callable
            Waits some seconds; used by SLOW faults only.

        Raises
        ------
        ValueError
            The ATR is none or too short, or the transport key has another length.
        """
        offered_fi_di(atr)
        if len(atr) < ATR_HEAD_LENGTH + SERIAL_LENGTH:
            raise ValueError("the answer to reset of this card has at least 17 bytes")
        if len(transport_key) not in (TRANSPORT_LENGTH, 2 * TRANSPORT_LENGTH):
            raise ValueError("a transport key has 8 bytes, a transport master key 16")
        is_master = len(transport_key) > TRANSPORT_LENGTH
        own = own_transport_key(transport_key, atr) if is_master else transport_key
        chip = Chip(atr, own, capacity, Derivation(messaging), form)
        return cls(chip, random=random, sleep=sleep)

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        random: Random = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
    ) -> VirtualCard:
        """A card from an image file (`cardkit.virtual.card.image`), without power.

        Raises
        ------
        UsageError
            The file cannot be read, or is no image.
        """
        return cls(image.read(Path(path)), random=random, sleep=sleep)

    def save(self, path: Path | str) -> None:
        """Write an image, mode 0600, whole or not at all. It holds keys and personal data in clear.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        image.write(self.chip, Path(path))

    def snapshot(self) -> str:
        """Everything that survives a power cut, as the text of an image; for comparing."""
        return image.encode(self.chip)

    def __repr__(self) -> str:
        return f"VirtualCard({self.chip.atr.hex().upper()})"

    @property
    def atr(self) -> bytes:
        """ATR of the last reset; without power that of the next."""
        return self._session.atr if self._session else self.chip.atr

    def disarm(self) -> None:
        """Forget waiting faults and heal what is worn out."""
        super().disarm()
        self._wear.faults.clear()

    def _begin(self) -> Session:
        return Session(self.chip.atr, self.chip.mf)

    def _befall(self, due: list[Fault], kinds: set[FaultKind]) -> None:
        super()._befall(due, kinds)
        self._wear.faults += (
            fault for fault in due if fault.kind in (FaultKind.WORN, FaultKind.CORRUPT)
        )

    def _execute(self, session: Session, request: Request, *, torn: bool) -> bytes:
        context = Context(self.chip, session, request, self._random, self._wear)
        return execute(context, torn=torn)
