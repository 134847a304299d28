"""Card-making data to a factory 制卡, and its return list 回盘 [D7]."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, func, insert, update

from cardkit.registry.counters import CHIP
from cardkit.registry.exchange.lookup import card_data
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
from cardkit.registry.functions import from_hex
from cardkit.registry.journal import Event
from cardkit.registry.schema import cards, chips
from cardkit.registry.schema.exchange import exchange_rows
from cardkit.registry.statements import Statement
from cardkit.registry.states import TRANSITIONS, Action, ChipState, State
from cardkit.registry.stock import FactoryStock

_FROM = sorted(str(state) for state, action in TRANSITIONS if action is Action.ORDER)
_ORDERED = TRANSITIONS[State.PLANNED, Action.ORDER].value
_RETURNED = TRANSITIONS[State.ORDERED, Action.RETURN].value
_REFUSED = TRANSITIONS[State.ORDERED, Action.REFUSE].value
_CODE_DIGITS, _MAC_BYTES = 24, 4
_CHIP_COLUMNS = ("id", "card_id_code", "atr", "kind", "state", "card", "seen_at")


def send(work: Work, limit: int | None, only: list[int] | None) -> Outgoing:
    """Planned cards in the order of their rosters; a reissue has failed ones as well.

    A card that a chip in this house is bound to stays here.
    """
    states = _FROM if only is not None else [State.PLANNED.value]
    condition = cards.c.state.in_(states) & ~_bound()
    rows = card_data(work.connection, condition, limit=limit, only=only)
    rows = rows.with_columns(pl.col("card_id_code").bin.encode("hex").str.to_uppercase())
    return Outgoing(rows, settle=lambda sent: _order(work, sent))


def _bound() -> ColumnElement[bool]:
    return (
        chips.select()
        .where(chips.c.card == cards.c.id, chips.c.state == ChipState.BOUND.value)
        .exists()
    )


def _order(work: Work, sent: pl.DataFrame) -> None:
    """Their data are with the factory now."""
    work.connection.execute(
        update(cards)
        .where(cards.c.id == exchange_rows.c.card, exchange_rows.c.batch == work.batch_id)
        .values(state=_ORDERED, reason="", changed_at=work.now)
    )
    detail = f'{{"batch":{work.batch_id},"partner":"{work.partner}"}}'
    work.books.journal.append_many(
        work.connection,
        work.now,
        (
            Event(Action.ORDER.value, card, person, state, _ORDERED, detail)
            for card, person, state in sent.select(CARD, "_person", "_state").iter_rows()
        ),
    )


def receive(work: Work, content: Content) -> Incoming:
    """Made cards → issued; those that were not made → failed, with the factory's reason.

    The chip's id code must be the one that was ordered, with its MAC; its answer to reset is kept.
    """
    rows = matched(work, content, ("card_number", "card_id_code"))
    rows = rows.with_columns(pl.col("card_id_code").alias(VALUE))
    ordered = pl.col("_card_id_code").bin.encode("hex").str.to_uppercase()
    code, atr = pl.col("card_id_code"), pl.col("atr")
    made = (pl.col("_state") == State.ORDERED.value) & (pl.col(SAID) == "ok")
    rows = with_problems(
        rows,
        (made & (code == ""), "card_id_code:missing"),
        (made & (atr == ""), "atr:missing"),
    )
    rows = judged(
        rows,
        (pl.col("_state") != State.ORDERED.value, "state"),
        (pl.col(SAID) != "ok", SAID),
        (code.str.head(_CODE_DIGITS) != ordered, "mismatch"),
        (pl.col("_card_number") != pl.col("card_number"), "mismatch"),
    )
    return Incoming(rows, settle=lambda: _settle(work, rows))


def _settle(work: Work, rows: pl.DataFrame) -> None:
    still = rows.filter(pl.col("_state") == State.ORDERED.value)
    made = still.filter(pl.col(RESULT) == "ok")
    failed = still.filter(pl.col(RESULT) != "ok")
    _move(work, _RETURNED, ok=True)
    _move(work, _REFUSED, ok=False)
    _keep_chips(work, made)
    _book_stock(work, made)
    work.books.journal.append_many(work.connection, work.now, _events(work, made, failed))


def _move(work: Work, state: str, *, ok: bool) -> None:
    brought = exchange_rows.c
    issued: dict[str, Any] = {}
    if ok:  # the code with its MAC was checked against the order
        mac = from_hex(func.substr(brought.value, _CODE_DIGITS + 1))
        issued = {"issued_at": work.now, "card_id_code_mac": mac}
    work.connection.execute(
        update(cards)
        .where(
            cards.c.id == brought.card,
            cards.c.state == State.ORDERED.value,
            brought.batch == work.batch_id,
            brought.result == "ok" if ok else brought.result != "ok",
        )
        .values(state=state, reason="" if ok else brought.result, changed_at=work.now, **issued)
    )


def _keep_chips(work: Work, made: pl.DataFrame) -> None:
    """The chips that came."""
    connection = work.connection
    first = work.books.counters.peek(connection, CHIP)
    add = Statement(insert(chips).inline(), _CHIP_COLUMNS)
    for part in made.select(CARD, "card_id_code", "atr").iter_slices(50_000):
        rows = [
            (card, bytes.fromhex(code), bytes.fromhex(atr)) for card, code, atr in part.iter_rows()
        ]
        add.run_many(
            connection,
            [
                (
                    first + at,
                    code[:-_MAC_BYTES],
                    atr,
                    "premade",
                    ChipState.ISSUED.value,
                    card,
                    work.now,
                )
                for at, (card, code, atr) in enumerate(rows)
            ],
        )
        first += len(rows)
    work.books.counters.store(connection, CHIP, first)


def _book_stock(work: Work, made: pl.DataFrame) -> None:
    """Cards that came are in the stock book; a number that cannot be there is named."""
    if not work.stock_place or made.is_empty():
        return
    strange = FactoryStock(work.books, work.stock_place).came(
        work.connection, made["card_number"], operator=work.operator.login
    )
    if strange:
        event = Event("stock-difference", detail={"batch": work.batch_id, "numbers": strange[:100]})
        work.books.journal.append(work.connection, work.now, event)


def _events(work: Work, made: pl.DataFrame, failed: pl.DataFrame) -> Iterator[Event]:
    start = State.ORDERED.value
    for card, person, code in made.select(CARD, "_person", "card_id_code").iter_rows():
        detail = f'{{"batch":{work.batch_id},"card_id_code":"{code}"}}'
        yield Event(Action.RETURN.value, card, person, start, _RETURNED, detail)
    for card, person, result in failed.select(CARD, "_person", RESULT).iter_rows():
        detail = json.dumps({"batch": work.batch_id, "reason": result}, separators=(",", ":"))
        yield Event(Action.REFUSE.value, card, person, start, _REFUSED, detail)
