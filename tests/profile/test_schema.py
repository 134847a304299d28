"""Profiles: what can be written in them, and how a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.profile import load, shipped

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
        (REGION + '[numbers]\ncard_prefix = "a"', "card_prefix has 1 to 4 capitals"),
        ("region = 1", "region is a section"),
        ("region = [", "profile"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "window.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load(str(path))


def test_unknown_profile_names_the_shipped_ones() -> None:
    with pytest.raises(UsageError) as caught:
        load("nowhere")
    assert "test" in caught.value.hint


def test_initial_pin_is_not_shown() -> None:
    assert "123456" not in repr(load("test").pin)
