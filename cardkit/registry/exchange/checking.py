"""Totals, serial numbers and single values of an exchange file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce

import polars as pl

from cardkit.codec.numbers import is_card_number
from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.formats.common import Record
from cardkit.registry.exchange.layout import Field, Layout

REASONS_ZH = {
    "missing": "不能为空",
    "long": "过长",
    "digits": "应为数字",
    "number": "应为数字",
    "money": "金额不对",
    "date": "日期不对",
    "code": "代码不对",
    "constant": "应为固定值",
    "pattern": "格式不对",
    "check": "校验位不对",
    "duplicate": "与前面的行重复",
    "character": "有文件编码没有的字",
    "sign": "含有分隔符或控制字符",
}

_RECORD_ZH = REASONS_ZH | {"date": "不是有效的日期", "constant": "不对"}
_REASONS = {
    "missing": "is empty",
    "long": "is too long",
    "date": "is no date",
    "digits": "has other signs than digits",
    "number": "is no number",
    "money": "is no amount",
    "code": "is a code that the layout does not know",
    "constant": "is not what the layout says",
    "pattern": "is not formed as the layout says",
    "check": "has a wrong check character",
}
_COUNTED = ("count", "amount")
"""What a field holds whose value is compared with the rows: that says what is wrong with it."""
_BATCH = re.compile(r"[0-9A-Za-z_-]{1,40}")

_PATTERNS = {
    "digits": r"^[0-9]*$",
    "number": r"^[0-9]{1,18}$",
    "date": r"^[0-9]{8}$",
}
_LONGEST_CARD = 19  # digits, ISO/IEC 7812
_UNITS_ZH = {"fen": "分", "yuan": "元"}
_MONEY = {"fen": r"^[0-9]{1,15}$", "yuan": r"^[0-9]{1,13}\.[0-9]{2}$"}


def problem_zh(layout: Layout, problem: str) -> str:
    """What is wrong with a row, for people.

    `problem` is ``field:reason`` as `row_problems` gives it.
    """
    name, _, reason = problem.partition(":")
    title = next((f.title or f.name for f in layout.fields if f.name == name), name)
    return f"{title}{REASONS_ZH.get(reason, reason)}"


def problem_named(layout: Layout, problem: str) -> str:
    """The same with the name of the field in front: for people and for the sender's programs."""
    return f"{problem.partition(':')[0]} {problem_zh(layout, problem)}"


# -- single values --------------------------------------------------------------------------------


def row_problems(layout: Layout, rows: pl.DataFrame) -> pl.Series:
    """For every row ``''`` or the first thing wrong with it, ``field:reason``."""
    found = pl.lit("")
    checks: list[tuple[pl.Expr, str]] = []
    for one in layout.fields:
        checks += [(bad, f"{one.name}:{reason}") for bad, reason in _checks(layout, one, rows)]
    found = reduce(
        lambda rest, check: pl.when(check[0]).then(pl.lit(check[1])).otherwise(rest),
        reversed(checks),
        found,
    )
    return rows.with_columns(found.alias("_problem"))["_problem"]


def with_duplicates(layout: Layout, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, with a problem for each whose key a row above had already."""
    if not layout.keys or not rows.height:
        return rows
    first = rows.select(pl.struct(layout.keys).hash().is_first_distinct()).to_series()
    if bool(first.all()):
        return rows
    first = rows.select(pl.struct(layout.keys).is_first_distinct()).to_series()
    again = ~first & (rows["_problem"] == "")
    return rows.with_columns(
        pl.when(again)
        .then(pl.lit(f"{layout.keys[-1]}:duplicate"))
        .otherwise("_problem")
        .alias("_problem")
    )


def _checks(layout: Layout, one: Field, rows: pl.DataFrame) -> Iterator[tuple[pl.Expr, str]]:
    value = pl.col(one.name)
    given = value.str.len_bytes() > 0
    if one.required:
        yield ~given, "missing"
    if not layout.fixed:
        long = _too_long(rows[one.name], one.width, layout.encoding)
        if long is not None:
            yield pl.lit(long), "long"
    pattern = _MONEY[one.unit] if one.kind == "money" else _PATTERNS.get(one.kind)
    if pattern:
        yield given & ~value.str.contains(pattern), one.kind
    if one.kind == "date":
        yield given & value.str.to_date("%Y%m%d", strict=False).is_null(), "date"
    if one.values:
        yield given & ~value.is_in(list(one.values)), "code"
    if one.holds == "result":
        yield ~value.is_in(list(layout.results)), "code"
    yield from _form_checks(one, rows)


def _form_checks(one: Field, rows: pl.DataFrame) -> Iterator[tuple[pl.Expr, str]]:
    """What the layout says beyond the kind: a constant, a pattern, a check character."""
    value = pl.col(one.name)
    given = value.str.len_bytes() > 0
    if one.constant:
        yield value != one.constant, "constant"
    if one.pattern:
        yield given & ~value.str.contains(f"^(?:{one.pattern})$"), "pattern"
    if one.check == "card-number":
        good = [is_card_number(number) for number in rows[one.name].to_list()]
        yield given & ~pl.lit(pl.Series(good, dtype=pl.Boolean)), "check"


def _too_long(column: pl.Series, width: int, encoding: str) -> pl.Series | None:
    """Which values have more bytes in the file's encoding than they may; None for none of them.

    Only values that could be too long are encoded: no character has more than four bytes.
    """
    suspects = (column.str.len_chars() * 4 > width) & (
        (column.str.len_bytes() > width) | (column.str.len_chars() != column.str.len_bytes())
    )
    places = [
        at
        for at in suspects.arg_true().to_list()
        if len(column[at].encode(encoding, "replace")) > width
    ]
    if not places:
        return None
    return pl.Series([False]).new_from_index(0, len(column)).scatter(places, True)  # noqa: FBT003


# -- totals ---------------------------------------------------------------------------------------


def total_faults(
    layout: Layout,
    header: Record,
    trailer: Record,
    rows: pl.DataFrame,
) -> Iterator[Fault]:
    """Where header and trailer contradict the rows, and which serial number is missing."""
    for fields, values in ((layout.header, header), (layout.trailer, trailer)):
        yield from _value_faults(layout, fields, values)
        for one in fields:
            line = values.line_of(one.name)
            yield from _record_faults(layout, one, values[one.name], rows, line)
    yield from _serial_faults(layout, rows)


def _value_faults(layout: Layout, fields: Sequence[Field], values: Record) -> Iterator[Fault]:
    """What is wrong with a header or trailer value by itself, as in a row."""
    record = pl.DataFrame({one.name: [values[one.name]] for one in fields})
    for one in fields:
        if one.holds in _COUNTED and values[one.name]:
            continue
        wrong = (reason for bad, reason in _checks(layout, one, record) if _holds(record, bad))
        reason = next(wrong, "")
        if reason:
            zh = f"{one.title or one.name}{_RECORD_ZH[reason]}"
            line = values.line_of(one.name)
            yield Fault(line, reason, f"{one.name} {_REASONS[reason]}", zh)


def _holds(record: pl.DataFrame, condition: pl.Expr) -> bool:
    return bool(record.select(condition).item())


def _record_faults(
    layout: Layout, one: Field, value: str, rows: pl.DataFrame, line: int
) -> Iterator[Fault]:
    title = one.title or one.name
    if one.holds == "batch" and one.kind == "text" and value and not _BATCH.fullmatch(value):
        yield Fault(
            line,
            "batch",
            f"{one.name} has signs that cannot stand in the name of a file",
            f"{title}只能用字母、数字、- 和 _",
        )
    if one.holds == "count":
        said = _whole_number(value)
        if said is None:
            yield Fault(line, "count", f"{one.name} is no number", f"{title}不是数字")
        elif said != rows.height:
            yield Fault(
                line,
                "count",
                f"says {said} rows, the file has {rows.height}",
                f"{title}与实际行数不符：应为{said}行，实有{rows.height}行",
            )
    if one.holds == "amount":
        yield from _amount_faults(layout, one, value, rows, line)


def _amount_faults(
    layout: Layout, one: Field, value: str, rows: pl.DataFrame, line: int
) -> Iterator[Fault]:
    body = layout.holding("amount")
    amounts = fen(rows[body.name], body.unit) if body else pl.Series([], dtype=pl.Int64)
    said, total = fen(pl.Series([value]), one.unit)[0], int(amounts.sum())
    title = one.title or one.name
    if said is None:
        text = f"{one.name} is no amount in {one.unit}"
        yield Fault(line, "amount", text, f"{title}不是以{_UNITS_ZH[one.unit]}计的金额")
    elif said != total and body and amounts.null_count():
        for at in rows["_line"].filter(amounts.is_null()):
            text = f"{body.name} is no amount in {body.unit}, so the total cannot be checked"
            zh = f"{body.title or body.name}不是以{_UNITS_ZH[body.unit]}计的金额，无法核对合计"
            yield Fault(at, "money", text, zh)
    elif said != total:
        yield Fault(
            line,
            "amount",
            f"says a total of {said} fen, the rows have {total}",
            f"{title}与明细合计不符：应为{said}分，合计{total}分",
        )


def _serial_faults(layout: Layout, rows: pl.DataFrame) -> Iterator[Fault]:
    """The first place where the running numbers do not run."""
    one = layout.holding("serial")
    if one is None or not rows.height:
        return
    serial = rows[one.name].cast(pl.Int64, strict=False)
    expected = pl.int_range(1, rows.height + 1, dtype=pl.Int64, eager=True)
    wrong = serial.ne_missing(expected).arg_true()
    if not len(wrong):
        return
    at = int(wrong[0])
    line = int(rows["_line"][at])
    number = at + 1
    found = serial[at]
    if found is not None and found > number:
        text = f"row {number} is missing: {one.name} goes on with {found}"
        zh = f"缺少第{number}笔：序号跳到{found}"
    else:
        text = f"{one.name} is not {number}, which comes next"
        zh = f"序号应为{number}"
    yield Fault(line, "serial", text, zh)


def fen(column: pl.Series, unit: str) -> pl.Series:
    """Amounts in fen; null where a value is none.

    Examples
    --------
    >>> fen(pl.Series(["12.50", "x"]), "yuan").to_list(), fen(pl.Series(["7"]), "fen").to_list()
    ([1250, None], [7])
    """
    good = column.str.contains(_MONEY[unit])
    digits = column.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
    return digits.zip_with(good, pl.Series([None], dtype=pl.Int64).new_from_index(0, len(column)))


def bank_card_numbers(column: pl.Series) -> pl.Series:
    """Which are bank card numbers: `cardkit.codec.numbers.is_bank_card_number` for a whole column.

    Examples
    --------
    >>> bank_card_numbers(pl.Series(["6217990000000000014", "6217990000000000015", ""])).to_list()
    [True, False, False]
    """
    shaped = column.str.contains(r"^[0-9]{16,19}$")
    digits = pl.when(shaped).then(column).otherwise(pl.lit("1")).str.zfill(_LONGEST_CARD)
    total = pl.lit(0)
    for place in range(_LONGEST_CARD):
        digit = digits.str.slice(_LONGEST_CARD - 1 - place, 1).cast(pl.Int32)
        doubled = digit * 2
        total += digit if place % 2 == 0 else doubled - pl.when(digit > 4).then(9).otherwise(0)
    return column.to_frame("number").select(pl.lit(shaped) & (total % 10 == 0)).to_series()


def money(column: pl.Series, unit: str) -> pl.Series:
    """Fen as a file shows them.

    Examples
    --------
    >>> money(pl.Series([1250, 7]), "yuan").to_list(), money(pl.Series([7]), "fen").to_list()
    (['12.50', '0.07'], ['7'])
    """
    if unit == "fen":
        return column.cast(pl.String)
    digits = column.cast(pl.String).str.zfill(3)
    return digits.str.head(-2) + "." + digits.str.tail(2)


def _whole_number(value: str) -> int | None:
    return int(value) if value.isdecimal() and value.isascii() else None
