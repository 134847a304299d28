"""The PSAM from outside: how it is made and kept, what can go wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.card.contacts import Contacts, Random
from cardkit.virtual.card.faults import Fault, FaultKind
from cardkit.virtual.card.tpdu import Request
from cardkit.virtual.psam import image
from cardkit.virtual.psam.chip import SERIAL_LENGTH, TERMINAL_LENGTH, Chip
from cardkit.virtual.psam.commands import Context
from cardkit.virtual.psam.execute import execute
from cardkit.virtual.psam.session import Session

DEFAULT_ATR = bytes.fromhex("3B6D00000081544C0086846399") + bytes.fromhex("00000001")
FAULTS = frozenset(
    {
        FaultKind.CUT_BEFORE,
        FaultKind.TORN,
        FaultKind.UNANSWERED,
        FaultKind.REMOVED,
        FaultKind.SLOW,
    }
)
"""Faults a PSAM can have; it has no files that wear out."""


class VirtualPsam(Contacts[Session]):
    """A PSAM that exists only in software; can be put where a `VirtualCard` can.

    Made by `blank` or `load`. Keys come in by WRITE KEY until `finish`.

    Examples
    --------
    >>> psam = VirtualPsam.blank(master=bytes(16))
    >>> psam.power_on().hex()
    '3b6d00000081544c008684639900000001'
    >>> psam.transmit(bytes.fromhex("00A4040006D15600000590")).hex()
    '610a'
    >>> psam.transmit(bytes.fromhex("80FA0000081122334455667788")).hex()
    '6985'
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

    @classmethod
    def blank(
        cls,
        *,
        master: bytes,
        atr: bytes = DEFAULT_ATR,
        serial: bytes = bytes(SERIAL_LENGTH),
        terminal: bytes = bytes(TERMINAL_LENGTH),
        random: Random = os.urandom,
    ) -> VirtualPsam:
        """A PSAM without keys.

        Parameters
        ----------
        master : bytes
            16 bytes: seals the keys that are loaded.
        serial, terminal : bytes
            10 and 6 bytes: EF15 and EF16.

        Raises
        ------
        ValueError
            The ATR is none, or something has another length.
        """
        offered_fi_di(atr)
        return cls(Chip(atr, master, serial, terminal), random=random)

    @classmethod
    def load(cls, path: Path | str, *, random: Random = os.urandom) -> VirtualPsam:
        """A PSAM from an image file (`cardkit.virtual.psam.image`), without power.

        Raises
        ------
        UsageError
            The file cannot be read, or is no image.
        """
        return cls(image.read(Path(path)), random=random)

    def save(self, path: Path | str) -> None:
        """Write an image, mode 0600, whole or not at all. It holds keys in clear.

        Raises
        ------
        UsageError
            The file cannot be written.
        """
        image.write(self.chip, Path(path))

    def snapshot(self) -> str:
        """Everything that survives a power cut, as the text of an image; for comparing."""
        return image.encode(self.chip)

    def finish(self) -> None:
        """End of making: WRITE KEY answers 6901 from now on."""
        self.chip.finished = True

    def __repr__(self) -> str:
        return f"VirtualPsam({self.chip.atr.hex().upper()}, {len(self.chip.keys)} keys)"

    @property
    def atr(self) -> bytes:
        """Answer to reset; always the same."""
        return self.chip.atr

    def arm(self, fault: Fault) -> None:
        """Let one of `FAULTS` happen; its commands are counted from now.

        Raises
        ------
        ValueError
            Another kind.
        """
        if fault.kind not in FAULTS:
            raise ValueError("a PSAM has no such fault")
        super().arm(fault)

    def _begin(self) -> Session:
        return Session()

    def _execute(self, session: Session, request: Request, *, torn: bool) -> bytes:
        return execute(Context(self.chip, session, request, self._random), torn=torn)
