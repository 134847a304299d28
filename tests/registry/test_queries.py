"""Questions: lists, stories, exports; and that nothing shows personal data by accident."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.registry.registry import Registry
from cardkit.registry.states import State
from tests.registry.support import applicant, begin, crowd, enrol, issue

PROMISED = {
    "citizen_number",
    "name",
    "insurance_number",
    "card_number",
    "card_id_code",
    "state",
}


@pytest.fixture
def several(registry: Registry) -> Registry:
    """Five records: issued, writing, failed, planned, spoilt."""
    enrol(registry, crowd(5))
    issue(registry, registry.get(1))
    begin(registry, registry.get(2))
    registry.fail(3, "照片缺失")
    registry.discard(5, "卡面印错")
    return registry


def test_counts_name_every_state(several: Registry) -> None:
    some = {"planned": 1, "writing": 1, "issued": 1, "spoilt": 1, "failed": 1}
    assert several.counts() == dict.fromkeys(State, 0) | some


def test_a_list_can_be_narrowed(several: Registry) -> None:
    assert [record.card_id for record in several.list()] == [1, 2, 3, 4, 5]
    assert [record.card_id for record in several.list(["failed", "planned"])] == [3, 4]
    assert [record.card_id for record in several.list(limit=2)] == [1, 2]
    assert list(several.list([])) == []


def test_a_list_is_a_snapshot(several: Registry) -> None:
    records = several.list()
    assert next(records).card_id == 1
    several.fail(4, "x")
    assert [record.state for record in records] == ["writing", "failed", "planned", "spoilt"]


def test_json_has_what_programs_were_promised(several: Registry) -> None:
    records = [record.as_json() for record in several.list()]
    assert all(record.keys() >= PROMISED for record in records)
    assert records[0]["card_id_code"] == "639900D15600000500000001CAFEBABE"
    assert records[1]["card_id_code"] == "639900D15600000500000002"
    json.dumps(records)


def test_finding_one(several: Registry) -> None:
    record = several.get(1)
    assert several.find_by_card_number(record.card_number) == record
    assert several.find_by_citizen_number(record.citizen_number) == record
    assert several.find_by_card_number("A00000010") is None
    assert several.get_many([4, 99, 1]) == [several.get(4), several.get(1)]
    assert [one.card_id for one in several.next_planned(9)] == [4]
    assert several.next_planned(9, batch=2) == []


def test_records_and_stories_show_no_personal_data(several: Registry) -> None:
    story = several.show(1)
    person = applicant(0)
    for shown in (repr(story), repr(story.record), str(story), repr(person)):
        for secret in (person.name, person.citizen_number, person.phone, person.address):
            assert secret not in shown
    assert repr(story.record) == "CardRecord(card_id=1, state='issued')"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_can_be_read_back(several: Registry, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"cards.{form}"
    assert several.export(path, form) == 5  # type: ignore[arg-type]
    if form == "json":
        rows = json.loads(path.read_text("utf-8"))
    else:
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [row["citizen_number"] for row in rows] == [p.citizen_number for p in crowd(5)]
    assert rows[2]["reason"] == "照片缺失"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if "cards" in p.name] == [path.name]


def test_an_export_of_nothing_is_a_file(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    assert registry.export(path, "json") == 0
    assert json.loads(path.read_text("utf-8")) == []


def test_an_export_that_cannot_be_written_leaves_nothing(several: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        several.export(tmp_path / "missing" / "cards.csv", "csv")
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        several.export(taken, "csv")
    with pytest.raises(UsageError, match="xlsx"):
        several.export(tmp_path / "cards.xlsx", "xlsx")  # type: ignore[arg-type]
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]
