"""Sample rosters: people who do not exist, and who pass every check."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from cardkit.codec import numbers
from cardkit.codec.text import check_text, split_name, width
from cardkit.errors import UsageError
from cardkit.issuance import roster
from cardkit.issuance.roster import sample
from cardkit.issuance.roster.columns import BY_FIELD
from cardkit.issuance.roster.sample.names import RARE
from tests.issuance.roster_samples import TODAY, codes

EVERY_FIELD = tuple(BY_FIELD)


@pytest.mark.parametrize("name", ["r.csv", "r.txt", "r.xlsx"])
@pytest.mark.parametrize("encoding", sample.ENCODINGS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_sample_passes_the_check_completely(
    tmp_path: Path, name: str, encoding: str, lang: roster.Language
) -> None:
    sample.write(tmp_path / name, 60, 7, encoding=encoding, fields=EVERY_FIELD, lang=lang)
    found = roster.read(tmp_path / name, today=TODAY)
    assert (len(found.applicants), found.rejects, found.remarks) == (60, [], [])
    assert found.applicants == list(sample.people(60, 7))


def test_a_thousand_people_pass_and_are_varied(tmp_path: Path) -> None:
    sample.write(tmp_path / "r.csv", 3000, 1)
    found = roster.read(tmp_path / "r.csv", today=TODAY)
    assert found.rejects == []
    names = [person.name for person in found.applicants]
    lengths = Counter(map(check_text, names))
    assert {4, 6} <= set(lengths)
    assert max(lengths) > 30  # needs the extension item
    assert max(lengths) <= 50
    assert any("·" in name for name in names)
    assert any(character in name for name in names for character in RARE)
    assert len({person.nation for person in found.applicants}) > 6
    assert {person.sex for person in found.applicants} == {"1", "2"}


def test_a_handful_of_people_already_shows_what_names_can_be() -> None:
    names = [person.name for person in sample.people(7, 99)]
    assert "䶮" in names[4]
    assert "·" in names[2]
    assert split_name(names[6])[1]


def test_the_people_do_not_exist() -> None:
    for person in sample.people(500, 5):
        assert person.citizen_number.startswith("639900")
        assert person.phone.startswith("129")
        assert len(person.phone) == 11
        assert numbers.is_bank_card_number(person.bank_card_number)


def test_every_rare_character_has_two_bytes() -> None:
    assert {width(character) for character in RARE} == {2}


def test_a_seed_always_gives_the_same_people() -> None:
    first, again = list(sample.people(50, 3)), list(sample.people(50, 3))
    assert first == again
    assert first != list(sample.people(50, 4))


def test_the_first_person_of_seed_one_stays_the_same_in_every_version() -> None:
    (person,) = sample.people(1, 1)
    assert (person.citizen_number, person.name) == ("639900195005110290", "沈超志")


def test_no_two_people_have_one_number() -> None:
    # A million are drawn without replacement from 26 million; a part is enough to see a mistake.
    seen = {person.citizen_number for person in sample.people(100_000, 2)}
    assert len(seen) == 100_000
    assert sample.LARGEST > 26_000_000


def test_more_people_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="can be invented"):
        next(sample.people(sample.LARGEST + 1, 1))


def test_bad_rows_are_rejected_for_the_reason_they_were_made_for(tmp_path: Path) -> None:
    kinds = sample.KINDS
    count = 10 * len(kinds)
    sample.write(tmp_path / "r.csv", count, 1, fields=EVERY_FIELD, bad=0.2)
    found = roster.read(tmp_path / "r.csv", today=TODAY)
    assert len(found.rejects) == count * 0.2
    made = Counter((kind.field, kind.code) for kind in kinds)
    seen = Counter((field, code) for _, field, code in codes(found))
    assert seen == Counter({kind: 2 * times for kind, times in made.items()})


def test_bad_rows_of_the_agencies_list_use_its_columns_only() -> None:
    rows = list(sample.records(40, 1, bad=0.5))
    assert rows[0] == ["养老保险号", "姓名", "身份证号码", "地址", "联系电话", "民族"]
    assert len(rows) == 41


def test_the_first_row_is_right_even_when_all_are_to_be_bad(tmp_path: Path) -> None:
    sample.write(tmp_path / "r.csv", 5, 1, bad=1.0)
    found = roster.read(tmp_path / "r.csv", today=TODAY)
    assert [person.row for person in found.applicants] == [2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "1 to"),
        ({"count": sample.LARGEST + 1}, "1 to"),
        ({"bad": 1.5}, "between 0 and 1"),
        ({"encoding": "big5"}, "no encoding big5"),
        ({"fields": ["photo"]}, "no column photo"),
    ],
)
def test_an_impossible_sample_is_refused(
    tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    wanted: dict[str, object] = {"count": 5, "seed": 1, **arguments}
    with pytest.raises(UsageError, match=message):
        sample.write(tmp_path / "r.csv", **wanted)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_people_are_made_one_by_one() -> None:
    assert len(list(islice(sample.people(1_000_000, 1), 3))) == 3
