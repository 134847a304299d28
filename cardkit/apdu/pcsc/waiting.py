"""Wait for people: a card put in or taken out, a reader plugged in, a service started again.

A wait survives everything in between. What stands in the way (empty reader, reader unplugged,
service stopped) is told once each time it changes, and is the error when time runs out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from cardkit.apdu.pcsc.calls import (
    E_CANCELLED,
    E_NO_READERS_AVAILABLE,
    E_NO_SMARTCARD,
    E_TIMEOUT,
    E_UNKNOWN_READER,
    W_UNRESPONSIVE_CARD,
    call,
    explain,
    scard,
    unsigned,
)
from cardkit.apdu.pcsc.errors import NoPermissionError, PcscError
from cardkit.apdu.pcsc.readers import (
    STATE_UNAVAILABLE,
    STATE_UNAWARE,
    STATE_UNKNOWN,
    ReaderState,
)

# Longest time without looking whether to stop; the service itself looks every 0.4 s.
_SLICE: Final = 0.2
_ACCEPTED: Final = frozenset({E_TIMEOUT, E_CANCELLED, E_UNKNOWN_READER, E_NO_READERS_AVAILABLE})

Obstacle = Callable[[PcscError], None]


def wait_for_card(
    reader: str,
    timeout: float | None = None,
    *,
    after: int | None = None,
    stop: Callable[[], bool] | None = None,
    on_obstacle: Obstacle | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ReaderState | None:
    """Wait until a card that answers is in the reader.

    Parameters
    ----------
    reader : str
        Full name.
    timeout : float, optional
        Seconds; None waits for ever.
    after : int, optional
        ``events`` of a state seen before: wait for another insertion than that.
    stop : callable, optional
        Asked several times a second; True ends the wait.
    on_obstacle : callable, optional
        Told what is waited for, each time that changes.
    clock : callable
        Seconds, monotonic.

    Returns
    -------
    ReaderState or None
        None when ``stop`` ended the wait.

    Raises
    ------
    NoCardError, MuteCardError, ReaderGoneError, NoServiceError
        What stood in the way when time ran out.
    NoPermissionError
        At once: waiting does not help.
    """

    def obstacle(state: ReaderState, *, anew: bool) -> PcscError | None:
        if not state.present or (state.events == after and not anew):
            return explain(E_NO_SMARTCARD, reader)
        if state.mute:
            return explain(W_UNRESPONSIVE_CARD, reader)
        return None

    return _wait(reader, obstacle, timeout, stop, on_obstacle, clock)


def wait_for_removal(
    reader: str,
    timeout: float | None = None,
    *,
    seen: ReaderState | None = None,
    stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until the card is out of the reader, or the reader is gone with it.

    Parameters
    ----------
    reader, timeout, stop, clock
        As in `wait_for_card`.
    seen : ReaderState, optional
        The state with that card in: a quick exchange for another card counts as removal.

    Returns
    -------
    bool
        False when ``stop`` ended the wait.

    Raises
    ------
    PcscError
        The card is still in when time runs out.
    """
    still_in = PcscError(
        f"the card is still in {reader}", hint="take it out", zh=f"卡片还在 {reader} 中：请取出"
    )

    def obstacle(state: ReaderState, *, anew: bool) -> PcscError | None:
        same = seen is None or (state.events == seen.events and not anew)
        return still_in if state.present and same else None

    try:
        return _wait(reader, obstacle, timeout, stop, None, clock, gone_ends=True) is not None
    except PcscError as error:
        if error is still_in:
            raise
        return True  # no reader, no service: no card


def wait_for_reader(
    reader: str,
    timeout: float | None = None,
    *,
    stop: Callable[[], bool] | None = None,
    on_obstacle: Obstacle | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until a reader of this name is connected; parameters and errors as `wait_for_card`."""
    return _wait(reader, _nothing, timeout, stop, on_obstacle, clock) is not None


class _Obstacle(Protocol):
    def __call__(self, state: ReaderState, *, anew: bool) -> PcscError | None:
        """What stands in the way; ``anew``: the service has started to count events anew."""


def _nothing(state: ReaderState, *, anew: bool) -> PcscError | None:  # noqa: ARG001
    return None


def _wait(
    reader: str,
    obstacle: _Obstacle,
    timeout: float | None,
    stop: Callable[[], bool] | None,
    on_obstacle: Obstacle | None,
    clock: Callable[[], float],
    *,
    gone_ends: bool = False,
) -> ReaderState | None:
    deadline = None if timeout is None else clock() + timeout
    known, told, anew = STATE_UNAWARE, "", False
    while stop is None or not stop():
        left = _SLICE if deadline is None else min(_SLICE, deadline - clock())
        try:
            known, state = _look(reader, known, max(left, 0.0))
            error = obstacle(state, anew=anew)
        except NoPermissionError:
            raise
        except PcscError as gone:
            if gone_ends:
                raise
            known, state, error, anew = STATE_UNAWARE, _absent(reader), gone, True
            time.sleep(max(min(left, _SLICE), 0.0))
        if error is None:
            return state
        if on_obstacle is not None and error.message != told:
            on_obstacle(error)
        told = error.message
        if deadline is not None and clock() >= deadline:
            raise error
    return None


def _absent(reader: str) -> ReaderState:
    return ReaderState(reader, present=False)


def _look(reader: str, known: int, seconds: float) -> tuple[int, ReaderState]:
    """Look at a reader, for so long if nothing has changed; returns the raw state too."""
    milliseconds = int(seconds * 1000)
    result, states = call(
        lambda context: scard().SCardGetStatusChange(context, milliseconds, [(reader, known)]),
        reader=reader,
        accept=_ACCEPTED,
    )
    code = unsigned(result)
    if code in {E_UNKNOWN_READER, E_NO_READERS_AVAILABLE} or not states:
        raise explain(code or E_UNKNOWN_READER, reader)
    _, raw, atr = states[0]
    if raw & (STATE_UNKNOWN | STATE_UNAVAILABLE):
        raise explain(E_UNKNOWN_READER, reader)
    return raw, ReaderState.decode(reader, raw, bytes(atr))
