"""Replay: a recorded trace as a card, and a recorded trace sent to a card again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from cardkit.apdu.instructions import Effect, effect, find
from cardkit.apdu.link import Link, LinkLostError, chain
from cardkit.apdu.mask import mask
from cardkit.apdu.response import StatusWord
from cardkit.apdu.trace import Event, Exchange, Reset, Trace, grouped
from cardkit.errors import CardkitError, ExitCode, RefusedError, UsageError


class ReplayMismatchError(CardkitError):
    """What was asked is not what was recorded; ``line_number`` is the place in the trace."""

    exit_code = ExitCode.PARTIAL

    def __init__(self, line_number: int, what: str) -> None:
        where = f"line {line_number}" if line_number else "end of the trace"
        super().__init__(f"{where}: {what}", hint="the session went another way than when recorded")
        self.line_number = line_number


class ReplayLink:
    r"""Plays the card of a recorded session; implements `cardkit.apdu.Link`.

    Hidden bytes of a command match anything; a hidden answer cannot be given.

    Parameters
    ----------
    trace : Trace
        Served from its beginning. The first reset, if there is one, has happened already.

    Examples
    --------
    >>> from cardkit.apdu.trace import parse
    >>> link = ReplayLink(parse("cardkit trace 1\n* 3B00\n> 00B2010402\n< 0203 9000\n"))
    >>> link.atr.hex(), link.transmit(bytes.fromhex("00B2010402")).hex(), link.left
    ('3b00', '02039000', 0)
    """

    def __init__(self, trace: Trace) -> None:
        self._events = trace.events
        self._at = 0
        self._atr = b""
        first = self._next()
        if isinstance(first, Reset):
            self._take_reset(first)

    @property
    def atr(self) -> bytes:
        """ATR of the last reset; empty when the trace has not told one yet."""
        return self._atr

    @property
    def left(self) -> int:
        """Events that were not asked for yet."""
        return len(self._events) - self._at

    def transmit(self, apdu: bytes) -> bytes:
        """Answer as recorded.

        Raises
        ------
        ReplayMismatchError
            Another command was recorded here, or none, or its answer is hidden.
        LinkLostError
            The recording has no answer either: the card was lost here.
        """
        event = self._next()
        if not isinstance(event, Exchange):
            self._wrong(event, f"{_words(apdu)} asked")
        at = event.command.difference(apdu)
        if at is not None:
            shown, _ = mask(apdu)
            self._wrong(event, f"{grouped(shown)} asked, differs in byte {at + 1}")
        if event.answer is None:
            self._at += 1
            raise LinkLostError(f"line {event.line}: no answer was recorded, the card was lost")
        if event.answer.hidden:
            raise ReplayMismatchError(event.line, f"the answer to {_words(apdu)} is masked")
        self._at += 1
        return event.answer.value

    def reset(self) -> bytes:
        """Reset as recorded.

        Raises
        ------
        ReplayMismatchError
            No reset was recorded here.
        """
        event = self._next()
        if not isinstance(event, Reset):
            self._wrong(event, "a reset asked")
        self._take_reset(event)
        return self._atr

    def _next(self) -> Event | None:
        return self._events[self._at] if self._at < len(self._events) else None

    def _take_reset(self, event: Reset) -> None:
        if event.atr.hidden:
            raise ReplayMismatchError(event.line, "the ATR is masked")
        self._atr = event.atr.value
        self._at += 1

    @staticmethod
    def _wrong(event: Event | None, asked: str) -> NoReturn:
        if event is None:
            raise ReplayMismatchError(0, f"{asked}, nothing recorded")
        if isinstance(event, Reset):
            raise ReplayMismatchError(event.line, f"{asked}, a reset recorded")
        shown, _ = mask(event.command.value)
        recorded = f"{_words(event.command.value)} ({grouped(shown)}) recorded"
        raise ReplayMismatchError(event.line, f"{asked}, {recorded}")


@dataclass(frozen=True, slots=True)
class Difference:
    """A card answered differently from the recording; never shows a value.

    Parameters
    ----------
    line : int
        In the trace.
    command : str
        Its name.
    recorded, answered : str
        Status word in words, or what became of the ATR.
    byte : int or None
        First differing byte of the answer, from 1; None without an answer to compare.
    """

    line: int
    command: str
    recorded: str
    answered: str
    byte: int | None = None

    def __str__(self) -> str:
        if self.recorded != self.answered:
            return f"line {self.line}: {self.command}: {self.answered}, recorded {self.recorded}"
        return f"line {self.line}: {self.command}: other data from byte {self.byte}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a card answered a trace.

    Parameters
    ----------
    sent : int
        Commands that went to the card.
    differences : tuple of Difference
        In the order of the trace.
    stopped : bool
        Nothing more was sent after the last difference.
    """

    sent: int
    differences: tuple[Difference, ...]
    stopped: bool = False


def check_replayable(trace: Trace, *, dangerous: bool = False) -> None:
    """Refuse what cannot or must not be sent to a card again.

    Raises
    ------
    UsageError
        The trace is masked, or has no command.
    RefusedError
        A command of it writes or can spend tries, and ``dangerous`` is not set.
    """
    if not trace.exchanges:
        raise UsageError("the trace has no command", hint="record one with --trace")
    hidden = next((e for e in trace.exchanges if e.masked), None)
    if hidden is not None:
        raise UsageError(
            f"line {hidden.line}: the trace is masked and cannot be sent to a card",
            hint="record it again with --unmask, on a test card",
        )
    for exchange in trace.exchanges:
        worst = effect(exchange.command.value)
        if worst is not Effect.READS and not dangerous:
            raise RefusedError(
                f"line {exchange.line}: {_words(exchange.command.value)} {_CONSEQUENCE[worst]}",
                hint="with --dangerous it is sent all the same; do so on test cards only",
            )


_CONSEQUENCE = {
    Effect.WRITES: "writes, or may do anything",
    Effect.TRIES: "can use up the tries of a key or PIN",
}


def replay(trace: Trace, link: Link, *, dangerous: bool = False) -> Comparison:
    """Send the commands of a trace to a card and compare its answers.

    A trace recorded near the chip goes out byte by byte; any other through the usual chain of
    links. Answers that are new each time are compared by length and status word. At another status
    word to a command that writes or spends tries it stops.

    Parameters
    ----------
    link : Link
        The bare chip, without the chain.

    Raises
    ------
    UsageError, RefusedError
        As `check_replayable`; nothing was sent.
    LinkLostError
        The card is gone.
    """
    check_replayable(trace, dangerous=dangerous)
    ways = link if trace.raw else chain(link)
    found: list[Difference] = []
    sent = 0
    for event in trace.events:
        sent += isinstance(event, Exchange)
        difference = _reset(event, ways) if isinstance(event, Reset) else _exchange(event, ways)
        if difference is None:
            continue
        found.append(difference)
        if _must_stop(event, difference):
            return Comparison(sent, tuple(found), stopped=True)
    return Comparison(sent, tuple(found))


def _reset(event: Reset, link: Link) -> Difference | None:
    if event.atr.matches(link.reset()):
        return None
    return Difference(event.line, "reset", "its ATR", "another ATR")


def _exchange(event: Exchange, link: Link) -> Difference | None:
    command, recorded = event.command.value, event.answer
    answer = link.transmit(command)
    if recorded is None:
        return Difference(event.line, _words(command), "no answer", _status(answer))
    told, tells = _status(recorded.value), _status(answer)
    at = recorded.difference(answer)
    as_good = find(command).fresh and told == tells and len(answer) == len(recorded)
    if at is None or as_good:
        return None
    return Difference(event.line, _words(command), told, tells, at + 1)


def _must_stop(event: Event, difference: Difference) -> bool:
    harmless = isinstance(event, Reset) or effect(event.command.value) is Effect.READS
    return not harmless and difference.recorded != difference.answered


def _status(answer: bytes) -> str:
    return str(StatusWord(int.from_bytes(answer[-2:], "big")))


def _words(command: bytes) -> str:
    return find(command).name
