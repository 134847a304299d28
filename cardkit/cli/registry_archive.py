"""``cardkit registry archive``: volumes of a hundred people by village, and who borrowed them."""

from __future__ import annotations

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, say, table


@click.group()
def archive() -> None:
    """Volumes of a hundred people by village 档案, and who borrowed them."""


@archive.command("bind")
@click.argument("place")
@desk.acting
def archive_bind(ctx: click.Context, place: str, registry: str | None, *, as_json: bool) -> None:
    """Put everybody of a PLACE who is in no volume into one 立卷."""
    from cardkit.registry.statistics import Archive  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        count = Archive(opened.books).bind(place, operator=operator)
    out.document({"people": count})
    out.line(say(f"立卷{count}人", f"{count} people"))


@archive.command("list")
@click.option("--place", default="", metavar="CODE", help="Only this place 地点.")
@common.registry_option()
@common.lang_option(only_errors=True)
@common.json_option()
def archive_list(place: str, registry: str | None, *, as_json: bool) -> None:
    """The archive list 案卷目录."""
    from cardkit.registry.statistics import Archive  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        found = Archive(opened.books).list(place)
    out.document([one.as_json() for one in found])
    rows = [
        (str(one.volume_id), one.place, str(one.number), str(one.people), str(one.first),
         str(one.last), one.lent_to)
        for one in found
    ]  # fmt: skip
    heads = say(("案卷", "地点", "卷号", "人数", "起", "止", "借阅人"),
                ("VOLUME", "PLACE", "NO", "PEOPLE", "FIRST", "LAST", "LENT TO"))  # fmt: skip
    out.lines(table(rows, heads))


@archive.command("lend")
@click.argument("volume", type=int)
@click.option("--to", required=True, metavar="WHO", help="Office or login that borrows it.")
@click.option("--purpose", required=True, help="What for 用途.")
@desk.acting
def archive_lend(
    ctx: click.Context,
    volume: int,
    to: str,
    purpose: str,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Lend a VOLUME 借出; to one at a time."""
    from cardkit.registry.statistics import Archive  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        loan = Archive(opened.books).lend(volume, to, purpose=purpose, operator=operator)
    out.document(loan.as_json())
    since = desk.rules_of(ctx).calendar.local(loan.lent_at)
    out.line(
        say(f"案卷{volume}：{since} 借给{loan.lent_to}",
            f"volume {volume} is with {loan.lent_to} since {since}")
    )  # fmt: skip


@archive.command("back")
@click.argument("volume", type=int)
@desk.acting
def archive_back(ctx: click.Context, volume: int, registry: str | None, *, as_json: bool) -> None:
    """A VOLUME comes back 归还."""
    from cardkit.registry.statistics import Archive  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        loan = Archive(opened.books).give_back(volume, operator=desk.signed_in(opened, ctx))
    out.document(loan.as_json())
    back = desk.rules_of(ctx).calendar.local(loan.back_at)
    out.line(say(f"案卷{volume}：{back} 归还", f"volume {volume} is back since {back}"))


@archive.command("register")
@click.option("--volume", type=int, help="Only this volume 卷.")
@desk.acting
def archive_register(
    ctx: click.Context, volume: int | None, registry: str | None, *, as_json: bool
) -> None:
    """The lending register 借阅登记."""
    from cardkit.registry.statistics import Archive  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        desk.reader(opened, ctx)
        found = Archive(opened.books).register(volume)
    out.document([one.as_json() for one in found])
    local = desk.rules_of(ctx).calendar.local
    rows = [
        (str(one.volume_id), one.lent_to, local(one.lent_at), one.lent_by, one.purpose,
         local(one.back_at) or "-", one.back_by)
        for one in found
    ]  # fmt: skip
    heads = say(("案卷", "借阅人", "借出时间", "经办", "用途", "归还时间", "经办"),
                ("VOLUME", "LENT TO", "SINCE", "BY", "PURPOSE", "BACK", "BY"))  # fmt: skip
    out.lines(table(rows, heads))
