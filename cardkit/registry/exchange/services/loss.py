"""Loss reports of the bank [D12]: its side follows, each side is shown the other's state."""

from __future__ import annotations

import polars as pl

from cardkit.registry.exchange.lookup import holders
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import CARD, RESULT, Incoming, Work, judged
from cardkit.registry.lifecycle.requests import Appearance

ACTIONS = {"1": "bank-report-loss-temporary", "2": "bank-report-loss", "3": "bank-find"}
"""By the kind of report in the file: by phone, with papers, found again."""


def receive(work: Work, content: Content) -> Incoming:
    """Do on the bank's side what the bank reports; what the table does not allow is answered so."""
    known = holders(work.connection, content.rows["citizen_number"])
    rows = content.rows.join(
        known, left_on="citizen_number", right_on="_key", how="left", maintain_order="left"
    )
    rows = judged(
        rows,
        (pl.col(CARD).is_null(), "unknown"),
        (pl.col("known_bank_card") != pl.col("bank_card_number"), "mismatch"),
        (~pl.col(CARD).is_first_distinct(), "duplicate"),
    )
    refused = _perform(work, rows)
    result = pl.when((pl.col(RESULT) == "ok") & pl.col(CARD).is_in(refused)).then(pl.lit("state"))
    rows = rows.with_columns(result.otherwise(pl.col(RESULT)).alias(RESULT))
    after = holders(work.connection, rows["citizen_number"]).select(
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


def _perform(work: Work, rows: pl.DataFrame) -> list[int]:
    """Do it; returns the cards it was refused for."""
    if work.life is None:
        raise ValueError("loss reports need the lifecycle")
    refused: list[int] = []
    for kind, action in ACTIONS.items():
        wanted = rows.filter((pl.col(RESULT) == "ok") & (pl.col("kind") == kind))[CARD].to_list()
        if wanted:
            outcome = work.life.perform_many_in(
                work.connection,
                action,
                wanted,
                operator=work.operator,
                appearance=Appearance(),
                channel="file",
                reason=f"batch-{work.batch_id}",
            )
            refused += [card for card, _reason in outcome.refused]
    return refused
