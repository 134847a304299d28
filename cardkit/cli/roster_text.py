"""What the operator reads about a roster, in Chinese and in English, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cardkit.cli import common
from cardkit.cli.output import printable, table
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.issuance.roster import Reject, Roster, SourceFormat

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "roster": (
        "花名册 {name}（{form}）：{rows} 行，合格 {good}，退回 {rejected}",
        "roster {name} ({form}): {rows} rows, {good} good, {rejected} rejected",
    ),
    "registry": (
        "登记库：已制卡 {issued}，已登记待制 {waiting}，新增 {new}",
        "registry: {issued} have their card, {waiting} are waiting for it, {new} are new",
    ),
    "enrolled": (
        "已登记：新增 {new}，原有 {known}；待制卡 {waiting}",
        "enrolled: {new} new, {known} known before; {waiting} cards to make",
    ),
    "row": ("第{row}行", "row {row}"),
    "more": ("……另有 {count} 行退回（--limit，--out）",
             "... and {count} more rejected rows (--limit, --out)"),
    "remark": ("备注：{text}", "remark: {text}"),
    "written": ("退回文件：{path}", "reject file: {path}"),
    "sample": ("样例花名册 {path}：{count} 人（虚构）",
               "sample roster {path}: {count} people, who do not exist"),
    "workbook": ("工作表“{sheet}”", "sheet “{sheet}”"),
    "delimited": ("{encoding}，{delimiter}分隔", "{encoding}, {delimiter} between columns"),
    ",": ("逗号", "comma"),
    ";": ("分号", "semicolon"),
    "|": ("竖线", "bar"),
    "\t": ("制表符", "tab"),
}  # fmt: skip


limit_option = click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    default=20,
    show_default=True,
    help="Show so many rejected rows.",
)
out_option = click.option(
    "--out", type=common.PATH, help="Write the rejected rows to this file 退回文件."
)


def text(key: str, lang: Language, **values: object) -> str:
    """One text in one language."""
    return _TEXTS[key][lang == "en"].format_map(values)


def lines(
    roster: Roster, known: Mapping[str, int] | None, limit: int, lang: Language
) -> Iterator[str]:
    """Counts, the first rejects, remarks."""
    yield text(
        "roster", lang, name=printable(roster.name), form=_form(roster.format, lang),
        rows=roster.count, good=len(roster.applicants), rejected=len(roster.rejects),
    )  # fmt: skip
    if known is not None:
        yield text("registry", lang, **known)
    yield from table(
        (_reject(reject, lang) for reject in islice(roster.rejects, limit)), indent="  "
    )
    if len(roster.rejects) > limit:
        yield "  " + text("more", lang, count=len(roster.rejects) - limit)
    for remark in roster.remarks:
        yield text("remark", lang, text=printable(remark.text(lang)))


def _reject(reject: Reject, lang: Language) -> tuple[str, str]:
    reason = reject.reason(lang)
    if len(reject.problems) == 1 and reject.field:
        reason = reject.fields(lang) + ("：" if lang == "zh" else ": ") + reason
    return text("row", lang, row=reject.row), reason


def _form(form: SourceFormat, lang: Language) -> str:
    if form.workbook:
        return text("workbook", lang, sheet=printable(form.sheet))
    delimiter = text(form.delimiter, lang)
    return text("delimited", lang, encoding=form.encoding, delimiter=delimiter)


def as_json(
    roster: Roster, known: Mapping[str, int] | None, written: str | None, lang: Language
) -> dict[str, object]:
    """The same for programs, with every reject."""
    form = roster.format
    rejects = [
        {"row": reject.row, "fields": reject.fields(lang), "reason": reject.reason(lang),
         "problems": [{"field": p.field, "code": p.code} for p in reject.problems]}
        for reject in roster.rejects
    ]  # fmt: skip
    return {
        "file": roster.name,
        "format": {"encoding": form.encoding, "delimiter": form.delimiter, "sheet": form.sheet},
        "rows": roster.count,
        "good": len(roster.applicants),
        "rejected": len(roster.rejects),
        "rejects": rejects,
        "rejects_file": written,
        "remarks": [{"code": r.code, "text": r.text(lang)} for r in roster.remarks],
        "registry": dict(known) if known is not None else None,
    }


def refuse_itself(file: Path, out: Path | None) -> None:
    """Refuse to write the rejected rows over the roster.

    Raises
    ------
    UsageError
        Both are one file.
    """
    if out is not None and _same_file(file, out):
        raise UsageError(
            "--out names the roster itself, which would be lost",
            hint="name another file for the rejected rows",
            zh="--out 指的就是花名册本身，会被覆盖：请为退回文件另取名称",
        )


def _same_file(file: Path, other: Path) -> bool:
    try:
        return file.samefile(other)
    except OSError:
        return False  # one of them is not there: said when it is read
