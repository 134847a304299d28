"""Counting the shelf: the difference is named, with where each piece was seen last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.operators import Operator
from cardkit.registry.places import Place
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import (
    stock_counts,
    stock_moves,
    stock_numbers,
    stock_quantities,
)
from cardkit.registry.stock import ledger
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.numbers import Range, number_text, ranges
from cardkit.registry.stock.rules import IN_PLACE


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree.

    Parameters
    ----------
    what : str
        ``missing`` (booked here, not found) or ``surplus`` (found here, not booked here).
    numbers : str
        Which; ``''`` where pieces are only counted.
    last_seen : str
        What the books say of them: place, state, move, instant and who.
    """

    what: str
    numbers: str
    count: int
    last_seen: str


@dataclass(frozen=True, slots=True)
class Count:
    """A count of one kind at one place."""

    count_id: int
    place: str
    kind: str
    booked: int
    counted: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether shelf and books agree."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """The count for programs."""
        return asdict(self) | {"agrees": self.agrees}


def closed_up(numbers: Sequence[tuple[str, int, int]]) -> list[Range]:
    """Ranges of sorted (series, width, number)."""
    return ranges(list(numbers))


def compare(
    connection: Connection, kind: Kind, here: Place, shelf: Sequence[Range], count: int
) -> Count:
    """The books against the shelf.

    Raises
    ------
    StockError
        A number was written down twice: then the count itself is wrong.
    """
    booked = {
        (series, number): width
        for series, width, number in ledger.numbers_at(connection, kind, here.place_id, IN_PLACE)
    }
    found: dict[tuple[str, int], int] = {}
    for piece in shelf:
        for number in range(piece.first, piece.last + 1):
            if (piece.series, number) in found:
                text = number_text(kind, piece.series, number, piece.width)
                raise StockError(
                    "twice", f"{text} was counted twice", hint="count again, each piece once"
                )
            found[piece.series, number] = piece.width
    differences = [
        *_differences(connection, kind, "missing", _only(booked, found)),
        *_differences(connection, kind, "surplus", _only(found, booked)),
    ]
    quantity = _quantity(connection, kind, here)
    if quantity != count:
        what = "missing" if count < quantity else "surplus"
        last = _last_moves(connection, kind, here)
        differences.append(Difference(what, "", abs(count - quantity), last))
    total = len(booked) + quantity
    return Count(0, here.code, kind.name, total, len(found) + count, tuple(differences))


def _only(
    some: dict[tuple[str, int], int], others: dict[tuple[str, int], int]
) -> list[tuple[str, int, int]]:
    return sorted(
        (series, width, number)
        for (series, number), width in some.items()
        if (series, number) not in others
    )


def _differences(
    connection: Connection, kind: Kind, what: str, numbers: list[tuple[str, int, int]]
) -> list[Difference]:
    """Close numbers up to ranges that were seen last together."""
    groups: dict[str, list[tuple[str, int, int]]] = {}
    for piece in ranges(numbers):
        seen = _last_seen(connection, kind, piece)
        for number in range(piece.first, piece.last + 1):
            last = seen.get(number, "never seen")
            groups.setdefault(last, []).append((piece.series, piece.width, number))
    return [
        Difference(what, piece.shown(kind), piece.size, last)
        for last, some in groups.items()
        for piece in ranges(some)
    ]


def _last_seen(connection: Connection, kind: Kind, piece: Range) -> dict[int, str]:
    numbers, moves = stock_numbers.c, stock_moves.c
    rows = connection.execute(
        select(
            numbers.number,
            places.c.code,
            numbers.state,
            moves.id,
            moves.action,
            moves.instant,
            moves.operator,
        )
        .select_from(
            stock_numbers.join(stock_moves, moves.id == numbers.move).join(
                places, places.c.id == numbers.place
            )
        )
        .where(
            numbers.kind == kind.name,
            numbers.series == piece.series,
            numbers.number.between(piece.first, piece.last),
        )
    )
    return {
        row[0]: f"{row[2]} at {row[1]}, move {row[3]} ({row[4]}) {row[5]} by {row[6]}"
        for row in rows
    }


def _quantity(connection: Connection, kind: Kind, here: Place) -> int:
    table = stock_quantities.c
    total = connection.execute(
        select(func.sum(table.count)).where(
            table.kind == kind.name,
            table.place == here.place_id,
            table.state.in_([state.value for state in IN_PLACE]),
        )
    ).scalar()
    return int(total or 0)


def _last_moves(connection: Connection, kind: Kind, here: Place) -> str:
    table = stock_moves.c
    rows = connection.execute(
        select(table.id, table.action, table.count, table.instant, table.operator)
        .where(
            table.kind == kind.name,
            table.width == 0,
            (table.from_place == here.place_id) | (table.to_place == here.place_id),
        )
        .order_by(table.id.desc())
        .limit(3)
    )
    return "; ".join(f"move {r[0]} ({r[1]} {r[2]}) {r[3]} by {r[4]}" for r in rows) or "never seen"


def keep(
    connection: Connection, books: Books, result: Count, operator: Operator, second: str
) -> Count:
    """Write a count down, with its differences; returns it with its number."""
    number = books.counters.draw(connection, stock_counts.name)
    now = books.store.now()
    connection.execute(
        insert(stock_counts).values(
            id=number,
            instant=now,
            place=select(places.c.id).where(places.c.code == result.place).scalar_subquery(),
            kind=result.kind,
            operator=operator.login,
            second=second,
            booked=result.booked,
            counted=result.counted,
            differences=json.dumps([asdict(one) for one in result.differences]),
        )
    )
    detail: dict[str, str | int | list[str]] = {
        "count": number,
        "at": result.place,
        "kind": result.kind,
        "booked": result.booked,
        "counted": result.counted,
        "second": second,
    }
    books.journal.by(operator.login).append(connection, now, Event("stock-count", detail=detail))
    return Count(number, *(getattr(result, name) for name in Count.__slots__[1:]))
