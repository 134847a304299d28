"""Statements compiled once and handed to the driver, for the road that every card takes.

SQLAlchemy builds, caches and wraps a statement at some 50 microseconds a call; that is fine for a
list, but a card takes twenty of them. `Statement` keeps the finished text and the order of its
parameters for one database. It works on the driver's connection inside SQLAlchemy's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from cardkit.registry import postgres

AnyRow = Sequence[Any]
Value = str | int | bytes | None

_FEW = 20  # rows for which COPY is not worth its round trip


class Statement:
    """One compiled statement.

    Parameters
    ----------
    engine : Engine
        Whose language it is written in; its parameters are positional.
    clause
        A select, insert or update with ``bindparam`` names and without IN lists.
    columns : sequence of str, optional
        For an insert: which columns, in the order in which bulk rows give them.
    """

    __slots__ = ("_copy", "_defaults", "_names", "sql")

    def __init__(
        self, engine: Engine, clause: ClauseElement, columns: Sequence[str] | None = None
    ) -> None:
        compiled = clause.compile(
            dialect=engine.dialect,
            column_keys=list(columns) if columns else None,
        )
        self.sql = str(compiled)
        names: Sequence[str] = compiled.positiontup  # type: ignore[attr-defined]
        self._names = tuple(names)
        self._copy = ""
        if columns and isinstance(clause, Insert) and engine.dialect.name == "postgresql":
            quote = engine.dialect.identifier_preparer.quote
            listed = ", ".join(quote(name) for name in columns)
            self._copy = f"COPY {quote(clause.table.description)} ({listed}) FROM STDIN"
        self._defaults: dict[str, Value] = {
            name: value for name, value in compiled.params.items() if value is not None
        }

    def run(self, connection: Connection, **values: Value) -> int:
        """Change something; returns the number of rows changed."""
        with self._executed(connection, values) as cursor:
            return cursor.rowcount

    def first(self, connection: Connection, **values: Value) -> AnyRow | None:
        """The first row of the answer."""
        with self._executed(connection, values) as cursor:
            return cursor.fetchone()

    def all(self, connection: Connection, **values: Value) -> Sequence[AnyRow]:
        """Every row of the answer."""
        with self._executed(connection, values) as cursor:
            return cursor.fetchall()

    def run_many(self, connection: Connection, rows: Sequence[tuple[Value, ...]]) -> None:
        """Execute for every row; a row gives its values in the order of the columns."""
        if not rows:
            return
        with closing(connection.connection.cursor()) as cursor:
            if len(rows) == 1:
                cursor.execute(self.sql, rows[0])
            elif self._copy and len(rows) > _FEW:
                postgres.copy_rows(cursor, self._copy, rows)
            else:
                cursor.executemany(self.sql, rows)

    @contextmanager
    def _executed(
        self, connection: Connection, values: Mapping[str, Value]
    ) -> Iterator[DBAPICursor]:
        known = {**self._defaults, **values}
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(self.sql, tuple([known[name] for name in self._names]))
            yield cursor
