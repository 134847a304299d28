"""Card number ↔ insurance number: what replacements changed [D3]."""

from __future__ import annotations

import polars as pl
from sqlalchemy import exists, select

from cardkit.registry.exchange.keeping import Schema, frame_of
from cardkit.registry.exchange.work import Outgoing, Work
from cardkit.registry.schema import cards, people
from cardkit.registry.schema.exchange import exchange_batches, exchange_rows
from cardkit.registry.schema.life import successions

_SCHEMA: Schema = {
    "_card": pl.Int64,
    "_person": pl.Int64,
    "card_number": pl.String,
    "insurance_number": pl.String,
    "old_card_number": pl.String,
    "instant": pl.String,
}


def send(work: Work, limit: int | None, only: list[int] | None) -> Outgoing:
    """Cards that took another's place and were not told to this partner yet."""
    old = cards.alias("old")
    told = (
        select(exchange_rows.c.card)
        .join_from(exchange_rows, exchange_batches)
        .where(
            exchange_rows.c.card == cards.c.id,
            exchange_batches.c.direction == "out",
            exchange_batches.c.service == "numbers",
            exchange_batches.c.partner == work.partner,
        )
    )
    query = (
        select(
            cards.c.id,
            people.c.id,
            cards.c.card_number,
            people.c.insurance_number,
            old.c.card_number,
            successions.c.instant,
        )
        .join_from(successions, cards, successions.c.new_card == cards.c.id)
        .join(old, successions.c.old_card == old.c.id)
        .join(people, cards.c.person == people.c.id)
        .order_by(successions.c.id)
    )
    query = query.where(cards.c.id.in_(only)) if only is not None else query.where(~exists(told))
    rows = frame_of(work.connection, query if limit is None else query.limit(limit), _SCHEMA)
    instants = pl.col("instant").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ")
    return Outgoing(
        rows.with_columns(
            (instants + pl.duration(hours=8)).dt.strftime("%Y%m%d").alias("changed_on")
        )
    )
