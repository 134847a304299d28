"""``cardkit stock receive|move|use ...``: whatever books a move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk, stock_text
from cardkit.cli.output import Output

if TYPE_CHECKING:
    from cardkit.registry.registry import Registry
    from cardkit.registry.stock import Order

KINDS = ("blank-card", "preprinted-card", "temporary-card", "psam", "pos", "receipt", "form")
REASONS = ("damaged", "misprinted", "wrong-data", "dead-chip", "expired", "other")


def _acting(command: Any) -> Any:  # noqa: ANN401
    """The options of everything that books a move."""
    for option in reversed(
        (
            click.argument("kind", type=click.Choice(KINDS)),
            click.option("--at", required=True, metavar="PLACE", help="Code of the place 地点."),
            click.option("--first", default="", metavar="NUMBER", help="First number 起号."),
            click.option("--last", default="", metavar="NUMBER", help="Last number 止号."),
            click.option("--count", type=click.IntRange(min=1), default=None, help="Pieces 数量."),
            desk.acting,
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


@click.command()
@_acting
def receive(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things come in 入库, with their numbers."""
    _book(ctx, "receive", **given)


@click.command()
@click.option("--to", required=True, metavar="PLACE", help="Code of the place they go to.")
@_SPOILT
@_ASK
@desk.second_options
@_acting
def move(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things go to another place 调拨; two people."""
    _book(ctx, "move", **given)


@click.command()
@click.option("--act", type=int, help="Number of the act 业务 it was used for.")
@click.option("--card", type=int, help="Card record it was used for.")
@_acting
def use(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Something is used up 领用."""
    _book(ctx, "use", **given)


@click.command()
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why 原因.")
@_acting
def spoil(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Something is no good 作废; it stays where it is until it is destroyed."""
    _book(ctx, "spoil", **given)


@click.command()
@_MINUTES
@_ASK
@desk.second_options
@_acting
def destroy(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Spoilt things are destroyed 销毁: two people, with minutes."""
    _book(ctx, "destroy", **given)


@click.command("return")
@_SPOILT
@_ASK
@desk.second_options
@_acting
def return_(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """Things go back to whoever supplied them 退回; two people."""
    _book(ctx, "return", **given)


@click.command("write-off")
@_MINUTES
@_SPOILT
@_ASK
@desk.second_options
@_acting
def write_off(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401
    """What a count missed is taken off the books 盘亏核销: two people, with minutes."""
    _book(ctx, "write-off", **given)


@click.command()
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
    from cardkit.registry.stock import Order  # noqa: PLC0415

    wanted = Order(action, count=count or 0, **order)
    with common.open_registry(registry) as opened:
        _carry_out(ctx, opened, wanted, ask=ask, number=approval, second=second, as_json=as_json)


def _carry_out(
    ctx: click.Context,
    opened: Registry,
    wanted: Order,
    *,
    ask: bool,
    number: int | None,
    second: str | None,
    as_json: bool,
) -> None:
    from cardkit.registry.operators import Approvals  # noqa: PLC0415
    from cardkit.registry.stock import Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    operator = desk.signed_in(opened, ctx)
    if ask:
        asked = Approvals(opened.books, rules=desk.rules_of(ctx).operators).request(
            wanted.approved_as, wanted.subject(), operator=operator
        )
        out.document(asked.as_json())
        out.line(stock_text.asked(asked.number, wanted))
        return
    given = desk.approval(
        opened, ctx, wanted.approved_as, wanted.subject(),
        operator=operator, number=number, second=second,
    )  # fmt: skip
    done = Stock(opened.books).do(wanted, operator=operator, approval=given)
    out.document(done.as_json())
    out.line(stock_text.booked(done, moved=bool(wanted.to)))


@click.command()
@click.argument("wrong", metavar="MOVE", type=click.IntRange(min=1))
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why 原因.")
@click.option("--first", default="", metavar="NUMBER", help="Only from this number on.")
@click.option("--last", default="", metavar="NUMBER", help="Only up to this number.")
@click.option("--count", type=click.IntRange(min=1), default=None, help="Only so many pieces.")
@_ASK
@desk.second_options
@desk.acting
def correct(
    ctx: click.Context,
    wrong: int,
    reason: str,
    first: str,
    last: str,
    count: int | None,
    approval: int | None,
    second: str | None,
    registry: str | None,
    *,
    ask: bool,
    as_json: bool,
) -> None:
    """Take back what a receive, use or spoil of the wrong things said 更正; two people.

    Both lines stay in the book; the new one names the wrong MOVE. Then book what is right.
    """
    from dataclasses import replace  # noqa: PLC0415

    from cardkit.registry.stock import Stock  # noqa: PLC0415

    with common.open_registry(registry) as opened:
        order = replace(Stock(opened.books).wrong_way(wrong), reason=reason)
        if first:
            order = replace(order, first=first, last=last)
        if count is not None:
            order = replace(order, count=count)
        _carry_out(ctx, opened, order, ask=ask, number=approval, second=second, as_json=as_json)
