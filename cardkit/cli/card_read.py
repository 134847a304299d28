"""``cardkit card read``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output, table
from cardkit.cli.session import KeysAndPin, Target, card_session, opening_options, target_options

if TYPE_CHECKING:
    from cardkit.card.files.model import Access
    from cardkit.card.procedures.read import FileContent

_ABSENT = "not on this card 卡上没有"
_CLOSED = "closed 未开放"


@click.command()
@target_options
@opening_options
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Transparent files (fingerprint, photo), empty and closed files too 全部.",
)
@common.json_option()
def read(target: Target, opening: KeysAndPin, *, everything: bool, as_json: bool) -> None:
    """Read what is on a card 读卡.

    Free data need nothing. Protected data open with --with-keys (the read keys of the profile), or
    with the holder's PIN 密码, which is asked for without echo; some want both. A wrong PIN spends
    a try and is never repeated by itself.

    The JSON document is keyed by directory file, elementary file and item name; an item nobody has
    filled is null, and with --all so is a file that was not read. Days are YYYYMMDD, amounts fen,
    bytes hex.
    """
    from cardkit.card.procedures.read import read_card  # noqa: PLC0415

    means = opening.means()
    with card_session(target, opens=opening.any, keys=opening.keys) as session:
        found = session.run(read_card(session.card, means, transparent=everything))
        atr = session.link.atr.hex().upper()
    out = Output(as_json=as_json)
    out.document(_document(found, everything=everything))
    out.line(f"{session.reader}  ATR {atr}")
    out.lines(_lines(found, everything=everything))


def _document(found: list[FileContent], *, everything: bool) -> dict[str, dict[str, object]]:
    from cardkit.cli.card_text import for_json  # noqa: PLC0415

    document: dict[str, dict[str, object]] = {}
    for one in found:
        if one.content is not None or everything:
            directory = document.setdefault(one.directory.label, {})
            directory[one.file.label] = for_json(one.content)
    return document


def _lines(found: list[FileContent], *, everything: bool) -> Iterator[str]:
    closed = []
    for _, files in groupby(found, key=lambda one: one.directory.label):
        several = list(files)
        directory = several[0].directory
        lines = [line for one in several for line in _file(one, everything=everything)]
        if lines:
            yield ""
            yield f"{directory.label} {directory.chinese}"
            yield from lines
        closed += [f"{directory.label}.{one.file.label}" for one in several if one.problem]
    if closed and not everything:
        yield ""
        yield f"not read 未读: {_by_directory(closed)} (see --with-keys, --pin, --all)"


def _file(found: FileContent, *, everything: bool) -> list[str]:
    from cardkit.cli.card_text import file_title, is_filled, rows_of  # noqa: PLC0415

    title = "  " + file_title(found.file)
    if found.problem:
        return [f"{title}: {_reason(found)}"] if everything else []
    if not is_filled(found.content) and not everything:
        return [f"{title}: empty 未写"]
    return [title, *(table(rows_of(found), indent="    ") or ["    no record 无记录"])]


def _reason(found: FileContent) -> str:
    if found.problem == "absent":
        return _ABSENT
    if found.problem != "closed":
        return found.problem
    options = opening_with(found.file.read)
    return f"{_CLOSED}; opens with {options}" if options else _CLOSED


def opening_with(access: Access) -> str:
    """Which options open a file that these keep closed; empty when it never opens.

    Examples
    --------
    >>> from cardkit.card.files.model import pin_and, pin_or
    >>> opening_with(pin_or(0x88)), opening_with(pin_and(0x84))
    ('--with-keys or --pin', '--with-keys and --pin')
    """
    from cardkit.card.procedures.read import Means  # noqa: PLC0415

    any_pin = "0000"  # nothing is presented here
    by = {"--with-keys": Means(keys=True), "--pin": Means(pin=any_pin)}
    single = [option for option, means in by.items() if means.reach(access)]
    if single:
        return " or ".join(single)
    return " and ".join(by) if Means(keys=True, pin=any_pin).reach(access) else ""


def _by_directory(addresses: list[str]) -> str:
    """``DF01 (EF05 EF06), DF02 (EF05)``."""
    parts = []
    for label, group in groupby(addresses, key=lambda address: address.partition(".")[0]):
        files = " ".join(address.partition(".")[2] for address in group)
        parts.append(f"{label} ({files})")
    return ", ".join(parts)
