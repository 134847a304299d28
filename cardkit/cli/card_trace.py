"""``card trace`` and ``card replay``, and the ``--trace`` option of every command with a card."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cardkit.apdu.link import Link
from cardkit.cli import common
from cardkit.cli.connect import open_reader
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.apdu.mask import Masker
    from cardkit.apdu.replay import Comparison
    from cardkit.apdu.trace import Exchange, Trace
    from cardkit.cli.trace_words import Narrator

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT_GENERATION = "2.0"
_FILE = click.Path(path_type=Path, dir_okay=False)


# --- recording, for other commands ---------------------------------------------------------------


def trace_options(command: F) -> F:
    """Give a command ``--trace FILE`` and ``--unmask`` (parameters ``trace`` and ``unmask``)."""
    for option in (
        click.option(
            "--unmask",
            is_flag=True,
            help="Hide nothing in the trace: PINs, keys, personal data in clear. Test cards only.",
        ),
        click.option(
            "--trace",
            type=_FILE,
            metavar="FILE",
            help="Record what goes to the card and comes back 跟踪记录, with secrets masked.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def tracing(
    path: Path | None, *, unmask: bool = False, heading: str = "", generation: str = ""
) -> Iterator[Callable[[Link], Link]]:
    """What puts a recording link around a link, for the length of a ``with`` block.

    One file is for one link. Pass the result as ``wrap`` of `cardkit.cli.connect.open_reader`.

    Parameters
    ----------
    path : Path or None
        None records nothing and adds no link.
    unmask : bool
        Hide nothing; the file says so.
    heading : str
        A comment for the head of the file, e.g. reader and date.
    generation : str
        Of the card, for the names of files and items.

    Raises
    ------
    UsageError
        The file cannot be written, or ``--unmask`` was given without ``--trace``.
    """
    if path is None:
        if unmask:
            raise UsageError("--unmask belongs to --trace", hint="name a file with --trace")
        yield lambda link: link
        return
    from cardkit.apdu.trace_link import TraceLink, trace_file  # noqa: PLC0415

    narrator = _narrator(generation)
    with trace_file(path, unmask=unmask, annotator=narrator, heading=heading) as writer:
        yield lambda link: TraceLink(link, writer, time.perf_counter)


def _narrator(generation: str) -> Narrator:
    from cardkit.card.files import TREES  # noqa: PLC0415
    from cardkit.cli.trace_words import Narrator  # noqa: PLC0415

    return Narrator(TREES[generation or _DEFAULT_GENERATION])


# --- card trace ----------------------------------------------------------------------------------


@click.command("trace")
@click.argument("file", type=_FILE)
@click.option("--bytes", "show_bytes", is_flag=True, help="The bytes too, with secrets masked.")
@click.option("--unmask", is_flag=True, help="With --bytes or --json: hide nothing that is there.")
@common.json_option()
def trace(file: Path, *, show_bytes: bool, unmask: bool, as_json: bool) -> None:
    """Show a recorded session 跟踪记录 in words.

    Names of files, items and keys are those of card generation 2.0. Values stay hidden even when
    FILE has them, unless --unmask asks for them.
    """
    from cardkit.apdu.mask import Masker  # noqa: PLC0415
    from cardkit.apdu.trace import load  # noqa: PLC0415

    loaded = load(file)
    rows = list(_told(loaded, None if unmask else Masker()))
    optional = {"bytes": show_bytes, "note": any(row["note"] for row in rows)}
    shown = ["line", "command", "answer", *(name for name, there in optional.items() if there)]
    out = Output(as_json=as_json)
    cells = ([str(row[name]) for name in shown] for row in rows)
    out.lines(table(cells, [name.upper() for name in shown]))
    commands = len(loaded.exchanges)
    seconds = sum(exchange.seconds or 0.0 for exchange in loaded.exchanges)
    out.line(f"{commands} commands" + (f" in {seconds:.3f} s" if seconds else ""))
    out.document({"masked": loaded.masked, "commands": commands, "events": rows})


def _told(trace: Trace, masker: Masker | None) -> Iterator[dict[str, str | int]]:
    """Every event in words, and its bytes."""
    from cardkit.apdu.trace import Reset  # noqa: PLC0415

    narrator = _narrator("")
    for event in trace.events:
        if isinstance(event, Reset):
            for follower in (masker, narrator):
                if follower is not None:
                    follower.reset()
            words, answer, data = "reset", f"ATR {event.atr}", ""
        else:
            words, answer = _words(event, narrator)
            data = _bytes(event, masker)
        note = event.note if event.note != words else ""
        row: dict[str, str | int] = {"line": event.line, "command": words}
        yield row | {"answer": answer, "bytes": data, "note": note}


def _words(exchange: Exchange, narrator: Narrator) -> tuple[str, str]:
    from cardkit.apdu import StatusWord  # noqa: PLC0415

    answer = exchange.answer.value if exchange.answer else None
    words = narrator.tell(exchange.command, answer)
    if answer is None:
        return words, "none"
    amount = f"{len(answer) - 2} bytes, " if len(answer) > 2 else ""
    return words, amount + str(StatusWord(int.from_bytes(answer[-2:], "big")))


def _bytes(exchange: Exchange, masker: Masker | None) -> str:
    from cardkit.apdu.trace import grouped, grouped_answer  # noqa: PLC0415

    command, answer = exchange.command, exchange.answer
    if masker is not None:
        asked, told = masker.mask(command.value, answer.value if answer else None)
        command = command.hiding(asked)
        answer = answer.hiding(told) if answer and told else answer
    return f"{grouped(command)} → {grouped_answer(answer)}" if answer else grouped(command)


# --- card replay ---------------------------------------------------------------------------------


@click.command("replay")
@click.argument("file", type=_FILE)
@common.reader_option()
@common.image_option()
@click.option(
    "--dangerous",
    is_flag=True,
    help="Send commands that write or can use up tries, too. Test cards only.",
)
@common.json_option()
@click.pass_context
def replay(
    ctx: click.Context,
    file: Path,
    *,
    reader: str | None,
    image: Path | None,
    dangerous: bool,
    as_json: bool,
) -> None:
    """Send the commands of a trace to a card again and compare its answers 重放.

    FILE must not be masked. Without --dangerous nothing is sent when any command in it writes, or
    can use up the tries of a key or PIN. Exit code 1 when an answer differs.
    """
    from cardkit.apdu import replay as replaying  # noqa: PLC0415
    from cardkit.apdu.trace import load  # noqa: PLC0415

    loaded = load(file)
    replaying.check_replayable(loaded, dangerous=dangerous)  # before a card is touched
    with open_reader(reader, image, raw=True, reset_after=True) as connection:
        told = replaying.replay(loaded, connection.link, dangerous=dangerous)
    out = Output(as_json=as_json)
    out.lines(str(difference) for difference in told.differences)
    out.line(_summary(connection.reader, told))
    out.document({"reader": connection.reader, **asdict(told)})
    if told.differences:
        ctx.exit(ExitCode.PARTIAL)


def _summary(reader: str, told: Comparison) -> str:
    sent = f"{told.sent} commands in {reader}"
    if not told.differences:
        return f"{sent}: every answer as recorded"
    stopped = "; stopped there, a key or a write was refused" if told.stopped else ""
    return f"{sent}: {len(told.differences)} different{stopped}"
