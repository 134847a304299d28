"""Statements compiled once, when first used, and handed to the driver: the road of every card.

SQLAlchemy builds, caches and wraps a statement at some 50 microseconds a call; that is fine for a
list, but a card takes twenty of them. `Statement` keeps the finished text and the order of its
parameters for one database. It works on the driver's connection inside SQLAlchemy's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from cardkit.registry import postgres

AnyRow = Sequence[Any]
Value = str | int | bytes | None

_FEW = 20  # rows for which COPY is not worth its round trip


class _Compiled(NamedTuple):
    """Text, names of the parameters in their order, and values that the clause brings itself."""

    sql: str
    names: tuple[str, ...]
    defaults: dict[str, Value]


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

    def __init__(
        self, engine: Engine, clause: ClauseElement, columns: Sequence[str] | None = None
    ) -> None:
        self._dialect = engine.dialect
        self._clause = clause
        self._columns = columns

    @cached_property
    def _compiled(self) -> _Compiled:
        # A registry has some 200 of them, and a command uses ten.
        compiled = self._clause.compile(
            dialect=self._dialect,
            column_keys=list(self._columns) if self._columns else None,
        )
        names: Sequence[str] = compiled.positiontup  # type: ignore[attr-defined]
        defaults = {name: value for name, value in compiled.params.items() if value is not None}
        return _Compiled(str(compiled), tuple(names), defaults)

    @property
    def sql(self) -> str:
        """Its text in the language of the database."""
        return self._compiled.sql

    @cached_property
    def _copy(self) -> str:
        """The same rows by COPY, where the database has that."""
        clause = self._clause
        if (
            not self._columns
            or not isinstance(clause, Insert)
            or self._dialect.name != "postgresql"
        ):
            return ""
        quote = self._dialect.identifier_preparer.quote
        listed = ", ".join(quote(name) for name in self._columns)
        return f"COPY {quote(clause.table.description)} ({listed}) FROM STDIN"

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
        sql, names, defaults = self._compiled
        known = {**defaults, **values}
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(sql, tuple([known[name] for name in names]))
            yield cursor
