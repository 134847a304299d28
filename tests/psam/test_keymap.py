"""The key map against the published table, and against the files of the card."""

from __future__ import annotations

import re

import pytest

from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import Level
from cardkit.card.psam import KeyMap, PsamKeyType, PsamLevel
from cardkit.errors import UsageError
from cardkit.keys.open_psam import key_map
from cardkit.profile import load

# card.md 5.2, as it is printed: EF → key {usage, PSAM id, KID}.
PRINTED = {
    "DF01": "EF05 UK1 {48,42,83} · EF07/EF09 UK2 {48,43,84} · EF08 UK3 {47,24,85} · "
    "EF06 UK4 {47,25,86} · EF0A UK5 {48,44,87} · EF15 UK6 {47,2F,89} · EF16 UK7 {47,30,8A} · "
    "EF17 UK8 {47,31,8B} · EF18 UK9 {47,32,8C} · EF19 UKA {47,33,8D} · EF1A UKB {47,34,8E}",
    "DF02": "EF05 UK1 {47,26,83} · EF06 UK2 {48,45,84} · EF07 UK3 {48,46,85} · "
    "EF09 UK4 {47,27,86} · EF15 UK5 {47,28,87} · EF16 UK6 {47,36,89}",
    "DF03": "EF05 UK1 {48,47,86} · EF06 UK2 {47,29,87} · EF07 UK3 {48,48,88} · "
    "EF15 UK4 {47,37,89} · EF16 UK5 {47,38,8A} · EF17 UK6 {47,39,8B} · EF18 UK7 {47,3A,8C} · "
    "EF19 UK8 {47,3B,8D}",
    "DF04": "EF05 UK1 {48,49,85} · EF06/EF15 UK2 {47,2A,86}",
    "DF05": "EF05 UK1 {47,B4,83}",
    "DF06": "EF05/EF06 UK1 {48,53,85}",
    "DF07": "EF05 UK1 {47,3E,86} · EF06 UK2 {47,B0,87} · EF07 UK3 {47,B2,88}",
}
_LINE = re.compile(r"(\S+) (\w+) \{(..),(..),(..)\}")

# The line above the tables: KID / usage and id, for the environment.
SSSE = {
    "IRK": "00 67 08", "UKSSSE": "04 48 12", "RKSSSE": "0A 47 0A", "RKEF0C": "07 48 5D",
    "STK": "02 48 09", "UKEF0D": "0D 48 13",
}  # fmt: skip


def printed() -> dict[str, tuple[str, ...]]:
    """Key → files, usage, id, KID."""
    return {
        f"{directory}.{key}": (files, usage, number, kid)
        for directory, text in PRINTED.items()
        for files, key, usage, number, kid in _LINE.findall(text)
    }


def test_the_map_is_the_printed_table() -> None:
    ours = {
        e.name: ("/".join(e.files), *str(e.place).split(), f"{e.kid:02X}")
        for e in KeyMap()
        if ".UK" in e.name and not e.name.startswith("SSSE")
    }
    assert ours == printed()
    for name, line in SSSE.items():
        entry = KeyMap().find(f"SSSE.{name}")
        assert entry is not None
        assert f"{entry.kid:02X} {entry.place}" == line


def test_files_keys_and_kids_are_those_of_the_card() -> None:
    """File → key → KID from the specification tree, KID → PSAM from the map: one chain."""
    checked = 0
    for directory in GENERATION_2.directories:
        for slot in directory.keys:
            entry = KeyMap().find(directory.key_name(slot))
            if entry is None:
                assert slot.name in ("MK", "STK", "PIN"), slot.name
                continue
            assert entry.kid == slot.kid
            opened = {f.label for f in directory.files if f.update.own == slot.level != Level.FREE}
            if slot.name.startswith("UK"):
                assert opened <= set(entry.files), entry.name
                checked += len(opened)
    assert checked > 25


def test_no_two_keys_share_a_place() -> None:
    places = [(e.place.id) for e in KeyMap()]
    assert len(set(places)) == len(places)


def test_a_city_psam_resolves_one_level_less_but_for_the_ministrys_keys() -> None:
    """The printed city table: UKSSSE 28 12, BK 28 11, PUK 28 10, LK 28 40 and 28 41, RK1 67 2B."""
    city = KeyMap(level=PsamLevel.CITY)
    wanted = {
        "SSSE.UKSSSE": "28 12", "SSSE.BK": "28 11", "SSSE.PUK": "28 10", "DF03.LK": "28 40",
        "DF04.LK": "28 41", "DF01.UK1": "28 42", "DF01.UK3": "27 24", "DF02.UK1": "27 26",
        "DF03.UK1": "28 47", "DF03.UK2": "27 29", "DF04.UK1": "28 49", "DF03.RK1": "67 2B",
        "DF03.RK2": "67 2C", "DF04.RK1": "67 2D", "SSSE.IRK": "67 08",
    }  # fmt: skip
    assert {n: str(e.place) for n in wanted if (e := city.find(n))} == wanted


def test_types_and_levels_are_read_from_the_usage_byte() -> None:
    for entry in KeyMap():
        assert entry.place.levels in (2, 3)
        assert entry.place.type in (PsamKeyType.ENCRYPT, PsamKeyType.MAC_AND_ENCRYPT)


def test_a_profile_corrects_the_map(tmp_path: pytest.TempPathFactory) -> None:
    text = '[region]\nprovince = "63"\ncity = "639900"\n[psam]\nlevel = "city"\n'
    path = tmp_path / "here.toml"  # type: ignore[operator]
    path.write_text(text + 'keys = ["SSSE.RKSSSE 67 0B", "SSSE.NEW 28 70"]\n')
    corrected = key_map(load(str(path)))
    rk, new, uk = (corrected.find(f"SSSE.{n}") for n in ("RKSSSE", "NEW", "UKSSSE"))
    assert rk is not None
    assert new is not None
    assert uk is not None
    assert (str(rk.place), rk.kid) == ("67 0B", 0x0A)
    assert str(new.place) == "28 70"
    assert str(uk.place) == "28 12"


@pytest.mark.parametrize(
    "line",
    ["SSSE.RKSSSE", "SSSE.RKSSSE 67", "A 67 0B 1", "A 0867 0B", "A 07 0B", "A 62 0B", "A 87 1"],
)
def test_a_line_that_is_no_place_is_named(line: str) -> None:
    with pytest.raises(UsageError, match="is no place of a key in a PSAM"):
        KeyMap(corrections=[line])
