"""An answer beside its question: the same rows, in the same order, with the same keys."""

from __future__ import annotations

from collections.abc import Sequence

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

_TYPES: Schema = {"card_id_code": pl.Binary}


def matched(work: Work, content: Content, more: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of an answer with card, person and state of each row it answers.

    Parameters
    ----------
    more : sequence of str
        Further columns of `cards`; each gets a ``_`` before its name.

    Raises
    ------
    FileFaultsError
        A row of the question is missing, or a key came back changed.
    """
    if work.question is None or work.question_layout is None:
        raise ValueError("an answer needs the question it answers")
    _compare(work, _question(work), content)
    known = _known(work.connection, work.question.id, more)
    if known.height != content.rows.height:  # a row without a card
        raise ValueError(f"batch {work.question.id} is not complete")
    result = work.layout.holding("result")
    said = {code: one.means for code, one in work.layout.results.items()}
    return content.rows.with_columns(known.get_columns()).with_columns(
        pl.col(result.name if result else "").replace_strict(said, default="other").alias(SAID),
        (~pl.col("_state").is_in([str(state) for state in DEAD])).alias("_living"),
    )


def _question(work: Work) -> pl.DataFrame:
    assert work.question is not None  # noqa: S101 - said by `matched`
    assert work.question_layout is not None  # noqa: S101
    layout, keeping = work.question_layout, work.keeping
    file = keeping.original(work.connection, work.question.id)
    data = keeping.content(work.connection, file)
    return read(layout, data, name=file.name, only=layout.keys).rows.select(layout.keys)


def _compare(work: Work, question: pl.DataFrame, content: Content) -> None:
    answer = content.rows
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
            f"之后笔数不符：第{work.number}批有{question.height}笔，回盘有{answer.height}笔",
        )
    else:
        return
    raise FileFaultsError(content.name, [fault])


def _known(connection: Connection, question: int, more: Sequence[str]) -> pl.DataFrame:
    """Card, person, state ... in the order of the rows of the question."""
    schema = {CARD: pl.Int64, "_person": pl.Int64, "_state": pl.String} | {
        f"_{name}": _TYPES.get(name, pl.String) for name in more
    }
    query = (
        select(*columns(cards, "id", "person", "state", *more))
        .join_from(exchange_rows, cards, exchange_rows.c.card == cards.c.id)
        .where(exchange_rows.c.batch == question)
        .order_by(exchange_rows.c.row)
    )
    return frame_of(connection, query, schema)
