"""``cardkit intake check ...``: what township and county decide."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.intake_application import (
    NUMBER,
    NUMBERS,
    PROFILE,
    REASONS,
    appearance_of,
    appearing,
    request_for,
)
from cardkit.cli.intake_common import worker, working_on
from cardkit.cli.output import Output
from cardkit.errors import CardkitError, ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.cli.roster_text import Language


@click.command()
@NUMBERS
@PROFILE
@common.registry_option()
@desk.operator_option()
@common.lang_option()
@common.json_option()
@click.pass_context
def check(
    ctx: click.Context,
    numbers: tuple[int, ...],
    profile: str,
    registry: str | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """First check 初审 of applications N, by the township."""
    with common.open_registry(registry, only_look=True) as opened:
        operator, books = worker(opened, ctx)
        room = working_on(books, opened, ctx, common.load_profile(profile))

        def one(number: int) -> dict[str, object]:
            room.check(number, request_for("check", operator))
            return {}

        results = _each(numbers, one, lang)
    _tell_each(ctx, "checked 已初审", results, as_json=as_json)


@click.command()
@NUMBERS
@PROFILE
@common.registry_option()
@desk.operator_option()
@common.lang_option()
@common.json_option()
@click.pass_context
def confirm(
    ctx: click.Context,
    numbers: tuple[int, ...],
    profile: str,
    registry: str | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Confirm 复核 applications N, by the county: each becomes a card record 卡记录."""
    from cardkit.registry.numbering import Numbering  # noqa: PLC0415

    loaded = common.load_profile(profile)
    numbering = Numbering(
        loaded.numbers.card_prefix,
        loaded.numbers.card_first,
        loaded.numbers.serial_first,
        loaded.region.city,
    )
    with common.open_registry(registry, only_look=True) as opened:
        operator, books = worker(opened, ctx)
        room = working_on(books, opened, ctx, loaded)

        def one(number: int) -> dict[str, object]:
            return {"card": room.confirm(number, request_for("confirm", operator), numbering)[1]}

        results = _each(numbers, one, lang)
    _tell_each(ctx, "confirmed 已复核", results, as_json=as_json)


def _each(numbers: Iterable[int], one: Any, lang: Language) -> list[dict[str, Any]]:  # noqa: ANN401
    results: list[dict[str, Any]] = []
    for number in numbers:
        try:
            results.append({"application": number, "ok": True, **one(number)})
        except CardkitError as error:
            code = getattr(error, "code", type(error).__name__)
            results.append(
                {"application": number, "ok": False, "code": code, "reason": error.line(lang)}
            )
    if not results:
        raise UsageError("which application?", hint="give its number")
    return results


def _tell_each(
    ctx: click.Context, what: str, results: list[dict[str, Any]], *, as_json: bool
) -> None:
    out = Output(as_json=as_json)
    out.document({"results": results})
    for one in results:
        card = f", card record 卡记录 {one['card']}" if "card" in one else ""
        shown = what + card if one["ok"] else one["reason"]
        out.line(f"application 申请 {one['application']}: {shown}")
    done = sum(bool(one["ok"]) for one in results)
    if done < len(results):
        ctx.exit(ExitCode.PARTIAL if done else ExitCode.REFUSED)


@click.command()
@NUMBER
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why 原因.")
@PROFILE
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def refuse(
    ctx: click.Context,
    number: int,
    reason: str,
    profile: str,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Refuse application N 退回申请, for a reason of the list."""
    with common.open_registry(registry, only_look=True) as opened:
        operator, books = worker(opened, ctx)
        room = working_on(books, opened, ctx, common.load_profile(profile))
        act = room.end(number, request_for("refuse-application", operator, reason=reason))
    out = Output(as_json=as_json)
    out.document({"application": number, "act": act.as_json()})
    out.line(f"application 申请 {number}: refused 已退回 ({reason})")


@click.command()
@NUMBER
@appearing
@PROFILE
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def withdraw(
    ctx: click.Context,
    number: int,
    appears: str,
    papers: str,
    agent_file: Path | None,
    profile: str,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Withdraw application N 撤回申请: the person does not want the card."""
    appearance = appearance_of(appears, papers, agent_file)
    with common.open_registry(registry, only_look=True) as opened:
        operator, books = worker(opened, ctx)
        room = working_on(books, opened, ctx, common.load_profile(profile))
        request = request_for("withdraw", operator, appearance, reason="withdrawn")
        act = room.end(number, request)
    out = Output(as_json=as_json)
    out.document({"application": number, "act": act.as_json()})
    out.line(f"application 申请 {number}: withdrawn 已撤回")


@click.command()
@NUMBER
@click.option(
    "--details-stdin",
    is_flag=True,
    required=True,
    help='The right data as JSON from standard input: {"name": "..."}; never as arguments.',
)
@PROFILE
@common.registry_option()
@desk.operator_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def correct(
    ctx: click.Context,
    number: int,
    profile: str,
    registry: str | None,
    *,
    details_stdin: bool,  # noqa: ARG001 - says where they come from
    as_json: bool,
) -> None:
    """Correct application N 更正申请 before it is confirmed; the first check is made anew."""
    details = _details()
    loaded = common.load_profile(profile)
    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx, "correct-application")
        room = working_on(books, opened, ctx, loaded)
        changed = room.correct(number, details, today=common.today(loaded))
    out = Output(as_json=as_json)
    out.document({"application": number, "changed": changed})
    out.line(f"application 申请 {number}: corrected 已更正 ({', '.join(changed)})")


def _details() -> dict[str, str]:
    try:
        found = json.loads(sys.stdin.read(65_536))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise UsageError("standard input is no JSON object of texts", hint='like {"name": "..."}')
    return found
