"""Card data beside those of the agency or of the police [D17]."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from sqlalchemy import insert, select

from cardkit.registry.exchange.keeping import Schema, frame_of
from cardkit.registry.exchange.lookup import LIVING
from cardkit.registry.exchange.reading import PROBLEM, Content
from cardkit.registry.exchange.work import CARD, RESULT, Incoming, Work, judged
from cardkit.registry.schema import cards, columns, people
from cardkit.registry.schema.exchange import proposals
from cardkit.registry.statements import Statement

PERSON_FIELDS = (
    "name",
    "insurance_number",
    "status",
    "sex",
    "nation",
    "birth_date",
)
_OURS: Schema = {
    "citizen_number": pl.String,
    "_person": pl.Int64,
    CARD: pl.Int64,
    "card_number": pl.String,
    **dict.fromkeys(PERSON_FIELDS, pl.String),
}
_COLUMNS = ("id", "batch", "person", "card", "field", "ours", "theirs", "source", "wins", "state")
_DIFFERENCE = ("citizen_number", "kind", "field", "ours", "theirs", "wins", "proposal")


def receive(work: Work, content: Content) -> Incoming:
    """Compare; a field that differs becomes a proposal, whose number is in the difference file.

    A field that the other side leaves empty is not compared. People whom one side only knows are
    named as well.
    """
    fields = [one.name for one in work.layout.fields if one.name in (*PERSON_FIELDS, "card_number")]
    ours = _ours(work)
    rows = content.rows.join(
        ours, on="citizen_number", how="left", suffix="_ours", maintain_order="left"
    )
    differs = pl.any_horizontal(_differs(name) for name in fields)
    rows = judged(rows, (pl.col("_person").is_null(), "unknown"), (differs, "mismatch"))
    found = pl.concat([_differing(rows, name) for name in fields])
    found = found.sort("_row", "field").with_columns(pl.lit(work.layout.wins).alias("wins"))
    found = _numbered(work, found)
    unknown = rows.filter(pl.col(RESULT) == "unknown").select(
        "citizen_number", pl.lit("unknown").alias("kind")
    )
    listed = content.rows.filter(~pl.col(PROBLEM).str.ends_with(":duplicate"))
    absent = ours.join(listed, on="citizen_number", how="anti").sort("citizen_number")
    absent = absent.select("citizen_number", pl.lit("absent").alias("kind"))
    parts = [found.with_columns(pl.lit("differs").alias("kind")), unknown, absent]
    difference = pl.concat(parts, how="diagonal").fill_null("").select(_DIFFERENCE)
    return Incoming(
        rows,
        settle=lambda: _propose(work, found),
        answer=difference,
    )


def _ours(work: Work) -> pl.DataFrame:
    query = select(
        people.c.citizen_number,
        people.c.id,
        cards.c.id,
        cards.c.card_number,
        *columns(people, *PERSON_FIELDS),
    ).join_from(people, cards, (cards.c.person == people.c.id) & LIVING)
    return frame_of(work.connection, query, _OURS)


def _differs(name: str) -> pl.Expr:
    theirs, ours = pl.col(name), pl.col(f"{name}_ours")
    return (theirs != "") & ours.is_not_null() & (theirs != ours)


def _differing(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    comparable = pl.col(RESULT) == "mismatch"
    return rows.with_row_index("_row").filter(comparable & _differs(name)).select(
        pl.col("_row").cast(pl.Int64),
        "citizen_number",
        "_person",
        CARD,
        pl.lit(name).alias("field"),
        pl.col(f"{name}_ours").alias("ours"),
        pl.col(name).alias("theirs"),
    )  # fmt: skip


def _numbered(work: Work, found: pl.DataFrame) -> pl.DataFrame:
    counters = work.books.counters
    first = counters.peek(work.connection, "proposals")
    counters.store(work.connection, "proposals", first + found.height)
    numbers = pl.int_range(first, first + found.height, dtype=pl.Int64, eager=True)
    return found.with_columns(numbers.cast(pl.String).alias("proposal"))


def _propose(work: Work, found: pl.DataFrame) -> None:
    add = Statement(insert(proposals).inline(), _COLUMNS)
    for part in found.iter_slices(50_000):
        add.run_many(work.connection, list(_rows(work, part)))


def _rows(work: Work, part: pl.DataFrame) -> Iterator[tuple[int | str | None, ...]]:
    wanted = part.select("proposal", "_person", CARD, "field", "ours", "theirs", "wins")
    batch, source = work.batch_id, work.partner
    for number, person, card, name, ours, theirs, wins in wanted.iter_rows():
        yield (int(number), batch, person, card, name, ours, theirs, source, wins, "open")
