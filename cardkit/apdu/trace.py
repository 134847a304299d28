"""Traces: one line-based text format for recording, replay, golden references and fuzz seeds.

::

    cardkit trace 1
    # free text
    * 3B6D0000…                             reset, and the ATR
    > 00B20728 0B  # READ RECORD            command: header, Lc or Le, data
    < 0709 ****************** 9000 +0.0012  answer, and the seconds it took

The language is described in docs/trace.md. `parse` and `to_text` are inverse to each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cardkit.apdu.instructions import GET_RESPONSE
from cardkit.apdu.mask import Pattern
from cardkit.errors import UsageError

VERSION = "cardkit trace 1"
"""First line of a trace."""

UNMASKED = "# WARNING: NOT MASKED. PINs, keys and personal data are in clear; delete after use."
"""Second line of a trace that hides nothing."""

MAX_FILE = 64 << 20
"""Bytes of the longest trace that is read: weeks of work at one reader."""

_MAX_APDU = 7 + 0xFFFF + 2
_SECONDS = re.compile(r"\+([0-9]{1,7}(?:\.[0-9]{1,9})?)", re.ASCII)
_DIFFERENT_LENGTH = (0x61, 0x6C)


@dataclass(frozen=True, slots=True)
class Comment:
    """A line of free text, its ``#`` included; the empty line too."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """The chip was reset. ``line`` is its place in the file, 0 for none."""

    atr: Pattern
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command and its answer.

    Parameters
    ----------
    command : Pattern
        At least one byte.
    answer : Pattern or None
        At least a status word, which is never hidden; None when none came.
    seconds : float or None
        From command to answer.
    note, answer_note : str
        Words for people.
    line : int
        Of the command in the file, 0 for none.
    """

    command: Pattern
    answer: Pattern | None
    seconds: float | None = None
    note: str = ""
    answer_note: str = ""
    line: int = 0

    @property
    def masked(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.command.hidden or (self.answer and self.answer.hidden))

    @property
    def sw1(self) -> int | None:
        """First byte of the status word."""
        return self.answer.value[-2] if self.answer else None


Event = Reset | Exchange
Entry = Comment | Event


@dataclass(frozen=True, slots=True)
class Trace:
    """What went over the contacts of one chip."""

    entries: tuple[Entry, ...] = ()

    @property
    def events(self) -> list[Event]:
        """Everything but comments."""
        return [entry for entry in self.entries if not isinstance(entry, Comment)]

    @property
    def exchanges(self) -> list[Exchange]:
        """Commands and answers."""
        return [entry for entry in self.entries if isinstance(entry, Exchange)]

    @property
    def masked(self) -> bool:
        """Whether anything is hidden."""
        return any(event.masked for event in self.exchanges) or any(
            event.atr.hidden for event in self.events if isinstance(event, Reset)
        )

    @property
    def raw(self) -> bool:
        """Whether it shows how T=0 moves data (61xx, 6Cxx, GET RESPONSE)."""
        return any(
            e.command.value[1:2] == bytes((GET_RESPONSE,)) or e.sw1 in _DIFFERENT_LENGTH
            for e in self.exchanges
        )


class TraceSyntaxError(UsageError):
    """A line that is none of a trace.

    Parameters
    ----------
    line_number : int
        From 1.
    what : str
        What is wrong with it; never what stands in it.
    source : str
        Name of the file.
    """

    def __init__(self, line_number: int, what: str, source: str = "trace") -> None:
        super().__init__(
            f"{source}, line {line_number}: {what}", hint="docs/trace.md describes the format"
        )
        self.line_number = line_number
        self.what = what


def load(path: Path) -> Trace:
    """Read a trace file.

    Raises
    ------
    UsageError
        It cannot be read, or is no trace: names the line, never what stands in it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a trace file") from None
    if len(content) > MAX_FILE:
        raise UsageError(f"{path}: more than {MAX_FILE >> 20} MiB are no trace")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TraceSyntaxError(line, "not UTF-8 text", str(path)) from None
    try:
        return parse(text)
    except TraceSyntaxError as error:
        raise TraceSyntaxError(error.line_number, error.what, str(path)) from None


def parse(text: str) -> Trace:
    r"""Read a trace.

    Raises
    ------
    TraceSyntaxError
        Names the first line that is wrong.

    Examples
    --------
    >>> trace = parse("cardkit trace 1\n> 00B20728 0B\n< 0709 ****************** 9000 +0.02\n")
    >>> trace.exchanges[0].seconds, trace.masked
    (0.02, True)
    """
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    if lines[0] != VERSION:
        raise TraceSyntaxError(1, f"a trace begins with the line {VERSION!r}")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()  # what stands behind the last line feed is no line
    return Trace(tuple(_entries(lines)))


def _entries(lines: list[str]) -> Iterator[Entry]:
    asked: Exchange | None = None
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("<"):
            if asked is None:
                raise TraceSyntaxError(number, "an answer stands right behind its command")
            yield _answered(asked, number, line)
            asked = None
            continue
        if asked is not None:
            yield asked
            asked = None
        if line.startswith(">"):
            asked = _command(number, line)
        elif line.startswith("*"):
            pattern, _, note = _body(number, line)
            yield Reset(pattern, note, number)
        elif not line or line.startswith("#"):
            yield Comment(line)
        else:
            raise TraceSyntaxError(number, "a line begins with one of * > < #")
    if asked is not None:
        yield asked


def _command(number: int, line: str) -> Exchange:
    pattern, seconds, note = _body(number, line)
    if seconds is not None:
        raise TraceSyntaxError(number, "seconds belong to the answer")
    return Exchange(pattern, None, None, note, "", number)


def _answered(asked: Exchange, number: int, line: str) -> Exchange:
    pattern, seconds, note = _body(number, line)
    if len(pattern) < 2 or not pattern.hidden.isdisjoint((len(pattern) - 1, len(pattern) - 2)):
        raise TraceSyntaxError(number, "an answer ends with a status word that is not hidden")
    return Exchange(asked.command, pattern, seconds, asked.note, note, asked.line)


def _body(number: int, line: str) -> tuple[Pattern, float | None, str]:
    """Bytes, seconds and note of a line that has bytes."""
    body, _, note = line[1:].partition("#")
    data, _, end = body.partition("+")
    seconds = None
    if end:
        match = _SECONDS.fullmatch("+" + end.rstrip(" \t"))
        if match is None:
            raise TraceSyntaxError(number, "seconds are written like +0.0123")
        seconds = float(match[1])
    try:
        pattern = Pattern.parse(data)
    except ValueError as error:
        raise TraceSyntaxError(number, str(error)) from None
    if not 1 <= len(pattern) <= _MAX_APDU:
        raise TraceSyntaxError(number, f"1 to {_MAX_APDU} bytes wanted")
    return pattern, seconds, one_line(note)


def to_text(trace: Trace) -> str:
    """Write a trace; every line ends with a line feed."""
    return "".join(f"{line}\n" for entry in (VERSION, *trace.entries) for line in _lines(entry))


def _lines(entry: Entry | str) -> tuple[str, ...]:
    if isinstance(entry, Exchange):
        return exchange_lines(entry)
    if isinstance(entry, Reset):
        return (reset_line(entry),)
    return (entry.text if isinstance(entry, Comment) else entry,)


def reset_line(reset: Reset) -> str:
    """The line of a reset."""
    return f"* {reset.atr}{_note(reset.note)}"


def exchange_lines(exchange: Exchange) -> tuple[str, ...]:
    """The one or two lines of an exchange."""
    asked = f"> {grouped(exchange.command)}{_note(exchange.note)}"
    if exchange.answer is None:
        return (asked,)
    seconds = "" if exchange.seconds is None else f" +{exchange.seconds:.6f}"
    return asked, f"< {grouped_answer(exchange.answer)}{seconds}{_note(exchange.answer_note)}"


def grouped(command: Pattern) -> str:
    """Header, length byte, data and Le of a short command, apart from each other.

    Examples
    --------
    >>> grouped(Pattern.parse("00A4040003AABBCC00"))
    '00A40400 03 AABBCC 00'
    """
    size = len(command)
    lc = command.value[4] if size > 5 else 0
    short = lc and size - 5 - lc in (0, 1)
    ends = (4, 5, 5 + lc if short else size, size)
    starts = (0, *ends[:-1])
    parts = [command.part(start, end) for start, end in zip(starts, ends, strict=True)]
    return " ".join(part for part in parts if part)


def grouped_answer(answer: Pattern) -> str:
    """Data and status word, apart from each other."""
    data = len(answer) - 2
    return f"{answer.part(0, data)} {answer.part(data, data + 2)}".lstrip()


def one_line(note: str) -> str:
    """A note without line feeds and doubled spaces."""
    return " ".join(note.split())


def _note(note: str) -> str:
    return f"  # {one_line(note)}" if note else ""
