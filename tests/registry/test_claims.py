"""Records are given to one window at a time, and come back when it ends, dies or falls silent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from cardkit.issuance.batch import Tally
from cardkit.issuance.matching import NothingToDoError, next_record
from cardkit.issuance.standing import standing
from cardkit.registry.claims import LEASE
from cardkit.registry.errors import BeingMadeError
from cardkit.registry.registry import Registry
from cardkit.registry.worklist import Worklist
from tests.registry.support import MAC, begin, crowd, enrol, issue


class Hand:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2012, 5, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def one(url: str, clock: Hand) -> Registry:
    opened = Registry.open(url, clock=clock, actor="window")
    enrol(opened, crowd(50))
    return opened


@pytest.fixture
def other(url: str, clock: Hand, one: Registry) -> Registry:
    assert one.counts()  # made by now
    return Registry.open(url, clock=clock, actor="window")


@pytest.fixture(autouse=True)
def _closed(one: Registry, other: Registry) -> Iterator[None]:
    yield
    one.close()
    other.close()


def claimed(work: Worklist, count: int) -> list[int]:
    return [record.card_id for _ in range(count) if (record := work.claim())]


@pytest.mark.parametrize("listed", [False, True])
def test_two_windows_get_different_records(one: Registry, other: Registry, listed: bool) -> None:
    ids = range(1, 51) if listed else None
    first, second = one.worklist(ids, window="1"), other.worklist(ids, window="2")
    got, also = [], []
    for _ in range(20):
        got += claimed(first, 1)
        also += claimed(second, 1)
    assert not set(got) & set(also)
    assert len(got) == len(also) == 20
    assert sorted(got) == got


def test_what_a_window_leaves_at_its_end_is_for_others(one: Registry, other: Registry) -> None:
    first = one.worklist(window="1")
    issue(one, one.get(claimed(first, 2)[0]))
    first.close()
    assert claimed(other.worklist(window="2"), 100) == list(range(2, 51))


def test_a_killed_window_finds_its_records_again_by_its_name(
    one: Registry, other: Registry
) -> None:
    claimed(one.worklist(window="1"), 3)
    assert claimed(other.worklist(window="1"), 3) == [1, 2, 3]


def test_records_of_a_window_that_is_known_to_be_dead_are_free_at_once(
    one: Registry, other: Registry
) -> None:
    claimed(one.worklist(window="pc/12"), 3)
    assert claimed(other.worklist(window="2"), 1) == [21]
    dead = other.worklist(window="3", dead=lambda window: window == "pc/12")
    assert claimed(dead, 1) == [1]


def test_records_of_a_silent_window_are_free_after_a_while(
    one: Registry, other: Registry, clock: Hand
) -> None:
    first, second = one.worklist(window="1"), other.worklist(window="2")
    assert claimed(first, 1) == [1]
    clock.now += LEASE - timedelta(seconds=1)
    assert claimed(second, 1) == [21]
    clock.now += timedelta(seconds=1)
    third = other.worklist(window="3")
    assert claimed(third, 1) == [1]
    everybody = [*claimed(first, 50), *claimed(third, 50)]
    assert len(set(everybody)) == len(everybody)


def test_a_window_that_works_slowly_keeps_its_records(
    one: Registry, other: Registry, clock: Hand
) -> None:
    first, second = one.worklist(window="1"), other.worklist(window="2")
    mine = claimed(first, 1)
    theirs = claimed(second, 1)
    for _ in range(12):
        clock.now += LEASE * 0.4
        mine += claimed(first, 1)
        theirs += claimed(second, 1)
    assert mine == list(range(1, 14))
    assert theirs == list(range(21, 34))


def test_a_record_planned_again_is_free_when_its_window_gave_it_back(
    one: Registry, other: Registry
) -> None:
    first = one.worklist(window="1")
    (card_id,) = claimed(first, 1)
    begin(one, one.get(card_id))
    one.spoil(card_id, "6581")
    first.put_back(card_id)
    assert claimed(first, 1) == [card_id]
    begin(one, one.get(card_id))
    first.put_back(card_id)
    one.spoil(card_id, "6581")
    assert card_id in claimed(other.worklist(window="2"), 50)


def test_claims_cost_no_wait_for_the_disk_and_no_history(one: Registry) -> None:
    """One short transaction for twenty cards."""
    head = one.history_head()
    commits: list[object] = []
    event.listen(one.books.store.engine, "commit", commits.append)
    claimed(one.worklist(window="1"), 40)
    assert len(commits) == 3  # what dead windows had, and twice twenty
    assert one.history_head() == head


def test_what_another_living_window_has_is_known_by_its_name(
    one: Registry, other: Registry, clock: Hand
) -> None:
    """Until it ends, falls silent or is known to be dead."""
    first, second = one.worklist(window="1"), other.worklist(window="2")
    (card_id,) = claimed(first, 1)
    begin(one, one.get(card_id))
    assert second.elsewhere([card_id]) == {card_id: "1"}
    assert first.elsewhere([card_id]) == {}
    killed = other.worklist(window="3", dead=lambda window: window == "1")
    assert killed.elsewhere([card_id]) == {}
    clock.now += LEASE
    assert second.elsewhere([card_id]) == {}


def test_a_window_that_ends_keeps_nothing_that_it_had_begun(
    one: Registry, other: Registry, clock: Hand
) -> None:
    first, second = one.worklist(window="1"), other.worklist(window="2")
    (card_id,) = claimed(first, 1)
    begin(one, one.get(card_id))
    clock.now += LEASE * 0.4  # renews, and the record is not planned any more
    claimed(first, 1)
    first.close()
    assert second.elsewhere([card_id]) == {}


def test_a_record_that_another_window_makes_is_not_spoilt_by_hand(
    one: Registry, other: Registry, clock: Hand
) -> None:
    (card_id,) = claimed(one.worklist(window="1"), 1)
    begin(one, one.get(card_id))
    head = one.history_head()
    with pytest.raises(BeingMadeError, match=r"being made at window 1$") as caught:
        other.spoil(card_id, "lost", by_window="2")
    assert "when that window has ended or its lease has passed" in caught.value.hint
    assert (other.get(card_id).state, other.history_head()) == ("writing", head)
    clock.now += LEASE
    other.spoil(card_id, "lost", by_window="2")
    assert other.get(card_id).state == "planned"


def test_a_window_is_told_that_others_make_the_cards_that_are_left(
    one: Registry, other: Registry, clock: Hand
) -> None:
    """Only what nobody has in hand is missing."""
    ids = [1, 2]
    first, second = one.worklist(ids, window="1"), other.worklist(ids, window="2")
    for card_id in claimed(first, 2):
        begin(one, one.get(card_id))
    with pytest.raises(NothingToDoError, match=r"being made at window 1$") as caught:
        next_record(other, second)
    assert "窗口 1 制作" in caught.value.zh
    assert "spoil" not in caught.value.hint
    clock.now += LEASE
    with pytest.raises(NothingToDoError, match="only begun cards are missing") as caught:
        next_record(other, second)
    assert other.get(1).id_code.hex().upper() in caught.value.message


def test_a_card_that_another_window_is_just_finishing_is_not_missing(
    one: Registry, other: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is sent to spoil a card that was begun at one look and issued at the next."""
    ids = [1, 2]
    first, second = one.worklist(ids, window="1"), other.worklist(ids, window="2")
    for card_id in claimed(first, 2):
        begin(one, one.get(card_id))
    asked = second.elsewhere

    def finished_meanwhile(begun: Collection[int] = ()) -> dict[int, str]:
        one.result(1, ok=True, id_code=one.get(1).id_code + MAC)
        return asked(begun)

    monkeypatch.setattr(second, "elsewhere", finished_meanwhile)
    with pytest.raises(NothingToDoError, match=r"being made at window 1$"):
        next_record(other, second)


def test_claimed_and_not_begun_elsewhere_is_not_a_complete_batch(
    one: Registry, other: Registry
) -> None:
    ids = [1, 2]
    first, second = one.worklist(ids, window="1"), other.worklist(ids, window="2")
    claimed(first, 1)
    with pytest.raises(NothingToDoError, match=r"being made at window 1$"):
        next_record(other, second)


def test_at_the_end_a_window_counts_what_all_windows_have_made(
    one: Registry, other: Registry
) -> None:
    ids = [1, 2, 3, 4, 5, 6]
    issue(one, one.get(6))  # before
    wanted = ids[:5]
    work = one.worklist(wanted, window="1")
    second = other.worklist(wanted, window="2")
    for card_id in claimed(second, 3):
        begin(other, other.get(card_id))
    other.result(1, ok=True, id_code=other.get(1).id_code + MAC)
    other.fail(2, "6A82")
    for card_id in (4, 5):
        issue(one, one.get(card_id))
    stand = standing(one, work, ids, wanted, Tally(issued=[4, 5]))
    assert (stand.issued, stand.elsewhere, stand.earlier) == (2, 1, 1)
    assert (stand.failed, stand.waiting, stand.begun, stand.open) == (1, 0, 1, 1)
    assert stand.away == {3}
