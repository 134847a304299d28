"""The card side of vpcd, the virtual reader of the vsmartcard project: a card object in a reader.

The reader driver inside pcscd listens on one TCP port a slot, and a connection is an inserted card.
Every message is a big-endian length of two bytes and that many bytes. One byte from the reader is a
control code: 0 power off, 1 power on, 2 reset (no answer), 4 send the ATR. Everything else is a
command APDU and is answered. An empty answer would eject the card, and the driver asks for the ATR
several times a second to see whether the card is still there.

The driver writes length and data separately. Unless the card acknowledges the first write at once,
Nagle's algorithm holds the second back until the delayed acknowledgement: 44 ms a command. Quick
acknowledgement, armed again before every receive since the kernel forgets it, and one write per
answer bring that to 0.15 ms.

pcscd looks every 0.4 s whether a card is there. Of a card that leaves and another (or the same)
that comes between two looks it notices nothing: the driver takes the new connection, pcscd keeps
state, ATR and event count of the old card, and sends commands to a chip that it never powered. A
chip that is noticed is powered within a millisecond; one that is asked for its ATR at two looks and
has no power yet, or is reset or talked to without power, was not noticed. It leaves once more, for
longer than a look, and comes back.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from typing import Final, Protocol, Self

from cardkit.errors import UnreachableError

CONTROL_OFF: Final = 0
CONTROL_ON: Final = 1
CONTROL_RESET: Final = 2
CONTROL_ATR: Final = 4

# What the driver gets when it asks for the ATR of a card that was never powered: it only wants to
# know that a card is there, and any answer that is not empty says so.
_PRESENT: Final = b"\x3b\x00"

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
_RECEIVE: Final = 0x10002
_REATTACH: Final = 0.2  # seconds between two tries to find the reader again
_POWERED: Final = 0.2  # seconds after its first look in which a reader has powered a new card
_LOOK: Final = 0.6  # seconds; longer than pcscd's 0.4 between two looks


class CardSide(Protocol):
    """A chip as a reader sees it; `cardkit.virtual.card.VirtualCard` is one."""

    def power_on(self) -> bytes:
        """Apply power, return the ATR."""

    def power_off(self) -> None:
        """Take the power away."""

    def reset(self) -> bytes:
        """Warm reset, return the ATR."""

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command: data and status word, at least two bytes.

        Raises
        ------
        UnreachableError
            The card lost its power or left the reader; it is taken out of the virtual reader.
        """


class Departure(Enum):
    """Why a card is no longer in its reader."""

    REMOVED = "removed"
    POWER_LOST = "power lost"
    USED = "used and powered down"
    UNNOTICED = "taken for the card before it"
    READER_GONE = "reader gone"


class CardInReader:
    """One card on one connection to a reader.

    Parameters
    ----------
    connection : socket.socket
        Connected to the port of a slot (`cardkit.virtual.service.attach`); closed at the end.
    card : CardSide
        Used by one thread only, the one that runs `serve`.
    leave_when_used : callable, optional
        Asked when the card is powered down after at least one command; True takes it out. Without
        it the card stays in until `remove`.
    clock : callable
        Seconds, for telling one look of the reader from the next.
    """

    def __init__(
        self,
        connection: socket.socket,
        card: CardSide,
        *,
        leave_when_used: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._first_look: float | None = None
        self._connection = connection
        self._card = card
        self._leave_when_used = leave_when_used
        self._buffer = b""
        self._atr = b""
        self._used = False
        self._removed = threading.Event()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def serve(self) -> Departure:
        """Answer the reader until the card leaves; returns why it left."""
        try:
            return self._serve()
        except OSError:
            return Departure.REMOVED if self._removed.is_set() else Departure.READER_GONE
        finally:
            # Shut down, not only closed: a forked child may have inherited the connection.
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()
            if self._atr:
                self._card.power_off()

    def remove(self) -> None:
        """Take the card out; safe from any thread, `serve` then returns."""
        self._removed.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> Departure:
        while message := self._receive():
            if not self._atr and self._unnoticed(message):
                return Departure.UNNOTICED
            if len(message) == 1:
                if self._control(message[0]):
                    return Departure.USED
                continue
            self._used = True
            try:
                answer = self._card.transmit(message)
            except UnreachableError:
                return Departure.POWER_LOST
            self._send(answer)
        return Departure.REMOVED if self._removed.is_set() else Departure.READER_GONE

    def _unnoticed(self, message: bytes) -> bool:
        """Whether the reader takes this chip, which it has not powered, for the one before it."""
        if len(message) != 1 or message[0] == CONTROL_RESET:
            return True
        if message[0] == CONTROL_ATR:
            now = self._clock()
            self._first_look = now if self._first_look is None else self._first_look
            return now - self._first_look > _POWERED
        return False

    def _control(self, code: int) -> bool:
        """Obey a control code; True when the card has to leave."""
        if code == CONTROL_ATR:
            self._send(self._atr or _PRESENT)
        elif code == CONTROL_ON:
            self._atr = self._card.power_on()
        elif code == CONTROL_RESET:
            self._atr = self._card.reset()
        elif code == CONTROL_OFF:
            if self._atr:
                self._card.power_off()
            return self._used and self._leave_when_used is not None and self._leave_when_used()
        return False

    def _receive(self) -> bytes:
        """One message; empty when the other side has closed."""
        while len(self._buffer) < 2 or len(self._buffer) < 2 + self._announced():
            if _QUICKACK is not None:
                self._connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            piece = self._connection.recv(_RECEIVE)
            if not piece:
                return b""
            self._buffer += piece
        end = 2 + self._announced()
        message, self._buffer = self._buffer[2:end], self._buffer[end:]
        return message

    def _announced(self) -> int:
        return self._buffer[0] << 8 | self._buffer[1]

    def _send(self, message: bytes) -> None:
        self._connection.sendall(len(message).to_bytes(2, "big") + message)


class ReaderThread:
    """Cards in one reader, one after the other, served by a thread of their own.

    Parameters
    ----------
    attach : callable
        Returns a socket connected to the slot, once for every insertion.
    cards : iterable of CardSide
        Inserted in this order.
    used_up : callable, optional
        Asked with a card that was talked to and then powered down: True makes room for the next
        card, False leaves it in (an unfinished card that a restarted program goes on with).
        Without it a card stays in until `remove`.

    Attributes
    ----------
    departure : Departure or None
        Why the last card left; a card whose power was cut leaves and ends the thread.
    error : Exception or None
        What ended the thread instead: a `CardkitError`, or a bug in the card.
    served : int
        Cards that have been in the reader and left.

    Notes
    -----
    When the reader goes (the service is restarted), the card waits for it and is in again as soon
    as the reader is back, as a card left in a real reader would be. A card that the reader takes
    for the one before it leaves and comes back by itself.
    """

    def __init__(
        self,
        attach: Callable[[], socket.socket],
        cards: Iterable[CardSide],
        *,
        used_up: Callable[[CardSide], bool] | None = None,
        name: str = "virtual card",
    ) -> None:
        self._attach = attach
        self._cards = iter(cards)
        self._used_up = used_up
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._current: CardInReader | None = None
        self.departure: Departure | None = None
        self.error: Exception | None = None
        self.served = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        """Insert the first card and go on by itself."""
        self._thread.start()
        return self

    def remove(self, timeout: float = 5.0) -> None:
        """Take the card out and end the thread; harmless when it has ended already."""
        self._stopping.set()
        with self._lock:
            if self._current is not None:
                self._current.remove()
        self.wait(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no card is left; False when that took longer than ``timeout`` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for card in self._cards:
                self.departure = self._keep_in(card)
                self.served += 1
                if self.departure is not Departure.USED:
                    return
        except Exception as error:  # noqa: BLE001 - for whoever waits; told here, it may quote data
            self.error = error

    def _keep_in(self, card: CardSide) -> Departure:
        departure = self._serve(card, self._attach())
        while departure in {Departure.READER_GONE, Departure.UNNOTICED}:
            if departure is Departure.UNNOTICED and self._stopping.wait(_LOOK):
                return Departure.REMOVED
            try:
                departure = self._serve(card, self._attach())
            except UnreachableError:
                if self._stopping.wait(_REATTACH):
                    return Departure.REMOVED
        return departure

    def _serve(self, card: CardSide, connection: socket.socket) -> Departure:
        leave = None if self._used_up is None else partial(self._used_up, card)
        with self._lock:
            if self._stopping.is_set():
                connection.close()
                return Departure.REMOVED
            self._current = CardInReader(connection, card, leave_when_used=leave)
        return self._current.serve()


def insert(card: CardSide, attach: Callable[[], socket.socket]) -> ReaderThread:
    """Put one card into a reader; it stays until `ReaderThread.remove`.

    Raises
    ------
    UnreachableError
        There is no such reader, or a card is in it.
    """
    first = [attach()]
    return ReaderThread(lambda: first.pop() if first else attach(), [card]).start()


def feed(
    cards: Iterable[CardSide],
    attach: Callable[[], socket.socket],
    *,
    used_up: Callable[[CardSide], bool] | None = None,
) -> ReaderThread:
    """Feed a stack of cards: the next goes in once a card that was used is powered down.

    A reader needs 0.14-0.42 s to notice that a card has left, and as long to notice the next.
    """
    return ReaderThread(attach, cards, used_up=used_up or (lambda _card: True)).start()
