"""The PSAM from outside: contacts, power, bytes in and out, faults."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cardkit.virtual.card import status
from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.card.faults import (
    CardRemovedError,
    Fault,
    FaultKind,
    PowerLostError,
    Schedule,
)
from cardkit.virtual.card.tpdu import Request, parse
from cardkit.virtual.psam import image
from cardkit.virtual.psam.chip import SERIAL_LENGTH, TERMINAL_LENGTH, Chip
from cardkit.virtual.psam.commands import GET_RESPONSE, Context
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

Random = Callable[[int], bytes]


class VirtualPsam:
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
        self.on_exchange: list[Callable[[bytes, bytes], None]] = []
        self._random = random
        self._sleep = sleep
        self._session: Session | None = None
        self._inserted = True
        self._schedule = Schedule()

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

    # Contacts and power

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.chip.atr

    @property
    def powered(self) -> bool:
        """Whether commands are answered."""
        return self._session is not None

    @property
    def inserted(self) -> bool:
        """Whether it is in its slot."""
        return self._inserted

    def power_on(self) -> bytes:
        """Give power and reset; returns the ATR.

        Raises
        ------
        CardRemovedError
            It is not in the slot.
        """
        if not self._inserted:
            raise CardRemovedError
        self._session = Session()
        return self.chip.atr

    def power_off(self) -> None:
        """Take the power away."""
        self._session = None

    def reset(self) -> bytes:
        """Reset under power (warm reset); returns the ATR.

        Raises
        ------
        PowerLostError
            There is no power.
        """
        self._powered_session()
        return self.power_on()

    def remove(self) -> None:
        """Take it out of the slot."""
        self._inserted = False
        self._session = None

    def insert(self) -> None:
        """Put it into the slot, without power yet."""
        self._inserted = True

    def _powered_session(self) -> Session:
        if not self._inserted:
            raise CardRemovedError
        if self._session is None:
            raise PowerLostError
        return self._session

    # Faults and commands

    def arm(self, fault: Fault) -> None:
        """Let one of `FAULTS` happen; its commands are counted from now.

        Raises
        ------
        ValueError
            Another kind.
        """
        if fault.kind not in FAULTS:
            raise ValueError("a PSAM has no such fault")
        self._schedule.arm(fault)

    def transmit(self, apdu: bytes) -> bytes:
        """Answer a command APDU: data and status word.

        Raises
        ------
        PowerLostError, CardRemovedError
            There is no power, or a fault has taken it.
        """
        session = self._powered_session()
        request = parse(apdu)
        counted = request is None or request.ins != GET_RESPONSE
        due = self._schedule.next_command() if counted and self._schedule else []
        kinds = {fault.kind for fault in due}
        self._prepare(due, kinds)
        answer = self._execute(session, request, torn=FaultKind.TORN in kinds)
        if kinds & {FaultKind.TORN, FaultKind.UNANSWERED}:
            self.power_off()
            raise PowerLostError
        for hook in self.on_exchange:
            hook(apdu, answer)
        return answer

    def _prepare(self, due: list[Fault], kinds: set[FaultKind]) -> None:
        if FaultKind.REMOVED in kinds:
            self.remove()
            raise CardRemovedError
        if FaultKind.CUT_BEFORE in kinds:
            self.power_off()
            raise PowerLostError
        for fault in due:
            if fault.kind is FaultKind.SLOW:
                self._sleep(fault.seconds)

    def _execute(self, session: Session, request: Request | None, *, torn: bool) -> bytes:
        if request is None:
            return status.WRONG_LENGTH.to_bytes(2, "big")
        return execute(Context(self.chip, session, request, self._random), torn=torn)
