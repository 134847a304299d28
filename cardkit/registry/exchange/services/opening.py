"""Batch opening 批量开卡 [D1]: the list out, and the bank's list with 卡号 back."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from sqlalchemy import exists, insert, select, update

from cardkit.registry.exchange.checking import bank_card_numbers
from cardkit.registry.exchange.lookup import LIVING, card_data, taken_bank_cards
from cardkit.registry.exchange.matching import SAID, matched
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import CARD, RESULT, VALUE, Incoming, Outgoing, Work, judged
from cardkit.registry.journal import Event
from cardkit.registry.schema import cards
from cardkit.registry.schema.exchange import exchange_batches, exchange_rows
from cardkit.registry.schema.life import bank_accounts
from cardkit.registry.statements import Statement

ACTION = "bank-open"


def send(work: Work, limit: int | None, only: list[int] | None) -> Outgoing:
    """People whose living card has no account and was in no list before, or a reissue's."""
    condition = LIVING & (cards.c.bank_card_number == "")
    if only is None:
        sent = (
            select(exchange_rows.c.card)
            .join_from(exchange_rows, exchange_batches)
            .where(
                exchange_rows.c.card == cards.c.id,
                exchange_batches.c.direction == "out",
                exchange_batches.c.service == "opening",
            )
        )
        condition &= ~exists(sent)
    rows = card_data(work.connection, condition, limit=limit, only=only)
    return Outgoing(rows, {"agency": work.partner})


def receive(work: Work, content: Content) -> Incoming:
    """Card numbers of the bank → registry; a row that failed keeps its reason."""
    rows = matched(work, content).with_columns(pl.col("bank_card_number").alias(VALUE))
    number = pl.col("bank_card_number")
    good = bank_card_numbers(rows["bank_card_number"])
    taken = taken_bank_cards(work.connection, rows["bank_card_number"])
    rows = judged(
        rows,
        (pl.col(SAID) != "ok", SAID),
        (~pl.lit(good), "format"),
        (~number.is_first_distinct() | pl.lit(taken), "duplicate"),
        (~pl.col("_living") | (pl.col("_bank_card") != ""), "state"),
    )
    return Incoming(rows, settle=lambda: _apply(work, rows))


def _apply(work: Work, rows: pl.DataFrame) -> None:
    """Write the accounts down, once the rows are kept: one statement for all of them."""
    connection = work.connection
    brought = exchange_rows
    connection.execute(
        update(cards)
        .where(
            cards.c.id == brought.c.card,
            brought.c.batch == work.batch_id,
            brought.c.result == "ok",
        )
        .values(bank_card_number=brought.c.value, bank_state="opened", changed_at=work.now)
    )
    needed = rows.select(RESULT, CARD, "_person", "_state", "_row", VALUE)
    good = needed.filter(pl.col(RESULT) == "ok")
    first = work.books.counters.peek(connection, "bank_accounts")
    columns = ("id", "person", "card", "bank", "account", "state", "opened_at", "changed_at")
    add = Statement(work.books.store.engine, insert(bank_accounts).inline(), columns)
    for part in good.select("_person", CARD, VALUE).iter_slices(50_000):
        values = [
            (number, person, card, work.partner, account, "opened", work.now, work.now)
            for number, (person, card, account) in enumerate(part.iter_rows(), first)
        ]
        add.run_many(connection, values)
        first += len(values)
    work.books.counters.store(connection, "bank_accounts", first)
    work.books.journal.append_many(connection, work.now, _events(work, good))


def _events(work: Work, good: pl.DataFrame) -> Iterator[Event]:
    for card, person, state, row in good.select(CARD, "_person", "_state", "_row").iter_rows():
        detail = f'{{"batch":{work.batch_id},"row":{row}}}'
        yield Event(ACTION, card, person, state, state, detail)
