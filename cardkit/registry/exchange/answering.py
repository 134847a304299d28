"""The files that an incoming file leaves: what was done, what was not, and the answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from cardkit.registry.exchange import naming
from cardkit.registry.exchange.checking import problem_named
from cardkit.registry.exchange.keeping import FAILURE, REPLY, SUCCESS
from cardkit.registry.exchange.layout import REASON, Field, Layout
from cardkit.registry.exchange.reading import PROBLEM, Content
from cardkit.registry.exchange.work import RESULT, Incoming, Work
from cardkit.registry.exchange.writing import parts

DIFFERENCE = "difference"
"""Layout of what a comparison found, where the layout of the list names no other."""

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
) -> Iterator[tuple[str, str, Iterable[bytes]]]:
    """Role, name and content of each, in parts.

    The rows of success and failure file are those of the original, with totals of their own; a
    failure has its reason behind it.
    """
    layout, rows = work.layout, incoming.rows
    values = {**content.header, **content.trailer}
    original = [one.name for one in layout.fields]
    done = content.rows.select(original).filter(rows[RESULT] == "ok")
    yield SUCCESS, naming.result_name(name, layout, SUCCESS), parts(layout, done, values)
    failed = _failed(layout, content.rows, rows)
    if failed.height:
        made = parts(layout.with_reason(), failed, values)
        yield FAILURE, naming.result_name(name, layout, FAILURE), made
    reply = reply_layout(work.layouts, layout)
    if reply is None:
        return
    told = _coded(layout, reply, rows) if incoming.answer is None else incoming.answer
    known = {"date": work.today, "batch": work.number, **content.header, **incoming.values}
    yield REPLY, naming.file_name(reply, work), parts(reply, told, known)


def reply_layout(layouts: Mapping[str, Layout], layout: Layout) -> Layout | None:
    """Layout of the answer to a file of a layout, if it has one."""
    if layout.service == "comparison":
        return layouts[layout.answered_by or DIFFERENCE]
    return layouts[layout.answered_by] if layout.answered_by else None


def _failed(layout: Layout, original: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that failed, as they came, with reasons."""
    bad = rows[RESULT] != "ok"
    problems, results = rows[PROBLEM].filter(bad), rows[RESULT].filter(bad)
    shape = layout.with_reason()
    said = _said(layout, shape, shape.fields[-1], problems)
    reasons = pl.DataFrame({"problem": problems, "result": results}).select(
        pl.when(pl.col("problem") != "")
        .then(pl.col("problem").replace_strict(said, default=MEANINGS_ZH["format"]))
        .otherwise(pl.col("result").replace_strict(MEANINGS_ZH, default="失败"))
        .alias(REASON)
    )
    return original.filter(bad).with_columns(reasons[REASON])


def _said(layout: Layout, shape: Layout, where: Field, problems: pl.Series) -> dict[str, str]:
    """Problem → its field and what is wrong with it, where that fits into a field of `shape`."""
    found = {problem: problem_named(layout, problem) for problem in problems.unique() if problem}
    return {
        problem: text
        for problem, text in found.items()
        if len(text.encode(shape.encoding, "replace")) <= where.width
        and not (shape.separator and shape.separator in text)
    }


def _coded(layout: Layout, reply: Layout, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the result codes of the answer and their texts.

    A row that was wrong by itself is told which field it was.
    """
    means = rows[RESULT].unique().to_list()
    codes = {meaning: reply.code_for(meaning) for meaning in means}
    texts = {meaning: reply.results[code].text for meaning, code in codes.items()}
    result = reply.holding("result")
    columns = (
        [pl.col(RESULT).replace_strict(codes, return_dtype=pl.String).alias(result.name)]
        if result
        else []
    )
    text = pl.col(RESULT).replace_strict(texts, return_dtype=pl.String)
    where = next((one for one in reply.fields if one.name == "text"), None)
    said = _said(layout, reply, where, rows[PROBLEM]) if where else {}
    if said:
        named = pl.col(PROBLEM).is_in(list(said)) & (pl.col(RESULT) == "format")
        told = pl.col(PROBLEM).replace_strict(said, default="", return_dtype=pl.String)
        text = pl.when(named).then(told).otherwise(text)
    columns.append(text.alias("text"))
    return rows.with_columns(columns)
