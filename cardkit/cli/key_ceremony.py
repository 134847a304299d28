"""``cardkit key ceremony``: a key from the components of several holders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_access import KeyAccess, access_options, hidden
from cardkit.cli.key_make import show
from cardkit.cli.key_store import check_value_of
from cardkit.cli.key_wish import wish_options
from cardkit.cli.output import Output

if TYPE_CHECKING:
    from cardkit.keys.custody import Wish

_CHECK = click.option(
    "--check-value", metavar="HEX", help="Compare with this check value 校验值, from paper."
)


@click.group()
def ceremony() -> None:
    """Put a key together from components 分量仪式 of several holders 分量保管人.

    begin; then each holder, as themselves and alone at the screen, generate or type; then
    finish. The key is the XOR of the components; a second person approves it.
    """


@ceremony.command()
@access_options
@click.argument("name")
@click.option(
    "--holder", "holders", multiple=True, required=True, metavar="OPERATOR",
    help="Who gives a component 分量保管人; usually three.",
)  # fmt: skip
@wish_options
@common.json_option()
def begin(
    access: KeyAccess, name: str, holders: tuple[str, ...], wish: Callable[[str], Wish],
    *, as_json: bool,
) -> None:  # fmt: skip
    """Open a ceremony for a key 开始; role generate."""
    from cardkit.keys.ceremony import begin as start  # noqa: PLC0415

    out = Output(as_json=as_json)
    with access.custody() as custody:
        opened = start(custody, wish(name), holders)
    r = opened.record
    out.document({"key": r.name, "version": r.version, "holders": list(holders)})
    out.line(f"ceremony 仪式 for {r.name} v{r.version} ({r.algorithm}): {len(holders)} components")
    out.lines(f"  {place}  {who}" for place, who in enumerate(holders, 1))


@ceremony.command()
@access_options
@click.argument("name")
@click.option(
    "--sheet", type=common.PATH, required=True,
    help="Where the component sheet 分量单 is written, to print; mode 0600.",
)  # fmt: skip
@common.json_option()
def generate(access: KeyAccess, name: str, sheet: Path, *, as_json: bool) -> None:
    """Make my component 生成分量 and its sheet. The screen shows its check value only."""
    from cardkit.keys.ceremony import generate_component  # noqa: PLC0415

    out = Output(as_json=as_json)
    with access.custody() as custody:
        value = generate_component(custody, name, sheet)
    out.document({"key": name, "check_value": str(value), "sheet": str(sheet)})
    out.line(f"component 分量 of {common.operator()} for {name}: check value 校验值 {value}")
    out.line(f"sheet 分量单 {sheet}: print it, delete the file, seal the paper")


@ceremony.command("type")
@access_options
@click.argument("name")
@click.option(
    "--component-file", type=common.PATH, metavar="FILE",
    help="Take the component 分量 from the first line of this file instead of the keyboard.",
)  # fmt: skip
@_CHECK
@common.json_option()
def type_(
    access: KeyAccess, name: str, component_file: Path | None, check_value: str | None,
    *, as_json: bool,
) -> None:  # fmt: skip
    """Type my component 输入分量 from its sheet, twice, without echo."""
    from cardkit.keys.ceremony import type_component  # noqa: PLC0415

    out = Output(as_json=as_json)
    expected = check_value_of(check_value) if check_value else None
    with access.custody() as custody:
        first = hidden("Component 分量 (hex)", component_file)
        second = hidden("The same again 再输一次", component_file)
        value = type_component(custody, name, first, second, expected)
    out.document({"key": name, "check_value": str(value)})
    out.line(f"component 分量 of {common.operator()} for {name}: check value 校验值 {value}")


@ceremony.command()
@access_options
@click.argument("name")
@_CHECK
@common.json_option()
def finish(access: KeyAccess, name: str, check_value: str | None, *, as_json: bool) -> None:
    """Make the key of all components 合成; role generate."""
    from cardkit.keys.ceremony import finish as end  # noqa: PLC0415

    expected = check_value_of(check_value) if check_value else None
    with access.custody() as custody:
        record = end(custody, name, expected)
    show([record], as_json=as_json)


@ceremony.command()
@access_options
@click.argument("name")
def abandon(access: KeyAccess, name: str) -> None:
    """Give a ceremony up 放弃; its components are worth nothing then."""
    from cardkit.keys.ceremony import abandon as give_up  # noqa: PLC0415

    with access.custody() as custody:
        give_up(custody, name)
    click.echo(f"ceremony 仪式 for {name} abandoned")
