"""Records are given to one window at a time, and come back when it ends, dies or falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from cardkit.registry.claims import LEASE
from cardkit.registry.registry import Registry
from cardkit.registry.worklist import Worklist
from tests.registry.support import begin, crowd, enrol, issue


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
