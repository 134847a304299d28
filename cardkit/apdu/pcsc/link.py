"""A link to the chip in a PC/SC reader."""

from __future__ import annotations

import time
from enum import IntEnum
from types import TracebackType
from typing import Final, Literal, NoReturn, Self

from cardkit.apdu.link import LinkLostError
from cardkit.apdu.pcsc.calls import (
    E_NOT_TRANSACTED,
    OPEN_HERE,
    STALE,
    W_UNRESPONSIVE_CARD,
    call,
    check,
    drop_context,
    explain,
    scard,
    unsigned,
)
from cardkit.apdu.pcsc.errors import PcscError, lost

_SHARE_EXCLUSIVE: Final = 1
_SHARE_SHARED: Final = 2
_PROTOCOL_T0: Final = 1
_PROTOCOL_T1: Final = 2
_ATR_TRIES: Final = 50
_ATR_PAUSE: Final = 0.01  # seconds


class Disposition(IntEnum):
    """What happens to the card when a program lets go of it (PC/SC part 5, SCardDisconnect).

    EJECT is for readers with a motor; the virtual reader has none and keeps the card powered. A
    feeder of virtual cards waits for UNPOWER.
    """

    LEAVE = 0
    RESET = 1
    UNPOWER = 2
    EJECT = 3


class PcscLink:
    """Carries bytes to the chip in a reader; a `cardkit.apdu.Link` and a context manager.

    Made by `open_card`. Use it in one thread at a time.
    """

    def __init__(self, reader: str, handle: int, protocol: int, atr: bytes, mode: int) -> None:
        self.reader = reader
        self._handle: int | None = handle
        self._mode = mode
        self._scard = scard()
        self._take_protocol(protocol)
        self._atr = atr
        OPEN_HERE[reader] += 1

    def _take_protocol(self, protocol: int) -> None:
        self.protocol: Literal["T=0", "T=1"] = "T=0" if protocol == _PROTOCOL_T0 else "T=1"
        t0 = protocol == _PROTOCOL_T0
        self._pci = self._scard.SCARD_PCI_T0 if t0 else self._scard.SCARD_PCI_T1

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command, return data and status word, as they are on the wire.

        Raises
        ------
        LinkLostError
            Card, reader or service is gone, or another program has reset the card. The cause is
            the `PcscError` that says which.
        """
        if self._handle is None:
            raise LinkLostError("the card has been disconnected", hint="connect to it again")
        # The only place where bytes become the list of numbers pyscard wants, and back.
        result, answer = self._scard.SCardTransmit(self._handle, self._pci, list(apdu))
        if result or len(answer) < 2:
            # Success with less than a status word: the virtual reader, when its card loses power.
            self._lost(result or E_NOT_TRANSACTED)
        return bytes(answer)

    def reset(self, disposition: Disposition = Disposition.RESET) -> bytes:
        """Reset the chip (warm, or cold with UNPOWER), return its ATR.

        Raises
        ------
        LinkLostError
            The card cannot be reached.
        """
        if self._handle is None:
            raise LinkLostError("the card has been disconnected", hint="connect to it again")
        result, protocol = self._scard.SCardReconnect(
            self._handle, self._mode, _PROTOCOL_T0 | _PROTOCOL_T1, disposition
        )
        if result:
            self._lost(result)
        self._take_protocol(protocol)
        result, *_, atr = self._scard.SCardStatus(self._handle)
        if result:
            self._lost(result)
        self._atr = bytes(atr)
        return self._atr

    def _lost(self, result: int) -> NoReturn:
        # Let go at once: a handle that is kept, even to a card long gone, blocks the reader.
        code = unsigned(result)
        self.close()
        if code in STALE:
            drop_context()
        raise lost(explain(code, self.reader))

    def close(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """Let go of the card; harmless when it is gone."""
        handle = self._forget()
        if handle is not None:
            self._scard.SCardDisconnect(handle, disposition)

    def _forget(self) -> int | None:
        handle, self._handle = self._handle, None
        if handle is not None:
            OPEN_HERE[self.reader] -= 1
        return handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PcscLink({self.reader!r}, {self.protocol})"


def open_card(reader: str, *, exclusive: bool = True) -> PcscLink:
    """Connect to the card in a reader.

    Parameters
    ----------
    reader : str
        Full name, see `cardkit.apdu.pcsc.find_reader`.
    exclusive : bool
        Keep other programs away from the card while the link is open.

    Raises
    ------
    NoCardError, MuteCardError
        Empty reader, or a card without ATR.
    CardBusyError
        Another program uses the card; it names the programs that may.
    ReaderGoneError, NoServiceError, NoPermissionError
        The reader or the service is not there for us.
    """
    mode = _SHARE_EXCLUSIVE if exclusive else _SHARE_SHARED
    protocols = _PROTOCOL_T0 | _PROTOCOL_T1
    _, handle, protocol = call(
        lambda context: scard().SCardConnect(context, reader, mode, protocols), reader=reader
    )
    try:
        atr = _atr_of(handle, reader)
    except PcscError:
        scard().SCardDisconnect(handle, Disposition.LEAVE)
        raise
    return PcscLink(reader, handle, protocol, atr, mode)


def _atr_of(handle: int, reader: str) -> bytes:
    """ATR of the card; the service may let us connect some milliseconds before it tells the ATR."""
    for _ in range(_ATR_TRIES):
        result, *_, atr = scard().SCardStatus(handle)
        check(result, reader)
        if atr:
            return bytes(atr)
        time.sleep(_ATR_PAUSE)
    raise explain(W_UNRESPONSIVE_CARD, reader)
