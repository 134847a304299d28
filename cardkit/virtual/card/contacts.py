"""What any virtual chip has: contacts, power, bytes in and out, faults, counts."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cardkit.virtual.card import status
from cardkit.virtual.card.faults import (
    CardRemovedError,
    Fault,
    FaultKind,
    PowerLostError,
    Schedule,
)
from cardkit.virtual.card.tpdu import GET_RESPONSE, Request, parse

Random = Callable[[int], bytes]

SessionT = TypeVar("SessionT")
"""What a reset takes away."""


@dataclass(slots=True)
class Counters:
    """What went over the contacts since the chip was made or `Contacts.reset_counters`.

    Parameters
    ----------
    commands : int
        Commands that arrived, without GET RESPONSE.
    get_responses : int
        GET RESPONSE commands.
    per_ins : dict
        Commands by instruction byte, GET RESPONSE included.
    bytes_in, bytes_out : int
        Bytes of command and answer APDUs.
    """

    commands: int = 0
    get_responses: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    per_ins: dict[int, int] = field(default_factory=dict)

    def count(self, apdu: bytes, request: Request | None) -> None:
        """Count a command that has arrived."""
        self.bytes_in += len(apdu)
        if request is not None and request.ins == GET_RESPONSE:
            self.get_responses += 1
        else:
            self.commands += 1
        if request is not None:
            self.per_ins[request.ins] = self.per_ins.get(request.ins, 0) + 1


class Contacts(ABC, Generic[SessionT]):
    """A chip from outside; what it does with a command is for the class made of this one.

    Parameters
    ----------
    random : callable
        Gives n bytes.
    sleep : callable
        Waits some seconds; used by SLOW faults only.
    """

    def __init__(
        self, *, random: Random = os.urandom, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.counters = Counters()
        self.on_exchange: list[Callable[[bytes, bytes], None]] = []
        self.on_reset: list[Callable[[bytes], None]] = []
        self._random = random
        self._sleep = sleep
        self._session: SessionT | None = None
        self._inserted = True
        self._schedule = Schedule()

    @property
    @abstractmethod
    def atr(self) -> bytes:
        """ATR of the last reset; without power that of the next."""

    @abstractmethod
    def _begin(self) -> SessionT:
        """What a reset selects; `atr` is that of the new session."""

    @abstractmethod
    def _execute(self, session: SessionT, request: Request, *, torn: bool) -> bytes:
        """Answer a command; ``torn``: the power goes before its writes are permanent."""

    # Contacts and power

    @property
    def powered(self) -> bool:
        """Whether commands are answered."""
        return self._session is not None

    @property
    def inserted(self) -> bool:
        """Whether the chip is in the reader."""
        return self._inserted

    def power_on(self) -> bytes:
        """Give power and reset; returns the ATR.

        Raises
        ------
        CardRemovedError
            The chip is not in the reader.
        """
        if not self._inserted:
            raise CardRemovedError
        self._session = self._begin()
        for hook in self.on_reset:
            hook(self.atr)
        return self.atr

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
        """Take the chip out of the reader."""
        self._inserted = False
        self._session = None

    def insert(self) -> None:
        """Put the chip into the reader, without power yet."""
        self._inserted = True

    def _powered_session(self) -> SessionT:
        if not self._inserted:
            raise CardRemovedError
        if self._session is None:
            raise PowerLostError
        return self._session

    # Faults

    def arm(self, fault: Fault) -> None:
        """Let a fault happen; its commands are counted from now."""
        self._schedule.arm(fault)

    def disarm(self) -> None:
        """Forget waiting faults."""
        self._schedule.clear()

    def reset_counters(self) -> None:
        """Count from zero again; a `WireClock` counts on its own."""
        self.counters = Counters()

    # Commands

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
        if due:
            self._befall(due, kinds)
        if request is None:
            answer = status.WRONG_LENGTH.to_bytes(2, "big")
        else:
            answer = self._execute(session, request, torn=FaultKind.TORN in kinds)
        self.counters.count(apdu, request)
        if kinds & {FaultKind.TORN, FaultKind.UNANSWERED}:
            self.power_off()
            raise PowerLostError
        self.counters.bytes_out += len(answer)
        for hook in self.on_exchange:
            hook(apdu, answer)
        return answer

    def _befall(self, due: list[Fault], kinds: set[FaultKind]) -> None:
        """What happens before the command is looked at."""
        if FaultKind.REMOVED in kinds:
            self.remove()
            raise CardRemovedError
        if FaultKind.CUT_BEFORE in kinds:
            self.power_off()
            raise PowerLostError
        for fault in due:
            if fault.kind is FaultKind.SLOW:
                self._sleep(fault.seconds)
