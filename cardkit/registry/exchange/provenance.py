"""Whether a file is from whom it is said to be, and of the layout it is said to have."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cardkit.registry.exchange.checking import problem_named
from cardkit.registry.exchange.errors import SHOWN, Fault, FileFaultsError
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.naming import plain
from cardkit.registry.exchange.reading import LINE, PROBLEM, Content

_FEW = 3
"""A file of fewer rows, each of which is answered, says nothing about its layout."""
_NEARLY_ALL = 0.9


def check_sender(layout: Layout, content: Content, partner: str, name: str) -> None:
    """Refuse a file whose header or trailer names somebody else than its sender.

    Raises
    ------
    FileFaultsError
        A field that must be the partner is not.
    """
    faults = list(_strangers(layout, content, partner))
    if faults:
        raise FileFaultsError(plain(name), faults)


def _strangers(layout: Layout, content: Content, partner: str) -> Iterator[Fault]:
    parts = ((layout.header, content.header), (layout.trailer, content.trailer))
    for fields, values in parts:
        for one in fields:
            if one.must_be == "partner" and values[one.name] != partner:
                yield Fault(
                    values.line_of(one.name),
                    "partner",
                    f"{one.name} is not {partner}, who is said to have sent it",
                    f"{one.title or one.name}不是 {partner}，与来文单位不符",
                )


def check_layout(layout: Layout, content: Content, name: str) -> None:
    """Refuse a file nearly every line of which is wrong: it is of another layout.

    An answer is compared with its question instead.

    Raises
    ------
    FileFaultsError
        Nine of ten lines are wrong, or more; each is named.
    """
    rows = content.rows
    problem = pl.col(PROBLEM)
    bad = rows.filter((problem != "") & ~problem.str.ends_with(":duplicate"))
    least = _FEW if layout.answered_by else 1
    if layout.answers or rows.height < least or bad.height < rows.height * _NEARLY_ALL:
        return
    whole = Fault(
        0,
        "layout",
        f"is not of layout {layout.name}: {bad.height} of {rows.height} lines do not fit",
        f"不是“{layout.title}”文件：{rows.height}行中有{bad.height}行不符",
    )
    lines = bad.select(LINE, PROBLEM).head(SHOWN - 1).iter_rows()
    named = [
        Fault(line, "row", f"{wrong} does not fit", problem_named(layout, wrong))
        for line, wrong in lines
    ]
    raise FileFaultsError(plain(name), [whole, *named], bad.height - len(named))
