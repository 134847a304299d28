"""``cardkit stock balance|count|show``: what the books say, and the shelf against them."""

from __future__ import annotations

import click

from cardkit.cli import common, desk, stock_text
from cardkit.cli.output import Output, say
from cardkit.cli.stock_moves import KINDS
from cardkit.errors import ExitCode, UsageError


@click.command()
@click.option("--at", default="", metavar="PLACE", help="Only this place.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@click.option("--numbers", is_flag=True, help="With the ranges of numbers.")
@common.registry_option()
@common.lang_option(only_errors=True)
@common.json_option()
def balance(
    at: str, kind: str | None, registry: str | None, *, numbers: bool, as_json: bool
) -> None:
    """How many of what are where 库存余额, added up from every move."""
    from cardkit.registry.stock import State, Stock  # noqa: PLC0415

    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
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
    out.lines(stock_text.balances(zip(lines, ranges, strict=True), numbers=numbers))


@click.command()
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
@desk.acting
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
    out.lines(stock_text.counted(result, desk.rules_of(ctx).calendar.local))
    if not result.agrees:
        ctx.exit(ExitCode.PARTIAL)


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("number", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
)
@click.option("--verify", is_flag=True, help="Check the books against the moves 核对.")
@common.registry_option()
@desk.rules_option()
@common.lang_option(only_errors=True)
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
    with common.open_registry(registry, only_look=True) as opened:
        room = Stock(opened.books)
        problems = room.verify() if verify else []
        if number and kind:
            moves = room.trace(kind, number)
        else:
            moves = [] if verify else room.moves(kind=kind or "", limit=limit)
    if verify:
        out.document({"agrees": not problems, "problems": problems})
        out.lines(problems or [say("账目与流水相符", "the books agree with the moves")])
    else:
        out.document([one.as_json() for one in moves])
        out.lines(stock_text.moves(moves, desk.rules_of(ctx).calendar.local))
    if problems:
        ctx.exit(ExitCode.PARTIAL)
