"""``cardkit lifecycle temporary``: temporary cards."""

from __future__ import annotations

from typing import Any

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_act import act_options, perform
from cardkit.cli.output import Output, table
from cardkit.errors import UsageError


@click.group()
def temporary() -> None:
    """Temporary cards 临时卡: a pool that is lent against a deposit."""


@temporary.command("add")
@click.argument("serials", metavar="SERIAL...", nargs=-1, required=True)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def temporary_add(
    ctx: click.Context, serials: tuple[str, ...], registry: str | None, *, as_json: bool
) -> None:
    """Put cards into the pool 临时卡, by the serials printed on them."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        numbers = desk.lifecycle_of(opened, ctx).stock_pool(serials, operator=by)
    out.document(dict(zip(serials, numbers, strict=True)))
    out.lines(f"{serial}: number {number}" for serial, number in zip(serials, numbers, strict=True))


@temporary.command("list")
@click.option(
    "--only", type=click.Choice(["pool", "out", "overdue"]),
    help="Only these: in the pool 备用, out 借出, not back in time 逾期.",
)  # fmt: skip
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def temporary_list(
    ctx: click.Context, only: str | None, registry: str | None, *, as_json: bool
) -> None:
    """List temporary cards 临时卡: which are in the pool, out, or should be back."""
    from cardkit.registry.lifecycle.pool import temporary_pool  # noqa: PLC0415

    out = Output(as_json=as_json)
    calendar = desk.rules_of(ctx).calendar
    with common.open_registry(registry, must_exist=True) as opened:
        desk.signed_in(opened, ctx)
        found = temporary_pool(opened.books, calendar)
    if only is not None:
        found = [one for one in found if one.overdue or only != "overdue"]
        found = [one for one in found if only in (one.state, "overdue")]
    out.document([one.as_json() for one in found])
    rows = [
        (str(one.number), one.serial, one.state, str(one.person or ""),
         calendar.local(one.out_at), one.due, "逾期 overdue" if one.overdue else "")
        for one in found
    ]  # fmt: skip
    out.lines(table(rows, ("N", "SERIAL", "STATE", "PERSON", "OUT AT", "DUE", "")))


def _temporary(name: str, text: str) -> None:
    @act_options
    def run(ctx: click.Context, which: str, **given: Any) -> None:  # noqa: ANN401
        if not which.isdecimal():
            raise UsageError(
                "a temporary card is named by its number", hint="`temporary add` gave it"
            )
        perform(ctx, f"temporary-{name}", which=which, on_card=False, **given)

    if name == "out":
        run = click.option("--for", "person_of", metavar="CARD", required=True,
                           help="A card record of the person who borrows it.")(run)  # fmt: skip
    temporary.command(name, help=text)(run)


for _name, _text in {
    "out": "Lend a temporary card 借出; the deposit is taken.",
    "back": "A temporary card comes back 归还; the deposit is given back.",
    "wipe": "The returned card was wiped 清除 and may be lent again, under another number.",
    "lost": "A temporary card is lost 遗失; the deposit is kept.",
    "retire": "Take a temporary card out of the pool for good 停用.",
}.items():
    _temporary(_name, _text)
