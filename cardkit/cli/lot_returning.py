"""``cardkit lot take-down|merge|back|close|show|list``: what became of a lot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit import wholefile
from cardkit.cli import common, desk
from cardkit.cli.lot_common import (
    IDENTITY,
    listed,
    merged,
    number_of,
    read_text,
    room_of,
    told,
)
from cardkit.cli.output import Output, say
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.lots import Pack


@click.command("take-down")
@click.argument("pack_file", metavar="PACK", type=common.PATH)
@click.argument("rows", metavar="CSV", type=common.PATH)
@click.argument("target", metavar="OUTCOME", type=common.PATH)
@click.option(
    "--to", "recipient", metavar="AGE-KEY", help="Encrypt it to this public age key 公钥."
)
@IDENTITY
@common.lang_option(only_errors=True)
@common.json_option()
def take_down(
    pack_file: Path,
    rows: Path,
    target: Path,
    recipient: str | None,
    identity: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make the outcome of what was written down 封存结果; needs no registry and no network.

    CSV has the columns position and outcome (handed, returned), and where an agent came: appeared,
    agent_name, agent_number, agent_phone, relation.
    """
    from cardkit.registry.lots import read_pack  # noqa: PLC0415
    from cardkit.registry.lots import take_down as written_down  # noqa: PLC0415

    out = Output(as_json=as_json)
    taken: Pack = read_pack(read_text(pack_file, identity))
    outcome = written_down(taken, read_text(rows, None))
    content = outcome.to_json().encode()
    if recipient is not None:
        from cardkit.registry.exchange import sealing  # noqa: PLC0415

        sealing.check_recipient(recipient)
        content = sealing.seal(content, recipient)
    elif any(row.agent for row in outcome.rows):
        raise UsageError(
            "agents' names do not leave in clear",
            hint="--to AGE-KEY: the public key of the centre",
            zh="结果含代办人信息，须加密：请用 --to 指定中心的公钥",
        )
    wholefile.write(target, content)
    out.document(
        {
            "file": str(target),
            "rows": len(outcome.rows),
            "lot": taken.lot_id,
            "sealed": bool(outcome.seal),
        }
    )
    told_rows, sealed = len(outcome.rows), bool(outcome.seal)
    out.line(
        say(
            f"{target}：{told_rows}行，{'已封存' if sealed else '未封存'}",
            f"{told_rows} rows {'sealed' if sealed else 'not sealed'} in {target}",
        )
    )


@click.command()
@click.argument("file", type=common.PATH)
@IDENTITY
@click.option(
    "--ask", is_flag=True, help="Only ask for approval 申请复核; then the same with --approval N."
)
@desk.second_options
@desk.acting
def merge(
    ctx: click.Context,
    file: Path,
    identity: Path | None,
    approval: int | None,
    second: str | None,
    registry: str | None,
    *,
    ask: bool,
    as_json: bool,
) -> None:
    """Take over the outcome FILE of a lot 合并结果; the same file twice changes nothing.

    A file that is not sealed, or of an employer, takes a second person who vouches for it. Exit
    code 1 when the registry could not follow everything: the conflicts are named.
    """
    from cardkit.registry.lots import read_outcome  # noqa: PLC0415

    screen = Output(as_json=as_json)
    outcome = read_outcome(read_text(file, identity))
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        if ask:
            asked = desk.lifecycle_of(opened, ctx).approvals.request(
                "lot-merge", outcome.subject(), operator=operator
            )
            screen.document(asked.as_json())
            file_digest = outcome.file_digest()[:16]
            screen.line(
                say(
                    f"已申请复核{asked.number}：结果文件 {file_digest}",
                    f"approval {asked.number} asked for: file {file_digest}",
                )
            )
            return
        approved = desk.approval(
            opened, ctx, "lot-merge", outcome.subject(),
            operator=operator, number=approval, second=second,
        )  # fmt: skip
        result = room_of(opened, ctx).merge(outcome, operator=operator, approval=approved)
    screen.document(result.as_json())
    screen.lines(merged(result))
    if result.conflicts:
        ctx.exit(ExitCode.PARTIAL)


@click.command()
@click.argument("which", metavar="LOT")
@click.option(
    "--returned", default="", metavar="LIST", help="Positions that came back, such as 3,7-9."
)
@desk.acting
def back(
    ctx: click.Context, which: str, returned: str, registry: str | None, *, as_json: bool
) -> None:
    """Receive a lot 带回: what was not handed out is counted, card by card.

    Exit code 1 when cards are neither handed out nor back.
    """
    screen = Output(as_json=as_json)
    positions = positions_of(returned)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        story = room_of(opened, ctx).back(number_of(which), positions, operator=operator)
    screen.document(story.as_json())
    screen.lines(told(story, ctx))
    if story.open_cards:
        ctx.exit(ExitCode.PARTIAL)


def positions_of(text: str) -> list[int]:
    """Numbers and spans.

    Examples
    --------
    >>> positions_of("3, 7-9")
    [3, 7, 8, 9]
    """
    found: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and len(part) < 20):
            raise UsageError(f"{part!r} is no position", hint="such as 3,7-9")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@click.command()
@click.argument("which", metavar="LOT")
@click.option("--minutes", default="", metavar="NUMBER", help="Explains a difference 记录编号.")
@desk.second_options
@desk.acting
def close(
    ctx: click.Context,
    which: str,
    minutes: str,
    approval: int | None,
    second: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """End a lot 核销; with cards missing it takes minutes and two people."""
    screen = Output(as_json=as_json)
    number = number_of(which)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        approved = desk.approval(
            opened, ctx, "lot-close", number, operator=operator, number=approval, second=second
        )
        story = room_of(opened, ctx).close(
            number, operator=operator, minutes=minutes, approval=approved
        )
    screen.document(story.as_json())
    screen.lines(told(story, ctx))


@click.command()
@click.argument("which", metavar="LOT")
@desk.acting
def show(ctx: click.Context, which: str, registry: str | None, *, as_json: bool) -> None:
    """A lot 批次: who had it, what is open, what the registry could not follow."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        story = room_of(opened, ctx).show(number_of(which))
    screen.document(story.as_json())
    screen.lines(told(story, ctx))


@click.command("list")
@click.option(
    "--state",
    type=click.Choice(["packed", "out", "back", "closed", "unpacked"]),
    help="Only these 状态.",
)
@common.registry_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def list_(ctx: click.Context, state: str | None, registry: str | None, *, as_json: bool) -> None:
    """Lots 批次列表 with their counts."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        found = room_of(opened, ctx).list(state or "")
    screen.list_document(one.as_json() for one in found)
    screen.lines(listed(found))
