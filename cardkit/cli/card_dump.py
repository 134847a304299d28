"""``cardkit card dump``: the bytes of a card as stable text, made to be compared.

::

    directory SSSE
    file EF05
     1: 01 10 63 99 00 D1 56 00 00 05 00 00 00 01 FF FF FF FF
    binary EF07 0400
      00 x 0400
    cyclic EF07 55
      no record

The numbers behind ``binary`` (size) and ``cyclic`` (record length) and those of repeated bytes are
hexadecimal. A ``#`` begins a comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output
from cardkit.cli.session import KeysAndPin, Target, card_session, opening_options, target_options

if TYPE_CHECKING:
    from cardkit.card.files.model import File
    from cardkit.card.procedures.read import RawFile

_ROW = 16
_SHORTEST_RUN = 2 * _ROW


@click.command()
@target_options
@opening_options
@common.json_option()
def dump(target: Target, opening: KeysAndPin, *, as_json: bool) -> None:
    """Print every record of a card in hex 转储, by file.

    The same card always gives the same text, whatever the reader, so two dumps can be compared.
    Files that do not open are noted as comments; see --with-keys and --pin of `cardkit card read`.
    """
    from cardkit.card.procedures.read import dump_card  # noqa: PLC0415

    means = opening.means()
    with card_session(target, opens=opening.any, keys=opening.keys) as session:
        found = session.run(dump_card(session.card, means))
        atr = session.link.atr.hex().upper()
    out = Output(as_json=as_json)
    out.document({"atr": atr} | _document(found))
    out.line(f"# ATR {atr}")
    out.lines(_lines(found))


def _document(found: list[RawFile]) -> dict[str, dict[str, object]]:
    return {
        label: {
            one.file.label: None if one.problem else [r.hex().upper() for r in one.records]
            for one in files
        }
        for label, files in groupby(found, key=lambda one: one.directory.label)
    }


def _lines(found: list[RawFile]) -> Iterator[str]:
    for label, files in groupby(found, key=lambda one: one.directory.label):
        yield f"directory {label}"
        for one in files:
            yield f"{_heading(one.file)}" + (f"  # {one.problem}" if one.problem else "")
            if not one.problem:
                yield from _content(one)


def _heading(file: File) -> str:
    from cardkit.card.files.model import BinaryFile, CyclicFile  # noqa: PLC0415

    if isinstance(file, BinaryFile):
        return f"binary {file.label} {file.size:04X}"
    if isinstance(file, CyclicFile):
        return f"cyclic {file.label} {file.record_length:02X}"
    return f"file {file.label}"


def _content(found: RawFile) -> Iterator[str]:
    from cardkit.card.files.model import BinaryFile  # noqa: PLC0415

    if isinstance(found.file, BinaryFile):
        yield from _binary(found.records[0])
        return
    if not found.records:
        yield "  no record"
    for number, record in enumerate(found.records, start=1):
        yield f"{number:2}: {_hex(record)}"


def _binary(content: bytes) -> Iterator[str]:
    """Rows of 16 bytes; a run of one byte up to the end of the file as one line."""
    rest = content.rstrip(content[-1:])
    filled = -(-len(rest) // _ROW) * _ROW  # whole rows
    run = len(content) - filled
    if run < _SHORTEST_RUN:
        filled, run = len(content), 0
    for at in range(0, filled, _ROW):
        yield f"  {_hex(content[at : min(at + _ROW, filled)])}"
    if run:
        yield f"  {content[-1]:02X} x {run:04X}"


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()
