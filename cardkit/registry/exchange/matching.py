"""An answer beside its question: the same rows, in the same order, with the same keys."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from cardkit.registry.exchange.errors import Fault, FileFaultsError
from cardkit.registry.exchange.keeping import Schema, frame_of
from cardkit.registry.exchange.reading import LINE, Content, read
from cardkit.registry.exchange.work import CARD, Work
from cardkit.registry.schema import cards, columns
from cardkit.registry.schema.exchange import exchange_rows
from cardkit.registry.states import DEAD

SAID = "_said"
"""Column with what the other side's result code means."""

_SCHEMA: Schema = {
    "_row": pl.Int64,
    CARD: pl.Int64,
    "_person": pl.Int64,
    "_state": pl.String,
    "_bank_card": pl.String,
    "_card_number": pl.String,
    "_code": pl.Binary,
}


def matched(work: Work, content: Content) -> pl.DataFrame:
    """Rows of an answer with ``_row``, card, person and state of each row it answers.

    Raises
    ------
    FileFaultsError
        A row of the question is missing, or a key came back changed.
    """
    if work.question is None or work.question_layout is None:
        raise ValueError("an answer needs the question it answers")
    question = _question(work)
    _compare(work, question, content.rows)
    known = _known(work.connection, work.question.id)
    result = work.layout.holding("result")
    said = {code: one.means for code, one in work.layout.results.items()}
    rows = content.rows.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
        pl.col(result.name if result else "").replace_strict(said, default="other").alias(SAID),
    )
    rows = rows.join(known, on="_row", how="left", maintain_order="left")
    dead = [str(state) for state in DEAD]
    return rows.with_columns((~pl.col("_state").is_in(dead)).alias("_living"))


def _question(work: Work) -> pl.DataFrame:
    assert work.question is not None  # noqa: S101 - said by `matched`
    assert work.question_layout is not None  # noqa: S101
    layout, keeping = work.question_layout, work.keeping
    file = keeping.original(work.connection, work.question.id)
    data = keeping.content(work.connection, file)
    return read(layout, data, name=file.name, only=layout.keys).rows.select(layout.keys)


def _compare(work: Work, question: pl.DataFrame, answer: pl.DataFrame) -> None:
    keys = [key for key in question.columns if key in work.layout.keys]
    shorter = min(question.height, answer.height)
    differs = pl.Series([False]).new_from_index(0, shorter)
    for key in keys:
        differs = differs | (question[key].head(shorter) != answer[key].head(shorter))
    places = differs.arg_true()
    if len(places):
        at = int(places[0])
        fault = Fault(
            int(answer[LINE][at]),
            "keys",
            f"is not row {at + 1} of batch {work.number}: a key came back changed or a row is gone",
            f"与第{work.number}批的第{at + 1}笔不符：关键字段被改动或缺行",
        )
    elif question.height != answer.height:
        line = int(answer[LINE][-1]) if answer.height else 1
        fault = Fault(
            line,
            "rows",
            f"batch {work.number} had {question.height} rows, its answer has {answer.height}",
            f"第{work.number}批有{question.height}笔，回盘有{answer.height}笔",
        )
    else:
        return
    raise FileFaultsError(f"answer to batch {work.number}", [fault])


def _known(connection: Connection, question: int) -> pl.DataFrame:
    query = (
        select(
            exchange_rows.c.row,
            *columns(
                cards, "id", "person", "state", "bank_card_number", "card_number", "card_id_code"
            ),
        )
        .join_from(exchange_rows, cards, exchange_rows.c.card == cards.c.id)
        .where(exchange_rows.c.batch == question)
    )
    return frame_of(connection, query, _SCHEMA)
