"""Text for people and for programs."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.cli.output import Output, columns_wide, printable, table

CELLS = st.text(max_size=12)


@given(st.text())
def test_nothing_printable_has_a_character_that_a_terminal_obeys(text: str) -> None:
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in printable(text))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1))
def test_the_columns_of_a_table_begin_at_the_same_place(rows: list[tuple[str, str, str]]) -> None:
    marked = [(a, "|" + b.replace("|", ""), c) for a, b, c in rows]
    places = {
        columns_wide(line[: line.index("|", len(printable(a)))])
        for line, (a, _, _) in zip(table(marked), marked, strict=True)
    }

    assert len(places) == 1


def test_a_table_of_nothing_is_empty() -> None:
    assert table([]) == []


def test_people_and_programs_read_different_things(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        out = Output(as_json=as_json)
        out.line("for people")
        out.document({"for": "programs"})
        out.note("for both")

    told = capsys.readouterr()
    people, _, programs = told.out.partition("\n")
    assert people == "for people"
    assert json.loads(programs) == {"for": "programs"}
    assert told.err == "for both\nfor both\n"


@pytest.mark.parametrize("content", [[], [1], [{"a": "一"}, {"a": None}]])
def test_a_long_list_is_one_document(
    content: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    Output(as_json=True).list_document(iter(content))

    assert json.loads(capsys.readouterr().out) == content
