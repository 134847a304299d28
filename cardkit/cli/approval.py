"""``cardkit approval``: the second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table

if TYPE_CHECKING:
    from cardkit.registry.operators import Approval


@click.group()
def approval() -> None:
    """The approval of a second person 双人复核: asked for, granted by somebody else, used once."""


@approval.command()
@click.argument("action")
@click.argument("subjects", metavar="NUMBER...", type=int, nargs=-1, required=True)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
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
    _show_approval(out, found)


@approval.command("list")
@click.option(
    "--state", type=click.Choice(["asked", "granted", "refused", "used"]), help="Only these 状态."
)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
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
        (str(one.number), one.state, one.action, one.subject or f"{one.subjects} records",
         one.asked_by, local(one.asked_at), one.decided_by, local(one.lapses_at),
         local(one.used_at))
        for one in found
    ]  # fmt: skip
    headings = ("N", "STATE", "ACTION", "ABOUT", "ASKED BY", "AT", "DECIDED BY", "UNTIL", "USED AT")
    out.lines(table(rows, headings))


@approval.command()
@click.argument("number", type=int)
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def grant(ctx: click.Context, number: int, registry: str | None, *, as_json: bool) -> None:
    """Approve what somebody else asked for 同意."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        found = desk.lifecycle_of(opened, ctx).approvals.grant(number, operator=by)
    _show_approval(out, found)


@approval.command()
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why 原因: a code word. No personal data.")
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def refuse(
    ctx: click.Context, number: int, reason: str, registry: str | None, *, as_json: bool
) -> None:
    """Refuse what somebody else asked for 不同意; the record stays."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        by = desk.signed_in(opened, ctx)
        life = desk.lifecycle_of(opened, ctx)
        found = life.approvals.refuse(number, operator=by, reason=reason)
    _show_approval(out, found)


def _show_approval(out: Output, found: Approval) -> None:
    out.document(found.as_json())
    out.line(f"approval {found.number} for {found.action}: {found.state}")
