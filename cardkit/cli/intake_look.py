"""``cardkit intake list ...``: looking at applications, and asking about people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.intake_application import (
    FULL,
    NUMBER,
    PROFILE,
    STATES,
)
from cardkit.cli.intake_common import applications, worker
from cardkit.cli.output import Output, table
from cardkit.cli.registry_text import masked_name, masked_number
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.intake.application import Application
    from cardkit.registry.intake.identity import IdentityCheck

LONGEST = 400  # characters of a line


@click.command("list")
@PROFILE
@common.registry_option()
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@desk.operator_option()
@FULL
@common.json_option()
@click.pass_context
def list_(
    ctx: click.Context,
    profile: str,
    registry: str | None,
    states: tuple[str, ...],
    limit: int | None,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """List applications 申请 in the order in which they came."""
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        if full or as_json:
            desk.reader(opened, ctx)
        found = applications(opened, ctx, common.load_profile(profile)).list(states, limit)
    out.list_document(one.as_json() for one in found)
    headings = ("N", "STATE", "KIND", "NAME", "CITIZEN NUMBER", "PHOTO", "IDENTITY", "APPLIED")
    out.lines(table([_row(one, full=full) for one in found], headings))


def _row(one: Application, *, full: bool) -> Sequence[str]:
    person = one.applicant
    return (
        str(one.number),
        one.state,
        person.card_kind,
        person.name if full else masked_name(person.name),
        person.citizen_number if full else masked_number(person.citizen_number),
        "yes" if one.has_photo else "-",
        one.verdict.value if one.verdict else "-",
        one.applied_at[:16],
    )


@click.command()
@NUMBER
@PROFILE
@common.registry_option()
@desk.operator_option()
@FULL
@common.json_option()
@click.pass_context
def show(
    ctx: click.Context,
    number: int,
    profile: str,
    registry: str | None,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """Show application N 申请; names and numbers are masked unless --full asks for them."""
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        if full or as_json:
            desk.reader(opened, ctx)
        room = applications(opened, ctx, common.load_profile(profile))
        content = room.get(number).as_json() | room.appeared(number)
    out.document(content)
    hidden = {"insurance_number", "citizen_number", "phone", "bank_card_number"}
    rows = []
    for name, value in content.items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        text = text if value not in (None, "", {}, []) else "-"
        if full or text == "-":
            pass
        elif name in ("sex", "birth_date", "birthplace", "nation"):
            text = "***"
        elif name in hidden:
            text = masked_number(text)
        elif name in ("name", "address", "kind_data", "agent"):
            text = masked_name(text)
        rows.append((name, text))
    out.lines(table(rows))


@click.command()
@click.option(
    "--system",
    "address",
    metavar="ADDRESS",
    required=True,
    envvar="CARDKIT_IDENTITY",
    help="Identity system 身份核查系统: virtual, or virtual:FILE (CSV of people it knows).",
)
@click.option(
    "--again",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only application N, whatever was said about it before 重新核查.",
)
@desk.acting
def identity(
    ctx: click.Context, address: str, again: int | None, registry: str | None, *, as_json: bool
) -> None:
    """Ask the identity system 身份核查 about every open application without a verdict.

    When it does not answer, the applications wait and the exit code is 3.
    """
    from cardkit.registry.intake.application import get_in  # noqa: PLC0415
    from cardkit.registry.intake.identity import Identities, IdentityRun  # noqa: PLC0415

    system = _system(address)
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx)
        if again is None:
            run = Identities(books).check_waiting(system)
        else:
            with books.store.reading() as connection:
                get_in(connection, again)
            run = IdentityRun({again: Identities(books).check(again, system)})
    counts = run.counts()
    verdicts = {str(number): verdict.value for number, verdict in run.verdicts.items()}
    out.document(
        {"counts": counts, "verdicts": verdicts, "waiting": run.waiting, "problem": run.problem}
    )
    for number, verdict in run.verdicts.items():
        if not verdict.ok:
            out.line(f"application 申请 {number}: {verdict.value} {verdict.zh}")
    out.line(f"{len(run.verdicts)} checked 已核查, {counts['match']} match 一致")
    if run.problem:
        out.note(f"cardkit: {run.problem_zh if Output.language == 'zh' else run.problem}")
        ctx.exit(ExitCode.UNREACHABLE)
    if counts["match"] < len(run.verdicts):
        ctx.exit(ExitCode.PARTIAL)


def _system(address: str) -> IdentityCheck:
    from cardkit.virtual.identity import VirtualIdentitySystem  # noqa: PLC0415

    kind, _, file = address.partition(":")
    if kind != "virtual":
        raise UsageError(
            "no such identity system", hint="virtual, or virtual:FILE; others come as plug-ins"
        )
    if file and not Path(file).is_file():
        raise UsageError(
            f"there is no file {file} of people whom the virtual system knows",
            hint="virtual alone knows everybody; virtual:FILE only those of a CSV file",
            zh=f"没有文件 {file}：请给出虚拟身份核查系统的人员文件（CSV）",
        )
    return VirtualIdentitySystem.read(Path(file)) if file else VirtualIdentitySystem()


def _person(line: str) -> tuple[str, str, str]:
    """Number, name and birth date of a line; the error says what is wrong, not with what."""
    from cardkit.codec.numbers import NumberError, parse_citizen_number  # noqa: PLC0415

    parts = [part.strip() for part in line.split(",")]
    number, name, birth_date = (*parts, "", "", "")[:3]
    wrong = ""
    if len(parts) > 3 or not (number or (name and birth_date)):
        wrong = "number, name, birth date"
    elif birth_date and not (len(birth_date) == 8 and birth_date.isdecimal()):
        wrong = "birth date"
    elif number:
        try:
            parse_citizen_number(number, None)
        except NumberError:
            wrong = "citizen number"
    if wrong:
        raise UsageError(
            f"the line of standard input cannot be: {wrong}",
            hint="citizen number, or name and birth date (YYYYMMDD), separated by commas",
            zh="标准输入的内容有误：应为 公民身份号码,姓名,出生日期(YYYYMMDD)，以逗号分隔",
        )
    return number, name, birth_date


@click.command()
@common.registry_option()
@click.option(
    "--person",
    is_flag=True,
    help="About one person: citizen number, name and birth date (YYYYMMDD) on one line of standard "
    "input, separated by commas.",
)
@desk.operator_option()
@desk.rules_option()
@common.json_option()
@click.pass_context
def duplicates(ctx: click.Context, registry: str | None, *, person: bool, as_json: bool) -> None:
    """Who may be the same person 查重.

    Without --person, every group of people of the registry with one name and one birth date.
    """
    from cardkit.registry.intake.duplicates import Duplicates  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        search = Duplicates(opened.books)
        if person:
            number, name, birth_date = _person(sys.stdin.readline(LONGEST))
            found = search.find(number, name=name, birth_date=birth_date)
            out.document({"candidates": [one.as_json() for one in found]})
            for one in found:
                out.line(
                    f"{one.likeness.value} {one.likeness.zh}: person {one.person_id or '-'}, "
                    f"card {one.card_id or '-'}, application {one.application or '-'}"
                )
            out.line(f"{len(found)} found")
            return
        groups = list(search.groups())
    out.document({"groups": groups})
    for group in groups:
        out.line("persons 人员 " + ", ".join(map(str, group)))
    out.line(f"{len(groups)} groups 组")
