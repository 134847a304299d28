"""The book and its two summaries: one row a number, one row a quantity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Engine,
    and_,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from cardkit.registry.places import Place
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_moves, stock_numbers, stock_quantities
from cardkit.registry.statements import Statement
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.numbers import Range, number_text, ranges
from cardkit.registry.stock.rules import State

_CHUNK = 20_000
_SHOWN = 3  # ranges named in a message
_COLUMNS = ("kind", "series", "number", "width", "place", "state", "move")


@dataclass(frozen=True, slots=True)
class Balance:
    """So many pieces of a kind are at a place in one state."""

    place: str
    kind: str
    state: str
    count: int

    def as_json(self) -> dict[str, Any]:
        """The line for programs."""
        return asdict(self)


class Leg(NamedTuple):
    """Where pieces come from and where they are after the move; `before` is None when new."""

    move_id: int
    here: Place
    there: Place
    before: State | None
    after: State


class Ledger:
    """Books moves into the summaries, or refuses them."""

    def __init__(self, engine: Engine) -> None:
        self._add = Statement(engine, insert(stock_numbers).inline(), _COLUMNS)

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
            place, after = leg.there.place_id, leg.after.value
            self._add.run_many(
                connection,
                [
                    (kind.name, pieces.series, number, pieces.width, place, after, leg.move_id)
                    for number in range(start, stop)
                ],
            )


def _change(connection: Connection, kind: Kind, pieces: Range, leg: Leg, before: State) -> None:
    here = leg.here
    changed = connection.execute(
        update(stock_numbers)
        .where(
            *_in_range(kind, pieces),
            stock_numbers.c.place == here.place_id,
            stock_numbers.c.state == before.value,
        )
        .values(place=leg.there.place_id, state=leg.after.value, move=leg.move_id)
    ).rowcount
    if changed == pieces.size:
        return
    rows = list(_placed(connection, kind, pieces, but=leg.move_id))
    unknown = pieces.size - changed - len(rows)
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


def balance(connection: Connection, place_id: int | None = None, kind: str = "") -> list[Balance]:
    """What the moves add up to."""
    sums = _sums(connection)
    codes = dict(connection.execute(select(places.c.id, places.c.code)).all())
    return [
        Balance(codes[place], name, state, count)
        for (place, name, state, _), count in sorted(_joined(sums).items())
        if count and (place_id is None or place == place_id) and (not kind or name == kind)
    ]


_Key = tuple[int, str, str, bool]


def _joined(sums: dict[_Key, int]) -> dict[_Key, int]:
    found: dict[_Key, int] = {}
    for (place, kind, state, _), count in sums.items():
        key = (place, kind, state, True)
        found[key] = found.get(key, 0) + count
    return found


def _sums(connection: Connection) -> dict[_Key, int]:
    """Pieces by place, kind, state, and whether they have numbers: in minus out."""
    table = stock_moves.c
    sums: dict[_Key, int] = {}
    for place, state, sign in (
        (table.to_place, table.to_state, 1),
        (table.from_place, table.from_state, -1),
    ):
        numbered = table.width > literal_column("0")  # a parameter would not be grouped by
        rows = connection.execute(
            select(place, table.kind, state, numbered, func.sum(table.count))
            .where(place.is_not(None))
            .group_by(place, table.kind, state, numbered)
        )
        for where, kind, what, has_number, count in rows:
            key = (int(where), str(kind), str(what), bool(has_number))
            sums[key] = sums.get(key, 0) + sign * int(count)
    return sums


def contradictions(connection: Connection) -> list[str]:
    """Where the summaries are not what the moves say, in words."""
    booked = {key: count for key, count in _sums(connection).items() if count}
    found = list(_totals(connection, booked))
    numbers, moves = stock_numbers.c, stock_moves.c
    later = stock_moves.alias("later")
    covers = and_(
        later.c.kind == numbers.kind,
        later.c.series == numbers.series,
        later.c.width > 0,
        numbers.number.between(later.c.first, later.c.last),
        later.c.id > numbers.move,
    )
    rows = connection.execute(
        select(numbers.kind, numbers.series, numbers.number, numbers.width)
        .join_from(stock_numbers, stock_moves, moves.id == numbers.move)
        .where(
            or_(
                numbers.place != moves.to_place,
                numbers.state != moves.to_state,
                numbers.number < moves.first,
                numbers.number > moves.last,
                exists(select(later.c.id).where(covers)),
            )
        )
        .limit(10)
    )
    for kind, series, number, width in rows:
        text = number_text(Kind(kind, "", numbered=True), series, number, width)
        found.append(f"{kind} {text} is not where its last move left it")
    return found


def _totals(connection: Connection, booked: dict[_Key, int]) -> Iterator[str]:
    kept: dict[_Key, int] = {}
    table, loose = stock_numbers.c, stock_quantities.c
    counted = select(table.place, table.kind, table.state, func.count()).group_by(
        table.place, table.kind, table.state
    )
    for place, kind, state, count in connection.execute(counted):
        kept[place, kind, state, True] = count
    for place, kind, state, count in connection.execute(
        select(loose.place, loose.kind, loose.state, loose.count).where(loose.count != 0)
    ):
        kept[place, kind, state, False] = count
    for key in sorted(booked.keys() | kept.keys()):
        if booked.get(key, 0) != kept.get(key, 0):
            place, kind, state, _ = key
            yield (
                f"{kind} {state} at place {place}: the moves add up to {booked.get(key, 0)}, "
                f"the books show {kept.get(key, 0)}"
            )
