"""``cardkit key psam``: make virtual PSAMs from the key hierarchy, and see what one holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output, table
from cardkit.cli.psam_link import psam_connection, psam_options, psam_reader
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.card.psam import MapEntry


@click.group()
def psam() -> None:
    """PSAM 安全存取模块: issuer keys in a chip beside the card reader."""


@psam.command()
@common.profile_option(required=True)
@click.option(
    "--level",
    type=click.Choice(["province", "city"]),
    help="Whose keys it holds 级别. Default: psam.level of the profile.",
)
@click.option("--image", type=common.PATH, required=True, help="Where the PSAM is kept.")
@click.option(
    "--keys",
    metavar="NAME,NAME...",
    default="",
    help="Keys of the card by name, UKSSSE or DF01.UK1. Default: all of the key map.",
)
@click.option(
    "--number", type=click.IntRange(1, 999999), default=1, show_default=True,
    help="Running number 编号: end of its serial and terminal number.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a PSAM that is in the file already.")
@common.json_option()
def make(
    profile: str,
    level: str | None,
    image: Path,
    keys: str,
    number: int,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Make a virtual PSAM 虚拟 PSAM with TEST keys.

    Keys of the ministry, the province or the city are derived from the profile's master keys, and
    loaded under the PSAM's master key as into a real one. The image holds them in clear.
    """
    from cardkit.virtual.psam_factory import make_psam  # noqa: PLC0415

    if image.exists() and not force:
        raise UsageError(f"{image} is there already", hint="another file, or --force")
    names = [name.strip() for name in keys.split(",") if name.strip()]
    loaded = common.load_profile(profile)
    made = make_psam(loaded, level=level or "", names=names, number=number)
    made.save(image)
    out = Output(as_json=as_json)
    terminal, count = made.chip.terminal.hex(), len(made.chip.keys)
    used = level or loaded.psam.level
    out.document(
        {"image": str(image), "level": used, "terminal_number": terminal,
         "atr": made.atr.hex().upper(), "keys": count}
    )  # fmt: skip
    out.line(f"{image}: {used} PSAM, terminal number 终端机编号 {terminal}, {count} keys")
    out.note("test keys in clear: for tests only")


@psam.command()
@common.profile_option(required=True)
@psam_options
@common.json_option()
def show(profile: str, psam: str | None, psam_image: Path | None, *, as_json: bool) -> None:
    """Show which keys of the profile's key map a PSAM holds 查看.

    Every key is asked for by usage byte and id; no value is shown, PSAMs do not give any.
    """
    from cardkit.keys.open_psam import key_map, open_psam  # noqa: PLC0415

    loaded = common.load_profile(profile)
    reader = psam_reader(psam, psam_image)
    with psam_connection(reader, psam_image) as connect:
        store = open_psam(loaded, connect)
        terminal = store.terminal_number()
        found = [(entry, store.has(entry.name)) for entry in key_map(loaded)]
    out = Output(as_json=as_json)
    out.document(
        {
            "terminal_number": terminal,
            "environment": str(store.environment),
            "keys": {e.name: str(e.place) for e, there in found if there},
            "missing": [e.name for e, there in found if not there],
        }
    )
    out.line(f"terminal number 终端机编号 {terminal}, environment {store.environment}")
    out.lines(table(_rows(found)))


def _rows(found: Sequence[tuple[MapEntry, bool]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("key", "KID", "usage id", "levels", "opens", "in the PSAM")]
    for entry, there in found:
        kid = "" if entry.kid is None else f"{entry.kid:02X}"
        rows.append(
            (entry.name, kid, str(entry.place), str(entry.place.levels), " ".join(entry.files),
             "yes" if there else "no")
        )  # fmt: skip
    return rows
