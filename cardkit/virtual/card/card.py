"""The card from outside: contacts, power, bytes in and out, faults, counts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cardkit.virtual.card import image, status
from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.card.chip import (
    ATR_HEAD_LENGTH,
    CAPACITY,
    SERIAL_LENGTH,
    TRANSPORT_LENGTH,
    Chip,
    own_transport_key,
)
from cardkit.virtual.card.commands import GET_RESPONSE
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.execute import execute
from cardkit.virtual.card.faults import (
    CardRemovedError,
    Fault,
    FaultKind,
    PowerLostError,
    Schedule,
    Wear,
)
from cardkit.virtual.card.messaging import USUAL, Derivation, Form
from cardkit.virtual.card.session import Session
from cardkit.virtual.card.tpdu import Request, parse

DEFAULT_ATR = bytes.fromhex("3B6D00000087BF10028649639900000001")

Random = Callable[[int], bytes]


@dataclass(slots=True)
class Counters:
    """What went over the contacts since the card was made or `VirtualCard.reset_counters`.

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


class VirtualCard:
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
        self.counters = Counters()
        self.on_exchange: list[Callable[[bytes, bytes], None]] = []
        self.on_reset: list[Callable[[bytes], None]] = []
        self._random = random
        self._sleep = sleep
        self._session: Session | None = None
        self._inserted = True
        self._schedule = Schedule()
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

    # Contacts and power

    @property
    def atr(self) -> bytes:
        """ATR of the last reset; without power that of the next."""
        return self._session.atr if self._session else self.chip.atr

    @property
    def powered(self) -> bool:
        """Whether commands are answered."""
        return self._session is not None

    @property
    def inserted(self) -> bool:
        """Whether the card is in the reader."""
        return self._inserted

    def power_on(self) -> bytes:
        """Give power and reset; returns the ATR.

        Raises
        ------
        CardRemovedError
            The card is not in the reader.
        """
        if not self._inserted:
            raise CardRemovedError
        self._session = Session(self.chip.atr, self.chip.mf)
        for hook in self.on_reset:
            hook(self.chip.atr)
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
        """Take the card out of the reader."""
        self._inserted = False
        self._session = None

    def insert(self) -> None:
        """Put the card into the reader, without power yet."""
        self._inserted = True

    def _powered_session(self) -> Session:
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
        """Forget waiting faults and heal what is worn out."""
        self._schedule.clear()
        self._wear.faults.clear()

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
            self._prepare(due, kinds)
        answer = self._execute(session, request, torn=FaultKind.TORN in kinds)
        self._count(apdu, request)
        if FaultKind.TORN in kinds or FaultKind.UNANSWERED in kinds:
            self.power_off()
            raise PowerLostError
        self.counters.bytes_out += len(answer)
        for hook in self.on_exchange:
            hook(apdu, answer)
        return answer

    def _prepare(self, due: list[Fault], kinds: set[FaultKind]) -> None:
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
            elif fault.kind in (FaultKind.WORN, FaultKind.CORRUPT):
                self._wear.faults.append(fault)

    def _execute(self, session: Session, request: Request | None, *, torn: bool) -> bytes:
        if request is None:
            return status.WRONG_LENGTH.to_bytes(2, "big")
        context = Context(self.chip, session, request, self._random, self._wear)
        return execute(context, torn=torn)

    def _count(self, apdu: bytes, request: Request | None) -> None:
        counters = self.counters
        counters.bytes_in += len(apdu)
        if request is not None and request.ins == GET_RESPONSE:
            counters.get_responses += 1
        else:
            counters.commands += 1
        if request is not None:
            counters.per_ins[request.ins] = counters.per_ins.get(request.ins, 0) + 1
