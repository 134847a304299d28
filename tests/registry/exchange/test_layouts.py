"""The shipped layouts: known bytes beside each of them, round trips, and what layouts may say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.registry.exchange import catalogue, describing, layout
from cardkit.registry.exchange.errors import FileFaultsError, LayoutError
from cardkit.registry.exchange.layout import Field, Kind, Layout
from cardkit.registry.exchange.reading import LINE, PROBLEM, read
from cardkit.registry.exchange.writing import write
from tests.registry.exchange import make_vectors

LAYOUTS = catalogue.shipped()
FOLDER = Path(catalogue.__file__).with_name("layouts")


def vector(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / "vectors" / f"{name}.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_known_bytes(name: str) -> None:
    """Put together by hand from the shapes that banks use; see the first line of each."""
    known = vector(name)
    data = bytes.fromhex("".join(known["lines"]))
    content = read(LAYOUTS[name], data)
    assert content.header == known["header"]
    assert content.trailer == known["trailer"]
    assert content.rows.drop(LINE, PROBLEM).to_dicts() == known["rows"]
    assert set(content.rows[PROBLEM]) == {""}
    rows = pl.DataFrame(known["rows"])
    assert write(LAYOUTS[name], rows, {**known["header"], **known["trailer"]}) == data


def test_the_known_bytes_are_those_that_were_put_together_by_hand() -> None:
    made = {name: make_vectors.rendered(one) for name, one in make_vectors.vectors()}
    files = (FOLDER / "vectors").iterdir()
    assert made == {file.stem: file.read_text("utf-8") for file in files}
    assert set(made) == set(LAYOUTS)
    assert "cardkit" not in Path(make_vectors.__file__).read_text("utf-8")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_flipped_bit_never_reads_as_the_same_rows(name: str) -> None:
    known = vector(name)
    data = bytearray.fromhex("".join(known["lines"]))
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        try:
            content = read(LAYOUTS[name], bytes(changed))
        except FileFaultsError:
            continue
        found = (content.header, content.trailer, content.rows.drop(LINE, PROBLEM).to_dicts())
        assert found != (known["header"], known["trailer"], known["rows"])


def test_an_answer_in_columns_leaves_every_byte_before_the_result_as_it_was() -> None:
    asked = bytes.fromhex("".join(vector("bank-columns")["lines"])).split(b"\r\n")
    answer = bytes.fromhex("".join(vector("bank-columns-return")["lines"])).split(b"\r\n")
    width = sum(field.width for field in LAYOUTS["bank-columns"].fields)
    for question, reply in zip(asked[:2], answer[:2], strict=True):
        before = width - 4
        assert reply[:before] == question[:before]
        assert reply[before : before + 3] in (b"001", b"002")
        assert reply[before + 3 :] == question[before:]


# -- any layout, any rows ---

CHARACTERS = "张王李阿·卜倈蓱 aZ09-|/<>&\"'"


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    xml = draw(st.booleans())
    signs = [""] if xml else ["", "|", ",", ";"]
    separator = draw(st.sampled_from(signs))
    fields = []
    for at in range(draw(st.integers(1, 5))):
        kinds: list[Kind] = ["text", "number", "money"]
        kind = draw(st.sampled_from(kinds))
        zeros = not separator and kind == "number" and draw(st.booleans())
        fields.append(
            Field(
                f"f{at}",
                kind=kind,
                width=draw(st.integers(8, 30)),
                right=zeros or draw(st.booleans()),
                pad="0" if zeros else " ",
                unit=draw(st.sampled_from(["fen", "yuan"])),
                holds="amount" if kind == "money" and at == 0 else "",
            )
        )
    count = Field("count", kind="number", width=12, right=True, pad="0", holds="count")
    total = Field("total", kind="money", width=20, holds="amount", unit="yuan")
    where = draw(st.sampled_from(["header", "trailer"]))
    raw = {
        "name": "any",
        "title": "任意",
        "version": 1,
        "direction": "both",
        "file_name": "x_{batch}.txt",
        "encoding": draw(st.sampled_from(["gbk", "gb18030", "utf-8"])),
        "line_end": draw(st.sampled_from(["LF", "CRLF"])),
        "separator": separator,
        "fields": [_raw(one) for one in (Field("key", width=6, key=True), *fields)],
        where: [_raw(count), _raw(total)],
    }
    if xml:
        raw["xml"] = {"rows": draw(st.sampled_from(["A/R", "A/B/R"])), where: f"A/{where}"}
    return layout.parse(raw)


def _raw(one: Field) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Field.__dataclass_fields__}


@st.composite
def files(draw: st.DrawFn) -> tuple[Layout, pl.DataFrame]:
    made = draw(layouts())
    characters = CHARACTERS.replace(made.separator or "\0", "")
    height = draw(st.integers(0, 6))
    columns: dict[str, list[str]] = {"key": [f"k{at}" for at in range(height)]}
    for one in made.fields[1:]:
        columns[one.name] = [draw(_value(made, one, characters)) for _ in range(height)]
    return made, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _value(made: Layout, one: Field, characters: str) -> st.SearchStrategy[str]:
    if one.kind == "number":
        return st.integers(0, 10**7).map(str)
    if one.kind == "money":
        whole = st.integers(0, 99_999)
        return whole.map(lambda n: f"{n // 100}.{n % 100:02d}" if one.unit == "yuan" else str(n))
    text = st.text(characters, max_size=one.width)
    return text.map(str.strip).filter(lambda t: len(t.encode(made.encoding)) <= one.width)


@given(files())
@settings(max_examples=300, deadline=None)
def test_what_was_written_is_read_again(made: tuple[Layout, pl.DataFrame]) -> None:
    form, rows = made
    data = write(form, rows)
    content = read(form, data)
    assert content.rows.drop(LINE, PROBLEM).to_dicts() == rows.to_dicts()
    assert set(content.rows[PROBLEM]) <= {""}
    assert write(form, content.rows) == data


# -- declarations ---

GOOD: dict[str, Any] = {
    "name": "x",
    "title": "试",
    "version": 1,
    "direction": "in",
    "file_name": "x.txt",
    "encoding": "gbk",
    "line_end": "LF",
    "separator": "|",
    "fields": [{"name": "a", "width": 3}],
}


XML: dict[str, Any] = {"separator": "", "xml": {"rows": "A/R"}}
APART = (("a", "H"), ("b", "I"), ("c", "H"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "unknown word 'colour'"),
        ({"encoding": "big5"}, "encoding 'big5'"),
        ({"line_end": "CR"}, "'CR' is missing or unknown"),
        ({"separator": "||"}, "not one ASCII sign"),
        ({"direction": "sideways"}, "direction 'sideways'"),
        ({"fields": [{"name": "a"}]}, "a has no width"),
        ({"fields": [{"name": "a", "width": 1}] * 2}, "the same name"),
        ({"fields": [{"name": "a", "width": 1, "kind": "colour"}]}, "is unknown"),
        ({"fields": [{"name": "a", "width": 1, "pad": "0"}]}, "zeros on the left"),
        ({"fields": [{"name": "a", "width": 1, "pattern": "("}]}, "no regular expression"),
        ({"fields": [{"name": "a", "width": 1, "holds": "result"}]}, "no [results]"),
        ({"results": {"1": {"means": "perhaps", "text": ""}}}, "means 'perhaps'"),
        ({"based_on": "nothing"}, "which there is not"),
        ({"version": "one"}, "version is not a whole number"),
        ({"fields": "a"}, "fields is not a list"),
        ({"fields": ["a"]}, "no table of words"),
        ({"fields": [{"name": "a", "width": "3"}]}, "width is not a whole number"),
        ({"fields": [{"name": "a", "width": 3, "key": "yes"}]}, "key is not true or false"),
        ({"results": {"1": "ok"}}, "result 1: 'ok' is no table of words"),
        ({"separator": "\t"}, "not one ASCII sign"),
        ({"name": "two words"}, "a name is 1-40 letters"),
        ({"file_name": "x_{day}.txt"}, "file_name has {day}"),
        ({"file_name": "x_{batch.txt"}, "a brace without its other one"),
        ({"file_name": "../x_{batch}.txt"}, "a sign that cannot stand"),
        ({"service": "magic"}, "service 'magic' is not one of"),
        ({"service": "inquiry"}, "service inquiry needs a field citizen_number"),
        ({"service": "blacklist", "direction": "out"}, "needs a header field list_version"),
        ({"wins": "ours"}, "wins 'ours'"),
        ({"fields": [{"name": "a", "width": 3, "tag": "A"}]}, "tags are for layouts with [xml]"),
        ({"xml": {"rows": "A/R"}}, "a separator or is XML, not both"),
        (XML | {"fields": [{"name": "a", "width": 3, "tag": "REASON"}]}, "the tag REASON is that"),
        (XML | {"xml": {}}, "'rows' is missing"),
        (XML | {"xml": {"rows": "A/R", "row": "R"}}, "[xml]: unknown word 'row'"),
        (XML | {"xml": {"rows": 1}}, "rows is not text"),
        (XML | {"xml": {"rows": "R"}}, "R is not 1-14 elements below the root R"),
        (XML | {"xml": {"rows": "A/" * 16 + "R"}}, "is not 1-14 elements below"),
        (XML | {"xml": {"rows": "A//R"}}, "A//R is not formed of names"),
        (XML | {"xml": {"rows": "A/1"}}, "A/1 is not formed of names"),
        (XML | {"xml": {"rows": "A/xmlR"}}, "A/xmlR is not formed of names"),
        (XML | {"xml": {"rows": "A/R", "header": "B"}}, "B is not the root A"),
        (XML | {"header": [{"name": "r", "width": 1}]}, "A/R would be there twice"),
        (XML | {"fields": [{"name": "a", "width": 3, "tag": "B/C"}]}, "one name of an element"),
        (XML | {"fields": [{"name": n, "width": 3, "tag": "T"} for n in "ab"]}, "the same tag"),
        (
            XML | {"header": [{"name": n, "width": 1, "tag": f"{t}/{n}"} for n, t in APART]},
            "A/H would be there twice",
        ),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(words)):
        layout.parse(GOOD | change)


ANSWER: dict[str, Any] = {
    "name": "y",
    "title": "回",
    "version": 1,
    "direction": "in",
    "file_name": "y.txt",
    "based_on": "bank-columns",
    "result_before": "remark",
    "fields": [{"name": "result", "width": 3}],
    "results": {"001": {"means": "ok", "text": ""}},
}


def test_an_answer_in_the_shape_of_its_question_says_where_its_result_stands() -> None:
    assert layout.parse(ANSWER, LAYOUTS).fields[-2].holds == "result"
    changes: tuple[dict[str, Any], ...] = ({"result_before": "none"}, {"fields": []})
    for change in changes:
        with pytest.raises(LayoutError, match="result_before"):
            layout.parse(ANSWER | change, LAYOUTS)
    for word in ("title", "fields", "result_before", "results"):
        raw = {name: value for name, value in ANSWER.items() if name != word}
        with pytest.raises(LayoutError, match=f"'{word}' is missing"):
            layout.parse(raw, LAYOUTS)


def test_a_place_adds_layouts_of_its_own(tmp_path: Path) -> None:
    text = (FOLDER / "state-inquiry.toml").read_text("utf-8")
    (tmp_path / "ours.toml").write_text(text.replace('"gb18030"', '"utf-8"'), "utf-8")
    found = catalogue.load([tmp_path])
    assert found["state-inquiry"].encoding == "utf-8"
    assert set(found) == set(LAYOUTS)
    (tmp_path / "bad.toml").write_text("= 1", "utf-8")
    with pytest.raises(LayoutError, match=r"bad.toml is no TOML"):
        catalogue.load([tmp_path])


def test_a_file_of_layouts_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="there is no directory"):
        catalogue.load([tmp_path / "none"])
    text = (FOLDER / "state-inquiry.toml").read_text("utf-8")
    (tmp_path / "ours.toml").write_text(text.replace('"gb18030"', '"big5"'), "utf-8")
    with pytest.raises(LayoutError, match=r"ours.toml: layout state-inquiry: encoding") as caught:
        catalogue.load([tmp_path])
    assert caught.value.hint
    (tmp_path / "ours.toml").write_text(text.replace('"state-answer"', '"none"'), "utf-8")
    with pytest.raises(LayoutError, match="state-inquiry names none, which there is not"):
        catalogue.load([tmp_path])


def test_the_layout_on_the_page_can_be_used() -> None:
    page = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text("utf-8")
    example, xml = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    ours = layout.parse(tomllib.loads(example))
    rows = pl.DataFrame({"citizen_number": ["1" * 18], "name": ["张三"], "amount": ["1250"]})
    data = write(ours, rows, {"batch": "7"})
    assert data == "000001111111111111111111张三                000000001250\r\n".encode("gbk") + (
        b"7       000001           12.50\r\n"
    )
    assert read(ours, data).rows[PROBLEM].to_list() == [""]
    form = layout.parse(tomllib.loads(xml))
    data = write(form, rows.select("citizen_number", "name"), {"batch": "7"})
    (shown,) = re.findall(r"```xml\n(.*?)```", page, re.DOTALL)
    assert data == shown.replace("\n", "\r\n").encode("gb18030")
    assert read(form, data).rows[PROBLEM].to_list() == [""]


def test_every_layout_is_on_the_page() -> None:
    """tests/docs compares the page itself with what is made here."""
    made = describing.pages(LAYOUTS)
    for name, shown in LAYOUTS.items():
        assert f"### `{name}` {shown.title}\n" in made
        for one in (*shown.header, *shown.fields, *shown.trailer):
            assert f"| `{one.name}` | {one.title} |" in made
    assert "; answers `bank-columns`\n" in made
