"""``cardkit card apdu``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from cardkit.apdu import Command, Link, Response, StatusError, StatusWord
from cardkit.cli import common
from cardkit.cli.card_trace import trace_options, tracing
from cardkit.cli.connect import open_reader
from cardkit.cli.output import Output
from cardkit.errors import ExitCode, UsageError

_SEPARATORS = str.maketrans("", "", " :\t\r\n")


@click.command()
@click.argument("commands", metavar="HEX...", nargs=-1, required=True)
@common.reader_option()
@common.image_option()
@click.option(
    "--raw", is_flag=True, help="Show 61xx and 6Cxx, do not fetch what the card announces."
)
@click.option("--keep-going", is_flag=True, help="Go on after a command that the card refuses.")
@trace_options
@common.json_option()
@click.pass_context
def apdu(
    ctx: click.Context,
    commands: tuple[str, ...],
    reader: str | None,
    image: Path | None,
    trace: Path | None,
    *,
    raw: bool,
    keep_going: bool,
    unmask: bool,
    as_json: bool,
) -> None:
    """Send command APDUs 指令 in hex, print the answers.

    Each HEX is one whole command; spaces and colons in it do not count if it is quoted. With - they
    are read from standard input, one a line, # begins a comment: use that for a PIN, because others
    can see a command line.

    Announced data are fetched (61xx, GET RESPONSE) and a wrong Le corrected (6Cxx) as other tools
    do; --raw shows the answers as the card gives them. It stops at the first command the card
    refuses; the exit code is then 1, or 4 where a PIN, a key or a right is missing.
    """
    for text in commands:  # all of them, before the first one is sent
        if text != "-":
            parse_hex(text)
    answers = []
    out = Output(as_json=as_json)
    with (
        tracing(trace, unmask=unmask) as wrap,
        open_reader(reader, image, raw=raw, wrap=wrap) as connection,
    ):
        for answer in _send(connection.link, _parse(commands), keep_going=keep_going):
            answers.append(answer)
            out.line(f"{answer.to_bytes().hex().upper()}  {answer.sw.meaning}")
    out.document([answer_as_json(answer) for answer in answers])
    ctx.exit(exit_code([answer.sw for answer in answers]))


def _parse(commands: Iterable[str]) -> Iterator[bytes]:
    for text in commands:
        if text == "-":
            for line in sys.stdin:
                if content := line.partition("#")[0].strip():
                    yield parse_hex(content)
        else:
            yield parse_hex(text)


def parse_hex(text: str) -> bytes:
    """A command APDU from what a person typed.

    Raises
    ------
    UsageError
        No hex, or less than a header. It does not repeat the text, which may hold a PIN.

    Examples
    --------
    >>> parse_hex("00:84:00:00 08").hex()
    '0084000008'
    """
    try:
        command = bytes.fromhex(text.translate(_SEPARATORS))
    except ValueError:
        raise UsageError(
            "a command is written in pairs of hex digits", hint="00A4000002EF05"
        ) from None
    if len(command) < 4:
        raise UsageError(
            "a command has at least 4 bytes: CLA INS P1 P2",
            hint="quote a command that is written with spaces",
        )
    return command


def _send(link: Link, commands: Iterable[bytes], *, keep_going: bool) -> Iterator[Response]:
    for command in commands:
        answer = Response.parse(link.transmit(command))
        yield answer
        if not keep_going and exit_code([answer.sw]):
            return


def exit_code(found: Iterable[StatusWord]) -> ExitCode:
    """0 when the card refused nothing, 4 when for security, else 1."""
    refused = [sw for sw in found if not (sw.ok or sw.more or sw.right_length or _remark(sw))]
    codes = [StatusError(sw, Command(0, 0, 0, 0)).exit_code for sw in refused]
    return max(codes, default=ExitCode.DONE)


def _remark(sw: StatusWord) -> bool:
    return sw.warning and sw.tries_left is None


def answer_as_json(answer: Response) -> dict[str, str]:
    """An answer for programs. The command is not repeated: it may hold a PIN."""
    return {
        "data": answer.data.hex().upper(),
        "sw": f"{answer.sw:04X}",
        "meaning": answer.sw.meaning,
    }
