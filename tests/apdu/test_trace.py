"""The text of a trace: what it may look like, and what is said when it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import trace as trace_module
from cardkit.apdu.mask import Pattern
from cardkit.apdu.trace import (
    VERSION,
    Comment,
    Exchange,
    Reset,
    Trace,
    TraceSyntaxError,
    load,
    parse,
    to_text,
)
from cardkit.errors import UsageError

SESSION = """cardkit trace 1
# recorded by hand

* 3B6D0000  # reset
> 00A40400 03 AABBCC 00  # SELECT SSSE
< 6F028400 9000 +0.012500
> 00B20728 0B
< 0709****************** 9000  # done
> 80E00200
< 6985
> 0084000008
"""


def bytes_of(text: str) -> Pattern:
    return Pattern.parse(text)


def test_a_session_in_words() -> None:
    trace = parse(SESSION)

    assert trace.entries == (
        Comment("# recorded by hand"),
        Comment(""),
        Reset(bytes_of("3B6D0000"), "reset", 4),
        Exchange(bytes_of("00A4040003AABBCC00"), bytes_of("6F0284009000"), 0.0125, "SELECT SSSE",
                 "", 5),
        Exchange(bytes_of("00B207280B"), bytes_of("0709" + 9 * "**" + "9000"), None, "", "done", 7),
        Exchange(bytes_of("80E00200"), bytes_of("6985"), None, "", "", 9),
        Exchange(bytes_of("0084000008"), None, None, "", "", 11),
    )  # fmt: skip
    assert trace.masked
    assert not trace.raw


def test_text_is_canonical() -> None:
    free = (
        "cardkit trace 1\n*3b6d 00 00   # reset\r\n>  00A4 0400 03aabbcc00 #SELECT  SSSE\n<9000+1"
    )
    assert to_text(parse(free)) == (
        "cardkit trace 1\n* 3B6D0000  # reset\n"
        "> 00A40400 03 AABBCC 00  # SELECT SSSE\n< 9000 +1.000000\n"
    )
    assert to_text(parse(SESSION)) == SESSION.replace("0084000008", "00840000 08")


@pytest.mark.parametrize(
    ("lines", "raw"),
    [
        ("> 00A40400 01 AA\n< 610A", True),
        ("> 00B20128 00\n< 6C12", True),
        ("> 00C00000 0A\n< 9000", True),
        ("> 00B20128 01\n< 61 9000", False),
    ],
)
def test_a_trace_recorded_next_to_the_chip_is_recognised(lines: str, raw: bool) -> None:
    assert parse(f"{VERSION}\n{lines}\n").raw is raw


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("00A40400\n", 1),
        ("cardkit trace 2\n", 1),
        (f"\n{VERSION}\n", 1),
        (f"{VERSION}\n00A40400\n", 2),
        (f"{VERSION}\n< 9000\n", 2),
        (f"{VERSION}\n> 00A40400\n\n< 9000\n", 4),
        (f"{VERSION}\n> 00A40400\n< 9000\n< 9000\n", 4),
        (f"{VERSION}\n>\n", 2),
        (f"{VERSION}\n> 0\n", 2),
        (f"{VERSION}\n> 0*\n", 2),
        (f"{VERSION}\n> 0G\n", 2),
        (f"{VERSION}\n> ٠٠A40400\n", 2),
        (f"{VERSION}\n> 00A40400 +1\n", 2),
        (f"{VERSION}\n> 00A40400\n< 90\n", 3),
        (f"{VERSION}\n> 00A40400\n< 90**\n", 3),
        (f"{VERSION}\n> 00A40400\n< 9000 +\n< 9000", 4),
        (f"{VERSION}\n> 00A40400\n< 9000 +-1\n", 3),
        (f"{VERSION}\n> 00A40400\n< 9000 +1e9\n", 3),
        (f"{VERSION}\n> 00A40400\n< 9000 +nan\n", 3),
        (f"{VERSION}\n> 00A40400\n< 9000 1\n", 3),
        (f"{VERSION}\n> {'00' * 70_000}\n", 2),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(TraceSyntaxError) as caught:
        parse(text)
    assert caught.value.line_number == line
    assert f"line {line}:" in str(caught.value)


def test_an_error_never_repeats_what_stands_in_the_line() -> None:
    with pytest.raises(TraceSyntaxError) as caught:
        parse(f"{VERSION}\n> 00200000 03 123456 my PIN\n")
    assert "123456" not in str(caught.value)


# --- files ---------------------------------------------------------------------------------------


def test_a_file_is_named_in_the_error(tmp_path: Path) -> None:
    file = tmp_path / "some.trace"
    file.write_text(f"{VERSION}\nnonsense\n")
    with pytest.raises(UsageError, match=r"some\.trace, line 2"):
        load(file)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "some.trace"
    file.write_bytes(VERSION.encode() + b"\n# \xff\n")
    with pytest.raises(UsageError, match=r"some\.trace, line 2: not UTF-8"):
        load(file)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.trace")


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "MAX_FILE", 100)
    file = tmp_path / "long.trace"
    file.write_text(SESSION)
    with pytest.raises(UsageError, match="no trace"):
        load(file)


def test_the_examples_of_the_documentation_are_traces() -> None:
    page = Path(__file__).parents[2] / "docs" / "trace.md"
    examples = re.findall(r"```trace\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        assert to_text(parse(example)) == example


# --- properties ----------------------------------------------------------------------------------


@st.composite
def patterns(draw: st.DrawFn, least: int) -> Pattern:
    value = draw(st.binary(min_size=least, max_size=40))
    hidden = draw(st.frozensets(st.integers(0, max(len(value) - 3, 0)), max_size=6))
    hidden = frozenset(at for at in hidden if at < len(value) - 2)
    return Pattern(bytes(0 if at in hidden else b for at, b in enumerate(value)), hidden)


notes = st.text().map(trace_module.one_line)
exchanges = st.builds(
    Exchange,
    patterns(1),
    patterns(2),
    st.none() | st.integers(0, 10**12).map(lambda n: n / 10**6),
    notes,
    notes,
)
unanswered = st.builds(Exchange, patterns(1), st.none(), st.none(), notes)
resets = st.builds(Reset, patterns(1), notes)
comments = st.builds(
    Comment, st.just("") | st.text().map(lambda t: f"# {trace_module.one_line(t)}".strip())
)
traces = st.builds(Trace, st.lists(exchanges | unanswered | resets | comments).map(tuple))


def without_places(trace: Trace) -> list[object]:
    return [
        entry
        if isinstance(entry, Comment)
        else type(entry)(
            **{name: getattr(entry, name) for name in entry.__slots__ if name != "line"}
        )
        for entry in trace.entries
    ]


@given(traces)
def test_reading_is_the_inverse_of_writing(trace: Trace) -> None:
    assert without_places(parse(to_text(trace))) == without_places(trace)


@given(traces)
def test_every_place_is_the_line_of_the_file(trace: Trace) -> None:
    lines = to_text(trace).split("\n")
    for event in parse(to_text(trace)).events:
        assert lines[event.line - 1].startswith("*" if isinstance(event, Reset) else ">")


def parses_or_names_the_line(text: str) -> None:
    complaint = ""
    try:
        parse(text)
    except UsageError as error:
        complaint = str(error)
    assert not complaint or "line " in complaint


@given(st.text())
def test_random_text_gives_a_trace_or_a_line_number(text: str) -> None:
    parses_or_names_the_line(text)
    parses_or_names_the_line(f"{VERSION}\n{text}")


@given(st.text(alphabet="><*#+. \t\r\n0123456789ABCDEFabcdef\x0b\x1c\u2028", max_size=200))
def test_text_that_looks_like_a_trace_gives_one_or_a_line_number(text: str) -> None:
    parses_or_names_the_line(f"{VERSION}\n{text}")


@given(st.integers(0, len(SESSION)), st.integers(0, 3), st.text(max_size=3))
def test_a_damaged_trace_gives_a_trace_or_a_line_number(at: int, cut: int, new: str) -> None:
    parses_or_names_the_line(SESSION[:at] + new + SESSION[at + cut :])


@given(st.binary(max_size=100))
def test_random_files_give_a_trace_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "random.trace"
    for start in (b"", VERSION.encode() + b"\n"):
        file.write_bytes(start + content)
        complaint = "random.trace"
        try:
            load(file)
        except UsageError as error:
            complaint = str(error)
        assert "random.trace" in complaint
