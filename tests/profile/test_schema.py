"""Profiles: what can be written in them, and how a mistake is named."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from cardkit.card import dialects
from cardkit.card.authentication import KEY_ALGORITHMS
from cardkit.card.files import TREES
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import UsageError
from cardkit.profile import load, rules, shipped
from cardkit.registry.numbering import Numbering

REGION = '[region]\nprovince = "63"\ncity = "639900"\n'


def test_every_shipped_profile_loads() -> None:
    assert "test" in shipped()
    for name in shipped():
        assert load(name).name == name


def test_defaults_stand_in_for_what_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "window.toml"
    path.write_text(REGION)
    profile = load(str(path))
    assert profile.name == "window"
    assert not profile.test
    assert profile.district == bytes.fromhex("639900")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "field region is missing"),
        ('[region]\nprovince = "63"', r"field region\.city is missing"),
        ('[region]\nprovince = "63"\ncity = "379900"', "lies in region.province"),
        ('[region]\nprovince = "6"\ncity = "639900"', "province has 2 digits"),
        (REGION + "[card]\nalgoritm = 1", r"unknown field card\.algoritm"),
        (REGION + '[card]\nalgorithm = "1"', r"card\.algorithm must be of type int"),
        (REGION + '[card]\natr_head = "3B"', "atr_head has 11 bytes"),
        (REGION + '[pin]\ninitial = "12"', "pin.initial has 4 to 16 digits"),
        (REGION + '[numbers]\ncard_prefix = "a"', "card_prefix has 0 to 7 digits or capitals"),
        (REGION + '[numbers]\ncard_prefix = "L1"', "card_prefix does not begin with L"),
        (REGION + '[numbers]\ncard_prefix = "１"', "card_prefix has 0 to 7 digits or capitals"),
        (REGION + '[numbers]\ncard_prefix = "A"\ncard_first = 10000000', "no room behind"),
        (REGION + "[numbers]\nserial_first = -1", "serial_first has 4 bytes"),
        (REGION + "utc_offset_hours = 100", "utc_offset_hours is -12 to 14"),
        (REGION + '[card]\ngeneration = "3.0"', "generation '3.0' is not known"),
        (REGION + "[card]\nalgorithm = 4", "algorithm 4 is not supported for generation 2.0"),
        (REGION + "[card]\nkey_version = 4", "card.key_version is 1 to 3"),
        (REGION + '[card]\ndialect = "t515"', "dialect 't515' is not known"),
        (REGION + '[card]\nversion = "2.000"', "card.version has 4 characters"),
        (REGION + '[card]\ncard_class = ""', "card.card_class has 1 character"),
        (REGION + '[keys]\nversions = ["SSSE.IRK"]', "keys.versions: each is a key and 1 to 99"),
        (REGION + '[keys]\nversions = ["A 100"]', "keys.versions: each is a key and 1 to 99"),
        (REGION + '[keys]\nversions = ["A 1", "A 2"]', "keys.versions: each is a key and 1 to 99"),
        (REGION + "[pin]\npuk_level = 999", "puk_level is one byte"),
        (REGION + '[messaging]\nkey = "stk"', 'messaging.key is one of "process", "direct"'),
        (REGION + '[messaging]\nmac = "left8"', "messaging.mac is one of"),
        (REGION + "[messaging]\nchallenge = 5", "messaging.challenge is 4, 8 or 16"),
        (REGION + "[messaging]\nchallenge = 4", "is 8 with process keys"),
        (REGION + '[messaging]\nkey = "direct"\nchallenge = 16', "16 fits no 3DES card"),
        (REGION + "[issue]\nvalidity_years = 9000", "validity_years is 1 to 100"),
        ("region = 1", "region is a section"),
        ("region = [", "profile"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "window.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load(str(path))


@pytest.mark.parametrize("prefix", ["", "7", "ABCD", "A7BCDEF"])
def test_a_prefix_of_card_numbers_is_what_numbering_takes(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "window.toml"
    path.write_text(REGION + f'[numbers]\ncard_prefix = "{prefix}"')
    numbers = load(str(path)).numbers
    given = Numbering(numbers.card_prefix, numbers.card_first, numbers.serial_first, "639900")
    assert given.card_limit > numbers.card_first


def test_what_a_profile_may_name_is_what_there_is() -> None:
    """Profiles cannot look at trees and dialects themselves: they lie below them."""
    assert set(rules.GENERATIONS) == set(TREES)
    assert {module.name for module in pkgutil.iter_modules(dialects.__path__)} == rules.DIALECTS
    can = {algorithm.card_id for algorithm in KEY_ALGORITHMS}
    by_psam = {Algorithm.SSF33.card_id}
    assert all(known == can | by_psam for known in rules.GENERATIONS.values())


def test_unknown_profile_names_the_shipped_ones() -> None:
    with pytest.raises(UsageError) as caught:
        load("nowhere")
    assert "test" in caught.value.hint


def test_initial_pin_is_not_shown() -> None:
    assert "123456" not in repr(load("test").pin)
