"""``cardkit lot pack|unpack|take|out|hand-over|pick-up``: how a lot leaves."""

from __future__ import annotations

from pathlib import Path

import click

from cardkit import wholefile
from cardkit.cli import common, desk
from cardkit.cli.lot_common import (
    listed,
    number_of,
    room_of,
)
from cardkit.cli.output import Output, say


@click.command()
@click.argument("place", metavar="PLACE")
@click.option(
    "--kind", type=click.Choice(["village-day", "township", "employer"]), default="village-day",
    show_default=True, help="How the cards reach their holders.",
)  # fmt: skip
@click.option("--each-village", is_flag=True, help="A lot for every village below PLACE.")
@click.option(
    "--card",
    "cards",
    multiple=True,
    type=int,
    help="Only these card records, which are in hand. Repeat it.",
)
@desk.acting
def pack(
    ctx: click.Context,
    place: str,
    kind: str,
    cards: tuple[int, ...],
    registry: str | None,
    *,
    each_village: bool,
    as_json: bool,
) -> None:
    """Pack the finished cards of the people of a PLACE 装袋."""
    out = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator, room = desk.signed_in(opened, ctx), room_of(opened, ctx)
        if each_village:
            made = room.pack_villages(place, operator=operator)
        else:
            made = [room.pack(place, kind, operator=operator, card_ids=cards or None)]
    out.document([one.as_json() for one in made])
    out.lines(listed(made))


@click.command()
@click.argument("which", metavar="LOT")
@click.option("--reason", required=True, help="Why 原因, a code word for the history: other ...")
@desk.acting
def unpack(
    ctx: click.Context, which: str, reason: str, registry: str | None, *, as_json: bool
) -> None:
    """Take a lot apart that was packed by mistake 拆袋: its cards are free again.

    Refused once it is out: what came back is counted then (lot back).
    """
    screen = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        done = room_of(opened, ctx).unpack(number_of(which), reason, operator=operator)
    screen.document(done.as_json())
    screen.lines(listed([done]))


@click.command()
@click.argument("which", metavar="LOT")
@click.argument("target", metavar="FILE", type=common.PATH)
@click.option(
    "--to", "recipient", metavar="AGE-KEY", help="Encrypt it to this public age key 公钥."
)
@desk.acting
def take(
    ctx: click.Context,
    which: str,
    target: Path,
    recipient: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Write the FILE a lot takes along where there is no network 数据包.

    Encrypted with --to it has names and citizen numbers, and the key that seals the outcome. In
    clear it has masked ones and no key: two people vouch for the outcome. The history says who took
    which list.
    """
    out = Output(as_json=as_json)
    if recipient is not None:
        from cardkit.registry.exchange import sealing  # noqa: PLC0415

        sealing.check_recipient(recipient)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        packed = room_of(opened, ctx).take(
            number_of(which), operator=operator, recipient=recipient or ""
        )
    content = packed.to_json(full=recipient is not None).encode()
    if recipient is not None:
        content = sealing.seal(content, recipient)
    wholefile.write(target, content)
    out.document({"file": str(target), "cards": len(packed.cards), "digest": packed.digest})
    cards, digest = len(packed.cards), packed.digest[:16]
    out.line(
        say(f"{target}：{cards}张卡，名单 {digest}", f"{cards} cards in {target}, list {digest}")
    )


@click.command()
@click.argument("which", metavar="LOT")
@click.option("--cards", "card_carrier", required=True, metavar="LOGIN", help="Carries the cards.")
@click.option(
    "--with-machine", "machine_carrier", required=True, metavar="LOGIN",
    help="Carries the machine 机具: somebody else.",
)  # fmt: skip
@click.option("--machine", default="", metavar="NUMBER", help="Number of the machine in stock.")
@click.option(
    "--machine-kind",
    type=click.Choice(["pos", "psam"]),
    default="pos",
    show_default=True,
    help="What the machine 机具 is.",
)
@desk.acting
def out(
    ctx: click.Context, which: str, registry: str | None, *, as_json: bool, **given: str
) -> None:
    """Two people leave with a lot 带出: one has the cards, the other the machine."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        done = room_of(opened, ctx).out(number_of(which), operator=operator, **given)
    screen.document(done.as_json())
    screen.lines(listed([done]))


@click.command("hand-over")
@click.argument("which", metavar="LOT")
@click.option("--to", required=True, metavar="LOGIN", help="Who takes the cards.")
@desk.acting
def hand_over(
    ctx: click.Context, which: str, to: str, registry: str | None, *, as_json: bool
) -> None:
    """The cards go from you to somebody else on the way 途中交接."""
    screen = Output(as_json=as_json)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        done = room_of(opened, ctx).hand_over(number_of(which), to, operator=operator)
    screen.document(done.as_json())
    screen.line(f"{done.name}: the cards are with {done.card_carrier}")


@click.command("pick-up")
@click.argument("which", metavar="LOT")
@click.option(
    "--papers", default="id,stamped-list", show_default=True, metavar="LIST",
    help="What the clerk showed 证件材料.",
)  # fmt: skip
@desk.second_options
@desk.acting
def pick_up(
    ctx: click.Context,
    which: str,
    papers: str,
    approval: int | None,
    second: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """The clerk of an employer collects the cards of its people 单位领取; two people.

    Name and citizen number of the clerk are two lines of standard input, before a password: they do
    not belong on a command line.
    """
    from cardkit.registry.lots import Clerk  # noqa: PLC0415

    screen = Output(as_json=as_json)
    number = number_of(which)
    clerk = Clerk(
        desk.line("Name 经办人姓名"), desk.line("Citizen number 证件号码"),
        frozenset(filter(None, papers.split(","))),
    )  # fmt: skip
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        approved = desk.approval(
            opened, ctx, "lot-pick-up", number, operator=operator, number=approval, second=second
        )
        done = room_of(opened, ctx).pick_up(number, clerk, operator=operator, approval=approved)
    screen.document(done.as_json())
    screen.lines(listed([done]))
