"""Files of XML: what can be wrong with one, what is refused, and what they may look like."""

from __future__ import annotations

import dataclasses
import re
import resource
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange.errors import Fault, FileFaultsError
from cardkit.registry.exchange.formats import xml_reading
from cardkit.registry.exchange.reading import LINE, PROBLEM, Content, read
from cardkit.registry.exchange.writing import UnwritableError, row_obstacles, write
from cardkit.registry.exchange.xml_shape import way
from tests.registry.exchange.test_layouts import vector

LAYOUT = catalogue.shipped()["deduction-xml"]
GOOD = bytes.fromhex("".join(vector("deduction-xml")["lines"])).decode("gbk")
DECLARATION, ROOT, INFO, TRANSACTION, VERSION, BATCH = range(1, 7)
BODY, COUNT, TOTAL, FIRST, SECOND, LAST = 8, 13, 14, 17, 18, 21
"""Lines of that file."""


def taken(text: str) -> Content:
    return read(LAYOUT, text.encode("gbk"), name="DK.xml")


def fault(data: str | bytes) -> Fault:
    """The first thing that is wrong."""
    raw = data.encode("gbk") if isinstance(data, str) else data
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUT, raw, name="DK.xml")
    first = caught.value.faults[0]
    where = f"line {first.line}: " if first.line else ""
    assert caught.value.message.startswith(f"DK.xml: {where}")
    assert (f"第{first.line}行" in caught.value.zh) == bool(first.line)
    return first


def swap(old: str, new: str) -> Callable[[str], str]:
    def apply(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return apply


def without(start: str, end: str) -> Callable[[str], str]:
    return lambda text: text[: text.index(start)] + text[text.index(end) :]


FAULTS: list[tuple[str, Callable[[str], str], int, str]] = [
    ("not well-formed", swap("</INFO>", "</BODY>"), 7, "xml"),
    ("a sign of markup in a value", swap("&amp;", "&"), FIRST, "xml"),
    ("cut off inside a row", lambda text: text[:-250], SECOND, "cut"),
    ("cut off at the end of a row", lambda text: text[: text.index("</TRANS_DETAILS>")], 19, "cut"),
    ("cut off before the end", lambda text: text[:-3], LAST, "cut"),
    ("only a declaration", lambda text: text[: text.index("<GZELINK>")], ROOT, "cut"),
    ("another file behind it", lambda text: text * 2, LAST + 1, "xml"),
    ("something behind it", lambda text: text + "<A/>", LAST + 1, "xml"),
    ("a wrong count", swap("<TOTAL_ITEM>2", "<TOTAL_ITEM>3"), COUNT, "count"),
    ("a wrong total", swap("20050", "20051"), TOTAL, "amount"),
    ("an amount that is none", swap("<AMOUNT>10050", "<AMOUNT>100.50"), SECOND, "money"),
    ("a row that is missing",
     lambda text: swap("<TOTAL_ITEM>2", "<TOTAL_ITEM>1")(
         without("<TRANS_DETAIL><SN>1", "<TRANS_DETAIL><SN>2")(text).replace("20050", "10050")),
     FIRST, "serial"),
    ("no row at all", without("<TRANS_DETAIL>", "</TRANS_DETAILS>"), COUNT, "count"),
    ("the element of rows is missing", without("<TRANS_DETAILS>", "</BODY>"), COUNT, "count"),
    ("no batch number", without("<REQ_SN>", "</INFO>"), INFO, "missing"),
    ("no INFO", without("<INFO>", "<BODY>"), ROOT, "constant"),
    ("another transaction", swap("100001", "100002"), TRANSACTION, "constant"),
    ("another root", lambda text: text.replace("GZELINK", "AIPG"), ROOT, "element"),
    ("an unknown element", swap("<BODY>", "<BODY><MORE>1</MORE>"), BODY, "element"),
    ("one in a row", swap("<SN>2</SN>", "<SN>2</SN><MORE>1</MORE>"), SECOND, "element"),
    ("one inside a field", swap("<SN>2</SN>", "<SN>2<A>1</A></SN>"), SECOND, "element"),
    ("an element twice", lambda text: text.replace("<VERSION>05</VERSION>", "<VERSION>05</VERSION>"
     * 2), VERSION, "twice"),
    ("a field twice", swap("<SN>2</SN>", "<SN>2</SN><SN>3</SN>"), SECOND, "twice"),
    ("the element of rows twice", swap("</BODY>", "<TRANS_DETAILS/></BODY>"), 20, "twice"),
    ("text between elements", swap("<BODY>", "<BODY>abc"), BODY + 1, "text"),
    ("text between fields", swap("<SN>2", "abc<SN>2"), SECOND, "text"),
    ("another encoding declared", swap("GBK", "UTF-8"), DECLARATION, "encoding"),
    ("no encoding declared", swap(' encoding="GBK"', ""), DECLARATION, "encoding"),
    ("no declaration", lambda text: text[text.index("<GZELINK>") :], 1, "encoding"),
    ("XML 1.1", swap('"1.0"', '"1.1"'), DECLARATION, "version"),
    ("something before it", lambda text: " " + text, 1, "xml"),
    ("a character that XML does not allow", swap("阿依", "\x01"), SECOND, "control"),
    ("a reference to one", swap("阿依", "&#1;"), SECOND, "control"),
    ("a reference to half a character", swap("阿依", "&#xD800;"), SECOND, "control"),
    ("a line end in a value", swap("阿依", "阿\n依"), SECOND, "control"),
    ("a line end in the header", swap("<REQ_SN>", "<REQ_SN>&#10;"), BATCH, "control"),
    ("NUL at the end", lambda text: text + "\0", LAST + 1, "control"),
    ("a reference out of the encoding", swap("阿依", "&#x3402;"), SECOND, "encoding"),
    ("one in the header", swap("<REQ_SN>", "<REQ_SN>&#x3402;"), BATCH, "encoding"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "line", "code"), [pytest.param(*one[1:], id=one[0]) for one in FAULTS]
)
def test_the_fault_is_named_by_its_line(spoil: Callable[[str], str], line: int, code: str) -> None:
    found = fault(spoil(GOOD))
    assert (found.line, found.code) == (line, code)


@pytest.mark.parametrize(
    ("data", "line", "code"),
    [
        (b"", 0, "empty"),
        (GOOD.encode(), FIRST, "encoding"),
        (GOOD.encode("utf-8-sig"), 1, "bom"),
        (GOOD.encode("utf-16"), 1, "bom"),
        (GOOD.replace("张", "㐂").encode("gb18030"), FIRST, "encoding"),
        (GOOD.encode("gbk").replace("阿".encode("gbk"), b"\xff\xff"), SECOND, "encoding"),
    ],
    ids=["empty", "UTF-8", "a mark", "UTF-16", "GB18030", "no GBK"],
)
def test_other_bytes_than_declared_are_named_by_their_line(
    data: bytes, line: int, code: str
) -> None:
    found = fault(data)
    assert (found.line, found.code) == (line, code)


@pytest.mark.parametrize(
    ("spoil", "line", "code"),
    [
        (swap("<GZELINK>", '<!DOCTYPE a [<!ENTITY b "c">]>\n<GZELINK>'), 2, "doctype"),
        (swap("<GZELINK>", '<!DOCTYPE a SYSTEM "file:///etc/hostname">\n<GZELINK>'), 2, "doctype"),
        (swap("阿依", "&b;"), SECOND, "entity"),
        (swap("<INFO>", "<INFO><!-- 1 -->"), INFO, "comment"),
        (swap("<INFO>", "<INFO><?a b?>"), INFO, "instruction"),
        (swap("<INFO>", '<INFO a="1">'), INFO, "attribute"),
        (swap("<SN>2", '<SN a="1">2'), SECOND, "attribute"),
        (swap("<TRANS_DETAIL>", '<TRANS_DETAIL a="1">'), FIRST, "attribute"),
        (swap("<GZELINK>", '<GZELINK xmlns="urn:a">'), ROOT, "attribute"),
    ],
    ids=[
        "definitions", "a file from elsewhere", "an entity", "a comment", "an instruction",
        "attributes", "attributes of a field", "attributes of a row", "a namespace",
    ],
)  # fmt: skip
def test_nothing_is_accepted_that_nobody_would_look_at(
    spoil: Callable[[str], str], line: int, code: str
) -> None:
    found = fault(spoil(GOOD))
    assert (found.line, found.code) == (line, code)


@pytest.mark.parametrize(
    "inserted",
    ["<a>" * 100_000, "<a>" + "x" * 5_000_000 + "</a>", f'<a b="{"x" * 5_000_000}"/>'],
    ids=["depth", "text", "an attribute"],
)
def test_depth_and_length_have_limits(inserted: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileFaultsError) as caught:
        taken(swap("<BODY>\n", f"<BODY>\n{inserted}")(GOOD))
    assert {one.line for one in caught.value.faults} == {BODY + 1}
    assert {one.code for one in caught.value.faults} & {"deep", "size"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_size_and_rows_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_reading, "_MOST", 1)
    found = fault(GOOD)
    assert (found.line, found.code) == (SECOND, "size")
    monkeypatch.setattr(xml_reading, "_LARGEST", 100)
    assert fault(GOOD).code == "size"


# -- what a file may look like --------------------------------------------------------------------


def rows(content: Content) -> list[dict[str, str]]:
    return content.rows.drop(LINE, PROBLEM).to_dicts()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", ""),
        lambda text: text.replace("\n", "\r\n    "),
        lambda text: re.sub("><(?!/)", ">\n\t<", text),
        lambda text: text + "\n\n",
        lambda text: text.replace("<REMARK></REMARK>", "<REMARK/>"),
        lambda text: text.replace("<REMARK></REMARK>", ""),
        lambda text: text.replace("阿依", "<![CDATA[阿依]]>"),
        lambda text: text.replace("阿", "&#x963F;"),
        lambda text: text.replace("?>", " standalone='yes'?>").replace("GBK", "gbk"),
        lambda text: text.replace("<SN>2</SN><BANK_CODE>102</BANK_CODE>",
                                  "<BANK_CODE>102</BANK_CODE><SN>2</SN>"),
    ],
    ids=["one line", "indented", "a field a line", "blank lines", "an empty element",
         "nothing for nothing", "CDATA", "a reference", "another declaration", "another order"],
)  # fmt: skip
def test_the_same_file_may_look_different(change: Callable[[str], str]) -> None:
    other = change(GOOD)
    assert other != GOOD
    assert rows(taken(other)) == rows(taken(GOOD))
    assert taken(other).header == taken(GOOD).header


def test_rows_on_one_line_are_told_apart_by_their_number() -> None:
    found = fault(GOOD.replace("\n", "").replace("<SN>2</SN>", "<SN>2</SN><MORE/>"))
    assert found.text == "row 2: unknown element MORE"
    assert found.zh == "（第2笔）未知元素 MORE"


def test_every_fault_is_named_and_many_of_one_line_once() -> None:
    with pytest.raises(FileFaultsError) as caught:
        taken(swap("<BODY>", "<BODY>" + "<A/>" * 30)(GOOD))
    assert (len(caught.value.faults), caught.value.more) == (20, 10)
    assert caught.value.further() == ["line 8: unknown element A", "... and 10 more"]
    with pytest.raises(FileFaultsError) as caught:
        taken(GOOD.replace("<SN>", "<NO/><SN>"))
    assert [one.line for one in caught.value.faults] == [FIRST, SECOND]


def test_what_is_wrong_with_one_row_stays_with_that_row() -> None:
    spoilt = GOOD.replace("<BANK_CODE>102</BANK_CODE><ACCOUNT_TYPE>01", "<ACCOUNT_TYPE>01")
    spoilt = spoilt.replace("张倈三", "张" * 31)
    assert taken(spoilt).rows[PROBLEM].to_list() == ["name:long", "bank:missing"]


def test_no_fault_quotes_what_is_in_the_file() -> None:
    for spoil in (swap("<BODY>", "<BODY><密码>张倈三</密码>"), swap("<BODY>", "<BODY>张倈三")):
        with pytest.raises(FileFaultsError) as caught:
            taken(spoil(GOOD))
        told = caught.value.message + caught.value.zh + str(caught.value.details())
        assert "张" not in told
        assert "密码" not in told


def test_a_long_file_is_read_in_pieces_and_its_lines_are_counted_through_all_of_them() -> None:
    height = 45_000
    given = pl.DataFrame(vector("deduction-xml")["rows"][:1]).select(pl.exclude("serial"))
    many = pl.concat([given] * height).with_columns(
        pl.int_range(height).cast(pl.String).alias("account")
    )
    known = {"batch": "1", "date": "20120501", "merchant": "1"}
    data = write(LAYOUT, many, known)
    assert len(data) > 5 * xml_reading._PIECE
    found = read(LAYOUT, data).rows
    assert found.drop(LINE, PROBLEM, "serial").equals(many.select(found.columns[1:9]))
    assert found[LINE].to_list() == list(range(FIRST, FIRST + height))
    with pytest.raises(FileFaultsError) as caught:
        read(LAYOUT, data.replace(b"<SN>44000</SN>", b"<SN>44000</SN><X/>"))
    assert caught.value.faults[0].line == FIRST + 43_999


# -- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a\nb", "a character that XML does not allow"),
        ("a\ufffeb", "a character that XML does not allow"),
        ("㐂", "a character that gbk does not have"),
    ],
)
def test_a_value_that_xml_cannot_carry_is_not_written_some_other_way(value: str, why: str) -> None:
    known = vector("deduction-xml")
    given = pl.DataFrame(known["rows"]).with_columns(pl.lit(value).alias("remark"))
    with pytest.raises(UnwritableError, match=f"row 1: remark has {why}") as caught:
        write(LAYOUT, given, known["header"])
    assert value not in caught.value.message
    assert row_obstacles(LAYOUT, given)[0] in ("remark:sign", "remark:character")
    with pytest.raises(UnwritableError, match=f"merchant has {why}"):
        write(LAYOUT, pl.DataFrame(known["rows"]), known["header"] | {"merchant": value})


@given(st.text(st.characters(codec="gb18030", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20))
@example("]]></REMARK><AMOUNT>1</AMOUNT>")
@example("<![CDATA[&amp;&#60;]]>")
@settings(deadline=None)
def test_whatever_is_in_a_value_is_not_markup(value: str) -> None:
    layout = dataclasses.replace(LAYOUT, encoding="gb18030")
    known = vector("deduction-xml")
    given = pl.DataFrame(known["rows"]).with_columns(pl.lit(value).alias("remark"))
    found = read(layout, write(layout, given, known["header"])).rows
    assert found["remark"].to_list() == [value, value]
    assert found["amount"].to_list() == given["amount"].to_list()


def test_from_one_element_to_another_what_is_open_is_closed_first() -> None:
    assert way((), ("A", "B")) == ((), ("A", "B"))
    assert way(("A", "B", "C"), ("A", "D")) == (("C", "B"), ("D",))
    assert way(("A", "B"), ()) == (("B", "A"), ())


# -- any damage -----------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [b"", b"<", b">", b"/", b"&", b"]]>", b"<!--", b"<![CDATA[", b"<!DOCTYPE a>", b"&#0;", b"\xff",
     b"\x81", b"\x00", b"<SN>", b"</SN>", b"</TRANS_DETAIL>", b"<TRANS_DETAIL>", b"</GZELINK>"]
) | st.binary(max_size=4)  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), _PIECES), min_size=1, max_size=4)
)
@settings(max_examples=400, deadline=None)
def test_damage_of_any_kind_is_a_fault_or_leaves_a_file_that_adds_up(
    damage: list[tuple[int, int, bytes]],
) -> None:
    data = GOOD.encode("gbk")
    for start, length, piece in damage:
        data = data[:start] + piece + data[start + length :]
    faults: tuple[Fault, ...] = ()
    try:
        content = read(LAYOUT, data)
    except FileFaultsError as error:
        faults = error.faults
    if faults:
        lines = data.count(b"\n") + data.count(b"\r") + 1
        assert all(0 <= one.line <= lines for one in faults)
        return
    assert content.rows.height == int(content.header["count"])
    assert content.rows["amount"].cast(pl.Int64).sum() == int(content.header["total"])
