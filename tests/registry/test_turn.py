"""What a transaction keeps of what it read: it ends with it, and nobody else sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from cardkit.registry.counters import Counters
from cardkit.registry.journal import Event
from cardkit.registry.registry import Registry
from cardkit.registry.statements import AnyRow, Statement, Value
from tests.registry.support import open_at


class _PowerCutError(Exception):
    """Whatever ends a transaction before its time."""


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every question that is asked for one row."""
    asked: list[str] = []
    first = Statement.first

    def told(self: Statement, connection: Connection, **values: Value) -> AnyRow | None:
        asked.append(self.sql(connection.dialect))
        return first(self, connection, **values)

    monkeypatch.setattr(Statement, "first", told)
    return asked


@pytest.fixture
def other(registry: Registry, url: str) -> Iterator[Registry]:  # noqa: ARG001 - made first
    """Another program with the same registry."""
    with open_at(url) as opened:
        yield opened


def _draw(registry: Registry, times: int = 1) -> list[int]:
    books = registry.books
    with books.store.writing() as connection:
        return [books.counters.draw(connection, "acts") for _ in range(times)]


def test_numbers_drawn_in_one_transaction_are_asked_for_once(
    registry: Registry, questions: list[str]
) -> None:
    assert _draw(registry) == [1]
    questions.clear()
    assert _draw(registry, 5) == [2, 3, 4, 5, 6]
    assert len([sql for sql in questions if "counters" in sql]) == 1


def test_numbers_of_a_transaction_that_was_undone_are_drawn_again(registry: Registry) -> None:
    books = registry.books
    assert _draw(registry, 2) == [1, 2]
    with pytest.raises(_PowerCutError), books.store.writing() as connection:  # noqa: PT012
        assert books.counters.draw(connection, "acts") == 3
        raise _PowerCutError
    assert _draw(registry) == [3]


def test_two_programs_never_draw_the_same_number(registry: Registry, other: Registry) -> None:
    drawn = [number for one in (registry, other) * 3 for number in _draw(one, 2)]
    assert drawn == list(range(1, 13))


def test_a_number_stored_by_hand_is_where_drawing_goes_on(registry: Registry) -> None:
    counters: Counters = registry.books.counters
    with registry.books.store.writing() as connection:
        counters.draw(connection, "acts")
        counters.store(connection, "acts", 40)
        assert counters.block(connection, "acts", 3) == 40
        assert counters.block(connection, "acts", 0) == 0
        assert counters.peek(connection, "acts") == 43
    assert _draw(registry) == [43]


def _tell(registry: Registry, connection: Connection, reason: str) -> None:
    books = registry.books
    books.journal.append(connection, books.store.now(), Event("note", detail={"reason": reason}))


def test_the_end_of_the_history_is_asked_for_once(registry: Registry, questions: list[str]) -> None:
    books = registry.books
    with books.store.writing() as connection:
        _tell(registry, connection, "first")
        events = [Event("note", detail={"reason": "many"})] * 3
        books.journal.append_many(connection, books.store.now(), events)
        _tell(registry, connection, "last")
        assert books.journal.head(connection).sequence == 5
    assert len([sql for sql in questions if "history" in sql]) == 1
    with books.store.reading() as connection:
        assert books.journal.verify(connection).intact


def test_the_history_stays_whole_when_programs_take_turns_and_one_gives_up(
    registry: Registry, other: Registry
) -> None:
    for one in (registry, other, registry):
        with one.books.store.writing() as connection:
            _tell(one, connection, "a turn")
        with pytest.raises(_PowerCutError), one.books.store.writing() as connection:  # noqa: PT012
            _tell(one, connection, "undone")
            raise _PowerCutError
    with other.books.store.reading() as connection:
        verdict = other.books.journal.verify(connection)
    assert verdict.intact
    assert verdict.head.sequence == 3
