"""Days as people write them, and the 56 nations."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.codec.dates import parse_day, parse_written_day
from cardkit.codec.nations import NATIONS, nation_code


@pytest.mark.parametrize(
    "text",
    ["20120305", "2012-03-05", "2012-3-5", "2012/3/5", "2012.03.05", "2012年3月5日", "2012年03月05",
     "2012-03-05 00:00:00", "2012-03-05T00:00:00", "2012-03-05 00:00:00.000"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert parse_written_day(text) == dt.date(2012, 3, 5)


@pytest.mark.parametrize(
    "text",
    ["", "2012", "20120230", "2012-3/5", "2012年", "5.3.2012", "2012-03-05 12:00", "２０１２0305",
     "00000101"],
)  # fmt: skip
def test_anything_else_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_written_day(text)


@given(st.dates())
def test_eight_digits_are_a_day_and_back(day: dt.date) -> None:
    assert parse_day(f"{day.year:04}{day:%m%d}") == day


def test_there_are_56_nations_with_different_names() -> None:
    assert list(NATIONS) == [f"{n:02}" for n in range(1, 57)]
    assert len(set(NATIONS.values())) == 56


@pytest.mark.parametrize(
    ("text", "code"),
    [("汉", "01"), ("汉族", "01"), ("1", "01"), ("01", "01"), ("土家族", "15"), ("土族", "30"),
     ("毛难族", "36"), ("基诺", "56"), ("56", "56")],
)  # fmt: skip
def test_a_nation_is_known_by_code_and_name(text: str, code: str) -> None:
    assert nation_code(text) == code


@pytest.mark.parametrize("text", ["", "族", "57", "00", "97", "001", "汗族", "han"])
def test_other_texts_are_no_nation(text: str) -> None:
    with pytest.raises(ValueError, match="no nation"):
        nation_code(text)
