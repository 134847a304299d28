"""``cardkit roster``: check a roster before cards are made of it, or make a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, roster_text
from cardkit.cli.output import Output
from cardkit.cli.roster_enrol import enrol
from cardkit.cli.roster_text import Language
from cardkit.errors import ExitCode

if TYPE_CHECKING:
    from cardkit.issuance.roster import Roster

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")


@click.group()
def roster() -> None:
    """Check rosters 花名册, enrol them, or make samples of people who do not exist."""


@roster.command()
@click.argument("file", type=click.Path(path_type=Path))
@common.profile_option(text="Profile 配置: what the cards of this place may carry.")
@common.registry_option(
    text="Compare with this registry 登记库 too: who has a card already, who is known otherwise.",
    default=False,
)
@click.option(
    "--sheet", metavar="NAME", help="Sheet 工作表 of a workbook. Default: the first with headings."
)
@roster_text.limit_option
@roster_text.out_option
@common.lang_option()
@common.json_option()
@click.pass_context
def check(
    ctx: click.Context,
    file: Path,
    profile: str | None,
    registry: str | None,
    sheet: str | None,
    limit: int,
    out: Path | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Check the roster FILE 花名册 (CSV, text with |, XLSX) as `issue` would.

    Nothing is written, unless --out names a file for the rejected rows; that file is a roster
    again, with the reasons beside each row. Exit code 1 when rows are rejected.
    """
    roster_text.refuse_itself(file, out)
    found = read_roster(file, profile, sheet)
    known = None
    if registry is not None:
        from cardkit.cli.roster_registry import compare  # noqa: PLC0415

        with common.open_registry(registry, only_look=True) as opened:
            known = compare(found, opened)
    if out is not None and found.rejects:
        found.write_rejects(out, lang=lang)
    output = Output(as_json=as_json)
    written = str(out) if out is not None and found.rejects else None
    output.document(roster_text.as_json(found, known, written, lang))
    output.lines(roster_text.lines(found, known, limit, lang))
    if written is not None:
        output.line(roster_text.text("written", lang, path=written))
    if found.rejects:
        ctx.exit(ExitCode.PARTIAL)


def read_roster(file: Path, profile: str | None, sheet: str | None) -> Roster:
    """Read a roster by the rules of a profile, or by the strictest without one."""
    from cardkit.codec.text import STRICT, TextRules  # noqa: PLC0415
    from cardkit.issuance import roster as rosters  # noqa: PLC0415

    if profile is None:
        return rosters.read(file, today=common.today(), text_rules=STRICT, sheet=sheet)
    from cardkit.issuance.plan import tree_of  # noqa: PLC0415

    loaded = common.load_profile(profile)
    return rosters.read(
        file,
        today=common.today(loaded),
        text_rules=TextRules(four_bytes=loaded.text.four_byte_characters),
        sheet=sheet,
        tree=tree_of(loaded),
    )


@roster.command()
@click.argument("count", type=click.IntRange(min=1), metavar="N")
@click.option(
    "--seed",
    type=int,
    metavar="S",
    default=1,
    show_default=True,
    help="Another seed, other people.",
)
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default="utf-8",
    show_default=True,
    help="Encoding 编码 of a text file.",
)
@click.option(
    "--out",
    type=common.PATH,
    required=True,
    help="The file: .xlsx a workbook, .txt with | between the columns, anything else CSV.",
)
@click.option(
    "--bad",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Share of rows, 0 to 1, with something wrong of every kind.",
)
@click.option(
    "--column",
    "columns",
    metavar="NAME",
    multiple=True,
    help="Only these columns 列, by English name.",
)
@common.lang_option()
@common.json_option()
def sample(
    count: int,
    seed: int,
    encoding: str,
    out: Path,
    *,
    bad: float,
    columns: tuple[str, ...],
    lang: Language,
    as_json: bool,
) -> None:
    """Make a roster of N people who do not exist 样例花名册.

    Their district 639900 is assigned to nobody; check digits are right, some names are long or
    rare. The same seed gives the same people.
    """
    from cardkit.issuance.roster import sample as samples  # noqa: PLC0415

    fields = columns or samples.FIELDS
    samples.write(out, count, seed, encoding=encoding, fields=fields, bad=bad, lang=lang)
    output = Output(as_json=as_json)
    output.document({"file": str(out), "rows": count, "seed": seed})
    output.line(roster_text.text("sample", lang, path=out, count=count))


roster.add_command(enrol)
