"""``cardkit registry list|show|export|audit|spoil``: cards made, and what happened to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk, registry_text, stock_place, windows
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.records import CardRecord
    from cardkit.registry.registry import Registry

STATES = (
    "planned", "ordered", "writing", "issued", "spoilt", "failed", "handed_out", "active",
    "suspended", "frozen", "temporarily_lost", "lost", "cancelling", "replaced", "cancelled",
    "transferred", "ended",
)  # fmt: skip
"""States a record can be found in; `cardkit.registry.states` has two more for the history."""

FULL = click.option(
    "--full", is_flag=True, help="Show names and numbers of people 全部显示; masked otherwise."
)
STATE = click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    metavar="STATE",
    help=f"Only these states 状态; repeat it: {', '.join(STATES)}.",
)


@click.command("list")
@common.registry_option()
@STATE
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many records.")
@FULL
@desk.operator_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def list_(
    ctx: click.Context,
    registry: str | None,
    states: tuple[str, ...],
    limit: int | None,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """List card records 卡记录, in the order of their rosters.

    The table hides names and numbers of people unless --full asks for them; the JSON document has
    them.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        if full or as_json:
            desk.reader(opened, ctx)
        records = opened.list(states or None, limit)
        if as_json:
            out.list_document(record.as_json() for record in records)
            return
        rows = [registry_text.row(record, full=full) for record in records]
        out.lines(table(rows, registry_text.HEADINGS))
        out.note(registry_text.counted(opened.counts()))


@click.command()
@click.argument("which", metavar="CARD")
@common.registry_option()
@FULL
@desk.operator_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def show(
    ctx: click.Context, which: str, registry: str | None, *, full: bool, as_json: bool
) -> None:
    """Show one card record 卡记录 with its chips and its history.

    CARD is the number of the record, the card number 卡号 or the card id code 卡识别码. With - it
    is read from standard input, and may then be a citizen number 身份证号码 too: personal numbers
    do not belong on a command line.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        if full or as_json:
            desk.reader(opened, ctx)
        story = opened.show(find(opened, which).card_id)
    out.document(registry_text.story_as_json(story))
    out.lines(registry_text.story(story, full=full))


@click.command()
@click.argument("file", type=common.PATH)
@common.registry_option()
@click.option(
    "--format", "form", type=click.Choice(["csv", "json"]), help="Default: by the file's ending."
)
@STATE
@desk.operator_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def export(
    ctx: click.Context,
    file: Path,
    registry: str | None,
    form: str | None,
    states: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Write the card records to a FILE 导出, with all personal data.

    Only this user can read the file; it appears complete or not at all.
    """
    chosen = form or file.suffix.lower().removeprefix(".")
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        if chosen == "csv":
            count = opened.export(file, "csv", states or None)
        elif chosen == "json":
            count = opened.export(file, "json", states or None)
        else:
            raise UsageError(f"{file.name}: csv or json?", hint="say so with --format")
    out.document({"records": count, "file": str(file)})
    out.line(f"{count} records written to {file}")


@click.command()
@common.registry_option()
@click.option(
    "--verify",
    is_flag=True,
    help="Check the whole chain of the history, and the records against it 校验.",
)
@common.json_option()
@click.pass_context
def audit(ctx: click.Context, registry: str | None, *, verify: bool, as_json: bool) -> None:
    """Count records and chips, and check that nobody changed the history 审计.

    Entries that are missing at the end of the history can only be noticed by whoever kept its last
    digest 摘要 elsewhere: note down the one printed here.

    Exit code 1 when something does not agree.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        records, chips = opened.counts(), opened.chip_counts()
        verdict = opened.verify_history() if verify else None
        head = verdict.head if verdict is not None else opened.history_head()
    content: dict[str, object] = {"records": dict(records), "chips": dict(chips)}
    content |= registry_text.head_as_json(head)
    out.line(registry_text.counted(records))
    out.line(registry_text.counted(chips, "chips 芯片"))
    if verdict is not None:
        content |= registry_text.verdict_as_json(verdict)
        out.lines(registry_text.verdict(verdict))
    else:
        out.lines(registry_text.unchecked(head))
    out.document(content)
    if verdict is not None and not verdict.intact:
        ctx.exit(ExitCode.PARTIAL)


@click.command()
@click.argument("which", metavar="CARD")
@click.option("--reason", required=True, help="Why 原因, for the history. No personal data.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@stock_place.option()
@common.registry_option()
@common.json_option()
@desk.operator_option()
@desk.rules_option()
@click.pass_context
def spoil(
    ctx: click.Context,
    which: str,
    reason: str,
    registry: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Give up the chip of a record 废卡; the record gets another.

    For a chip that is broken or lost before its card was issued. Its id code is dead for ever. CARD
    is the card id code 卡识别码, the card number 卡号 or the number of the record. Refused while
    another window 窗口 makes the card: when it has ended or its lease has passed.
    """
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.working(opened, ctx, "window", "county")
        record = find(opened, which)
        code = record.id_code.hex().upper()
        if not yes and sys.stdin.isatty():
            question = f"Retire id code {code} of record {record.card_id} for ever?"
            click.confirm(question, abort=True, err=True)
        stock_place.keep(opened, ctx)
        here = os.environ.get("CARDKIT_WINDOW") or windows.own_name()
        opened.spoil(record.card_id, reason, by_window=here, dead=windows.is_dead)
        after = opened.get(record.card_id)
    out.document(
        {"card_id": record.card_id, "retired": code, "state": after.state,
         "card_id_code": after.card_id_code.hex().upper()}
    )  # fmt: skip
    out.line(f"record {record.card_id}: id code {code} is retired; the record is {after.state}")


def find(opened: Registry, which: str) -> CardRecord:
    """The record that a person means; ``-`` reads from standard input what that is.

    Raises
    ------
    UsageError
        None is meant, or a citizen number stands on the command line.
    """
    private = which == "-"
    text = (sys.stdin.readline() if private else which).strip().upper()
    if not private and len(text) == 18 and text[:17].isdecimal():
        raise UsageError(
            "a citizen number does not belong on a command line, where others can see it",
            hint="give - instead of it, and the number on standard input",
        )
    found = next(_candidates(opened, text), None)
    if found is None:
        raise UsageError(
            "the registry has no such card",
            hint="`cardkit registry list` shows records, card numbers and id codes",
        )
    return found


def _candidates(opened: Registry, text: str) -> Iterator[CardRecord]:
    if text.isdecimal() and len(text) < 9:
        yield opened.get(int(text))
    if len(text) == 9 and (found := opened.find_by_card_number(text)):
        yield found
    if len(text) == 18 and (found := opened.find_by_citizen_number(text)):
        yield found
    if len(text) in (24, 32):
        yield from _by_id_code(opened, text)


def _by_id_code(opened: Registry, text: str) -> Iterator[CardRecord]:
    try:
        code = bytes.fromhex(text)[:12]
    except ValueError:
        return
    record = opened.find_by_id_code(code)
    if record is not None:
        yield record
    chip = opened.chip(code)  # one that was given up: the record it was bound to
    if chip is not None and chip.card_id is not None:
        yield opened.get(chip.card_id)
    # Reserved for a record that no chip was bound to yet.
    yield from (record for record in opened.list() if record.id_code == code)
