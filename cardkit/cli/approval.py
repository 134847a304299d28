"""``cardkit approval``: the second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table

if TYPE_CHECKING:
    from cardkit.registry.operators import Approval


_STATES = {"asked": "待复核", "granted": "已同意", "refused": "未通过", "used": "已使用"}


@click.group()
def approval() -> None:
    """The approval of a second person 双人复核: asked for, granted by somebody else, used once."""


@approval.command()
@click.argument("action")
@click.argument("subjects", metavar="NUMBER...", type=int, nargs=-1, required=True)
@desk.acting
def request(
    ctx: click.Context,
    action: str,
    subjects: tuple[int, ...],
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Ask for a second person 申请复核: for ACTION on exactly these records."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        life.rules.of_action(action)
        found = life.approvals.request(action, list(subjects), operator=by)
    _show_approval(ctx, out, found)


@approval.command("list")
@click.option(
    "--state", type=click.Choice(["asked", "granted", "refused", "used"]), help="Only these 状态."
)
@desk.acting
def approvals(
    ctx: click.Context, state: str | None, registry: str | None, *, as_json: bool
) -> None:
    """List approvals 复核记录, newest first."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        desk.signed_in(opened, ctx)
        found = desk.lifecycle_of(opened, ctx).approvals.all(state)
    local = desk.rules_of(ctx).calendar.local
    out.document([one.as_json() for one in found])
    rows = [
        (str(one.number), say(_STATES[one.state], one.state), _action(ctx, one),
         one.subject or say(f"{one.subjects}条记录", f"{one.subjects} records"),
         one.asked_by, local(one.asked_at), one.decided_by, local(one.lapses_at),
         local(one.used_at))
        for one in found
    ]  # fmt: skip
    headings = say(
        ("编号", "状态", "业务", "对象", "申请人", "申请时间", "复核人", "有效至", "使用时间"),
        ("N", "STATE", "ACTION", "ABOUT", "ASKED BY", "AT", "DECIDED BY", "UNTIL", "USED AT"),
    )
    out.lines(table(rows, headings))


@approval.command()
@click.argument("number", type=int)
@desk.acting
def grant(ctx: click.Context, number: int, registry: str | None, *, as_json: bool) -> None:
    """Approve what somebody else asked for 同意."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        found = desk.lifecycle_of(opened, ctx).approvals.grant(number, operator=by)
    _show_approval(ctx, out, found)


@approval.command()
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why 原因: a code word. No personal data.")
@desk.acting
def refuse(
    ctx: click.Context, number: int, reason: str, registry: str | None, *, as_json: bool
) -> None:
    """Refuse what somebody else asked for 不同意; the record stays."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        found = life.approvals.refuse(number, operator=by, reason=reason)
    _show_approval(ctx, out, found)


def _show_approval(ctx: click.Context, out: Output, found: Approval) -> None:
    out.document(found.as_json())
    out.line(
        say(
            f"复核{found.number}：{_action(ctx, found)}：{_STATES[found.state]}",
            f"approval {found.number} for {found.action}: {found.state}",
        )
    )


def _action(ctx: click.Context, found: Approval) -> str:
    """What it is for; stock, lots and others ask for approvals of actions of their own."""
    rules = desk.rules_of(ctx).transitions
    names = {rule.action: rule.zh for rule in rules}
    return say(names.get(found.action, found.action), found.action)
