"""What goes to standard output, what to standard error, and how text for people looks.

With ``--json`` standard output carries exactly one JSON document; everything else goes to standard
error. Text from cards, files and readers is not trusted: control characters are shown, not obeyed.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeVar

import click

T = TypeVar("T")

_SHOWN_AS_CODE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Output:
    """Where a command puts what it has to say.

    Parameters
    ----------
    as_json : bool
        Whether standard output is for a program.
    """

    document_written = False
    """Whether this process has written its JSON document; a second one would spoil it."""

    language = "en"
    """Language of the error that ends this process; ``--lang`` of a command for operators says."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def line(self, text: str = "") -> None:
        """A line of the result, for people; left out with ``--json``."""
        if not self.as_json:
            click.echo(text)

    def lines(self, texts: Iterable[str]) -> None:
        """Several lines of the result."""
        for text in texts:
            self.line(text)

    def note(self, text: str) -> None:
        """A message or progress: always on standard error."""
        click.echo(text, err=True)

    def document(self, content: object) -> None:
        """The result for programs; left out without ``--json``."""
        if self.as_json:
            write_document(content)

    def list_document(self, contents: Iterable[object]) -> None:
        """A list as the result for programs, written element by element."""
        if self.as_json:
            _write_list(contents)


def say(zh: T, en: T) -> T:
    """What is for the operator, in the language that the command was asked to speak."""
    return zh if Output.language == "zh" else en


def write_document(content: object) -> None:
    """Write the one JSON document of this process to standard output."""
    Output.document_written = True
    click.echo(_json(content, indent=1))


def _write_list(contents: Iterable[object]) -> None:
    """The same for a list too long to be held in memory, one element a line."""
    Output.document_written = True
    between = "["
    for content in contents:
        click.echo(between + _json(content), nl=False)
        between = ",\n "
    click.echo("]" if between != "[" else "[]")


def _json(content: object, indent: int | None = None) -> str:
    readable = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    text = json.dumps(content, ensure_ascii=not readable, indent=indent)
    # Lone surrogates cannot come from a decoder of ours, but a file name may hold them.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    r"""Text as it may go to a terminal: characters that a terminal would obey become codes.

    Examples
    --------
    >>> printable("张三\x1b[2J")
    '张三\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode("ascii")
        if unicodedata.category(c) in _SHOWN_AS_CODE
        else c
        for c in text
    )


def columns_wide(text: str) -> int:
    """Columns a text takes on a terminal: two for a Chinese character.

    Examples
    --------
    >>> columns_wide("姓名 a")
    6
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def table(
    rows: Iterable[Sequence[str]], headings: Sequence[str] = (), *, indent: str = ""
) -> list[str]:
    """Lines of a table with aligned columns, never cut off, so that they can be searched.

    Examples
    --------
    >>> table([("姓名", "a"), ("b", "c")], ("ITEM", "VALUE"))
    ['ITEM  VALUE', '姓名  a', 'b     c']
    """
    shown = [[printable(cell) for cell in row] for row in ([headings] if headings else [])]
    shown += [[printable(cell) for cell in row] for row in rows]
    if not shown:
        return []
    widths = [max(columns_wide(row[at]) for row in shown) for at in range(len(shown[0]))]
    return [indent + _padded(row, widths).rstrip() for row in shown]


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (w - columns_wide(cell)) for cell, w in zip(row, widths, strict=True))
    return "  ".join(cells)
