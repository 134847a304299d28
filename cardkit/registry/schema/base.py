"""What every table of the registry is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()


def words(name: str) -> Column[str]:
    """A text that is ``''`` when there is nothing to say."""
    return Column(name, Text, nullable=False, server_default="")


def number(name: str) -> Column[int]:
    """A whole number (pieces, fen, ...), 0 when nothing else is said."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def key() -> Column[int]:
    """The number of a row, drawn from a counter of the registry: the same on every database."""
    return Column("id", Integer, primary_key=True, autoincrement=False)


def one_of(column: str, values: Sequence[str]) -> str:
    """SQL that says whether `column` has one of some values (ours, never a user's)."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def columns(table: Table, *names: str) -> list[Column[Any]]:
    """Columns of `table` in the order of `names`."""
    return [table.c[name] for name in names]
