"""Many at a time: pieces that fit into one statement, and numbers drawn in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Column, ColumnElement, Connection, bindparam

from cardkit.registry.counters import Counters
from cardkit.registry.statements import Statement, Value

T = TypeVar("T")

CHUNK = 5_000
"""Numbers in one IN."""

_ROWS = 10_000


def chunks(numbers: Sequence[T]) -> Iterator[Sequence[T]]:
    """Pieces that fit into one IN.

    Examples
    --------
    >>> [len(some) for some in chunks(range(12_000))]
    [5000, 5000, 2000]
    """
    return (numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK))


def among(column: Column[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """``column IN (...)``, our own numbers in the text: drivers take long over 5,000 marks."""
    return column.in_(
        bindparam("numbers", list(numbers), unique=True, expanding=True, literal_execute=True)
    )


def block(counters: Counters, connection: Connection, name: str, count: int) -> int:
    """The first of so many numbers of a sequence."""
    return counters.block(connection, name, count)


def add(connection: Connection, statement: Statement, rows: Sequence[tuple[Value, ...]]) -> None:
    """Execute a statement for any number of rows."""
    for at in range(0, len(rows), _ROWS):
        statement.run_many(connection, rows[at : at + _ROWS])
