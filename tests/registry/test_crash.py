"""kill -9 before and after every commit, and at every single statement: the next run finishes.

The work below is written as the issuing road is: it looks at the registry, does the next thing,
and can be started again at any time.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from cardkit.registry import enrolment
from cardkit.registry.registry import Registry
from cardkit.registry.states import State
from tests.registry import children
from tests.registry.support import MAC, assert_consistent, begin, crowd, enrol, open_at

PEOPLE = 3


def work(registry: Registry) -> None:
    """Enrol three people and issue to all; the first chip of record 2 is broken, 3 fails once."""
    enrol(registry, crowd(PEOPLE))
    for record in [*registry.unfinished(), *registry.list([State.FAILED])]:
        make(registry, record.card_id)
    for record in registry.next_planned(PEOPLE):
        make(registry, record.card_id)


def make(registry: Registry, card_id: int) -> None:
    begin(registry, registry.get(card_id))
    if card_id == 2 and len(registry.show(2).chips) == 1:
        registry.spoil(2, "6581")
        begin(registry, registry.get(card_id))
    if card_id == 3 and "fail" not in [entry.action for entry in registry.show(3).history]:
        registry.fail(3, "6F00")
        begin(registry, registry.get(3))
    registry.milestone(card_id, "MF")
    registry.result(card_id, ok=True, id_code=registry.get(card_id).id_code + MAC)


def assert_finished(registry: Registry) -> None:
    assert_consistent(registry)
    assert registry.counts()[State.ISSUED] == len(list(registry.list())) == PEOPLE
    assert registry.chip_counts()["issued"] == PEOPLE
    assert registry.chip_counts()["spoilt"] == 1
    actions = Counter(
        entry.action for card_id in range(1, PEOPLE + 1) for entry in registry.show(card_id).history
    )
    assert actions["enrol"] == actions["issue"] == PEOPLE


def commits_of_the_work(path: Path) -> int:
    """Durable commits of one undisturbed run, as the database sees them."""
    hooked: list[str] = []
    seen: list[object] = []
    with open_at(path, on_commit=hooked.append) as registry:
        event.listen(registry._store.engine, "commit", seen.append)
        opening = len(hooked)
        work(registry)
        assert_finished(registry)
    assert hooked == ["before", "after"] * (len(hooked) // 2)
    assert len(hooked) - opening == 2 * len(seen), "a commit has no fault point"
    return len(hooked) // 2


def test_killed_before_and_after_every_commit(path: Path) -> None:
    points = 2 * commits_of_the_work(path)
    for point in range(1, points + 1):
        at = path.with_name(f"point-{point}.db")

        def killed_there(at: Path = at, point: int = point) -> None:
            left = point

            def count(_when: str) -> None:
                nonlocal left
                left -= 1
                if not left:
                    children.kill_this_process()

            with open_at(at, on_commit=count) as registry:
                work(registry)

        assert children.run(killed_there) == children.KILLED, f"point {point} was not reached"
        with open_at(at) as registry:
            assert_consistent(registry)
            assert sum(registry.counts().values()) in (0, PEOPLE)
            work(registry)
            assert_finished(registry)


def run_until(statement: int, at: Path, work: Callable[[Registry], object] = work) -> int:
    """Work, dying at the given statement that changes something; returns how many there were.

    SQLite itself reports them, one for every row and for BEGIN and COMMIT as well.
    """
    seen = 0

    def count(sql: str) -> None:
        nonlocal seen
        if sql.startswith(("SELECT", "PRAGMA")):
            return
        seen += 1
        if seen == statement:
            children.kill_this_process()

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(count)

    event.listen(Pool, "connect", connected)
    try:
        with open_at(at) as registry:
            work(registry)
    finally:
        event.remove(Pool, "connect", connected)
    return seen


def test_killed_at_every_statement(
    path: Path, empty_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside transactions too: also half an enrolment leaves nothing."""
    monkeypatch.setattr(enrolment, "CHUNK", 2)
    shutil.copyfile(empty_file, path)
    total = run_until(0, path)
    assert total > 100
    for statement in range(1, total + 1):
        at = path.with_name(f"statement-{statement}.db")
        shutil.copyfile(empty_file, at)
        assert children.run(partial(run_until, statement, at)) == children.KILLED
        with open_at(at) as registry:
            assert sum(registry.counts().values()) in (0, PEOPLE)
            work(registry)
            assert_finished(registry)


@pytest.mark.parametrize(("when", "kept"), [("before", False), ("after", True)])
def test_power_cut_in_process(path: Path, when: str, *, kept: bool) -> None:
    """The same fault points without a kill, for tests of the road above."""

    class PowerCutError(Exception):
        pass

    def cut(now: str) -> None:
        if now == when:
            raise PowerCutError

    open_at(path).close()
    with open_at(path, on_commit=cut) as registry, pytest.raises(PowerCutError):
        enrol(registry, crowd(PEOPLE))
    with open_at(path) as registry:
        assert (sum(registry.counts().values()) == PEOPLE) == kept
        work(registry)
        assert_finished(registry)


def test_killed_while_its_tables_are_made(path: Path) -> None:
    """They are made in one transaction, so some of its statements stand for all."""
    total = run_until(0, path, lambda _: None)
    for statement in [*range(1, total, total // 15), total]:
        at = path.with_name(f"statement-{statement}.db")
        assert children.run(partial(run_until, statement, at)) == children.KILLED
        with open_at(at) as registry:
            work(registry)
            assert_finished(registry)


def test_killed_while_it_is_being_made(path: Path) -> None:
    """An empty or half-made file is no registry yet, and becomes one the next time."""
    for when in ("before", "after"):
        at = path.with_name(f"{when}.db")

        def killed_there(at: Path = at, when: str = when) -> None:
            open_at(at, on_commit=lambda now: children.kill_this_process() if now == when else None)

        assert children.run(killed_there) == children.KILLED
        with open_at(at) as registry:
            work(registry)
            assert_finished(registry)
