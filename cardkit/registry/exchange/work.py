"""What the services work with, and what they give back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import polars as pl
from sqlalchemy import Connection

from cardkit.registry.books import Books
from cardkit.registry.exchange.keeping import Batch, Keeping
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.reading import PROBLEM
from cardkit.registry.lifecycle.requests import Appearance, BulkResult
from cardkit.registry.operators.roles import Operator

CARD = "_card"
"""Column with the number of the card record of a row."""

RESULT = "_result"
"""Column with what came of a row: one of `cardkit.registry.exchange.layout.MEANINGS`."""

VALUE = "_value"
"""Column with what a row brought, to be kept with it."""


class Life(Protocol):
    """What the services ask of the lifecycle."""

    def perform_many_in(
        self,
        connection: Connection,
        action: str,
        card_ids: Sequence[int],
        *,
        operator: Operator,
        appearance: Appearance,
        channel: str = "file",
        reason: str = "",
        since: Mapping[int, str] = MappingProxyType({}),
    ) -> BulkResult:
        """The same act for many cards, inside a transaction."""


@dataclass(frozen=True, slots=True)
class Work:
    """One exchange inside its transaction.

    Parameters
    ----------
    question : Batch, optional
        The batch that an incoming file answers.
    batch_id : int
        Number of this batch.
    stock_place : str
        Where cards that come from a factory are booked into stock; ``''`` when that is not kept.
    """

    connection: Connection
    now: str
    books: Books
    keeping: Keeping
    layouts: Mapping[str, Layout]
    layout: Layout
    batch_id: int
    number: str
    partner: str
    operator: Operator
    life: Life | None = None
    question: Batch | None = None
    question_layout: Layout | None = None
    stock_place: str = ""

    @property
    def today(self) -> str:
        """The day in China, ``YYYYMMDD``."""
        instant = dt.datetime.fromisoformat(self.now)
        return f"{instant + dt.timedelta(hours=8):%Y%m%d}"


@dataclass(slots=True)
class Incoming:
    """What a service made of a file.

    Parameters
    ----------
    rows : DataFrame
        The rows of the file with ``_result`` and, where there are any, ``_card``, ``_value`` and
        what the answer tells.
    values : mapping
        For the header of the answer.
    settle : callable
        Called when the rows are kept (table ``exchange_rows``); changes the registry.
    answer : DataFrame, optional
        Rows of the answer, where it is not the rows of the file one by one.
    """

    rows: pl.DataFrame = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict)
    settle: Callable[[], None] = lambda: None
    answer: pl.DataFrame | None = field(default=None, repr=False)


@dataclass(slots=True)
class Outgoing:
    """What a service wants sent.

    Parameters
    ----------
    rows : DataFrame
        Fields of the layout and ``_card``.
    values : mapping
        For header and trailer.
    settle : callable
        Called with the rows that fit into the layout; changes the registry.
    """

    rows: pl.DataFrame = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict)
    settle: Callable[[pl.DataFrame], None] = lambda _rows: None


def with_problems(rows: pl.DataFrame, *rules: tuple[pl.Expr, str]) -> pl.DataFrame:
    """Rows with what a service found wrong with a single field, ``field:reason``.

    What was wrong with the row before stays; otherwise the first rule that holds counts.
    """
    found = pl.lit("")
    for rule, problem in reversed(rules):
        found = pl.when(rule).then(pl.lit(problem)).otherwise(found)
    before = pl.col(PROBLEM)
    return rows.with_columns(pl.when(before == "").then(found).otherwise(before).alias(PROBLEM))


def judged(rows: pl.DataFrame, *rules: tuple[pl.Expr, str]) -> pl.DataFrame:
    """Rows with ``_result``: what was wrong with the row itself, else the first rule that holds.

    A rule gives a meaning, or the name of a column (it begins with ``_``) that holds it.
    """
    result = pl.lit("ok")
    for rule, means in reversed(rules):
        meaning = pl.col(means) if means.startswith("_") else pl.lit(means)
        result = pl.when(rule).then(meaning).otherwise(result)
    problem = pl.col(PROBLEM)
    result = pl.when(problem != "").then(pl.lit("format")).otherwise(result)
    duplicate = problem.str.ends_with(":duplicate")
    result = pl.when(duplicate).then(pl.lit("duplicate")).otherwise(result)
    return rows.with_columns(result.alias(RESULT))


__all__ = [
    "CARD",
    "RESULT",
    "VALUE",
    "Incoming",
    "Life",
    "Outgoing",
    "Work",
    "judged",
    "with_problems",
]
