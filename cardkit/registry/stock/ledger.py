"""The two summaries of the book: one row a number, one row a quantity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    delete,
    insert,
    select,
    update,
)

from cardkit.registry.places import Place
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_numbers, stock_quantities
from cardkit.registry.statements import Statement
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.numbers import Range, ranges
from cardkit.registry.stock.rules import State

_CHUNK = 20_000
_SHOWN = 3  # ranges named in a message
_COLUMNS = ("kind", "series", "number", "width", "place", "state", "move")


class Leg(NamedTuple):
    """Where pieces come from and where they are after the move; None: outside the books.

    `last` is the move that put them there, where only that one may be undone.
    """

    move_id: int
    here: Place
    there: Place
    before: State | None
    after: State | None
    last: int | None = None


class Ledger:
    """Books moves into the summaries, or refuses them."""

    _add = Statement(insert(stock_numbers).inline(), _COLUMNS)

    def book(self, connection: Connection, kind: Kind, pieces: Range, leg: Leg) -> None:
        """Book one move.

        Raises
        ------
        StockError
            A number is not at `here` in state `before`, or there are too few.
        """
        if not pieces.width:
            if leg.before is not None:
                _take(connection, kind, leg.here, leg.before, pieces.size)
            if leg.after is not None:
                _give(connection, kind, leg.there, leg.after, pieces.size)
        elif leg.before is None:
            self._receive(connection, kind, pieces, leg)
        else:
            _change(connection, kind, pieces, leg, leg.before)

    def _receive(self, connection: Connection, kind: Kind, pieces: Range, leg: Leg) -> None:
        twice = list(_placed(connection, kind, pieces))
        if twice:
            raise StockError(
                "twice",
                f"in the books already: {_named(kind, twice)}",
                hint="compare the delivery note; nothing was booked",
                zh=f"号码已在账上：{_named(kind, twice)}；请核对送货单，本次未入账",
            )
        for start in range(pieces.first, pieces.last + 1, _CHUNK):
            stop = min(start + _CHUNK, pieces.last + 1)
            place, after = leg.there.place_id, leg.after.value if leg.after else ""
            self._add.run_many(
                connection,
                [
                    (kind.name, pieces.series, number, pieces.width, place, after, leg.move_id)
                    for number in range(start, stop)
                ],
            )


def _change(connection: Connection, kind: Kind, pieces: Range, leg: Leg, before: State) -> None:
    here = leg.here
    these = (
        *_in_range(kind, pieces),
        stock_numbers.c.place == here.place_id,
        stock_numbers.c.state == before.value,
        *((stock_numbers.c.move == leg.last,) if leg.last is not None else ()),
    )
    values = {"place": leg.there.place_id, "move": leg.move_id}
    change = (
        delete(stock_numbers).where(*these)
        if leg.after is None
        else update(stock_numbers).where(*these).values(**values, state=leg.after.value)
    )
    changed = connection.execute(change).rowcount
    if changed == pieces.size:
        return
    rows = list(_placed(connection, kind, pieces, but=leg.move_id))
    unknown = pieces.size - changed - len(rows)
    if leg.last is not None:
        raise StockError(
            "moved-on",
            f"move {leg.last} is not the last one of {_named(kind, rows) or 'these numbers'}",
            hint="correct the later move first; `cardkit stock show` lists them",
            zh=f"第{leg.last}笔之后该号码另有变动：请先更正后一笔",
        )
    named = _named(kind, rows) + (f"{'; ' if rows else ''}{unknown} unknown" if unknown else "")
    raise StockError(
        "not-there",
        f"not {before.value} at {here.code}: {named}",
        hint="nothing was booked; `cardkit stock show` tells where a number is",
        zh=f"不在 {here.code}（{before.value}）：{named}；本次未入账，可用 cardkit stock show 查询",
    )


def _take(connection: Connection, kind: Kind, here: Place, state: State, count: int) -> None:
    this = _quantity(kind, here, state)
    # The condition keeps the database's own check, which says less, from having to refuse.
    done = connection.execute(
        update(stock_quantities)
        .where(*this, stock_quantities.c.count >= count)
        .values(count=stock_quantities.c.count - count)
    )
    if not done.rowcount:
        there = connection.execute(select(stock_quantities.c.count).where(*this)).scalar() or 0
        raise StockError(
            "not-there",
            f"{here.code} has {there} {kind.name} {state.value}, not {count}",
            hint="nothing was booked; count them: cardkit stock count",
            zh=f"{here.code} 只有{kind.zh}{there}件（{state.value}），不足{count}件；本次未入账",
        )


def _give(connection: Connection, kind: Kind, there: Place, state: State, count: int) -> None:
    done = connection.execute(
        update(stock_quantities)
        .where(*_quantity(kind, there, state))
        .values(count=stock_quantities.c.count + count)
    )
    if not done.rowcount:
        connection.execute(
            insert(stock_quantities).values(
                kind=kind.name, place=there.place_id, state=state.value, count=count
            )
        )


def _quantity(kind: Kind, place: Place, state: State) -> tuple[Any, ...]:
    table = stock_quantities.c
    return (
        table.kind == kind.name,
        table.place == place.place_id,
        table.state == state.value,
    )


def _in_range(kind: Kind, pieces: Range) -> tuple[Any, ...]:
    table = stock_numbers.c
    return (
        table.kind == kind.name,
        table.series == pieces.series,
        table.number.between(pieces.first, pieces.last),
    )


def _placed(
    connection: Connection, kind: Kind, pieces: Range, but: int = 0
) -> Iterator[tuple[str, str, Range]]:
    """Ranges the books know of some numbers, with place and state."""
    table = stock_numbers.c
    rows = connection.execute(
        select(places.c.code, table.state, table.series, table.width, table.number)
        .join_from(stock_numbers, places, places.c.id == table.place)
        .where(*_in_range(kind, pieces), table.move != but)
        .order_by(table.number)
    )
    groups: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for code, state, *number in rows:
        groups.setdefault((code, state), []).append((number[0], number[1], number[2]))
    for (code, state), numbers in groups.items():
        for piece in ranges(numbers):
            yield code, state, piece


def _named(kind: Kind, found: Sequence[tuple[str, str, Range]]) -> str:
    shown = [f"{piece.shown(kind)} {state} at {code}" for code, state, piece in found[:_SHOWN]]
    more = len(found) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def numbers_at(
    connection: Connection, kind: Kind, place_id: int, states: Sequence[State]
) -> list[tuple[str, int, int]]:
    """(series, width, number) of everything of a kind at a place, in order."""
    table = stock_numbers.c
    rows = connection.execute(
        select(table.series, table.width, table.number)
        .where(
            table.place == place_id,
            table.kind == kind.name,
            table.state.in_([state.value for state in states]),
        )
        .order_by(table.series, table.number)
    )
    return [(row[0], row[1], row[2]) for row in rows]
