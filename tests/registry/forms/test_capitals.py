"""Amounts in words: the central bank's own examples, and nothing lost either way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.registry.forms.capitals import LIMIT, in_capitals, in_yuan

KNOWN = {
    1409_50: "壹仟肆佰零玖元伍角整",
    6007_14: "陆仟零柒元壹角肆分",
    1680_32: "壹仟陆佰捌拾元零叁角贰分",
    107000_53: "壹拾万柒仟元零伍角叁分",
    16409_02: "壹万陆仟肆佰零玖元零贰分",
    325_04: "叁佰贰拾伍元零肆分",
    0: "零元整",
    1: "壹分",
    10: "壹角整",
    11: "壹角壹分",
    100: "壹元整",
    10_00: "壹拾元整",
    28_00: "贰拾捌元整",
    10000_00: "壹万元整",
    10001_00: "壹万零壹元整",
    100100_00: "壹拾万零壹佰元整",
    1_0000_0000_00: "壹亿元整",
    1_0000_0001_00: "壹亿零壹元整",
    1_0001_0000_00: "壹亿零壹万元整",
    9999_9999_9999_99: "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
}
"""The first six are the examples of 正确填写票据和结算凭证的基本规定."""

DIGITS = {char: value for value, char in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def read(words: str) -> int:
    """Fen of an amount in words, read from left to right."""
    total = group = digit = 0
    for char in words.removeprefix("人民币").removesuffix("整"):
        if char in DIGITS:
            digit = DIGITS[char]
        elif char in UNITS:
            group, digit = group + digit * UNITS[char], 0
        elif char in "万亿":
            total, group, digit = total + (group + digit) * {"万": 10**4, "亿": 10**8}[char], 0, 0
        elif char == "元":
            total, group, digit = (total + group + digit) * 100, 0, 0
        else:
            total, digit = total + digit * {"角": 10, "分": 1}[char], 0
    return total


@pytest.mark.parametrize(("fen", "words"), KNOWN.items())
def test_known_amounts(fen: int, words: str) -> None:
    assert in_capitals(fen) == "人民币" + words


@given(st.integers(0, LIMIT - 1))
def test_words_say_exactly_the_amount(fen: int) -> None:
    words = in_capitals(fen)

    assert read(words) == fen
    assert "零零" not in words
    assert "零元" not in words or fen == 0
    assert words.endswith("整") is (fen % 10 == 0)


@given(st.integers(-LIMIT, LIMIT))
def test_figures_say_exactly_the_amount(fen: int) -> None:
    assert int(in_yuan(fen).replace(",", "").replace(".", "")) == fen


@pytest.mark.parametrize("fen", [-1, LIMIT])
def test_what_cannot_be_said_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match="capitals"):
        in_capitals(fen)
