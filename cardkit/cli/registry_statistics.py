"""``cardkit registry places|statistics|sample``: by place and period; inspection."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.statistics import Sample, Table

PERIODS = ("day", "month", "quarter", "year", "all")
LEVELS = ("province", "city", "county", "township", "village")
MEASURES = ("made", "handed_out", "opened", "lost", "found", "replaced", "transferred", "cancelled")
RESULTS = ("fine", "papers", "signature", "identity", "data", "face", "chip", "fee", "procedure",
           "not-found")  # fmt: skip


# --- places --------------------------------------------------------------------------------------


@click.group()
def places() -> None:
    """Places 地点: county, townships, villages, employers, windows, and who belongs where."""


@places.command("load")
@click.argument("file", type=common.PATH)
@desk.acting
def places_load(ctx: click.Context, file: Path, registry: str | None, *, as_json: bool) -> None:
    """Take places over from a FILE 载入: CSV with code, kind, name, parent; or TOML."""
    from cardkit.registry.places import Places, read_places  # noqa: PLC0415

    out = Output(as_json=as_json)
    rows = read_places(file)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        new, changed = Places(opened.books).load(rows, operator=operator)
    out.document({"new": new, "changed": changed, "rows": len(rows)})
    out.line(
        say(f"地点{len(rows)}个：新增{new}，变更{changed}",
            f"{len(rows)} places: {new} new, {changed} changed")
    )  # fmt: skip


@places.command("assign")
@click.argument("file", type=common.PATH, required=False)
@click.option("--moving", is_flag=True, help="Whoever has another place moves now 迁移.")
@click.option("--employers", is_flag=True, help="Employers 参保单位, which collect their cards.")
@desk.acting
def places_assign(
    ctx: click.Context,
    file: Path | None,
    registry: str | None,
    *,
    moving: bool,
    employers: bool,
    as_json: bool,
) -> None:
    """Say who belongs where 归属地: by a FILE, or by how addresses begin.

    FILE is a CSV with the column place, and citizen_number, card_number or card_id. Exit code 1
    when rows name nobody or no place.
    """
    from cardkit.registry.places import Membership, Residence, read_assignments  # noqa: PLC0415

    out = Output(as_json=as_json)
    rows = read_assignments(file) if file else None
    with common.open_registry(registry) as opened:
        operator, room = desk.signed_in(opened, ctx), Residence(opened.books)
        if employers:
            if rows is None:
                raise UsageError("whose employer?", hint="name a FILE with the column place")
            done = Membership(opened.books).assign(rows, operator=operator, moving=moving)
        elif rows is None:
            done = room.assign_by_address(operator=operator)
        else:
            done = room.assign(rows, operator=operator, moving=moving)
    out.document(done._asdict())
    out.line(
        say(f"归属{done.new}人，迁移{done.moved}人，未变{done.same}人",
            f"{done.new} assigned, {done.moved} moved, {done.same} as before")
    )  # fmt: skip
    for row in done.unknown:
        out.note(say(f"第{row}行：没有此人或此地点", f"row {row}: nobody, or no such place"))
    if done.unknown:
        ctx.exit(ExitCode.PARTIAL)


@places.command("list")
@common.registry_option()
@common.lang_option(only_errors=True)
@common.json_option()
def places_list(registry: str | None, *, as_json: bool) -> None:
    """Places with the number of their people 列表."""
    from cardkit.registry.places import KINDS, Places, Residence  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        found, people = Places(opened.books).list(), Residence(opened.books).counts()
    codes = {place.place_id: place.code for place in found}
    out.document(
        [
            place.as_json()
            | {"parent": codes.get(place.parent or 0, ""), "people": people.get(place.code, 0)}
            for place in found
        ]
    )
    rows = [
        (place.code, KINDS[place.kind], place.name, codes.get(place.parent or 0, ""),
         str(people.get(place.code, 0)))
        for place in found
    ]  # fmt: skip
    heads = say(("编码", "类别", "名称", "上级", "人数"), ("CODE", "KIND", "NAME", "IN", "PEOPLE"))
    out.lines(table(rows, heads))
    if nowhere := people.get(""):
        out.note(say(f"{nowhere}人未归属", f"{nowhere} people have no place"))


# --- statistics ----------------------------------------------------------------------------------


@click.command()
@click.option(
    "--by", "period", type=click.Choice(PERIODS), default="month", show_default=True,
    help="Length of a period 统计周期.",
)  # fmt: skip
@click.option("--place", default="", metavar="CODE", help="Only this place and those below it.")
@click.option("--level", type=click.Choice(LEVELS), help="Add up to these places.")
@click.option("--since", default="", metavar="DAY", help="First day, such as 2012-05-01.")
@click.option("--until", default="", metavar="DAY", help="Last day.")
@click.option(
    "--measure", "measures", type=click.Choice(MEASURES), multiple=True,
    help="Only these 指标; repeat it.",
)  # fmt: skip
@click.option("--standing", is_flag=True, help="Instead: how many cards stand in which state now.")
@click.option(
    "--out", "files", type=common.PATH, multiple=True,
    help="Write a table (.csv .xlsx .json) or a chart (.svg .pdf .png). Repeat it.",
)  # fmt: skip
@click.option("--title", default="", help="Title of the chart 标题.")
@common.registry_option()
@common.lang_option()
@common.json_option()
def statistics(
    period: str,
    place: str,
    level: str | None,
    since: str,
    until: str,
    measures: tuple[str, ...],
    files: tuple[Path, ...],
    title: str,
    registry: str | None,
    lang: str,
    *,
    standing: bool,
    as_json: bool,
) -> None:
    """What was made, handed out, opened, lost ... by place and period 统计."""
    from cardkit.registry.statistics import Statistics, write  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        room = Statistics(opened.books, common.CHINA_HOURS)
        if standing:
            found = room.standing(place=place, level=level or "")
        else:
            found = room.events(
                period=period, place=place, level=level or "", since=since, until=until,
                measures=measures,
            )  # fmt: skip
    for file in files:
        write(found, file, title=title, lang=lang)
        out.note(say(f"已写入 {file}", f"{file} written"))
    out.document(found.as_json())
    out.lines(_shown(found, lang))


def _shown(found: Table, lang: str) -> list[str]:
    rows = [[str(cell) for cell in line] for line in found.lines(lang)]
    rows.append(["合计" if lang == "zh" else "total", "", "", *map(str, found.totals)])
    return table(rows, found.headings(lang))


# --- samples -------------------------------------------------------------------------------------


@click.group()
def sample() -> None:
    """Random samples for inspection 稽核抽查, drawn by a seed anybody can draw by again."""


@sample.command("draw")
@click.argument("action")
@click.argument("size", type=click.IntRange(1, 10_000))
@click.option("--seed", help="Default: a random one; it is kept either way 种子.")
@click.option("--place", default="", metavar="CODE", help="Only this place 地点.")
@click.option("--since", default="", metavar="DAY", help="First day.")
@click.option("--until", default="", metavar="DAY", help="Last day.")
@desk.acting
def sample_draw(
    ctx: click.Context,
    action: str,
    size: int,
    seed: str | None,
    place: str,
    since: str,
    until: str,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Draw 抽样 SIZE acts of an ACTION, as the history calls it: hand-out, replace, issue ..."""
    from cardkit.registry.statistics import Inspection  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        drawn = Inspection(opened.books, common.CHINA_HOURS).sample(
            action, size, seed=seed or secrets.token_hex(8), operator=operator,
            place=place, since=since, until=until,
        )  # fmt: skip
    out.document(drawn.as_json())
    out.lines(_sampled(drawn))


@sample.command("result")
@click.argument("number", type=int, metavar="SAMPLE")
@click.argument("position", type=int)
@click.argument("result", type=click.Choice(RESULTS))
@click.option("--note", default="", help="A remark 备注; stays out of the history.")
@click.option("--correct", is_flag=True, help="What was said before was wrong 更正; both stay.")
@desk.acting
def sample_result(
    ctx: click.Context,
    number: int,
    position: int,
    result: str,
    note: str,
    registry: str | None,
    *,
    correct: bool,
    as_json: bool,
) -> None:
    """Say what looking at an item showed 结论; it is never changed, only corrected."""
    from cardkit.registry.statistics import Inspection  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator, room = desk.signed_in(opened, ctx), Inspection(opened.books, common.CHINA_HOURS)
        room.say(number, position, result, operator=operator, note=note, correct=correct)
        found = room.show(number)
    out.document(found.as_json())
    out.lines(_sampled(found))


@sample.command("show")
@click.argument("number", type=int, metavar="SAMPLE")
@click.option("--again", is_flag=True, help="Draw it again and compare 复核.")
@desk.acting
def sample_show(
    ctx: click.Context, number: int, registry: str | None, *, again: bool, as_json: bool
) -> None:
    """A sample 抽查 with its results. Exit code 1 when --again draws other items."""
    from cardkit.registry.statistics import Inspection  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        room = Inspection(opened.books, common.CHINA_HOURS)
        found, same = room.show(number), room.again(number) if again else True
    out.document(found.as_json() | ({"same": same} if again else {}))
    out.lines(_sampled(found))
    if again:
        out.line(
            say("重新抽取：一致", "drawn again: the same") if same
            else say("重新抽取：不一致", "drawn again: OTHER ITEMS")
        )  # fmt: skip
    if not same:
        ctx.exit(ExitCode.PARTIAL)


@sample.command("list")
@desk.acting
def sample_list(ctx: click.Context, registry: str | None, *, as_json: bool) -> None:
    """Samples 抽查, the newest first, and how many of their items have a result."""
    from cardkit.registry.statistics import Inspection  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        found = Inspection(opened.books, common.CHINA_HOURS).list()
    out.list_document(one.as_json() for one in found)
    local = desk.rules_of(ctx).calendar.local
    rows = [
        (str(one.sample_id), local(one.instant), one.action, one.place or "-", one.seed,
         f"{len(one.items)} / {one.population}", str(sum(bool(i.result) for i in one.items)),
         one.operator)
        for one in found
    ]  # fmt: skip
    heads = say(
        ("抽查", "时间", "业务", "地点", "种子", "抽取", "已有结论", "经办"),
        ("SAMPLE", "WHEN", "ACTION", "PLACE", "SEED", "ITEMS", "RESULTS", "BY"),
    )
    out.lines(table(rows, heads))


def _sampled(found: Sample) -> list[str]:
    from cardkit.registry.statistics.inspection import FAULTS  # noqa: PLC0415

    drawn, by = len(found.items), found.operator
    head = say(
        f"抽查{found.sample_id}：“{found.action}”{found.population}项中抽取{drawn}项，"
        f"种子 {found.seed}，{by}",
        f"sample {found.sample_id}: {drawn} of {found.population} '{found.action}', "
        f"seed {found.seed}, by {by}",
    )
    rows = [
        (str(item.position), str(item.card_id), str(item.entry),
         say(FAULTS.get(item.result, ""), item.result) or "-", item.by,
         say("已更正", "corrected") if item.said > 1 else "")
        for item in found.items
    ]  # fmt: skip
    heads = say(("序号", "记录", "流水", "结论", "稽核", ""),
                ("NO", "CARD", "ENTRY", "RESULT", "BY", ""))  # fmt: skip
    return [head, *table(rows, heads)]
