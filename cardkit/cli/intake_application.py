"""``cardkit intake apply ...``: applications on their way to a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.intake_common import looked_at, worker, working_on
from cardkit.cli.output import Output
from cardkit.cli.roster import read_roster
from cardkit.errors import CardkitError, ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.cli.roster_text import Language
    from cardkit.profile import Profile
    from cardkit.registry.intake.importing import Wanted
    from cardkit.registry.intake.photo import Prepared
    from cardkit.registry.lifecycle import Agent, Appearance, Request
    from cardkit.registry.operators import Operator
    from cardkit.registry.people import Applicant

STATES = ("applied", "checked", "confirmed", "refused", "withdrawn")
REASONS = ("incomplete", "photo", "identity", "duplicate", "not-entitled", "withdrawn")

NUMBERS = click.argument("numbers", metavar="N...", type=click.IntRange(min=1), nargs=-1)
NUMBER = click.argument("number", metavar="N", type=click.IntRange(min=1))
PROFILE = common.profile_option(required=True)
FULL = click.option("--full", is_flag=True, help="Show names and numbers 全部显示.")


def appearing(command: common.F) -> common.F:
    """``--appears``, ``--papers`` and ``--agent``."""
    for option in (
        click.option(
            "--agent",
            "agent_file",
            type=common.PATH,
            help="JSON file about the agent 代办人: name, citizen_number, phone, relation.",
        ),
        click.option(
            "--papers",
            default="id",
            show_default=True,
            help="Papers shown 证件, separated by commas (id, agent-id, stamped-list).",
        ),
        click.option(
            "--appears",
            type=click.Choice(["holder", "agent", "employer"]),
            default="holder",
            show_default=True,
            help="Who appears 办理人: holder 本人, agent 代办人, employer 单位.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("file", type=common.PATH)
@PROFILE
@common.registry_option()
@desk.operator_option()
@click.option(
    "--channel",
    type=click.Choice(["window", "township", "employer", "bank", "file"]),
    default="window",
    show_default=True,
    help="How they came 渠道.",
)
@appearing
@click.option(
    "--photos",
    type=common.DIRECTORY,
    help="Folder with photos 照片, named as for import-photos.",
)
@click.option(
    "--kind-data",
    "kind_file",
    type=common.PATH,
    help="JSON file with what the card kind asks for (school, student_number ...).",
)
@common.lang_option()
@common.json_option()
@click.pass_context
def apply(
    ctx: click.Context,
    file: Path,
    profile: str,
    registry: str | None,
    channel: str,
    appears: str,
    papers: str,
    agent_file: Path | None,
    photos: Path | None,
    kind_file: Path | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Take the applications in FILE 受理申请, one a row, with the columns of a roster.

    Personal data come in a file, never on the command line. Exit code 1 when a row was not taken.
    """
    loaded = common.load_profile(profile)
    roster = read_roster(file, profile, None)
    appearance = appearance_of(appears, papers, agent_file)
    kind_data = _json_file(kind_file)
    portraits = _by_number(photos)
    results: list[dict[str, object]] = [
        {"row": reject.row, "ok": False, "code": reject.code, "reason": reject.reason(lang)}
        for reject in roster.rejects
    ]
    with common.open_registry(registry, only_look=True) as opened:
        operator, books = worker(opened, ctx)
        room = working_on(books, opened, ctx, loaded)
        for applicant in roster.applicants:
            request = request_for("apply", operator, appearance, channel)
            try:
                photo = _photo_of(applicant, portraits, loaded)
                taken = room.apply(
                    applicant,
                    request,
                    today=common.today(loaded),
                    photo=photo,
                    kind_data=kind_data,
                )
            except CardkitError as error:
                code = getattr(error, "code", type(error).__name__)
                results.append(
                    {"row": applicant.row, "ok": False, "code": code, "reason": error.line(lang)}
                )
                continue
            results.append(
                {
                    "row": applicant.row,
                    "ok": True,
                    "application": taken.number,
                    "photo": photo is not None,
                    "due": taken.act.due,
                    "receipt": taken.act.receipt_number,
                    "candidates": [one.as_json() for one in taken.candidates],
                }
            )
    _tell(ctx, results, photos=photos is not None, as_json=as_json)


def _tell(
    ctx: click.Context, results: list[dict[str, Any]], *, photos: bool, as_json: bool
) -> None:
    out = Output(as_json=as_json)
    results.sort(key=lambda one: one["row"])
    taken = sum(bool(one["ok"]) for one in results)
    out.document({"taken": taken, "rejected": len(results) - taken, "rows": results})
    for one in results:
        if not one["ok"]:
            out.line(f"row 行 {one['row']}: {one['reason']}")
            continue
        more = f"; {len(one['candidates'])} similar 疑似重复" if one["candidates"] else ""
        more += "; no photo 无照片" if photos and not one["photo"] else ""
        out.line(f"row 行 {one['row']}: application 申请 {one['application']}{more}")
    out.line(f"{taken} taken 受理, {len(results) - taken} not 未受理")
    if taken < len(results):
        ctx.exit(ExitCode.PARTIAL)


def _by_number(folder: Path | None) -> dict[str, list[Wanted]]:
    """The photos of a folder by citizen number, named as `import-photos` takes them."""
    from cardkit.registry.intake import importing  # noqa: PLC0415

    found: dict[str, list[Wanted]] = {}
    for one in importing.of_folder(folder) if folder is not None else ():
        found.setdefault(one.citizen_number, []).append(one)
    return found


def _photo_of(
    applicant: Applicant, portraits: Mapping[str, list[Wanted]], profile: Profile
) -> Prepared | None:
    from cardkit.registry.intake.duplicates import normalised  # noqa: PLC0415
    from cardkit.registry.intake.import_report import REASONS as PROBLEMS  # noqa: PLC0415

    files = portraits.get(applicant.citizen_number.upper(), [])
    if not files:
        return None
    if len(files) > 1:
        raise _no_photo(*PROBLEMS["twice"])
    if files[0].name and normalised(files[0].name) != normalised(applicant.name):
        raise _no_photo("文件名中的姓名与申请不符", "the name disagrees with the application")
    verdict = looked_at(files[0].path, profile)
    if verdict.prepared is None:
        raise _no_photo(
            "；".join(finding.text("zh") for finding in verdict.findings),
            "; ".join(finding.text("en") for finding in verdict.findings),
        )
    return verdict.prepared


def _no_photo(zh: str, en: str) -> UsageError:
    return UsageError(f"the photo is not taken: {en}", zh=f"照片不合格：{zh}")


def appearance_of(appears: str, papers: str, agent_file: Path | None) -> Appearance:
    """Who stands there, as these options say."""
    from cardkit.registry.lifecycle import Appearance, Appears  # noqa: PLC0415

    shown = frozenset(filter(None, (paper.strip() for paper in papers.split(","))))
    return Appearance(Appears(appears), shown, _agent(agent_file))


def _agent(file: Path | None) -> Agent | None:
    from cardkit.registry.lifecycle import Agent  # noqa: PLC0415

    if file is None:
        return None
    try:
        return Agent(**_json_file(file))
    except TypeError:
        raise UsageError(
            f"{file.name} does not describe an agent",
            hint="it has name, citizen_number, and perhaps phone and relation",
        ) from None


def _json_file(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    with suppress(OSError, ValueError):
        content = json.loads(file.read_text("utf-8"))
        if isinstance(content, dict) and all(isinstance(v, str) for v in content.values()):
            return content
    raise UsageError(f"{file.name} is no JSON file of texts", hint='like {"school": "..."}')


def request_for(
    action: str,
    operator: Operator,
    appearance: Appearance | None = None,
    channel: str = "window",
    reason: str = "",
) -> Request:
    """What somebody wants done with an application; its number comes later."""
    from cardkit.registry.lifecycle import Appearance, Request  # noqa: PLC0415

    return Request(action, 0, operator, appearance or Appearance(), channel=channel, reason=reason)
