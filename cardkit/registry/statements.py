"""Statements compiled once, so that a card's two commits cost little beside the disk.

SQLAlchemy builds and caches statements at some 30 microseconds a call; that is fine for a list and
too much for the road every card takes. `Statement` keeps the finished text and the order of its
parameters for one database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Row
from sqlalchemy.sql import ClauseElement

AnyRow = Row[*tuple[Any, ...]]
Value = str | int | bytes | None


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

    __slots__ = ("_defaults", "_names", "sql")

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
        self._defaults: dict[str, Value] = {
            name: value for name, value in compiled.params.items() if value is not None
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in the order of the statement."""
        return self._names

    def run(self, connection: Connection, **values: Value) -> CursorResult[*tuple[Any, ...]]:
        """Execute once."""
        known = self._defaults | values if self._defaults else values
        return connection.exec_driver_sql(self.sql, tuple([known[name] for name in self._names]))

    def run_many(self, connection: Connection, rows: Sequence[tuple[Value, ...]]) -> None:
        """Execute for every row; a row gives its values in the order of `names`."""
        if rows:
            connection.exec_driver_sql(self.sql, list(rows))
