"""Taking back what a move said: the wrong line stays, and the line that corrects it names it."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from cardkit.registry.places import Place
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import KINDS, Kind
from cardkit.registry.stock.numbers import Range, number_text
from cardkit.registry.stock.records import MOVES, Move, Order, read
from cardkit.registry.stock.rules import Action, State

CORRECTABLE = (Action.RECEIVE, Action.USE, Action.SPOIL)


def order_against(connection: Connection, move_id: int) -> Order:
    """The order that takes back all of a move; who orders gives the reason."""
    wrong = _move(connection, move_id)
    kind, pieces = KINDS[wrong.kind], _pieces(connection, move_id)
    first, last = (
        number_text(kind, pieces.series, number, pieces.width) if pieces.width else ""
        for number in (pieces.first, pieces.last)
    )
    return Order(
        Action.CORRECT.value, wrong.kind, wrong.to_place, first, last,
        0 if pieces.width else wrong.count, corrects=move_id,
    )  # fmt: skip


def turned(
    connection: Connection, move_id: int, kind: Kind, pieces: Range, here: Place
) -> tuple[State, State | None]:
    """The states that pieces of a wrong move go from and to.

    What was used or spoilt though the books had none of it takes its piece out of what came in
    since: it is used already, and only once.

    Raises
    ------
    StockError
        It was not such a move, has other pieces, was corrected before, or belongs to a card.
    """
    wrong = _move(connection, move_id)
    if wrong.action not in CORRECTABLE:
        raise StockError(
            "corrects",
            f"move {move_id} was a {wrong.action}, which is undone by another move",
            hint=f"these are corrected: {', '.join(CORRECTABLE)}",
            zh=f"第{move_id}笔（{wrong.action}）不能更正：请另行办理相反的业务",
        )
    whole = _pieces(connection, move_id)
    same = (wrong.kind, whole.series, whole.width) == (kind.name, pieces.series, pieces.width)
    inside = not pieces.width or whole.first <= pieces.first <= pieces.last <= whole.last
    if not (same and inside and wrong.to_place == here.code):
        raise StockError(
            "corrects",
            f"move {move_id} was about other pieces",
            hint=f"it was {wrong.count} {wrong.kind} {wrong.numbers} at {wrong.to_place}",
        )
    table = stock_moves.c
    before = connection.execute(
        select(func.sum(table.count)).where(table.corrects == move_id)
    ).scalar()
    if int(before or 0) + pieces.size > wrong.count:
        raise StockError(
            "corrected",
            f"{before} of the {wrong.count} pieces of move {move_id} were corrected before",
            zh=f"第{move_id}笔已更正{before}件，超出其数量",
        )
    unbooked = wrong.action != Action.RECEIVE and not wrong.from_place
    if unbooked:
        return State.HELD, None
    if wrong.card is not None:
        raise StockError(
            "made",
            f"move {move_id} is of card record {wrong.card}, which was made or spoilt",
            hint="what a card used up stays used",
            zh=f"第{move_id}笔随记录{wrong.card}的制卡产生，不能更正",
        )
    return State(wrong.to_state), State(wrong.from_state) if wrong.from_place else None


def unbooked(connection: Connection) -> list[str]:
    """Pieces that were used up or spoilt though the books had none of them, in words."""
    table, later = stock_moves.c, stock_moves.alias("later")
    corrected = (
        select(func.coalesce(func.sum(later.c.count), 0))
        .where(later.c.corrects == table.id)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(places.c.code, table.kind, table.action, func.sum(table.count - corrected))
        .join_from(stock_moves, places, places.c.id == table.to_place)
        .where(
            table.action.in_([Action.USE.value, Action.SPOIL.value]),
            table.from_place.is_(None),
            table.count > corrected,
        )
        .group_by(places.c.code, table.kind, table.action)
        .order_by(places.c.code, table.kind)
    )
    done = {Action.USE.value: "used", Action.SPOIL.value: "spoilt"}
    return [
        f"{code}: {count} {kind} {done[action]} that were never received there; book the delivery, "
        "then `cardkit stock correct`"
        for code, kind, action, count in rows
    ]


def _pieces(connection: Connection, move_id: int) -> Range:
    table = stock_moves.c
    row = connection.execute(
        select(table.series, table.first, table.last, table.width).where(table.id == move_id)
    ).one()
    return Range(*row)


def _move(connection: Connection, move_id: int) -> Move:
    found = next(read(connection, MOVES.where(stock_moves.c.id == move_id)), None)
    if found is None or found.kind not in KINDS:
        raise StockError("unknown", f"there is no move {move_id}", zh=f"没有第{move_id}笔")
    return found
