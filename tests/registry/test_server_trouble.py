"""A server that is full, has no connection left, or is upgraded while a window works on it."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from alembic import op
from sqlalchemy import Column, Text

from cardkit.cli import common
from cardkit.registry import migrating, schema
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.registry import Registry
from tests import postgres, workshop
from tests.registry.support import SetClock, assert_consistent, begin, crowd, enrol, issue, open_at
from tests.registry.test_postgres import assert_plain

PEOPLE = 300


@pytest.mark.parametrize("step", ["intent", "result"])
def test_a_connection_killed_in_the_middle_of_a_card(
    server: postgres.Server, database: str, step: str
) -> None:
    """After every change of the transaction, before its commit: nothing of it is there."""
    armed: list[str] = []

    def kill(when: str) -> None:
        if when == "before" and armed:
            armed.clear()
            server.end_connections(database)

    with open_at(database, on_commit=kill) as registry:
        enrol(registry, crowd(3))
        record = registry.get(1)
        if step == "result":
            begin(registry, record)
        before, head = registry.get(1), registry.history_head()
        armed.append(step)
        with pytest.raises(RegistryUnavailableError) as caught:
            begin(registry, record) if step == "intent" else finish(registry, 1)
        assert_plain(caught.value, "is lost")
        assert registry.get(1) == before
        assert registry.history_head() == head
        assert registry.chip(before.id_code) is None or step == "result"
        if step == "intent":
            begin(registry, record)
        finish(registry, 1)
        assert registry.get(1).state == "issued"
        assert_consistent(registry)


def finish(registry: Registry, card_id: int) -> None:
    registry.result(card_id, ok=True, id_code=registry.get(card_id).id_code + b"MACS")


def test_a_server_without_a_connection_left(server: postgres.Server, database: str) -> None:
    """By the limit of one user."""
    server.run(
        database, "CREATE ROLE few LOGIN CONNECTION LIMIT 3; GRANT ALL ON SCHEMA public TO few"
    )
    url = database.replace("tester", "few")
    try:
        with open_at(url) as registry:
            enrol(registry, crowd(2))
            with _held(server, url, 10):
                with pytest.raises(RegistryUnavailableError) as caught:
                    open_at(url).close()
                assert_plain(caught.value, "no connection left")
            issue(registry, registry.get(1))
            assert_consistent(registry)
    finally:
        server.run(database, "REASSIGN OWNED BY few TO tester; DROP OWNED BY few; DROP ROLE few")


def test_a_server_whose_connections_are_all_taken() -> None:
    with postgres.started(settings=("-c", "max_connections=8")) as server:
        url = server.database()
        with open_at(url) as registry:
            enrol(registry, crowd(2))
            issue(registry, registry.get(1))
            with _held(server, url, 20):
                with pytest.raises(RegistryUnavailableError) as caught:
                    open_at(url).close()
                assert_plain(caught.value, "no connection left")
            issue(registry, registry.get(2))
            assert_consistent(registry)


@contextmanager
def _held(server: postgres.Server, url: str, most: int) -> Iterator[None]:
    """Every connection that is left, and given back: the server has noticed it too."""
    held: list[psycopg.Connection] = []
    try:
        while len(held) < most:
            held.append(psycopg.connect(url))
    except psycopg.OperationalError:
        pass
    else:
        pytest.fail("there were more connections than that")
    try:
        yield
    finally:
        pids = [connection.info.backend_pid for connection in held]
        for connection in held:
            connection.close()
        server.wait_for_end_of(pids)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 24 MB that the server may write to; root only."""
    if os.geteuid() or sys.platform != "linux":
        pytest.skip("NOT TESTED: only root can make a small file system (tests by SQLSTATE run)")
    folder = Path(f"/tmp/cardkit-full-{os.getpid()}")  # noqa: S108 - a name of its own
    folder.mkdir()
    somebody = pwd.getpwnam("postgres")
    options = f"size=24m,mode=700,uid={somebody.pw_uid},gid={somebody.pw_gid}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "cardkit-test", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("NOT TESTED: mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_of_the_server(server: postgres.Server, small_disk: Path) -> None:
    server.run(server.url("postgres"), f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    server.run(
        server.url("postgres"), "CREATE DATABASE full_disk TEMPLATE template0 TABLESPACE small"
    )
    url = server.url("full_disk")
    try:
        with open_at(url) as registry:
            enrol(registry, crowd(5))
            issue(registry, registry.get(1))
            begin(registry, registry.get(2))
            head, counts = registry.history_head(), registry.counts()
            (small_disk / "ballast").write_bytes(b"")
            with pytest.raises(RegistryUnavailableError) as caught:
                fill(registry, small_disk)
            assert_plain(caught.value, "no room left")
            assert registry.history_head() == head
            assert registry.counts() == counts
            (small_disk / "ballast").unlink()
            finish(registry, 2)
            issue(registry, registry.get(3))
            assert_consistent(registry)
    finally:
        server.drop(url)
        server.run(server.url("postgres"), "DROP TABLESPACE small")


def fill(registry: Registry, disk: Path) -> None:
    """Take all room, then enrol more than the room that files have left inside."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:
        try:
            while ballast.write(bytes(1 << 16)):
                pass
        except OSError:
            pass
    enrol(registry, crowd(4000)[5:])


# -- upgraded under a running program --------------------------------------------------------------


@contextmanager
def newer_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cardkit of the next version: it has one step and one column more."""
    number = schema.VERSION + 1

    def upgrade() -> None:
        op.add_column("cards", Column("colour", Text, nullable=False, server_default=""))

    steps = [*migrating._steps(), (number, SimpleNamespace(upgrade=upgrade))]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "VERSION", number)
        patch.setattr(migrating, "_steps", lambda: iter(steps))
        yield


def window(url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.registry.window", url, "window 1", str(folder), "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_an_upgrade_beside_a_window_that_works(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old program stops in one line, is refused from then on; the new one goes on."""
    made = workshop.Workshop(tmp_path, [])
    made.url = url
    with made.registry() as registry:
        made.enrol(registry, [workshop.applicant(row) for row in range(1, PEOPLE + 1)])
    program = window(url, tmp_path / "chips")
    assert program.stdout is not None
    told = [program.stdout.readline().split()[0] for _ in range(3)]  # it is at work
    with newer_program(monkeypatch):
        done = migrating.migrate(url, clock=common.now, actor="administrator")
    assert done.needed
    rest, said = program.communicate(timeout=60)
    assert program.returncode == 3, said
    assert "was upgraded while this program was running: nothing was changed" in said
    assert len(said.splitlines()) == 1
    told += [line.split()[0] for line in rest.splitlines()]

    again = window(url, tmp_path / "chips")
    _, said = again.communicate(timeout=60)
    assert again.returncode
    assert "newer than" in said.splitlines()[-1]

    with (
        newer_program(monkeypatch),
        Registry.open(url, clock=common.now, actor="newer") as registry,
    ):
        assert_consistent(registry)
        counts = registry.counts()
        assert counts["issued"] == len(told)
        assert counts["writing"] <= 1
        assert counts["issued"] + counts["writing"] + counts["planned"] == PEOPLE
        for record in registry.unfinished():
            finish(registry, record.card_id)  # what was begun is known, and can be finished
        issue(registry, registry.next_planned(1)[0])
        assert_consistent(registry)


def test_two_programs_of_different_version(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are open; the newer one upgrades: only it changes anything from then on."""
    with open_at(url) as older:
        enrol(older, crowd(3))
        begin(older, older.get(1))
        with newer_program(monkeypatch):
            with pytest.raises(RegistryError, match="has layout 2, this program needs 3"):
                open_at(url)
            migrating.migrate(url, clock=SetClock(), actor="administrator")
        with pytest.raises(RegistryError, match="was upgraded while"):
            finish(older, 1)
        with newer_program(monkeypatch), open_at(url) as newer:
            assert newer.get(1).state == "writing"
            finish(newer, 1)
        with pytest.raises(RegistryError, match="was upgraded while"):
            begin(older, older.get(2))
    with newer_program(monkeypatch), open_at(url) as newer:
        assert_consistent(newer)
        assert newer.counts()["issued"] == 1
