"""Several readers and several programs at once."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cardkit.registry.registry import Registry
from cardkit.registry.worklist import Worklist
from tests.registry import children
from tests.registry.support import (
    MAC,
    assert_consistent,
    begin_premade,
    crowd,
    enrol,
    issue,
    open_at,
    premade_code,
)


def test_eight_readers_make_every_card_once(registry: Registry) -> None:
    enrol(registry, crowd(80))
    work = registry.worklist()

    def reader(_number: int) -> list[int]:
        made = []
        while record := work.claim():
            issue(registry, record)
            made.append(record.card_id)
        return made

    with ThreadPoolExecutor(8) as pool:
        made = [card_id for result in pool.map(reader, range(8)) for card_id in result]
    assert sorted(made) == list(range(1, 81))
    assert registry.counts()["issued"] == 80


def test_lists_can_be_read_while_cards_are_made(registry: Registry) -> None:
    enrol(registry, crowd(60))
    records = list(registry.list())
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(issue, registry, record) for record in records]
        counts = [sum(1 for _ in registry.list()) for _ in range(5)]
        for future in writing:
            future.result()
    assert counts == [60] * 5


def test_a_new_file_that_another_program_holds_is_waited_for(path: Path) -> None:
    """Switching a file to its log mode is the one request for which SQLite itself never waits."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
    release.start()
    with open_at(path) as registry:
        enrol(registry, crowd(1))
    release.join()
    other.close()


def test_programs_that_make_a_registry_at_once_make_one(unmade: str) -> None:
    def program() -> None:
        with open_at(unmade) as registry:
            enrol(registry, crowd(2))

    started = [children.start(program) for _ in range(6)]
    assert [children.wait(child) for child in started] == [0] * 6
    with open_at(unmade) as registry:
        assert_consistent(registry)
        assert registry.counts()["planned"] == 2


def test_programs_that_enrol_at_once_share_the_numbers(url: str) -> None:
    """Each brings the same forty people and twenty of its own."""

    def program(number: int) -> None:
        with open_at(url) as registry:
            people = [*crowd(40), *crowd(20, 100 * number)]
            for start in range(0, 60, 15):
                enrol(registry, people[start : start + 15], f"{number}-{start}.csv")

    started = [children.start(partial(program, n)) for n in range(1, 5)]
    assert [children.wait(child) for child in started] == [0] * 4
    with open_at(url) as registry:
        assert_consistent(registry)
        assert registry.counts()["planned"] == 40 + 4 * 20


def test_two_programs_never_make_the_same_card(url: str) -> None:
    with open_at(url) as registry:
        enrol(registry, crowd(40))

    def program(number: int) -> None:
        with open_at(url) as registry:
            work = registry.worklist(window=f"window {number}")
            serial = 1000 * number
            while record := work.claim():
                serial += 1
                begin_premade(registry, record.card_id, premade_code(serial))
                registry.result(record.card_id, ok=True, id_code=premade_code(serial) + MAC)

    started = [children.start(partial(program, n)) for n in (1, 2)]
    assert [children.wait(child) for child in started] == [0, 0]
    with open_at(url) as registry:
        assert_consistent(registry)
        assert registry.counts()["issued"] == 40
        assert registry.chip_counts()["issued"] == 40


def test_a_claim_is_one_workers_only(registry: Registry) -> None:
    enrol(registry, crowd(300))
    work: Worklist = registry.worklist()
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: work.claim(), range(300)))
    assert len({record.card_id for record in claimed if record}) == 300
