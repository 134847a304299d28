"""``cardkit lifecycle chip``: what acts left to be done to chips."""

from __future__ import annotations

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_text import told_pending
from cardkit.cli.output import Output, say


@click.group()
def chip() -> None:
    """What acts want done to chips 卡片待办: pending until it is done and said."""


@chip.command()
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, metavar="N",
    help="At most so many.",
)  # fmt: skip
@desk.acting
def pending(ctx: click.Context, limit: int, registry: str | None, *, as_json: bool) -> None:
    """List what is left 待办, oldest first.

    A PIN is finished by the same command again, at the reader; for others say `chip done`.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        by = desk.signed_in(opened, ctx)
        found = desk.lifecycle_of(opened, ctx).chips.pending(operator=by, limit=limit)
    out.document([one.as_json() for one in found])
    out.lines(told_pending(found, desk.rules_of(ctx)))


@chip.command()
@click.argument("acts", metavar="ACT...", type=click.IntRange(min=1), nargs=-1, required=True)
@desk.acting
def done(ctx: click.Context, acts: tuple[int, ...], registry: str | None, *, as_json: bool) -> None:
    """Say that the chips are as these acts want them 已办: punched, wiped, on the blacklist ...

    The history says that it was told, not seen by a reader.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        by = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        for act in acts:
            life.chips.done(act, operator=by)
    out.document({"done": list(acts)})
    out.line(say(f"已办{len(acts)}项", f"{len(acts)} done"))
