"""``cardkit stock``: cards, PSAMs, machines and numbered forms, under number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.output import Output, table
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.registry.stock import Count, Move, Order

KINDS = ("blank-card", "preprinted-card", "temporary-card", "psam", "pos", "receipt", "form")
REASONS = ("damaged", "misprinted", "wrong-data", "dead-chip", "expired", "other")
_MOVES = ("MOVE", "WHEN", "ACTION", "KIND", "NUMBERS", "COUNT", "FROM", "TO", "BY", "SECOND")


@click.group()
def stock() -> None:
    """Cards, PSAMs, machines and numbered forms 库存: received, moved, used, spoilt, destroyed.

    Numbers are given as printed, --first and --last; blank cards may be counted only, --count. Who
    works is signed in (cardkit operator sign-in).
    """


def _acting(command: Any) -> Any:  # noqa: ANN401
    """The options of everything that books a move."""
    for option in reversed(
        (
            click.argument("kind", type=click.Choice(KINDS)),
            click.option("--at", required=True, metavar="PLACE", help="Code of the place 地点."),
            click.option("--first", default="", metavar="NUMBER", help="First number 起号."),
            click.option("--last", default="", metavar="NUMBER", help="Last number 止号."),
            click.option("--count", type=click.IntRange(min=1), default=None, help="Pieces 数量."),
            common.registry_option(),
            desk.operator_option(),
            desk.rules_option(),
            common.lang_option(only_errors=True),
            common.json_option(),
            click.pass_context,
        )
    ):
        command = option(command)
    return command


_MINUTES = click.option(
    "--minutes", required=True, metavar="NUMBER", help="Number of the signed minutes 记录编号."
)
_SPOILT = click.option("--spoilt", is_flag=True, help="Those set aside as spoilt 作废品.")
_ASK = click.option(
    "--ask", is_flag=True, help="Only ask for approval 申请复核; then the same with --approval N."
)


@stock.command()
@_acting
def receive(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things come in 入库, with their numbers."""
    _book(ctx, "receive", **given)


@stock.command()
@click.option("--to", required=True, metavar="PLACE", help="Code of the place they go to.")
@_SPOILT
@_ASK
@desk.second_options
@_acting
def move(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things go to another place 调拨; two people."""
    _book(ctx, "move", **given)


@stock.command()
@click.option("--act", type=int, help="Number of the act 业务 it was used for.")
@click.option("--card", type=int, help="Card record it was used for.")
@_acting
def use(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Something is used up 领用."""
    _book(ctx, "use", **given)


@stock.command()
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why 原因.")
@_acting
def spoil(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Something is no good 作废; it stays where it is until it is destroyed."""
    _book(ctx, "spoil", **given)


@stock.command()
@_MINUTES
@_ASK
@desk.second_options
@_acting
def destroy(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Spoilt things are destroyed 销毁: two people, with minutes."""
    _book(ctx, "destroy", **given)


@stock.command("return")
@_SPOILT
@_ASK
@desk.second_options
@_acting
def return_(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things go back to whoever supplied them 退回; two people."""
    _book(ctx, "return", **given)


@stock.command("write-off")
@_MINUTES
@_SPOILT
@_ASK
@desk.second_options
@_acting
def write_off(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """What a count missed is taken off the books 盘亏核销: two people, with minutes."""
    _book(ctx, "write-off", **given)


@stock.command()
@_MINUTES
@_ASK
@desk.second_options
@_acting
def find(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """What had been written off was found 盘盈: two people, with minutes."""
    _book(ctx, "find", **given)


def _book(
    ctx: click.Context,
    action: str,
    *,
    registry: str | None,
    as_json: bool,
    approval: int | None = None,
    second: str | None = None,
    ask: bool = False,
    count: int | None = None,
    **order: Any,  # noqa: ANN401 - the fields of an order
) -> None:
    from cardkit.registry.operators import Approvals  # noqa: PLC0415
    from cardkit.registry.stock import Order, Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    wanted = Order(action, count=count or 0, **order)
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        if ask:
            asked = Approvals(opened.books, rules=desk.rules_of(ctx).operators).request(
                wanted.approved_as, wanted.subject(), operator=operator
            )
            out.document(asked.as_json())
            out.line(f"approval {asked.number} asked for: {_told(wanted)}")
            return
        number = desk.approval(
            opened, ctx, wanted.approved_as, wanted.subject(),
            operator=operator, number=approval, second=second,
        )  # fmt: skip
        done = Stock(opened.books).do(wanted, operator=operator, approval=number)
    out.document(done.as_json())
    where = f"{done.from_place} → {done.to_place}" if wanted.to else done.to_place
    out.line(f"move {done.move_id}: {done.action} {done.count} {done.kind} {done.numbers} {where}")


def _told(order: Order) -> str:
    numbers = order.first + (f"-{order.last}" if order.last else "")
    return f"{order.action} {order.kind} {numbers or order.count} at {order.at}"


@stock.command()
@click.option("--at", default="", metavar="PLACE", help="Only this place.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@click.option("--numbers", is_flag=True, help="With the ranges of numbers.")
@common.registry_option()
@common.json_option()
def balance(
    at: str, kind: str | None, registry: str | None, *, numbers: bool, as_json: bool
) -> None:
    """How many of what are where 库存余额, added up from every move."""
    from cardkit.registry.stock import State, Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, must_exist=True) as opened:
        room = Stock(opened.books)
        lines = room.balance(at, kind or "")
        ranges = [
            ", ".join(room.holdings(line.place, line.kind, State(line.state))) if numbers else ""
            for line in lines
        ]
    out.document(
        [
            line.as_json() | ({"numbers": shown} if numbers else {})
            for line, shown in zip(lines, ranges, strict=True)
        ]
    )
    rows = [
        (line.place, line.kind, line.state, str(line.count), shown)
        for line, shown in zip(lines, ranges, strict=True)
    ]
    out.lines(table(rows, ("PLACE", "KIND", "STATE", "COUNT", "NUMBERS" if numbers else "")))


@stock.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--at", required=True, metavar="PLACE", help="Where it was counted.")
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="FIRST[:LAST]",
    help="On the shelf. Repeat it.",
)
@click.option("--count", type=click.IntRange(min=0), default=0, help="Pieces without numbers.")
@click.option("--with", "second", metavar="LOGIN", help="Who counted with you; gives the password.")
@common.registry_option()
@desk.operator_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
@common.json_option()
@click.pass_context
def count(
    ctx: click.Context,
    kind: str,
    at: str,
    ranges: tuple[str, ...],
    count: int,
    second: str | None,
    registry: str | None,
    *,
    as_json: bool,
) -> None:
    """Compare the shelf with the books 盘点; the difference is named.

    Exit code 1 when there is one.
    """
    from cardkit.registry.stock import Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    found = [(first, last) for first, _, last in (text.partition(":") for text in ranges)]
    with common.open_registry(registry) as opened:
        operator = desk.signed_in(opened, ctx)
        other = None
        if second is not None:
            words = desk.password(f"Password 口令 of {second}")
            other = desk.accounts(opened, ctx).authenticate(second, words)
        result = Stock(opened.books).reconcile(
            at, kind, operator=operator, numbers=found, count=count, second=other
        )
    out.document(result.as_json())
    out.lines(_counted(result))
    if not result.agrees:
        ctx.exit(ExitCode.PARTIAL)


def _counted(result: Count) -> list[str]:
    agrees = "agrees 账实相符" if result.agrees else "does not agree 账实不符"
    head = f"count {result.count_id}: {result.place} {result.kind}: booked {result.booked}, "
    return [
        f"{head}counted {result.counted}, {agrees}",
        *(
            f"  {one.what} {one.count}: {one.numbers or 'pieces'}; last: {one.last_seen}"
            for one in result.differences
        ),
    ]


@stock.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("number", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--verify", is_flag=True, help="Check the books against the moves 核对.")
@common.registry_option()
@common.json_option()
@click.pass_context
def show(
    ctx: click.Context,
    kind: str | None,
    number: str | None,
    limit: int,
    registry: str | None,
    *,
    verify: bool,
    as_json: bool,
) -> None:
    """Everything that was done with one NUMBER 流水, or the last moves.

    Exit code 1 when --verify finds a contradiction.
    """
    from cardkit.registry.stock import Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    if verify and number:
        raise UsageError("--verify checks all books", hint="leave the number out")
    with common.open_registry(registry, must_exist=True) as opened:
        room = Stock(opened.books)
        problems = room.verify() if verify else []
        if number and kind:
            moves = room.trace(kind, number)
        else:
            moves = [] if verify else room.moves(kind=kind or "", limit=limit)
    if verify:
        out.document({"agrees": not problems, "problems": problems})
        out.lines(problems or ["the books agree with the moves"])
    else:
        out.document([one.as_json() for one in moves])
        out.lines(table([_line(one) for one in moves], _MOVES))
    if problems:
        ctx.exit(ExitCode.PARTIAL)


def _line(one: Move) -> tuple[str, ...]:
    return (
        str(one.move_id), one.instant, one.action, one.kind, one.numbers, str(one.count),
        one.from_place, one.to_place, one.operator, one.second,
    )  # fmt: skip
