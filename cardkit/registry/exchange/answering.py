"""The files that an incoming file leaves: what was done, what was not, and the answer to it."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cardkit.registry.exchange import naming
from cardkit.registry.exchange.checking import problem_zh
from cardkit.registry.exchange.keeping import FAILURE, REPLY, SUCCESS
from cardkit.registry.exchange.layout import REASON, Layout
from cardkit.registry.exchange.reading import PROBLEM, Content
from cardkit.registry.exchange.work import RESULT, Incoming, Work
from cardkit.registry.exchange.writing import write

MEANINGS_ZH = {
    "format": "要素不全或有误",
    "duplicate": "重复",
    "unknown": "无此人",
    "mismatch": "与登记不符",
    "state": "现在的状态不允许",
    "refused": "被对方拒绝",
    "missing": "缺少数据",
    "other": "失败",
}
"""What came of a row, for people."""


def answer_files(
    work: Work, content: Content, incoming: Incoming, name: str
) -> Iterator[tuple[str, str, bytes]]:
    """Role, name and content of each.

    The rows of success and failure file are those of the original, with totals of their own; a
    failure has its reason behind it.
    """
    layout, rows = work.layout, incoming.rows
    values = {**content.header, **content.trailer}
    original = [one.name for one in layout.fields]
    done = content.rows.select(original).filter(rows[RESULT] == "ok")
    yield SUCCESS, naming.with_suffix(name, SUCCESS), write(layout, done, values)
    failed = _failed(layout, content.rows, rows)
    if failed.height:
        made = write(layout.with_reason(), failed, values)
        yield FAILURE, naming.with_suffix(name, FAILURE), made
    if incoming.answer:
        reply, told = work.layouts[incoming.answer[0]], incoming.answer[1]
    elif layout.answered_by:
        reply = work.layouts[layout.answered_by]
        told = _coded(reply, rows)
    else:
        return
    known = {"date": work.today, "batch": work.number, **content.header, **incoming.values}
    yield REPLY, naming.file_name(reply, work), write(reply, told, known)


def _failed(layout: Layout, original: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that failed, as they came, with reasons."""
    bad = rows[RESULT] != "ok"
    problems, results = rows[PROBLEM].filter(bad), rows[RESULT].filter(bad)
    said = {problem: problem_zh(layout, problem) for problem in problems.unique() if problem}
    reasons = pl.DataFrame({"problem": problems, "result": results}).select(
        pl.when(pl.col("problem") != "")
        .then(pl.col("problem").replace_strict(said, default=""))
        .otherwise(pl.col("result").replace_strict(MEANINGS_ZH, default="失败"))
        .alias(REASON)
    )
    return original.filter(bad).with_columns(reasons[REASON])


def _coded(reply: Layout, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the result codes of the answer and their texts."""
    means = rows[RESULT].unique().to_list()
    codes = {meaning: reply.code_for(meaning) for meaning in means}
    texts = {meaning: reply.results[code].text for meaning, code in codes.items()}
    result = reply.holding("result")
    columns = (
        [pl.col(RESULT).replace_strict(codes, return_dtype=pl.String).alias(result.name)]
        if result
        else []
    )
    columns.append(pl.col(RESULT).replace_strict(texts, return_dtype=pl.String).alias("text"))
    return rows.with_columns(columns)
