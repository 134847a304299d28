"""Which card does this person hold, and in what state: in batch [D34]."""

from __future__ import annotations

import polars as pl

from cardkit.registry.exchange.lookup import holders
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import RESULT, Incoming, Work, judged

_TOLD = ("card_number", "state", "bank_state")


def receive(work: Work, content: Content) -> Incoming:
    """Answer every row; a person whose name does not fit is told nothing about.

    Changes nothing but the history.
    """
    known = holders(work.connection, content.rows["citizen_number"], work.now)
    rows = content.rows.join(
        known, left_on="citizen_number", right_on="_key", how="left", maintain_order="left"
    )
    rows = judged(
        rows,
        (pl.col("_card").is_null(), "unknown"),
        (pl.col("known_name") != pl.col("name"), "mismatch"),
    )
    ok = pl.col(RESULT) == "ok"
    told = [pl.when(ok).then(pl.col(name)).otherwise(pl.lit("")).alias(name) for name in _TOLD]
    return Incoming(rows.with_columns(told), {"instant": work.now})
