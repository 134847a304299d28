"""Several keys in one command: each is an act of its own, told as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from cardkit.cli.key_text import one_line
from cardkit.cli.output import Output

if TYPE_CHECKING:
    from cardkit.keys.record import KeyRecord

NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


def one_by_one(
    names: Iterable[str], act: Callable[[str], KeyRecord], *, as_json: bool
) -> list[KeyRecord]:
    """Do something to each key, in order, a name that is given twice once; show what became of it.

    Where one is refused, those before it are done, and have been told.
    """
    out = Output(as_json=as_json)
    done: list[KeyRecord] = []
    for name in dict.fromkeys(names):
        done.append(act(name))
        out.line(one_line(done[-1]))
    out.document([record.to_json() for record in done])
    return done


def note_strangers(records: Iterable[KeyRecord]) -> None:
    """Say of keys that no card asks for them: a slip of the pen, or a key for something else."""
    from cardkit.keys.card_names import names_on_cards  # noqa: PLC0415
    from cardkit.keys.record import Operation  # noqa: PLC0415

    known = names_on_cards()
    for record in records:
        if record.name in known or Operation.WRAP in record.usage:
            continue
        near = get_close_matches(record.name.upper(), known, n=1)
        meant = f"; is {near[0]} meant?" if near else ""
        Output().note(
            f"no file of the card has a key {record.name} 卡片文件中没有此密钥名{meant} "
            "(docs/card-files.md has the names)"
        )
