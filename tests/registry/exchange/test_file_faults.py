"""Everything that can be wrong with a file, named by its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import polars as pl
import pytest

from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.checking import problem_zh
from cardkit.registry.exchange.errors import FileFaultsError
from cardkit.registry.exchange.reading import PROBLEM, read
from cardkit.registry.exchange.writing import UnwritableError, write
from tests.registry.exchange.test_layouts import vector

LAYOUTS = catalogue.shipped()
OPENING, COLUMNS = "bank-opening", "bank-columns"
HEADER, FIRST, SECOND = 0, 1, 2


def data_of(name: str) -> bytes:
    return bytes.fromhex("".join(vector(name)["lines"]))


def on_line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        lines[number] = change(lines[number])
        return b"".join(lines)

    return apply


def swap(number: int, old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return on_line(number, lambda line: line.replace(old, new, 1))


FAULTS: list[tuple[str, str, Callable[[bytes], bytes], int, str]] = [
    ("nothing in it", OPENING, lambda _d: b"", 0, "empty"),
    ("a byte order mark", OPENING, lambda d: b"\xef\xbb\xbf" + d, 1, "bom"),
    ("cut off", OPENING, lambda d: d[:-5], 3, "cut"),
    ("a trailing blank line", OPENING, lambda d: d + b"\r\n", 4, "blank"),
    ("two of them", "state-inquiry", lambda d: d + b"\n\n", 3, "blank"),
    ("a blank line inside", OPENING, on_line(FIRST, lambda line: b"\r\n" + line), 2, "blank"),
    ("LF instead of CRLF", OPENING, on_line(FIRST, lambda line: line[:-2] + b"\n"), 2, "line-end"),
    ("CRLF instead of LF", "state-inquiry", lambda d: d.replace(b"\n", b"\r\n"), 1, "line-end"),
    ("a lone CR", OPENING, swap(FIRST, b"|", b"\r|"), 2, "line-end"),
    ("an end-of-file sign of DOS", OPENING, lambda d: d + b"\x1a\r\n", 4, "control"),
    ("UTF-8 for GBK", OPENING, lambda d: d.decode("gb18030").encode(), 1, "encoding"),
    ("UTF-8 in one line", OPENING, on_line(SECOND, lambda x: x.decode("gb18030").encode()), 3,
     "fields"),
    ("a byte that is no GBK", OPENING, swap(SECOND, b"\xb0", b"\xff"), 3, "encoding"),
    ("a row that is missing", OPENING, lambda d: swap(HEADER, b"|2\r", b"|1\r")(
        b"".join(x for at, x in enumerate(d.splitlines(keepends=True)) if at != FIRST)), 2,
     "serial"),
    ("a row too few", OPENING, lambda d: b"".join(d.splitlines(keepends=True)[:-1]), 1, "count"),
    ("a count that is none", OPENING, swap(HEADER, b"|2\r", b"|two\r"), 1, "count"),
    ("an impossible day", OPENING, swap(HEADER, b"20120501", b"20120230"), 1, "date"),
    ("a field too many", OPENING, swap(SECOND, b"|", b"||"), 3, "fields"),
    ("a total that is wrong", "bank-batch", swap(HEADER, b"200.50", b"200.51"), 1, "amount"),
    ("fen for yuan", "bank-batch", swap(HEADER, b"200.50", b"20050"), 1, "amount"),
    ("a wrong total at the end", COLUMNS, swap(SECOND, b"10550", b"10551"), 3, "amount"),
    ("a line too short", COLUMNS, swap(FIRST, b"  ", b" "), 2, "too-short"),
    ("a line too long", COLUMNS, swap(FIRST, b"  ", b"   "), 2, "too-long"),
    ("no trailer", COLUMNS, lambda d: b"".join(d.splitlines(keepends=True)[:-1]), 2, "too-long"),
    ("shifted columns", COLUMNS,
     swap(FIRST, "阿卜杜拉".encode("gbk") + b" ", b" " + "阿卜杜拉".encode("gbk")), 0, ""),
    ("a character cut in two", COLUMNS,
     swap(FIRST, "阿卜杜拉            1".encode("gbk"), "1234567890123456789阿".encode("gbk")), 2,
     "shifted"),
    ("a batch number with other signs", OPENING, swap(HEADER, b"|000007|", b"|../../|"), 1,
     "digits"),
    ("a batch number that is too long", OPENING, swap(HEADER, b"|000007|", b"|" + b"1" * 21 + b"|"),
     1, "long"),
    ("an agency that is too long", OPENING, swap(HEADER, b"|000007|", b"x" * 20 + b"|000007|"), 1,
     "long"),
    ("an amount that is none", "bank-batch", swap(SECOND, b"100.50", b"100.5"), 3, "money"),
    ("two blank lines behind the trailer", COLUMNS, lambda d: d + b"\r\n\r\n", 4, "blank"),
    ("another mark in front", "blacklist-full", swap(HEADER, b"HMDF", b"HMDX"), 1, "constant"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "spoil", "line", "code"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in FAULTS],
)
def test_the_fault_is_named_by_its_line(
    layout: str, spoil: Callable[[bytes], bytes], line: int, code: str
) -> None:
    good = data_of(layout)
    bad = spoil(good)
    assert bad != good
    if not code:  # the file is whole, the row is not what it was
        assert (
            read(LAYOUTS[layout], bad).rows["name"][1]
            != read(LAYOUTS[layout], good).rows["name"][1]
        )
        return
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUTS[layout], bad, name="KK.txt")
    first = caught.value.faults[0]
    assert (first.line, first.code) == (line, code)
    assert caught.value.message.startswith("KK.txt: " + (f"line {line}: " if line else ""))
    assert (f"第{line}行" in caught.value.zh) == bool(line)


ROW_FAULTS = [
    (OPENING, FIRST, b"63990019810101", b"6399001981010", "citizen_number:pattern", "格式不对"),
    ("comparison-police", FIRST, b"19810101", b"19810230", "birth_date:date", "日期不对"),
    ("comparison-police", FIRST, b"|1|01", b"|3|01", "sex:code", "代码不对"),
    ("comparison-police", FIRST, b"|1|01", b"||x1", "nation:digits", "应为数字"),
    ("loss-report", FIRST, b"|1|2012", b"||2012", "kind:missing", "不能为空"),
    ("factory-return", FIRST, b"|00|", b"|77|", "result:code", "代码不对"),
    ("state-inquiry", FIRST, "张三".encode("gbk"), "张".encode("gbk") * 26, "name:long", "过长"),
    (COLUMNS, HEADER, b"D100000001", b"D200000001", "prefix:constant", "应为固定值"),
]


@pytest.mark.parametrize(
    ("layout", "line", "old", "new", "problem", "said"),
    ROW_FAULTS,
)
def test_what_is_wrong_with_one_row_stays_with_that_row(
    layout: str, line: int, old: bytes, new: bytes, problem: str, said: str
) -> None:
    lines = data_of(layout).splitlines(keepends=True)
    assert old in lines[line]
    at = lines[line].rindex(old)
    lines[line] = lines[line][:at] + new + lines[line][at + len(old) :]
    found = read(LAYOUTS[layout], b"".join(lines)).rows[PROBLEM]
    assert [one for one in found if one] == [problem]
    assert problem_zh(LAYOUTS[layout], problem).endswith(said)


def test_the_second_of_two_rows_with_one_key_is_the_wrong_one() -> None:
    layout = LAYOUTS["comparison-agency"]
    lines = data_of("comparison-agency").replace(b"|1\n", b"|2\n").splitlines(keepends=True)
    found = read(layout, b"".join([*lines, lines[-1]])).rows[PROBLEM]
    assert found.to_list() == ["", "citizen_number:duplicate"]


def test_many_faults_are_counted_and_the_first_are_named() -> None:
    lines = data_of(OPENING).splitlines(keepends=True)
    bad = lines[0] + lines[1].replace(b"|", b"") * 100
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUTS[OPENING], bad)
    assert (len(caught.value.faults), caught.value.more) == (20, 80)
    assert caught.value.message.endswith("(and 99 more)")


@pytest.mark.parametrize(
    ("layout", "value", "why"),
    [
        ("loss-answer", "a|b", "separator"),
        ("loss-answer", "a\nb", "control character"),
        ("loss-answer", "㐂", "a character that gbk does not have"),
        (COLUMNS, "阿" * 11, "more than 20 bytes"),
    ],
)
def test_a_value_that_does_not_fit_is_not_written_some_other_way(
    layout: str, value: str, why: str
) -> None:
    known = vector(layout)
    name = "name" if layout == COLUMNS else "text"
    rows = pl.DataFrame(known["rows"]).with_columns(pl.lit(value).alias(name))
    with pytest.raises(UnwritableError, match=why) as caught:
        write(LAYOUTS[layout], rows, known["header"])
    assert value not in caught.value.message
    assert value not in caught.value.zh


def test_faults_behind_the_first_are_named_by_their_lines_too() -> None:
    lines = data_of(OPENING).splitlines(keepends=True)
    short = lines[1].replace(b"|", b"", 1)
    bad = b"".join([*lines, short, lines[1], short, short])
    with pytest.raises(FileFaultsError, match="line 4: has 5 fields, not 6") as caught:
        read(LAYOUTS[OPENING], bad)
    assert caught.value.further() == ["line 6-7: has 5 fields, not 6"]
    bad = b"".join([*lines, *[short] * 30])
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUTS[OPENING], bad)
    assert caught.value.further("zh") == ["第5-23行有5个字段，应为6个", "…… 另有10处"]


@pytest.mark.parametrize("name", ["龙䶮", "㛃三"], ids=["two bytes", "four bytes"])
def test_a_name_that_only_gb18030_has_is_told_apart_from_damage(name: str) -> None:
    data = data_of("bank-batch").replace("李四".encode("gbk"), name.encode("gb18030"))
    with pytest.raises(FileFaultsError, match=r"line 3: byte .* but of gb18030") as caught:
        read(LAYOUTS["bank-batch"], data)
    assert "gb18030 才有的字" in caught.value.zh
    damaged = data_of("bank-batch").replace("李四".encode("gbk"), b"\xc0\xff")
    with pytest.raises(FileFaultsError, match=r"is not gbk$"):
        read(LAYOUTS["bank-batch"], damaged)


def test_a_batch_number_becomes_part_of_file_names_and_has_only_signs_that_can() -> None:
    wide = dataclasses.replace(
        LAYOUTS[OPENING],
        header=tuple(
            dataclasses.replace(one, kind="text") if one.holds == "batch" else one
            for one in LAYOUTS[OPENING].header
        ),
    )
    assert read(wide, data_of(OPENING).replace(b"|000007|", b"|A-7|")).header["batch"] == "A-7"
    with pytest.raises(FileFaultsError, match="cannot stand in the name of a file"):
        read(wide, data_of(OPENING).replace(b"|000007|", b"|../7|"))


def test_no_fault_quotes_what_is_in_the_file() -> None:
    data = data_of(OPENING).replace(b"|", b"||")
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUTS[OPENING], data)
    told = caught.value.message + caught.value.zh + str(caught.value.details())
    assert "张" not in told
    assert "6399" not in told
