"""Applicants become card records: once each, with numbers of their own, all of them or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import event

from cardkit.codec.numbers import is_card_number
from cardkit.errors import UsageError
from cardkit.registry import contradictions, enrolment
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.registry import Registry
from cardkit.registry.states import State
from tests.registry.support import (
    NUMBERING,
    applicant,
    batch,
    begin,
    begin_premade,
    crowd,
    enrol,
    issue,
    leave_in,
    open_at,
    premade_code,
)


def test_an_applicant_gets_a_record_with_numbers(registry: Registry) -> None:
    person = applicant(0, items={"DF01.EF05.20": "10"}, bank_card_number="6200000000000005")
    result = enrol(registry, [person])
    record = registry.get(result.new[0])
    assert record.state == State.PLANNED
    assert record.card_number == "A00000011"
    assert is_card_number(record.card_number)
    assert record.id_code.hex() == "639900d15600000500000001"
    assert record.serial == bytes([0, 0, 0, 1])
    assert (record.name, record.citizen_number) == (person.name, person.citizen_number)
    assert (record.birthplace, record.nation, record.address) == ("639900", "01", person.address)
    assert record.items == {"DF01.EF05.20": "10"}
    assert record.bank_card_number == "6200000000000005"
    assert (record.batch, record.row) == (result.batch, person.row)
    assert record.planned_at == record.changed_at == "2012-05-01T08:00:01.000Z"


def test_the_same_roster_again_makes_nothing_new(registry: Registry) -> None:
    first = enrol(registry, crowd(5))
    again = enrol(registry, crowd(5))
    assert len(first.new) == 5
    assert again.counts() == {"new": 0, "existing": 5, "updated": 0, "kept": 0, "conflicts": 0}
    assert again.card_ids == first.card_ids == first.new
    assert again.batch == first.batch
    assert registry.counts()["planned"] == 5


def test_records_come_in_the_order_of_the_roster(registry: Registry) -> None:
    people = crowd(7)[::-1]
    enrol(registry, people)
    assert [one.citizen_number for one in registry.next_planned(7)] == [
        person.citizen_number for person in people
    ]


def test_a_longer_roster_adds_only_whom_it_adds(registry: Registry) -> None:
    enrol(registry, crowd(3), "may.csv")
    result = enrol(registry, crowd(5), "june.csv")
    assert (len(result.new), len(result.existing)) == (2, 3)
    assert [record.batch for record in registry.list()] == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("count", [enrolment.CHUNK - 1, enrolment.CHUNK, enrolment.CHUNK + 1])
def test_chunks_leave_nobody_out(registry: Registry, count: int) -> None:
    result = enrol(registry, crowd(count))
    assert len(result.new) == len({r.card_number for r in registry.list()}) == count
    assert len(enrol(registry, crowd(count)).existing) == count


def test_an_empty_roster_is_a_batch_of_nobody(registry: Registry) -> None:
    assert enrol(registry, []).card_ids == []


# -- contradictions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "chinese"),
    [
        ("name", "李测试", "姓名"),
        ("insurance_number", "639900000000000001", "养老保险号"),
        ("sex", "9", "性别"),
        ("birth_date", "19000101", "出生日期"),
    ],
)
def test_other_basics_for_a_known_number_are_a_conflict(
    registry: Registry, field: str, value: str, chinese: str
) -> None:
    enrol(registry, crowd(1))
    before = registry.get(1)
    other = applicant(0, **{field: value})
    result = enrol(registry, [other, applicant(1)])
    (conflict,) = result.conflicts
    assert (conflict.applicant, conflict.field, conflict.code) == (other, field, "registry")
    assert chinese in conflict.reason
    assert conflict.reason_en
    assert result.card_ids == [None, 2]
    assert registry.get(1) == before


def test_an_insurance_number_that_comes_later_is_no_conflict(registry: Registry) -> None:
    enrol(registry, [applicant(0, insurance_number="")])
    result = enrol(registry, [applicant(0)])
    assert (result.conflicts, result.updated) == ([], [1])
    assert registry.get(1).insurance_number == applicant(0).insurance_number


def test_two_rows_of_one_roster_can_contradict_each_other(registry: Registry) -> None:
    result = enrol(registry, [applicant(0), applicant(0), applicant(0, name="李测试")])
    assert (len(result.new), len(result.existing), len(result.conflicts)) == (1, 1, 1)
    assert result.card_ids == [1, 1, None]


@pytest.mark.parametrize("same_roster", [True, False])
@pytest.mark.parametrize("field", ["bank_card_number", "insurance_number"])
def test_nobody_gets_another_persons_number(
    registry: Registry, field: str, same_roster: bool
) -> None:
    one, other = (applicant(n, **{field: "6200000000000005"}) for n in range(2))
    if same_roster:
        result = enrol(registry, [one, other])
    else:
        enrol(registry, [one])
        result = enrol(registry, [other])
    (conflict,) = result.conflicts
    assert (conflict.applicant, conflict.field) == (other, field)
    assert "另一人" in conflict.reason
    assert not enrol(registry, [one]).conflicts


def test_conflicts_show_no_personal_data(registry: Registry) -> None:
    enrol(registry, crowd(1))
    (conflict,) = enrol(registry, [applicant(0, name="李测试")]).conflicts
    shown = repr(conflict) + conflict.reason + conflict.reason_en
    assert "李测试" not in shown
    assert conflict.applicant.citizen_number not in shown


# -- newer data --------------------------------------------------------------------------------


def test_newer_data_are_taken_over_before_a_chip_is_written(registry: Registry) -> None:
    old = applicant(0, nation="", items={"DF01.EF05.20": "10", "DF01.EF05.21": "旧"})
    enrol(registry, [old], "may.csv")
    newer = applicant(0, row=9, nation="05", phone="", card_kind="3", items={"DF01.EF05.21": "新"})
    result = enrol(registry, [newer], "june.csv")
    record = registry.get(1)
    assert (result.updated, result.kept) == ([1], [])
    assert (record.nation, record.phone, record.kind) == ("05", old.phone, "3")
    assert record.items == {"DF01.EF05.20": "10", "DF01.EF05.21": "新"}
    entry = registry.show(1).history[-1]
    assert entry.action == "correct"
    assert json.loads(entry.detail) == {
        "batch": 2,
        "row": 9,
        "fields": ["nation", "card_kind", "DF01.EF05.21"],
    }
    assert enrol(registry, [newer]).updated == []


@pytest.mark.parametrize("finished", [True, False])
def test_newer_data_wait_once_a_chip_is_begun(registry: Registry, finished: bool) -> None:
    enrol(registry, crowd(1))
    (issue if finished else begin)(registry, registry.get(1))
    result = enrol(registry, [applicant(0, address="测试镇")])
    assert (result.updated, result.kept) == ([], [1])
    assert registry.get(1).address == applicant(0).address


def test_a_failed_record_can_be_put_right_by_the_next_roster(registry: Registry) -> None:
    enrol(registry, crowd(1))
    registry.fail(1, "住址过长")
    assert enrol(registry, [applicant(0, address="短址")]).updated == [1]
    registry.retry(1)
    assert registry.next_planned()[0].address == "短址"


def test_a_person_whose_record_was_given_up_gets_a_new_one(registry: Registry) -> None:
    enrol(registry, crowd(1))
    registry.discard(1, "卡面印错")
    result = enrol(registry, [applicant(0, address="测试镇")])
    old, new = registry.get(1), registry.get(result.new[0])
    assert (old.person_id, old.state) == (new.person_id, "spoilt")
    assert old.card_number != new.card_number
    assert old.id_code != new.id_code
    assert new.address == "测试镇"
    assert registry.find_by_citizen_number(new.citizen_number) == new


# -- numbers -----------------------------------------------------------------------------------


def test_a_used_up_range_enrols_nobody(registry: Registry) -> None:
    narrow = Numbering("AAAAAAA", 7, 1, "639900")
    with pytest.raises(UsageError, match="card numbers are used up"):
        registry.enrol(crowd(4), narrow, batch())
    assert sum(registry.counts().values()) == 0
    assert len(registry.enrol(crowd(3), narrow, batch()).new) == 3


def test_ranges_that_overlap_never_give_a_number_twice(registry: Registry) -> None:
    registry.enrol(crowd(3), Numbering("X", 2, 1, "639900"), batch("a"))
    registry.enrol(crowd(4, 10), Numbering("X0", 0, 1, "639900"), batch("b"))
    bodies = [record.card_number[:8] for record in registry.list()]
    assert bodies[:3] == ["X0000002", "X0000003", "X0000004"]
    assert bodies[3:] == ["X0000000", "X0000001", "X0000005", "X0000006"]


def test_serials_of_factory_chips_are_left_out(registry: Registry) -> None:
    enrol(registry, crowd(1))
    begin_premade(registry, 1, premade_code(3))
    enrol(registry, crowd(4))
    assert [record.serial[3] for record in registry.list()] == [3, 2, 4, 5]


def test_serials_of_chips_without_a_record_are_left_out(registry: Registry) -> None:
    """Chips 3 and 4 were in the reader once; their records went to other chips."""
    enrol(registry, crowd(1))
    begin_premade(registry, 1, premade_code(3))
    registry.spoil(1, "6581")
    begin_premade(registry, 1, premade_code(4))
    registry.release(1, "pulled")
    enrol(registry, crowd(3))
    assert [record.serial[3] for record in registry.list()] == [5, 6, 7]


def test_counters_do_not_go_back_when_a_profile_does(registry: Registry) -> None:
    for place, first in enumerate((500, 300, 1, 700)):
        rule = Numbering("A", first, first + 400, "639900")
        registry.enrol(crowd(1, place), rule, batch(str(first)))
    numbers = [int(record.card_number[1:8]) for record in registry.list()]
    serials = [int.from_bytes(record.serial, "big") for record in registry.list()]
    assert numbers == [500, 501, 502, 700]
    assert serials == [900, 901, 902, 1100]


# -- all or nothing, and the history ------------------------------------------------------------


def test_an_error_in_the_middle_leaves_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "CHUNK", 2)
    people: list[Applicant] = [*crowd(3), applicant(3, name=None)]  # type: ignore[arg-type]
    with pytest.raises(Exception, match="refused data"):
        enrol(registry, people)
    assert sum(registry.counts().values()) == 0
    assert registry.verify_history().head.sequence == 0
    assert enrol(registry, crowd(3)).new == [1, 2, 3]


def test_an_enrolment_is_one_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "CHUNK", 2)
    with open_at(path) as registry:
        commits: list[object] = []
        event.listen(registry._store.engine, "commit", commits.append)
        enrol(registry, crowd(9))
        assert len(commits) == 1


def test_every_record_has_its_history_without_personal_data(registry: Registry) -> None:
    people = crowd(3)
    enrol(registry, people)
    for record, person in zip(registry.list(), people, strict=True):
        (entry,) = registry.show(record.card_id).history
        assert (entry.action, entry.from_state, entry.to_state) == ("enrol", None, "planned")
        assert (entry.card_id, entry.person_id) == (record.card_id, record.person_id)
        assert entry.actor == "window 1"
        assert json.loads(entry.detail)["card_number"] == record.card_number
        assert person.name not in repr(entry)
        assert person.citizen_number not in repr(entry)
    with registry._store.reading() as connection:
        log = connection.exec_driver_sql("SELECT action, detail FROM history").all()
    assert [action for action, _ in log] == ["enrol", "enrol", "enrol", "batch"]
    assert json.loads(log[-1][1]) | {"digest": ""} == {
        "batch": 1,
        "name": "roster.csv",
        "digest": "",
        "rows": 3,
        "new": 3,
        "existing": 0,
        "updated": 0,
        "kept": 0,
        "conflicts": 0,
    }


# -- who gets no card by roster ------------------------------------------------------------------


@pytest.mark.parametrize("state", ["cancelled", "transferred", "ended", "replaced"])
def test_whose_card_has_ended_gets_no_other_by_roster(registry: Registry, state: str) -> None:
    enrol(registry, crowd(1))
    leave_in(registry, 1, state)
    result = enrol(registry, crowd(2))
    (conflict,) = result.conflicts
    assert conflict.applicant == applicant(0)
    assert "该人员的卡已" in conflict.reason
    assert "the card of this person" in conflict.reason_en
    assert result.card_ids == [None, 2]


@pytest.mark.parametrize(
    ("states", "barred"),
    [(("cancelled", "spoilt"), 0), (("spoilt", "cancelled"), 1), (("ended", "spoilt"), 1)],
)
def test_the_last_of_several_records_counts_but_an_end_is_for_ever(
    registry: Registry, states: tuple[str, str], barred: int
) -> None:
    enrol(registry, crowd(1))
    registry.discard(1, "卡面印错")
    enrol(registry, crowd(1))
    for card_id, state in enumerate(states, 1):
        leave_in(registry, card_id, state)
    assert len(enrol(registry, crowd(1)).conflicts) == barred


def test_somebody_unfit_for_the_kind_is_handed_back(registry: Registry) -> None:
    enrol(registry, crowd(1))  # who has a record is not asked again
    problem = contradictions.Problem("birth_date", "须年满16周岁", "from 16")
    result = registry.enrol(crowd(2), NUMBERING, batch("other"), lambda _: problem)
    assert result.card_ids == [1, None]
    assert [(one.field, one.reason) for one in result.conflicts] == [("birth_date", "须年满16周岁")]


def test_bars_cost_a_query_a_chunk_not_one_a_person(registry: Registry) -> None:
    enrol(registry, crowd(30))
    for card_id in range(1, 31):
        leave_in(registry, card_id, "cancelled")
    asked: list[str] = []
    event.listen(
        registry.books.store.engine,
        "before_cursor_execute",
        lambda *given: asked.append(given[2]),
    )
    assert len(enrol(registry, crowd(30)).conflicts) == 30
    assert len([one for one in asked if one.startswith("SELECT")]) < 20
