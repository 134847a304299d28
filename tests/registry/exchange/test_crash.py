"""kill -9 before and after every durable commit of an exchange: nothing half done, run again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import event, func, select

from cardkit.registry.schema.exchange import (
    exchange_batches,
    exchange_files,
    exchange_pieces,
    exchange_rows,
)
from tests.registry import children
from tests.registry.exchange.crashing import day
from tests.registry.exchange.desk import Desk
from tests.registry.support import assert_consistent, crowd, enrol, open_at

PEOPLE = 3
ROOT = Path(__file__).parents[3]


def prepared(path: Path) -> Path:
    """A registry as it is in the morning, once for all points."""
    with open_at(path) as registry:
        enrol(registry, crowd(PEOPLE))
        Desk(registry)
    return path


def assert_whole(desk: Desk) -> Counter[tuple[str, str]]:
    """Every batch has all of its files and rows, and there is nothing beside batches."""
    assert_consistent(desk.registry)
    with desk.registry.books.store.reading() as connection:
        batches = connection.execute(select(exchange_batches)).mappings().all()
        for batch in batches:
            rows = select(func.count()).where(exchange_rows.c.batch == batch["id"])
            assert connection.execute(rows).scalar_one() == batch["rows"]
            files = desk.exchange.keeping.files(connection, batch["id"])
            assert {"original"} <= {file.role for file in files}
            for file in files:
                desk.exchange.keeping.content(connection, file)  # checks its digest
        orphans = select(exchange_pieces.c.file).where(
            exchange_pieces.c.file.not_in(select(exchange_files.c.id))
        )
        assert not connection.execute(orphans).all()
    noted = len(desk.events("exchange-out")) + len(desk.events("exchange-in"))
    assert noted == len(batches)
    return Counter((batch["direction"], batch["layout"]) for batch in batches)


def assert_finished(desk: Desk) -> None:
    found = assert_whole(desk)
    assert set(found.values()) == {1}
    assert len(found) == 5
    made = desk.cards()
    assert set(made["state"]) == {"issued"}
    assert set(made["bank_state"]) == {"opened"}
    assert len(set(made["bank_card_number"])) == PEOPLE


def test_killed_at_every_durable_commit(path: Path) -> None:
    morning = prepared(path)
    points = _points(morning)
    assert points == 2 * 5
    for point in range(1, points + 1):
        at = Path(shutil.copy(morning, path.with_name(f"point-{point}.db")))
        command = [sys.executable, "-m", "tests.registry.exchange.crashing", str(at), str(point)]
        died = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120)
        assert died.returncode == children.KILLED, died.stderr.decode()
        with open_at(at) as registry:
            desk = Desk(registry)
            assert sum(assert_whole(desk).values()) == point // 2
            day(desk)
            assert_finished(desk)


def _points(morning: Path) -> int:
    """Fault points of a whole day; as many as the database itself sees commits, twice."""
    at = Path(shutil.copy(morning, morning.with_name("whole.db")))
    hooked: list[str] = []
    seen: list[object] = []
    with open_at(at) as registry:
        desk = Desk(registry)
        registry.books.store._on_commit = hooked.append
        event.listen(registry.books.store.engine, "commit", seen.append)
        day(desk)
        assert_finished(desk)
    assert len(hooked) == 2 * len(seen)
    return len(hooked)
