"""How a command that failed says so: one line, a hint, an exit code; never a traceback.

A bug leaves a file with the places in the code it came through. Values and the texts of exceptions
are left out of it: they may be personal data.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

import cardkit
from cardkit.cli import places
from cardkit.cli.output import Output, printable, write_document
from cardkit.errors import CardkitError, ExitCode

INTERRUPTED = 130
"""Exit code after Ctrl-C: what shells make of an interrupted program, so that loops stop too."""

DEBUG_VARIABLE = "CARDKIT_DEBUG"


def report(error: CardkitError, *, as_json: bool) -> int:
    """Tell people and, with ``--json``, the program; returns the exit code.

    People read the language of the command (`Output.language`) where there is a text in it; the
    program gets both.
    """
    details = error.details() | ({"zh": error.zh} if error.zh else {})
    zh = error.zh if Output.language == "zh" else ""
    _tell(
        type(error).__name__, error.message, error.hint, details,
        as_json=as_json, zh=zh, further=error.further("zh" if zh else "en"),
    )  # fmt: skip
    return int(error.exit_code)


def report_usage(error: click.ClickException, *, as_json: bool) -> int:
    """The same for what click finds wrong with the command line."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return int(ExitCode.USAGE)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "cardkit"
    message = " ".join(error.format_message().split())
    _tell("UsageError", message, f"see `{path} --help`", {}, as_json=as_json)
    return int(ExitCode.USAGE)


def report_interrupt() -> int:
    """Ctrl-C."""
    click.echo("cardkit: stopped", err=True)
    return INTERRUPTED


def report_bug(error: Exception, arguments: list[str], *, as_json: bool) -> int:
    """Something nobody foresaw: one line, and a file for whoever repairs it."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
        return int(ExitCode.BUG)
    kind = type(error).__name__
    try:
        path = write_details(error, _command_words(arguments))
    except OSError:
        hint = f"its details could not be saved; {DEBUG_VARIABLE}=1 shows them"
        details: dict[str, object] = {}
    else:
        hint = f"please report it with {path}"
        details = {"details": str(path)}
    message = f"this is a bug in cardkit {cardkit.__version__} ({kind})"
    _tell("Bug", message, hint, details, as_json=as_json)
    return int(ExitCode.BUG)


def write_details(error: BaseException, command: str, directory: Path | None = None) -> Path:
    """Write where in the code an exception came from, to a file of mode 0600.

    Parameters
    ----------
    command : str
        Names of command and sub-command; arguments are not written.
    directory : Path, optional
        Default: the user's state directory.

    Raises
    ------
    OSError
        It cannot be written.
    """
    folder = places.make_private(directory or places.state_directory())
    now = dt.datetime.now(dt.UTC)
    path = folder / f"bug-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    lines = [
        f"cardkit {cardkit.__version__}, Python {platform.python_version()}, {sys.platform}",
        f"{now.isoformat(timespec='seconds')}  cardkit {command}",
        "Values and messages are left out, they may be personal data.",
        "",
        *_places_of(error),
    ]
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _places_of(error: BaseException | None) -> list[str]:
    """The chain of exceptions, oldest first: kinds and places, no texts."""
    if error is None:
        return []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = _places_of(before)
    lines += ["", "then:"] if lines else []
    lines += [f"{type(error).__module__}.{type(error).__name__}"]
    return lines + [line.rstrip() for line in traceback.format_tb(error.__traceback__)]


def _command_words(arguments: list[str]) -> str:
    """The leading words that name the command: at most two, and only plain ones."""
    words = [a for a in arguments[:2] if a.isascii() and a.isalpha()]
    return " ".join(words)


def _tell(
    kind: str,
    message: str,
    hint: str,
    details: dict[str, object],
    *,
    as_json: bool,
    zh: str = "",
    further: Sequence[str] = (),
) -> None:
    click.echo(f"cardkit: {printable(zh or message)}", err=True)
    for line in further:
        click.echo(f"  {printable(line)}", err=True)
    if hint and not zh:  # a Chinese text names the remedy itself
        click.echo(f"  → {printable(hint)}", err=True)
    if as_json and not Output.document_written:
        error = {"type": kind, "message": message, "hint": hint} | details
        write_document({"error": error})
