"""``cardkit roster enrol``: card records for a roster whose cards are made elsewhere or later."""

from __future__ import annotations

from pathlib import Path

import click

from cardkit.cli import common, desk, roster_text
from cardkit.cli.output import Output
from cardkit.cli.roster_text import Language, text
from cardkit.errors import ExitCode


@click.command()
@click.argument("file", type=common.PATH)
@common.profile_option(required=True)
@common.registry_option()
@roster_text.limit_option
@roster_text.out_option
@desk.operator_option()
@common.lang_option()
@common.json_option()
@click.pass_context
def enrol(
    ctx: click.Context, file: Path, profile: str, registry: str | None, limit: int,
    out: Path | None, *, lang: Language, as_json: bool,
) -> None:  # fmt: skip
    """Give the people of the roster FILE card records 登记; no card is made.

    The cards are planned: `registry exchange export factory-order` sends their data to a factory,
    `issue` makes them at a window. The same roster again makes no second record. Exit code 1 when
    rows are rejected.
    """
    from cardkit.issuance import job as jobs  # noqa: PLC0415
    from cardkit.registry.attempts import attempted  # noqa: PLC0415

    roster_text.refuse_itself(file, out)
    loaded = common.load_profile(profile)
    roster = jobs.read_roster(loaded, file, common.today(loaded))
    with common.open_registry(registry, begins=True) as opened:
        if desk.accounts(opened, ctx).exist():
            with attempted(opened.books, desk.signed_in(opened, ctx), "enrol"):
                desk.working(opened, ctx, "county", "window")
        job = jobs.enrol(loaded, opened, roster)
    if out is not None and roster.rejects:
        roster.write_rejects(out, lang=lang)
    new = len(job.enrolment.new)
    known = {"new": new, "known": len(job.rows) - new, "waiting": len(job.wanted)}
    written = str(out) if out is not None and roster.rejects else None
    output = Output(as_json=as_json)
    output.document(roster_text.as_json(roster, known, written, lang))
    output.lines(roster_text.lines(roster, None, limit, lang))
    output.line(text("enrolled", lang, **known))
    if written is not None:
        output.line(text("written", lang, path=written))
    if roster.rejects:
        ctx.exit(ExitCode.PARTIAL)
