"""``cardkit key derive | export``: keys that leave the store, sealed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.keys.reference import Factors

_UNDER = click.option(
    "--under", required=True, metavar="NAME", help="AES transport key 传输密钥 of the store."
)
_BATCH = (
    click.argument("names", nargs=-1, required=True, metavar="NAME..."),
    click.option(
        "--cards", type=common.PATH, required=True,
        help="Card factors 分散因子: a line of 16 hexadecimal digits a card.",
    ),
    click.option(
        "--version", type=click.IntRange(1, 99), metavar="N",
        help="Version 版本 of the keys. Default: of each the newest that can be used now.",
    ),
    click.option("--province", help="Province 省, 2 digits: a level of diversification."),
    click.option("--city", help="Issuing city 市, 6 digits: a level of diversification."),
    _UNDER,
    click.option("--out", "target", type=common.PATH, required=True, help="The sealed file."),
)  # fmt: skip
_LARGEST = 1 << 27


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which keys for which cards, under what, and the file."""
    for option in reversed(_BATCH):
        command = option(command)
    return command


@click.command()
@access_options
@batch_options
@common.json_option()
def derive(
    access: KeyAccess, names: tuple[str, ...], cards: Path, version: int | None,
    province: str | None, city: str | None, under: str, target: Path, *, as_json: bool,
) -> None:  # fmt: skip
    """Derive the card keys 分散 of a whole batch into a sealed file, for a card factory.

    docs/keys.md describes the file. Role use; the keys need the usage derive.
    """
    from cardkit.keys.sealed import write_sealed  # noqa: PLC0415

    out = Output(as_json=as_json)
    factors = factors_of(cards, province, city)
    with access.custody() as custody:
        records = [custody.record(name, version) for name in names]
        write_sealed(custody, records, factors, custody.record(under), target)
    out.document({"cards": factors.count, "keys": [str(r) for r in records], "file": str(target)})
    out.line(f"{factors.count} cards × {len(records)} keys → {target}, under {under}")


@click.command()
@access_options
@click.argument("name")
@click.option("--version", type=click.IntRange(1, 99), metavar="N", help="Version 版本.")
@_UNDER
@click.option(
    "--format", "form", type=click.Choice(["tr31", "envelope"]), default="tr31",
    show_default=True, help="TR-31 key block 密钥块 (3DES), or an envelope 信封 with its record.",
)  # fmt: skip
@click.option("--out", "target", type=common.PATH, required=True, help="The file.")
@common.json_option()
def export(
    access: KeyAccess, name: str, version: int | None, under: str, form: str, target: Path,
    *, as_json: bool,
) -> None:  # fmt: skip
    """Take a master key out 导出, under a transport key only. Role import; usage export."""
    from cardkit.keys.export import export_envelope, export_tr31  # noqa: PLC0415
    from cardkit.keys.locking import create_private  # noqa: PLC0415

    out = Output(as_json=as_json)
    if target.exists():
        raise UsageError(f"{target} exists already", hint="choose another name")
    with access.custody() as custody:
        record, kek = custody.record(name, version), custody.record(under)
        text = (export_tr31 if form == "tr31" else export_envelope)(custody, record, kek)
        create_private(target, text.rstrip("\n").encode("ascii") + b"\n")
    out.document({"key": record.to_json(), "under": str(kek), "file": str(target)})
    out.line(f"{record} → {target}, under {kek}")


def factors_of(cards: Path, province: str | None, city: str | None) -> Factors:
    """What the cards of a file are derived with."""
    from cardkit.keys.reference import Factors  # noqa: PLC0415

    above = _above(province, city)
    try:
        with cards.open("rb") as file:
            content = file.read(_LARGEST)
        lines = content.split()
        joined = b"".join(bytes.fromhex(line.decode("ascii")) for line in lines)
        factors = Factors(above, joined)
        whole = all(len(line) == 16 for line in lines)
    except OSError as error:
        raise UsageError(f"{cards}: {error.strerror}") from None
    except ValueError:
        whole = False
    if not whole:
        raise UsageError(
            f"{cards}: every line has 16 hexadecimal digits",
            hint="the last 8 bytes of the card's ATR",
        )
    if not factors.cards:
        raise UsageError(f"{cards} names no card")
    return factors


def _above(province: str | None, city: str | None) -> tuple[bytes, ...]:
    """Factors of the levels above the cards; whoever mixes places up would seal keys of no card."""
    from cardkit.keys.reference import city_factor, province_factor  # noqa: PLC0415

    for option, digits, length in (("--province", province, 2), ("--city", city, 6)):
        if digits is not None and not (
            digits.isascii() and digits.isdecimal() and len(digits) == length
        ):
            raise UsageError(f"{option} has {length} digits", hint="codes of GB/T 2260")
    if province and city and not city.startswith(province):
        raise UsageError(
            f"city {city} does not lie in province {province}",
            hint="the first two digits of a city are its province; nothing was derived",
        )
    above = [province_factor(province)] if province else []
    return (*above, *([city_factor(city)] if city else []))
