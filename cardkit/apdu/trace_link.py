"""Recording: a small link that hands every exchange to a sink, and the sinks.

Put next to the chip it records what T=0 really moves; put around the chain, what procedures asked
and got. One sink serves one link. Without a trace there is no such link and nothing is spent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from cardkit.apdu.link import Link
from cardkit.apdu.mask import Masker, Pattern
from cardkit.apdu.trace import (
    UNMASKED,
    VERSION,
    Entry,
    Exchange,
    Reset,
    Trace,
    exchange_lines,
    one_line,
    reset_line,
)
from cardkit.errors import UsageError

Clock = Callable[[], float]


class Annotator(Protocol):
    """Finds words for commands; it sees everything, so it must not repeat values."""

    def reset(self) -> None:
        """The chip was reset."""

    def annotate(self, command: bytes, answer: bytes | None) -> str:
        """Words for one exchange."""


class Sink(Protocol):
    """Takes down what a `TraceLink` sees."""

    def reset(self, atr: bytes) -> None:
        """The chip was reset."""

    def exchange(self, command: bytes, answer: bytes | None, seconds: float) -> None:
        """A command went out; ``answer`` is None when none came."""


class TraceLink:
    """Passes everything on and tells a sink about it.

    Parameters
    ----------
    link : Link
        The chip, or any chain of links.
    sink : Sink
        Told the ATR at once, then every reset and exchange.
    clock : callable
        Seconds from any start that never go back, e.g. ``time.perf_counter``.
    """

    def __init__(self, link: Link, sink: Sink, clock: Clock) -> None:
        self._link = link
        self._sink = sink
        self._clock = clock
        sink.reset(link.atr)

    @property
    def atr(self) -> bytes:
        """Answer to the last reset."""
        return self._link.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command, return its answer; a command that gets none is recorded too."""
        answer = None
        before = self._clock()
        try:
            answer = self._link.transmit(apdu)
        finally:
            self._sink.exchange(apdu, answer, self._clock() - before)
        return answer

    def reset(self) -> bytes:
        """Reset the chip, return its new ATR."""
        atr = self._link.reset()
        self._sink.reset(atr)
        return atr


class Recorder:
    """A sink in memory that hides nothing; for tests and golden references."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def reset(self, atr: bytes) -> None:
        """See `Sink`."""
        self._entries.append(Reset(Pattern(bytes(atr))))

    def exchange(self, command: bytes, answer: bytes | None, seconds: float) -> None:  # noqa: ARG002
        """See `Sink`; times would make two recordings of the same session differ."""
        answered = None if answer is None else Pattern(bytes(answer))
        self._entries.append(Exchange(Pattern(bytes(command)), answered))

    @property
    def trace(self) -> Trace:
        """What was recorded so far."""
        return Trace(tuple(self._entries))


class TraceWriter:
    """A sink that writes the text of a trace, masked unless everything is asked for.

    Parameters
    ----------
    out : TextIO
        Gets one write an exchange, so that readers of a run never tear each other's lines.
    unmask : bool
        Hide nothing, and say so in the file.
    annotator : Annotator
        Puts words behind commands.
    heading : str
        A comment, e.g. date and reader.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        unmask: bool = False,
        annotator: Annotator | None = None,
        heading: str = "",
    ) -> None:
        self._out = out
        self._masker = None if unmask else Masker()
        self._annotator = annotator
        warning = [UNMASKED] if unmask else []
        titled = [f"# {one_line(heading)}"] if heading else []
        self._write(VERSION, *warning, *titled)

    def reset(self, atr: bytes) -> None:
        """See `Sink`."""
        for follower in (self._masker, self._annotator):
            if follower is not None:
                follower.reset()
        self._write(reset_line(Reset(Pattern(bytes(atr)))))

    def exchange(self, command: bytes, answer: bytes | None, seconds: float) -> None:
        """See `Sink`."""
        asked, answered = self._patterns(command, answer)
        note = self._annotator.annotate(command, answer) if self._annotator else ""
        self._write(*exchange_lines(Exchange(asked, answered, seconds, note)))

    def _patterns(self, command: bytes, answer: bytes | None) -> tuple[Pattern, Pattern | None]:
        if self._masker:
            return self._masker.mask(command, answer)
        return Pattern(bytes(command)), None if answer is None else Pattern(bytes(answer))

    def _write(self, *lines: str) -> None:
        self._out.write("\n".join((*lines, "")))


@contextmanager
def trace_file(
    path: Path,
    *,
    unmask: bool = False,
    annotator: Annotator | None = None,
    heading: str = "",
) -> Iterator[TraceWriter]:
    """Write a trace to a file that only its owner may read (mode 0600), line by line.

    An older trace of that name is replaced; any other file is left alone.

    Raises
    ------
    UsageError
        The file cannot be written, or is no trace.
    """
    try:
        out = os.fdopen(_open(path), "w", encoding="utf-8", buffering=1, newline="\n")
    except OSError as error:
        raise UsageError(
            f"no trace can be written to {path}: {error.strerror}", hint="name another file"
        ) from None
    with out:
        yield TraceWriter(out, unmask=unmask, annotator=annotator, heading=heading)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):  # each where the system has it
        flags |= getattr(os, name, 0)
    handle = os.open(path, flags, 0o600)
    try:
        _check_old(path, os.read(handle, len(VERSION)))
        if sys.platform != "win32":
            os.fchmod(handle, 0o600)  # an older trace may have been opened to others
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check_old(path: Path, start: bytes) -> None:
    if start not in (b"", VERSION.encode()):
        raise UsageError(f"{path} is no trace and is not overwritten", hint="name another file")
