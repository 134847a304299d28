"""Statements compiled once, when first used, and handed to the driver: the road of every card.

SQLAlchemy builds, caches and wraps a statement at some 50 microseconds a call; that is fine for a
list, but a card takes twenty of them. `Statement` keeps the finished text and the order of its
parameters for each kind of database. It works on the driver's connection inside SQLAlchemy's
transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from cardkit.registry import postgres

AnyRow = Sequence[Any]
Value = str | int | bytes | None

_FEW = 20  # rows for which COPY is not worth its round trip


class _Compiled(NamedTuple):
    """A statement in the language of one database.

    Parameters
    ----------
    sql : str
    names : tuple of str
        Of the parameters, in their order.
    defaults : dict
        Values that the clause brings itself.
    copy : str
        The same rows by COPY, where the database has that.
    """

    sql: str
    names: tuple[str, ...]
    defaults: dict[str, Value]
    copy: str


class Statement:
    """One statement, for any registry.

    Parameters
    ----------
    clause
        A select, insert or update with ``bindparam`` names and without IN lists.
    columns : sequence of str, optional
        For an insert: which columns, in the order in which bulk rows give them.
    """

    __slots__ = ("_clause", "_columns", "_compiled")

    def __init__(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._clause = clause
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}  # by the language of the database

    def sql(self, dialect: Dialect) -> str:
        """Its text in the language of a database; parameters are positional."""
        return self._in(dialect).sql

    def _in(self, dialect: Dialect) -> _Compiled:
        # A registry has some 200 statements, and a command uses ten.
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        return known

    def _compile(self, dialect: Dialect) -> _Compiled:
        columns = list(self._columns) if self._columns else None
        compiled = self._clause.compile(dialect=dialect, column_keys=columns)
        names: Sequence[str] = compiled.positiontup  # type: ignore[attr-defined]
        defaults = {name: value for name, value in compiled.params.items() if value is not None}
        return _Compiled(str(compiled), tuple(names), defaults, self._copy(dialect))

    def _copy(self, dialect: Dialect) -> str:
        clause = self._clause
        if not self._columns or not isinstance(clause, Insert) or dialect.name != "postgresql":
            return ""
        quote = dialect.identifier_preparer.quote
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
        here = self._in(connection.dialect)
        with closing(connection.connection.cursor()) as cursor:
            if len(rows) == 1:
                cursor.execute(here.sql, rows[0])
            elif here.copy and len(rows) > _FEW:
                postgres.copy_rows(cursor, here.copy, rows)
            else:
                cursor.executemany(here.sql, rows)

    @contextmanager
    def _executed(
        self, connection: Connection, values: Mapping[str, Value]
    ) -> Iterator[DBAPICursor]:
        here = self._in(connection.dialect)
        known = {**here.defaults, **values}
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(here.sql, tuple([known[name] for name in here.names]))
            yield cursor
