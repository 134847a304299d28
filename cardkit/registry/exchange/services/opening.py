"""Batch opening 批量开卡 [D1]: the list out, and the bank's list with 卡号 back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from cardkit.registry.exchange.checking import bank_card_numbers
from cardkit.registry.exchange.lookup import LIVING, card_data, taken_bank_cards
from cardkit.registry.exchange.matching import SAID, matched
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import (
    CARD,
    RESULT,
    VALUE,
    Incoming,
    Outgoing,
    Work,
    judged,
    with_problems,
)
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle.requests import Appears
from cardkit.registry.schema import cards
from cardkit.registry.schema.exchange import exchange_batches, exchange_rows
from cardkit.registry.schema.life import acts, bank_accounts
from cardkit.registry.states import BankState

ACTION = "bank-open"
OPENED = BankState.OPENED

Values = Mapping[str, str | ColumnElement[Any]]


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
    rows = matched(work, content, ("bank_state", "bank_card_number"))
    rows = rows.with_columns(pl.col("bank_card_number").alias(VALUE))
    number = pl.col("bank_card_number")
    good = bank_card_numbers(rows["bank_card_number"])
    opened_there = pl.col(SAID) == "ok"
    rows = with_problems(
        rows,
        (opened_there & (number == ""), "bank_card_number:missing"),
        (opened_there & ~number.str.contains("^[0-9]{16,19}$"), "bank_card_number:pattern"),
        (opened_there & ~pl.lit(good), "bank_card_number:check"),
    )
    taken = taken_bank_cards(work.connection, rows["bank_card_number"])
    rows = judged(
        rows,
        (pl.col(SAID) != "ok", SAID),
        (~number.is_first_distinct() | pl.lit(taken), "duplicate"),
        (~pl.col("_living") | (pl.col("_bank_state") != BankState.NONE.value), "state"),
        (pl.col("_bank_card_number") != "", "state"),
    )
    opened = rows.select(CARD, "_person", "_state").filter(rows[RESULT] == "ok")
    kept = [*content.rows.columns, CARD, VALUE, RESULT]  # a county's answer wants the room
    return Incoming(rows.select(kept), settle=lambda: _apply(work, opened))


def _apply(work: Work, good: pl.DataFrame) -> None:
    """Write the accounts down, once the rows are kept: a few statements for all of them.

    The acts are those that the lifecycle writes; a county is too many to take them one by one.
    """
    connection, brought = work.connection, exchange_rows.c
    which = (brought.batch == work.batch_id, brought.result == "ok")
    account = _numbers(work, bank_accounts.name, good.height)
    act = _numbers(work, acts.name, good.height)
    _insert_each(connection, bank_accounts, account, which, _account(work))
    _insert_each(connection, acts, act, which, _act(work))
    connection.execute(
        update(cards)
        .where(cards.c.id == brought.card, *which)
        .values(bank_card_number=brought.value, bank_state=OPENED.value, changed_at=work.now)
    )
    work.books.journal.append_many(connection, work.now, _events(work, good, act))


def _numbers(work: Work, name: str, count: int) -> int:
    """The first of so many numbers of a sequence."""
    first = work.books.counters.peek(work.connection, name)
    work.books.counters.store(work.connection, name, first + count)
    return first


def _insert_each(
    connection: Connection,
    table: Table,
    first: int,
    which: Sequence[ColumnElement[bool]],
    values: Values,
) -> None:
    """A record of `table` for each of these rows of a batch, numbered in their order."""
    number = func.row_number().over(order_by=exchange_rows.c.row) + (first - 1)
    every = {"id": number, "person": cards.c.person, **values}
    given = [literal(one) if isinstance(one, str) else one for one in every.values()]
    query = select(*given).join_from(exchange_rows, cards, cards.c.id == exchange_rows.c.card)
    connection.execute(insert(table).from_select(list(every), query.where(*which)))


def _account(work: Work) -> Values:
    return {
        "card": cards.c.id,
        "bank": work.partner,
        "account": exchange_rows.c.value,
        "state": OPENED.value,
        "opened_at": work.now,
        "changed_at": work.now,
    }


def _act(work: Work) -> Values:
    before, after = BankState.NONE.value, OPENED.value
    return {
        "instant": work.now,
        "action": ACTION,
        "subject": "bank",
        "subject_id": cards.c.id,
        "card": cards.c.id,
        "from_state": before,
        "to_state": after,
        "bank_from": before,
        "bank_to": after,
        "operator": work.operator.login,
        "place": work.operator.place,
        "appeared": Appears.NOBODY.value,
        "channel": "file",
        "reason": f"batch-{work.batch_id}",
        "result": "done",
    }


def _events(work: Work, good: pl.DataFrame, first: int) -> Iterator[Event]:
    told = (
        f'"appeared":"{Appears.NOBODY.value}","channel":"file","reason":"batch-{work.batch_id}",'
        f'"bank_from":"{BankState.NONE.value}","bank_to":"{OPENED.value}"}}'
    )
    every = (row for part in good.iter_slices(50_000) for row in part.iter_rows())
    for number, (card, person, state) in enumerate(every, first):
        yield Event(ACTION, card, person, state, state, f'{{"act":{number},{told}')
