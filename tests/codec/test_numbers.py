"""Check digits: the standards' own examples, and no single mistake gets through."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.codec import numbers

VECTORS = {
    v["name"]: v
    for v in json.loads(
        (Path(__file__).parent.parent / "vectors" / "gb11643.json").read_text(encoding="utf-8")
    )["vectors"]
}
CITIZENS = [name for name in VECTORS if name.startswith("gb11643")]
DIGITS = "0123456789"
CARD_CHARACTERS = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize("name", CITIZENS)
def test_citizen_number_of_the_standard(name: str) -> None:
    vector = VECTORS[name]
    assert numbers.citizen_check(vector["inputs"]["id17"]) == vector["output"]


@pytest.mark.parametrize("name", CITIZENS)
def test_any_flipped_digit_of_the_standards_example_fails(name: str) -> None:
    number = VECTORS[name]["inputs"]["id17"] + VECTORS[name]["output"]
    for at in range(17):
        for digit in set(DIGITS) - {number[at]}:
            spoilt = number[:at] + digit + number[at + 1 :]
            with pytest.raises(numbers.NumberError):
                numbers.parse_citizen_number(spoilt)


def test_card_number_of_the_specification_and_every_flipped_character() -> None:
    vector = VECTORS["gb11714_card_number_1"]
    number = vector["inputs"]["first8"] + vector["output"]
    assert numbers.is_card_number(number)
    for at in range(8):
        for character in set(CARD_CHARACTERS) - {number[at]}:
            value, old = CARD_CHARACTERS.index(character), CARD_CHARACTERS.index(number[at])
            spoilt = number[:at] + character + number[at + 1 :]
            # Values that differ by 11 or 22 (0 and B, say) look the same to a rule modulo 11.
            assert numbers.is_card_number(spoilt) == ((value - old) % 11 == 0)


@pytest.mark.parametrize(
    ("first8", "check"),
    [
        ("00000000", "0"),  # 11 - 0 is written 0
        ("00000005", "1"),  # 11 - 10
        ("00000006", "X"),  # 11 - 12 mod 11 = 10
    ],
)
def test_check_character_of_a_card_number_beyond_nine(first8: str, check: str) -> None:
    assert numbers.card_check(first8) == check


@given(st.text(DIGITS, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(DIGITS))
def test_one_wrong_digit_always_changes_the_citizen_check(id17: str, at: int, digit: str) -> None:
    spoilt = id17[:at] + digit + id17[at + 1 :]
    same = numbers.citizen_check(spoilt) == numbers.citizen_check(id17)
    assert same == (spoilt == id17)


@given(st.text(DIGITS, min_size=17, max_size=17), st.integers(0, 15))
def test_two_digits_in_the_wrong_order_change_the_citizen_check(id17: str, at: int) -> None:
    spoilt = id17[:at] + id17[at + 1] + id17[at] + id17[at + 2 :]
    same = numbers.citizen_check(spoilt) == numbers.citizen_check(id17)
    assert same == (spoilt == id17)


def citizen(first17: str) -> str:
    return first17 + numbers.citizen_check(first17)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("639900900101001", "old_number"),
        ("", "form"),
        ("63990019900101001", "form"),
        ("A3990019900101001X", "form"),
        ("099900199001010010", "form"),
        ("６39900199001010012", "form"),
        (citizen("63990019990229001"), "birth_date"),
        (citizen("63990019990001001"), "birth_date"),
        (citizen("63990018000101001"), "birth_date"),  # more than 130 years before 2014
        (citizen("63990020140602001"), "birth_date_future"),
        ("639900199001010013", "check_digit"),
    ],
)
def test_what_is_wrong_with_a_citizen_number(number: str, code: str) -> None:
    with pytest.raises(numbers.NumberError) as caught:
        numbers.parse_citizen_number(number, today=dt.date(2014, 6, 1))
    assert caught.value.code == code
    assert not number or number not in str(caught.value)


def test_a_citizen_number_tells_place_birth_date_and_sex() -> None:
    man = numbers.parse_citizen_number(citizen("63990020000229001"), dt.date(2014, 6, 1))
    assert (man.district, man.birth_date, man.sex) == ("639900", dt.date(2000, 2, 29), "1")
    assert numbers.parse_citizen_number(citizen("63990020000229002")).sex == "2"


def test_a_person_born_today_has_a_citizen_number() -> None:
    today = dt.date(2014, 6, 1)
    assert numbers.parse_citizen_number(citizen("63990020140601001"), today).birth_date == today


def test_the_parts_of_a_citizen_number_are_not_shown() -> None:
    assert "1990" not in repr(numbers.parse_citizen_number(citizen("63990019900101001")))


@given(st.text(DIGITS, min_size=15, max_size=18), st.data())
def test_luhn_finds_one_wrong_digit(first: str, data: st.DataObject) -> None:
    number = first + numbers.luhn_check(first)
    assert numbers.is_bank_card_number(number)
    at = data.draw(st.integers(0, len(number) - 1))
    digit = data.draw(st.sampled_from(sorted(set(DIGITS) - {number[at]})))
    assert not numbers.is_bank_card_number(number[:at] + digit + number[at + 1 :])


@pytest.mark.parametrize("number", ["", "79927398713", "62" * 10, "6200 0000 0000 0005"])
def test_a_bank_card_number_has_16_to_19_digits(number: str) -> None:
    assert not numbers.is_bank_card_number(number)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: numbers.citizen_check("1234"),
        lambda: numbers.card_check("x0000001"),
        lambda: numbers.luhn_check(""),
    ],
)
def test_a_check_digit_of_something_else_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(numbers.NumberError):
        wrong()
