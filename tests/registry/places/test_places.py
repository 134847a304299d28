"""Places, and who belongs where."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.registry.operators import NotAllowedError
from cardkit.registry.places import (
    PlaceRow,
    Places,
    PlacesError,
    Residence,
    read_assignments,
    read_places,
)
from cardkit.registry.registry import Registry
from tests.registry.crew import PLACES, Crew
from tests.registry.support import crowd, enrol


@pytest.fixture
def crew(registry: Registry) -> Crew:
    return Crew(registry.books)


def test_the_same_places_again_change_nothing(registry: Registry, crew: Crew) -> None:
    places = Places(registry.books)
    before = places.list()

    assert places.load(PLACES, operator=crew.li) == (0, 0)
    renamed = [PlaceRow("V1", "village", "新一村", "T1", "测试乡第1")]
    assert places.load(renamed, operator=crew.li) == (0, 1)

    assert [place.code for place in before] == [place.code for place in places.list()]
    assert places.get("V1").name == "新一村"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([PlaceRow("X", "planet", "x")], "no kind 'planet'"),
        ([PlaceRow("X", "village", "x", "Y")], "no place 'Y' above it"),
        ([PlaceRow("X", "village", "x"), PlaceRow("X", "village", "y")], "comes twice"),
        ([PlaceRow("C", "county", "x", "V1")], "within itself"),
    ],
)
def test_places_that_cannot_be(
    registry: Registry, crew: Crew, rows: list[PlaceRow], words: str
) -> None:
    places = Places(registry.books)
    before = places.list()

    with pytest.raises(PlacesError, match=words):
        places.load(rows, operator=crew.li)

    assert places.list() == before


def test_only_some_may_load(registry: Registry, crew: Crew) -> None:
    with pytest.raises(NotAllowedError):
        Places(registry.books).load(PLACES, operator=crew.zhao)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_places_of_a_table(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "places.csv"
    rows = (
        "编码,类型,名称,上级,地址开头",
        "C,county,测试县,,",
        "V,village,测试村,C,测试乡测试村",
        "",
    )
    text = "\r\n".join(rows) + "\r\n"
    path.write_bytes(text.encode(encoding))

    assert read_places(path) == [
        PlaceRow("C", "county", "测试县"),
        PlaceRow("V", "village", "测试村", "C", "测试乡测试村"),
    ]


def test_places_of_a_toml_file(tmp_path: Path) -> None:
    path = tmp_path / "places.toml"
    path.write_text('[[place]]\ncode = "C"\nkind = "county"\nname = "测试县"\n', "utf-8")

    assert read_places(path) == [PlaceRow("C", "county", "测试县")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "code,kind\nC,county\n", "no column name"),
        ("a.csv", "code,kind,name\nC,county\n", "line 2 has 2 columns"),
        ("a.csv", "code,kind,name\n,county,x\n", "row 2 has no code"),
        ("a.toml", "x = ", "no TOML"),
        ("a.toml", "x = 1", "no .*place"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    with pytest.raises(UsageError, match=words):
        read_places(path)


def test_people_get_the_place_whose_prefix_fits_best(registry: Registry, crew: Crew) -> None:
    enrol(registry, crowd(12))  # of 第0村 to 第11村
    Places(registry.books).load(
        [PlaceRow("V11", "village", "第11村", "T1", "测试乡第11")], operator=crew.li
    )
    residence = Residence(registry.books)

    result = residence.assign_by_address(operator=crew.li)

    assert result.new == 5
    assert residence.counts() == {"V0": 1, "V1": 2, "V11": 1, "V2": 1, "": 7}
    assert residence.assign_by_address(operator=crew.li).new == 0


def test_people_are_assigned_by_a_file(registry: Registry, crew: Crew, tmp_path: Path) -> None:
    records = registry.get_many(enrol(registry, crowd(4)).new)
    path = tmp_path / "who.csv"
    path.write_text(
        f"card_number,place\n{records[0].card_number},V1\n{records[1].card_number},V9\nZ,V1\n",
        "utf-8",
    )
    residence = Residence(registry.books)

    result = residence.assign(read_assignments(path), operator=crew.li)

    assert result == (1, 0, 0, [2, 3])  # rows that name no place, or nobody
    assert residence.counts() == {"V1": 1, "": 3}
    moved = residence.assign([("card_id", "1", "V2")], operator=crew.li, moving=True)
    assert (moved.moved, residence.counts()["V2"]) == (1, 1)
