"""One card from promise to result, and everything that can come between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from cardkit.errors import ExitCode
from cardkit.registry.errors import (
    ChipTakenError,
    IllegalMoveError,
    UnknownCardError,
    WrongChipError,
)
from cardkit.registry.registry import Registry
from tests.registry.support import (
    FACTORY_ATR,
    MAC,
    begin,
    begin_premade,
    crowd,
    enrol,
    issue,
    open_at,
    premade_code,
)


@pytest.fixture
def enrolled(registry: Registry) -> Registry:
    """Three planned records, numbers 1, 2 and 3."""
    enrol(registry, crowd(3))
    return registry


def actions(registry: Registry, card_id: int) -> list[str]:
    return [entry.action for entry in registry.show(card_id).history]


# -- the road ----------------------------------------------------------------------------------


def test_an_intent_binds_the_chip(enrolled: Registry) -> None:
    planned = enrolled.get(1)
    begin(enrolled, planned, reader="reader 4")
    record = enrolled.get(1)
    assert (record.state, record.reader, record.chip_kind) == ("writing", "reader 4", "blank")
    assert record.attempts == 1
    assert record.writing_at == record.changed_at > record.planned_at
    assert enrolled.unfinished() == [record]
    assert enrolled.find_by_id_code(record.id_code) == record
    assert enrolled.find_by_id_code(record.id_code + MAC) == record
    assert enrolled.find_by_factory_atr(FACTORY_ATR[:13] + record.serial) == record
    assert enrolled.find_by_atr(FACTORY_ATR[:11] + record.id_code[:2] + record.serial) == record


def test_a_reserved_code_is_not_yet_a_chip(enrolled: Registry) -> None:
    """A chip that happens to bring the code of a planned record is not that record's chip."""
    assert enrolled.find_by_id_code(enrolled.get(1).id_code) is None
    assert enrolled.find_by_factory_atr(FACTORY_ATR) is None


def test_a_result_issues_the_card(enrolled: Registry) -> None:
    planned = enrolled.get(1)
    begin(enrolled, planned)
    enrolled.result(1, ok=True, id_code=planned.id_code + MAC, detail={"commands": 29})
    record = enrolled.get(1)
    assert record.state == "issued"
    assert record.card_id_code == planned.id_code + MAC
    assert record.issued_at == record.changed_at
    story = enrolled.show(1)
    assert [(e.action, e.from_state, e.to_state) for e in story.history] == [
        ("enrol", None, "planned"),
        ("intent", "planned", "writing"),
        ("write", "writing", "written"),
        ("verify", "written", "verified"),
        ("issue", "verified", "issued"),
    ]
    assert json.loads(story.history[-1].detail)["commands"] == 29
    assert [(chip.state, chip.id_code) for chip in story.chips] == [("issued", planned.id_code)]


def test_milestones_are_kept_in_order(enrolled: Registry) -> None:
    begin(enrolled, enrolled.get(1))
    for step in ("serial", "MF", "SSSE", "DF01"):
        enrolled.milestone(1, step)
    assert enrolled.milestones(1) == ["serial", "MF", "SSSE", "DF01"]
    assert enrolled.milestones(2) == []


def test_every_step_is_exactly_one_durable_commit(path: Path) -> None:
    hooked: list[str] = []
    seen: list[object] = []
    with open_at(path, on_commit=hooked.append) as registry:
        event.listen(registry._store.engine, "commit", seen.append)
        steps: list[Callable[[], object]] = [
            lambda: enrol(registry, crowd(2)),
            lambda: begin(registry, registry.get(1)),
            lambda: registry.milestone(1, "serial"),
            lambda: registry.fail(1, "x"),
            lambda: registry.retry(1),
            lambda: registry.spoil(1, "x"),
            lambda: begin(registry, registry.get(1)),
            lambda: registry.release(1, "x"),
            lambda: issue(registry, registry.get(1)),
            lambda: registry.discard(2, "x"),
            registry.check_writable,
        ]
        for step in steps:
            hooked.clear()
            seen.clear()
            step()
            commits = 2 if step is steps[8] else 1  # intent and result
            assert hooked == ["before", "after"] * commits
            assert len(seen) == commits


def test_an_intent_that_is_repeated_counts_the_attempt(enrolled: Registry) -> None:
    """Power cut, same chip again: recovery goes on where the card stands."""
    begin(enrolled, enrolled.get(1))
    enrolled.milestone(1, "serial")
    begin(enrolled, enrolled.get(1), reader="reader 2")
    assert enrolled.get(1).attempts == 2
    assert enrolled.get(1).reader == "reader 2"
    assert enrolled.milestones(1) == ["serial"]


# -- chips that are not this record's ------------------------------------------------------------


def test_a_chip_of_another_record_is_refused(enrolled: Registry) -> None:
    begin_premade(enrolled, 1, premade_code(77))
    for _ in range(2):
        with pytest.raises(ChipTakenError, match="belongs to card record 1") as caught:
            begin_premade(enrolled, 2, premade_code(77))
        assert caught.value.exit_code is ExitCode.REFUSED
        assert enrolled.get(2).state == "planned"
        if enrolled.get(1).state == "writing":
            enrolled.result(1, ok=True, id_code=premade_code(77) + MAC)


def test_a_record_begun_on_another_chip_is_refused(enrolled: Registry) -> None:
    begin_premade(enrolled, 1, premade_code(77))
    with pytest.raises(WrongChipError, match="bound to another chip") as caught:
        begin_premade(enrolled, 1, premade_code(78))
    assert "spoilt" in caught.value.hint
    assert enrolled.get(1).id_code == premade_code(77)
    assert enrolled.chip(premade_code(78)) is None


def test_a_reservation_gives_way_to_a_chip_from_the_factory(enrolled: Registry) -> None:
    reserved = enrolled.get(2).id_code
    begin_premade(enrolled, 1, reserved)
    assert enrolled.get(1).id_code == reserved
    moved = enrolled.get(2)
    assert moved.state == "planned"
    assert moved.serial == bytes([0, 0, 0, 4])
    assert actions(enrolled, 2) == ["enrol", "renumber"]


def test_a_reservation_with_a_chip_does_not_give_way(enrolled: Registry) -> None:
    """Record 2 is planned again after a failure, but its chip carries this very code."""
    code = enrolled.get(2).id_code
    begin(enrolled, enrolled.get(2))
    enrolled.fail(2, "x")
    enrolled.retry(2)
    with pytest.raises(ChipTakenError):
        begin_premade(enrolled, 1, code)


def test_the_code_of_a_discarded_record_is_never_used_again(enrolled: Registry) -> None:
    code = enrolled.get(2).id_code
    enrolled.discard(2, "x")
    with pytest.raises(ChipTakenError):
        begin_premade(enrolled, 1, code)


def test_a_result_for_another_chip_is_refused(enrolled: Registry) -> None:
    begin(enrolled, enrolled.get(1))
    with pytest.raises(WrongChipError):
        enrolled.result(1, ok=True, id_code=enrolled.get(2).id_code + MAC)
    assert enrolled.get(1).state == "writing"


@pytest.mark.parametrize("length", [0, 11, 13, 16])
def test_an_intent_needs_twelve_bytes(enrolled: Registry, length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        begin_premade(enrolled, 1, bytes(length))


def test_a_result_needs_the_code_with_its_mac(enrolled: Registry) -> None:
    begin(enrolled, enrolled.get(1))
    with pytest.raises(ValueError, match="16 bytes"):
        enrolled.result(1, ok=True, id_code=enrolled.get(1).id_code)


# -- failure, spoilt chips ----------------------------------------------------------------------


def test_a_failure_keeps_its_reason_and_its_chip(enrolled: Registry) -> None:
    begin(enrolled, enrolled.get(1))
    enrolled.result(1, ok=False, id_code=b"", detail={"reason": "读回不符"})
    record = enrolled.get(1)
    assert (record.state, record.reason) == ("failed", "读回不符")
    assert enrolled.find_by_id_code(record.id_code) == record
    enrolled.retry(1)
    assert (enrolled.get(1).state, enrolled.get(1).reason) == ("planned", "")
    begin(enrolled, enrolled.get(1))
    assert enrolled.get(1).state == "writing"


def test_a_failed_record_goes_on_when_its_chip_comes_back(enrolled: Registry) -> None:
    begin(enrolled, enrolled.get(1))
    enrolled.fail(1, "x")
    begin(enrolled, enrolled.get(1))
    assert (enrolled.get(1).state, enrolled.get(1).reason) == ("writing", "")


def test_a_spoilt_chip_is_dead_and_replaced(enrolled: Registry) -> None:
    before = enrolled.get(1)
    begin(enrolled, before)
    enrolled.milestone(1, "serial")
    enrolled.spoil(1, "6581")
    record = enrolled.get(1)
    assert record.state == "planned"
    assert record.card_number == before.card_number
    assert record.serial == bytes([0, 0, 0, 4])
    assert enrolled.milestones(1) == []
    assert enrolled.find_by_id_code(before.id_code) is None
    chip = enrolled.chip(before.id_code)
    assert chip is not None
    assert (chip.state, chip.card_id) == ("spoilt", 1)
    for card_id in (1, 2):
        with pytest.raises(ChipTakenError, match="marked as spoilt"):
            begin_premade(enrolled, card_id, before.id_code)
    issue(enrolled, record)
    assert [chip.state for chip in enrolled.show(1).chips] == ["spoilt", "issued"]
    assert enrolled.chip_counts() == {
        "reserved": 0, "bound": 0, "issued": 1, "spoilt": 1, "retired": 0
    }  # fmt: skip


def test_a_released_chip_may_serve_another_record(enrolled: Registry) -> None:
    begin_premade(enrolled, 1, premade_code(77))
    enrolled.milestone(1, "serial")
    enrolled.release(1, "card pulled before the first command")
    assert enrolled.get(1).state == "planned"
    assert enrolled.milestones(1) == []
    assert enrolled.get(1).id_code != premade_code(77)
    begin_premade(enrolled, 2, premade_code(77))
    record = enrolled.find_by_id_code(premade_code(77))
    assert record is not None
    assert record.card_id == 2


def test_a_released_blank_chip_is_still_one_chip(enrolled: Registry) -> None:
    first, second = enrolled.get(1), enrolled.get(2)
    begin(enrolled, first)
    enrolled.release(1, "x")
    enrolled.intent(
        2,
        id_code=second.id_code,
        atr=b"",
        factory_atr=FACTORY_ATR[:13] + first.serial,
        reader="r",
        chip_kind="blank",
    )
    assert sum(enrolled.chip_counts().values()) == 1
    assert enrolled.chip(first.id_code) is None


@pytest.mark.parametrize("action", ["spoil", "release"])
def test_only_a_record_with_a_chip_can_lose_it(enrolled: Registry, action: str) -> None:
    with pytest.raises(IllegalMoveError, match="has no chip"):
        getattr(enrolled, action)(1, "x")
    assert actions(enrolled, 1) == ["enrol"]
    assert enrolled.get(1).serial == bytes([0, 0, 0, 1])


def test_a_discarded_record_takes_its_chip_along(enrolled: Registry) -> None:
    record = enrolled.get(1)
    begin(enrolled, record)
    enrolled.discard(1, "卡面印错")
    assert (enrolled.get(1).state, enrolled.get(1).reason) == ("spoilt", "卡面印错")
    assert enrolled.get(1).card_number == record.card_number
    chip = enrolled.chip(record.id_code)
    assert chip is not None
    assert chip.state == "retired"
    with pytest.raises(ChipTakenError, match="retired"):
        begin_premade(enrolled, 2, record.id_code)


@pytest.mark.parametrize(
    "move",
    [
        lambda r: begin(r, r.get(1)),
        lambda r: r.milestone(1, "MF"),
        lambda r: r.result(1, ok=True, id_code=r.get(1).card_id_code),
        lambda r: r.fail(1, "x"),
        lambda r: r.retry(1),
        lambda r: r.spoil(1, "x"),
        lambda r: r.release(1, "x"),
        lambda r: r.discard(1, "x"),
    ],
)
def test_an_issued_card_stays_issued(
    enrolled: Registry, move: Callable[[Registry], object]
) -> None:
    issue(enrolled, enrolled.get(1))
    before = enrolled.show(1)
    with pytest.raises(IllegalMoveError):
        move(enrolled)
    assert enrolled.show(1) == before


def test_a_record_that_is_not_there_is_named(enrolled: Registry) -> None:
    for ask in (enrolled.get, enrolled.show, enrolled.retry):
        with pytest.raises(UnknownCardError, match="no card record 99"):
            ask(99)


# -- who makes which card ------------------------------------------------------------------------


def test_a_worklist_gives_every_record_once(enrolled: Registry) -> None:
    work = enrolled.worklist()
    claimed = [work.claim() for _ in range(4)]
    assert [record and record.card_id for record in claimed] == [1, 2, 3, None]


def test_a_worklist_follows_the_roster_it_is_given(enrolled: Registry) -> None:
    issue(enrolled, enrolled.get(2))
    work = enrolled.worklist([3, 2, 1, 99])
    claimed = [work.claim() for _ in range(3)]
    assert [record and record.card_id for record in claimed] == [3, 1, None]


def test_a_record_put_back_comes_next_with_its_new_serial(enrolled: Registry) -> None:
    work = enrolled.worklist()
    record = work.claim()
    assert record is not None
    begin(enrolled, record)
    work.put_back(record.card_id)  # not planned: nothing to claim
    enrolled.spoil(record.card_id, "6581")
    work.put_back(record.card_id)
    again = work.claim()
    assert again is not None
    assert again.card_id == record.card_id
    assert again.serial == bytes([0, 0, 0, 4])
    following = work.claim()
    assert following is not None
    assert following.card_id == 2


def test_a_worklist_sees_records_that_come_later(enrolled: Registry) -> None:
    work = enrolled.worklist()
    assert all(work.claim() for _ in range(3))
    assert work.claim() is None
    enrol(enrolled, crowd(4))
    record = work.claim()
    assert record is not None
    assert record.card_id == 4


def test_a_claim_that_was_given_up_can_come_again(enrolled: Registry) -> None:
    """Begun, pulled out, and only later found to be spoilt: at the end of the list it is there."""
    work = enrolled.worklist()
    record = work.claim()
    assert record is not None
    begin(enrolled, record)
    work.put_back(record.card_id)
    enrolled.spoil(record.card_id, "6581")
    claimed = [work.claim() for _ in range(4)]
    assert [record and record.card_id for record in claimed] == [2, 3, 1, None]


def test_a_record_that_another_program_took_is_not_claimed(enrolled: Registry) -> None:
    work = enrolled.worklist()
    assert work.claim() is not None
    begin(enrolled, enrolled.get(2))
    enrolled_code = enrolled.get(3).id_code
    begin_premade(enrolled, 1, enrolled_code)
    record = work.claim()
    assert record is not None
    assert record.card_id == 3
    assert record.id_code != enrolled_code  # moved on for record 1: as it is now, not as fetched


def test_states_of_many_records(enrolled: Registry) -> None:
    issue(enrolled, enrolled.get(2))
    assert enrolled.states([3, 2, 99]) == {3: "planned", 2: "issued"}
    assert enrolled.states([]) == {}
