"""Pages made from the program say what the program says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from cardkit.card.files import GENERATION_2
from cardkit.card.files.describe import access_in_words, describe
from cardkit.profile import describe as profiles
from cardkit.profile import load
from tools.docs import DOCS, PAGES, T514

CARD_FILES = (DOCS / "card-files.md").read_text(encoding="utf-8")
PROFILES = (DOCS / "profiles.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert PAGES[name](page) == page, "write it anew: python tools/docs.py"


def test_a_changed_declaration_changes_the_page() -> None:
    """The comparison above would notice it."""
    directories = list(GENERATION_2.directories)
    at = next(n for n, d in enumerate(directories) if d.label == "SSSE")
    directories[at] = dataclasses.replace(directories[at], keys=directories[at].keys[:-1])
    changed = dataclasses.replace(GENERATION_2, directories=tuple(directories))
    assert describe(changed, T514) != describe(GENERATION_2, T514)


def test_every_file_and_every_key_has_its_place() -> None:
    for directory in GENERATION_2.directories:
        for file in directory.files:
            assert f"### {directory.label} {file.label} {file.name}" in CARD_FILES
        for slot in directory.keys:
            assert f"| {directory.key_name(slot)} | {slot.kid:02X} |" in CARD_FILES


def test_every_record_can_be_found_by_its_address() -> None:
    """Of equal templates the first and the last are named."""
    shown = set(re.findall(r"`((?:SSSE|DF0\d)\.EF\w\w\.\w\w(?:\.\d)?)`", CARD_FILES))
    for field in GENERATION_2.fields:
        among = field.address.rpartition(".")[2] in ("2", "3") and field.item.tag in (
            0x40, 0x43, 0x44, 0x4A, 0x79, 0x99,
        )  # fmt: skip
        assert field.address in shown or among, field.address


@pytest.mark.parametrize(
    ("directory", "file", "read", "update"),
    [
        ("SSSE", "EF05", "free", "UKSSSE (KID 04)"),
        ("SSSE", "EF08", "RKSSSE (KID 0A)", "UKSSSE (KID 04)"),
        ("DF01", "EF05", "PIN or RK (KID 88)", "UK1 (KID 83)"),
        ("DF03", "EF07", "PIN and RK1 (KID 84)", "UK3 (KID 88)"),
        ("DF04", "EF08", "PIN", "never from outside"),
    ],
)
def test_conditions_are_told_in_words(directory: str, file: str, read: str, update: str) -> None:
    declared = GENERATION_2.directory(directory)
    assert access_in_words(declared.file(file).read, declared) == read
    assert access_in_words(declared.file(file).update, declared) == update
    assert f"Read: {read}. Update: {update}." in CARD_FILES


def test_space_is_the_sum_of_the_rule() -> None:
    """A record file: values, 2 bytes a record, 2; worked out by hand for SSSE EF06."""
    ssse = GENERATION_2.directory("SSSE")
    by_hand = 18 + 30 + 20 + 1 + 1 + 3 + 4 + 7 * 2 + 2
    assert T514.file(ssse.file("EF06")) == by_hand
    assert T514.keys(ssse) == 8 * (0x18 + 2) + 2
    assert f"Takes {by_hand} bytes on a T514 chip." in CARD_FILES


def test_every_field_of_a_profile_has_a_meaning_and_no_meaning_is_left_over() -> None:
    fields = profiles.fields_in_words()
    assert {field.path for field in fields} == set(profiles.MEANINGS)
    for field in fields:
        assert field.meaning
        assert f"| `{field.path}` | {field.type} |" in PROFILES


def test_defaults_on_the_page_are_those_of_a_profile_with_nothing_else(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PROFILES, re.DOTALL)
    assert example is not None
    path = tmp_path / "ours.toml"
    path.write_text(example[1], encoding="utf-8")
    profile = load(str(path))
    assert profile.name == "ours"
    for field in profiles.fields_in_words():
        if field.default is not None:
            value: object = profile
            for part in field.path.split("."):
                value = getattr(value, part)
            shown = list(value) if isinstance(value, tuple) else value
            text = str(shown).lower() if isinstance(shown, bool) else str(shown)
            assert text.replace("'", '"') == field.default
