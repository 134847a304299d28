"""What the moves add up to, and whether the summaries say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, literal_column, or_, select

from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_moves, stock_numbers, stock_quantities
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.numbers import number_text


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
