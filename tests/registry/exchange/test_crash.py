"""kill -9 before and after every durable commit of an exchange: nothing half done, run again."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import event, func, select

from cardkit.registry.schema.exchange import (
    exchange_batches,
    exchange_files,
    exchange_pieces,
    exchange_rows,
)
from cardkit.registry.schema.life import acts, bank_accounts
from tests.registry import children
from tests.registry.exchange.crashing import day
from tests.registry.exchange.desk import Desk
from tests.registry.support import assert_consistent, crowd, enrol, open_at

PEOPLE = 3
EXPECTED = Counter(
    {
        ("out", "bank-opening"): 2,
        ("in", "bank-opening-return"): 2,
        ("out", "factory-order"): 1,
        ("in", "factory-return"): 1,
        ("out", "blacklist-full"): 1,
        ("in", "state-inquiry"): 1,
        ("in", "comparison-police"): 1,
        ("in", "loss-report"): 1,
    }
)
SENT = sum(count for (direction, _), count in EXPECTED.items() if direction == "out")
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


def assert_carried(desk: Desk, folder: Path) -> int:
    """No file without its entry in the history, none half written; returns the entries."""
    noted = [json.loads(detail)["left_digest"] for detail in desk.events("exchange-custody")]
    for file in folder.iterdir():
        assert file.suffix == ".age", file
        assert hashlib.sha256(file.read_bytes()).hexdigest() in noted
    return len(noted)


def assert_finished(desk: Desk, folder: Path) -> None:
    found = assert_whole(desk)
    assert found == EXPECTED
    assert assert_carried(desk, folder) >= SENT
    assert len(list(folder.iterdir())) == SENT
    made = desk.cards()
    assert set(made["state"]) == {"issued"}
    assert made["bank_state"].to_list() == ["opened", "lost", "opened"]
    assert len(set(made["bank_card_number"])) == PEOPLE
    assert [(one.person, one.field) for one in desk.proposals.all("open")] == [(1, "name")]
    with desk.registry.books.store.reading() as connection:
        assert (
            connection.execute(select(func.count()).select_from(bank_accounts)).scalar() == PEOPLE
        )
        done = Counter(connection.execute(select(acts.c.action)).scalars())
    assert done == {"bank-open": PEOPLE, "bank-report-loss": 1}


def test_killed_at_every_durable_commit(path: Path, tmp_path: Path) -> None:
    """Sending, taking, reissuing, the bank's losses, the blacklist, a comparison, handing over."""
    morning = prepared(path)
    points = _points(morning, tmp_path / "whole")
    assert points == 2 * (sum(EXPECTED.values()) + SENT)
    with ThreadPoolExecutor(max_workers=2) as pool:
        died = list(pool.map(lambda point: _die(morning, tmp_path, point), range(1, points + 1)))
    for point, (at, folder) in enumerate(died, 1):
        with open_at(at) as registry:
            desk = Desk(registry)
            done = sum(assert_whole(desk).values()) + assert_carried(desk, folder)
            assert done == point // 2
            day(desk, folder)
            assert_finished(desk, folder)


def _die(morning: Path, place: Path, point: int) -> tuple[Path, Path]:
    """The registry and the folder of a day that ended at a point."""
    at, folder = place / f"point-{point}.db", place / f"point-{point}"
    shutil.copy(morning, at)
    folder.mkdir()
    command = [sys.executable, "-m", "tests.registry.exchange.crashing"]
    command += [str(at), str(folder), str(point)]
    died = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120)
    assert died.returncode == children.KILLED, died.stderr.decode()
    return at, folder


def _points(morning: Path, folder: Path) -> int:
    """Fault points of a whole day; as many as the database itself sees commits, twice."""
    folder.mkdir()
    at = Path(shutil.copy(morning, morning.with_name("whole.db")))
    hooked: list[str] = []
    seen: list[object] = []
    with open_at(at) as registry:
        desk = Desk(registry)
        registry.books.store._on_commit = hooked.append
        event.listen(registry.books.store.engine, "commit", seen.append)
        day(desk, folder)
        assert_finished(desk, folder)
    assert len(hooked) == 2 * len(seen)
    return len(hooked)
