"""Loss reports of the bank [D12]: its side follows, each side is shown the other's state.

Several reports about one card are taken in the order of their rows, as the bank took them. What
lapses by itself counts from the instant at which the bank was told.
"""

from __future__ import annotations

import polars as pl

from cardkit.registry.exchange.lookup import holders
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import (
    CARD,
    RESULT,
    VALUE,
    Incoming,
    Work,
    judged,
    with_problems,
)
from cardkit.registry.lifecycle.requests import Appearance

ACTIONS = {"1": "bank-report-loss-temporary", "2": "bank-report-loss", "3": "bank-find"}
"""By the kind of report in the file: by phone, with papers, found again."""


def receive(work: Work, content: Content) -> Incoming:
    """Do on the bank's side what the bank reports; what the table does not allow is answered so."""
    known = holders(work.connection, content.rows["citizen_number"], work.now)
    rows = content.rows.join(
        known, left_on="citizen_number", right_on="_key", how="left", maintain_order="left"
    )
    told = pl.col("reported_at").str.to_datetime("%Y%m%d%H%M%S", strict=False)
    rows = with_problems(rows, (told.is_null(), "reported_at:date"))
    utc = (told - pl.duration(hours=8)).dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    rows = rows.with_columns(utc.alias("_since"))
    rows = judged(
        rows,
        (pl.col(CARD).is_null(), "unknown"),
        (pl.col("known_bank_card") != pl.col("bank_card_number"), "mismatch"),
    )
    rows = _performed(work, _told_again(rows)).with_columns(pl.col("reported_at").alias(VALUE))
    after = holders(work.connection, rows["citizen_number"], work.now).select(
        pl.col("_card"), pl.col("state").alias("_state"), pl.col("bank_state").alias("_bank_state")
    )
    rows = rows.join(after, on=CARD, how="left", maintain_order="left")
    told = ~pl.col(RESULT).is_in(["unknown", "mismatch", "format"])
    shown = {"state": "_state", "bank_state": "_bank_state"}
    return Incoming(
        rows.with_columns(
            pl.when(told).then(pl.col(source)).otherwise(pl.lit("")).alias(name)
            for name, source in shown.items()
        ),
        {"instant": work.now},
    )


def _told_again(rows: pl.DataFrame) -> pl.DataFrame:
    """A report that says what the one before it about this card said is a duplicate.

    Rows that failed by themselves said nothing. The others get their place among the reports about
    their card (``_nth``).
    """
    good = rows.with_row_index("_at").filter(pl.col(RESULT) == "ok")
    good = good.filter(pl.col("kind").ne_missing(pl.col("kind").shift(1).over(CARD)))
    nth = good.select("_at", pl.int_range(pl.len()).over(CARD).alias("_nth"))
    rows = rows.with_row_index("_at").join(nth, on="_at", how="left", maintain_order="left")
    again = (pl.col(RESULT) == "ok") & pl.col("_nth").is_null()
    result = pl.when(again).then(pl.lit("duplicate")).otherwise(pl.col(RESULT))
    return rows.with_columns(result.alias(RESULT))


def _performed(work: Work, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows after what they report was done; what the table does not allow has another result."""
    good = rows.filter(pl.col(RESULT) == "ok")
    refused: list[int] = []
    for some in good.partition_by("_nth", maintain_order=True):  # first reports, second ones ...
        cards = _perform(work, some)
        refused += some.filter(pl.col(CARD).is_in(cards))["_at"].to_list()
    result = pl.when(pl.col("_at").is_in(refused)).then(pl.lit("state"))
    return rows.with_columns(result.otherwise(pl.col(RESULT)).alias(RESULT))


def _perform(work: Work, rows: pl.DataFrame) -> list[int]:
    """Do what one report each of some cards says; returns the cards it was refused for."""
    if work.life is None:
        raise ValueError("loss reports need the lifecycle")
    refused: list[int] = []
    for kind, action in ACTIONS.items():
        some = rows.filter(pl.col("kind") == kind)
        wanted = some[CARD].to_list()
        if wanted:
            outcome = work.life.perform_many_in(
                work.connection,
                action,
                wanted,
                operator=work.operator,
                appearance=Appearance(),
                channel="file",
                reason=f"batch-{work.batch_id}",
                since=dict(zip(wanted, some["_since"], strict=True)),
            )
            refused += [card for card, _reason in outcome.refused]
    return refused
