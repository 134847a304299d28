"""``cardkit registry exchange proposals``: corrections that a comparison found."""

from __future__ import annotations

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table

REASONS = ("ours-right", "other-person", "holder-asked", "corrected-already")
_NUMBER = click.argument("number", type=click.IntRange(min=1))


@click.group()
def proposals() -> None:
    """Corrections that a comparison proposes 更正建议: to accept or to decline, one by one."""


@proposals.command("list")
@click.option("--state", type=click.Choice(("open", "accepted", "declined", "all")),
              default="open", show_default=True, help="Which of them.")  # fmt: skip
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Of one comparison only.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True,
              help="At most so many.")  # fmt: skip
@desk.acting
def list_(
    ctx: click.Context, state: str, batch: int | None, limit: int, registry: str | None,
    *, as_json: bool,
) -> None:  # fmt: skip
    """List them, oldest first 列出; for people of the county agency."""
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415
    from cardkit.registry.exchange.proposals import Proposals  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        room = Exchange(opened.books)
        room.check_right(desk.signed_in(opened, ctx))
        wanted = "" if state == "all" else state
        found = Proposals(opened.books, room).all(wanted, batch=batch, limit=limit)
    out.document([one.as_json() for one in found])
    rows = [
        (str(p.id), str(p.card or ""), p.field, p.ours, p.theirs, p.source, p.wins, p.state,
         p.decided_by, p.why)
        for p in found
    ]  # fmt: skip
    heads = ("NUMBER", "CARD", "FIELD", "OURS", "THEIRS", "SOURCE", "WINS", "STATE", "BY", "WHY")
    out.lines(table(rows, heads))


@proposals.command()
@_NUMBER
@desk.second_options
@desk.acting
def accept(
    ctx: click.Context, number: int, approval: int | None, second: str | None,
    registry: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Take their value over 采纳: a change of data 信息变更, which a second person approves.

    What the record said before is kept.
    """
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415
    from cardkit.registry.exchange.proposals import ACTION, Proposals  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        room = Proposals(opened.books, Exchange(opened.books, life=life))
        card = room.get(number).card or 0
        given = desk.approval(
            opened, ctx, ACTION, card, operator=operator, number=approval, second=second
        )
        act = room.accept(number, life=life, operator=operator, approval=given)
    out.document({"proposal": number, "state": "accepted", "act": act.as_json()})
    follow = f"; still to do: {act.follow_up}" if act.follow_up else ""
    out.line(f"proposal {number} accepted: act {act.act_id} on card record {act.card_id}{follow}")


@proposals.command()
@_NUMBER
@click.option("--why", type=click.Choice(REASONS), required=True, help="The reason 理由; kept.")
@desk.acting
def decline(
    ctx: click.Context, number: int, why: str, registry: str | None, *, as_json: bool
) -> None:
    """Leave the record as it is 不采纳; who decided so, and why, stays."""
    from cardkit.registry.exchange.exchange import Exchange  # noqa: PLC0415
    from cardkit.registry.exchange.proposals import Proposals  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        operator = desk.signed_in(opened, ctx)
        Proposals(opened.books, Exchange(opened.books)).decline(number, why=why, operator=operator)
    out.document({"proposal": number, "state": "declined", "why": why})
    out.line(f"proposal {number} declined: {why}")
