"""A clock that was set back would tear the order of the history: nothing is written then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cardkit.errors import ExitCode
from cardkit.registry.errors import ClockSetBackError
from cardkit.registry.registry import Registry
from tests.registry.support import assert_consistent, crowd, enrol, issue

NOON = datetime(2012, 5, 1, 12, 0, tzinfo=UTC)


def opened(url: str, now: datetime, **more: float) -> Registry:
    return Registry.open(url, clock=lambda: now, actor="window 1", **more)  # type: ignore[arg-type]


@pytest.fixture
def filled(url: str) -> str:
    with opened(url, NOON) as registry:
        enrol(registry, crowd(3))
    return url


ACTS: dict[str, Callable[[Registry], object]] = {
    "enrol": lambda registry: enrol(registry, crowd(5)),
    "issue": lambda registry: issue(registry, registry.get(1)),
    "fail": lambda registry: registry.fail(1, "6F00"),
    "check": lambda registry: registry.check_writable(),
}


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_written_when_the_clock_was_set_back(filled: str, act: str) -> None:
    with opened(filled, NOON - timedelta(minutes=6)) as registry:
        head = registry.history_head()
        with pytest.raises(ClockSetBackError, match=r"11:54:00\.000Z") as caught:
            ACTS[act](registry)
        assert caught.value.exit_code is ExitCode.REFUSED
        assert "accept-clock" in caught.value.hint
        assert registry.history_head() == head
        assert registry.counts()["planned"] == 3
        assert_consistent(registry)


@pytest.mark.parametrize("minutes", [0, 4, 5])
def test_clocks_of_several_computers_may_differ_a_little(filled: str, minutes: int) -> None:
    with opened(filled, NOON - timedelta(minutes=minutes)) as registry:
        issue(registry, registry.get(1))
        assert_consistent(registry)


def test_how_much_they_may_differ_is_a_setting(filled: str) -> None:
    with (
        opened(filled, NOON - timedelta(minutes=4), clock_slack=60.0) as registry,
        pytest.raises(ClockSetBackError),
    ):
        registry.fail(1, "6F00")


def test_an_earlier_clock_that_was_wrong_is_put_right_by_name(filled: str) -> None:
    earlier = NOON - timedelta(days=400)
    with opened(filled, earlier) as registry:
        books = registry.books
        with books.store.writing() as connection:
            books.journal.accept_clock(connection, books.store.now(), "battery was empty")
        issue(registry, registry.get(1))
        assert_consistent(registry)
