"""A count beside another one, and the questions that are asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from cardkit.registry.schema.exchange import exchange_batches, exchange_rows
from cardkit.registry.schema.life import acts


@dataclass(frozen=True, slots=True)
class Check:
    """A count, as the registry has it, and as somebody else does."""

    what: str
    registry: object
    others: object

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.registry == self.others


Checks = Iterator[Check]


class Question:
    """Counts in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def one(self, query: Select[Any]) -> int:
        """A single number."""
        return int(self._connection.execute(query).scalar() or 0)

    def count(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """How many rows of a table."""
        return self.one(select(func.count()).select_from(table).where(*conditions))

    def by(self, query: Select[Any]) -> dict[str, int]:
        """Numbers by a word; those that are 0 are left out."""
        return {str(row[0]): int(row[1]) for row in self._connection.execute(query) if row[1]}

    def rows(self, query: Select[Any]) -> Iterator[tuple[str, str]]:
        """Pairs of words."""
        return ((row[0], row[1]) for row in self._connection.execute(query))


def acts_done(action: str) -> Select[Any]:
    """How many acts of a sort were done."""
    return select(func.count()).where(acts.c.action == action, acts.c.result == "done")


def rows_of(layout: str) -> Select[Any]:
    """Rows of all files of a layout, by result."""
    return (
        select(exchange_rows.c.result, func.count())
        .join_from(exchange_rows, exchange_batches, exchange_batches.c.id == exchange_rows.c.batch)
        .where(exchange_batches.c.layout == layout)
    )


def count_of(query: Select[Any]) -> Select[Any]:
    """How many rows a question finds."""
    return select(func.count()).select_from(query.subquery())


def digest(pairs: Mapping[Any, object]) -> str:
    """Many pairs in a few characters, so that a difference can be seen and printed."""
    digest = sha256()
    for key in sorted(pairs):
        digest.update(f"{key}={pairs[key]}\n".encode())
    return f"{len(pairs):,} pairs, {digest.hexdigest()[:8]}"
