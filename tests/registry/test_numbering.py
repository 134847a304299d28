"""Numbers: right by the standard, and never twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.codec.numbers import card_check, is_card_number
from cardkit.errors import UsageError
from cardkit.registry.numbering import Numbering, card_number, draw, id_code

prefixes = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=7)


@given(prefixes, st.data())
def test_a_card_number_ends_in_its_check_character(prefix: str, data: st.DataObject) -> None:
    running = data.draw(st.integers(0, 10 ** (8 - len(prefix)) - 1))
    number = card_number(prefix, running)
    assert is_card_number(number)
    assert number[8] == card_check(number[:8])
    assert number.startswith(prefix)
    assert int(number[len(prefix) : 8]) == running


def test_the_published_sample() -> None:
    assert card_number("X", 1) == "X00000019"


def test_an_id_code_is_district_application_serial() -> None:
    code = id_code("639900", 0x0102)
    assert code == bytes.fromhex("639900 D156000005 00000102".replace(" ", ""))


@pytest.mark.parametrize(
    ("prefix", "card_first", "serial_first", "district"),
    [
        ("ABCDEFGH", 1, 1, "639900"),
        ("a", 1, 1, "639900"),
        ("省", 1, 1, "639900"),
        ("A", -1, 1, "639900"),
        ("A", 1, -1, "639900"),
        ("A", 1, 1, "63990"),
        ("A", 1, 1, "63990A"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    prefix: str, card_first: int, serial_first: int, district: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Numbering(prefix, card_first, serial_first, district)
    assert caught.value.hint


@given(st.integers(0, 20), st.integers(0, 30), st.sets(st.integers(0, 80)))
def test_drawing_gives_the_lowest_free_numbers(count: int, first: int, used: set[int]) -> None:
    numbers = {bytes([n]) for n in used}
    found, following = draw(
        count, first, 200, lambda n: bytes([n]), lambda _low, _high: numbers, "numbers"
    )
    free = (n for n in range(first, 200) if n not in used)
    expected = [next(free) for _ in range(count)]
    assert [n[0] for n in found] == expected
    assert following == (expected[-1] + 1 if expected else first)


def test_a_used_up_range_says_how_many_are_missing() -> None:
    with pytest.raises(UsageError, match="3 more are needed, 2 are left"):
        draw(3, 8, 10, str, lambda _low, _high: (), "card numbers")
