"""A registry that cannot be used says so in one line, before a card is touched."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from cardkit.cli import common
from cardkit.errors import ExitCode
from cardkit.registry import faults, store
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.registry import Registry, sqlite_url
from tests.registry import children
from tests.registry.support import (
    SetClock,
    assert_consistent,
    begin,
    crowd,
    enrol,
    open_at,
)

NOBODY = 65534


def assert_plain(error: RegistryError, exit_code: ExitCode, text: str) -> None:
    """One line for a person, what to do, and nothing of Python or SQL."""
    assert text in error.message
    assert error.exit_code is exit_code
    assert error.hint
    for line in (error.message, error.hint):
        assert "\n" not in line
        assert "sqlite3" not in line
        assert "SELECT" not in line
    assert error.__suppress_context__ or error.__context__ is None


def refused(path: Path, exit_code: ExitCode, text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        open_at(path).close()
    assert_plain(caught.value, exit_code, text)


# -- files that are no registry ----------------------------------------------------------------


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    refused(missing / "registry.db", ExitCode.USAGE, f"the directory {missing} of the registry")
    assert not missing.exists()


def test_a_directory_is_no_registry(tmp_path: Path) -> None:
    refused(tmp_path, ExitCode.USAGE, "is a directory")


@pytest.mark.parametrize(
    "content",
    [b"\x00\xff" * 3000, "序号,姓名\n1,测试\n".encode() * 200, b"x", b"SQLite format 3\x00junk"],
)
def test_another_file_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, ExitCode.USAGE, "is not a registry")
    assert path.read_bytes() == content


def test_another_database_is_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE cards (id INTEGER)")
    other.close()
    before = path.read_bytes()
    refused(path, ExitCode.USAGE, "is a database, but not a registry")
    assert path.read_bytes() == before


def test_a_damaged_registry_is_refused(path: Path) -> None:
    with open_at(path) as registry:
        enrol(registry, crowd(500))
    pages = bytearray(path.read_bytes())
    pages[4096 * 3 :] = os.urandom(len(pages) - 4096 * 3)
    path.write_bytes(pages)
    with pytest.raises(RegistryError) as caught, open_at(path) as registry:
        list(registry.list())
    assert_plain(caught.value, ExitCode.USAGE, "is damaged")


def test_a_newer_registry_is_refused(path: Path) -> None:
    open_at(path).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE schema_version SET version = 999")
    other.close()
    refused(path, ExitCode.USAGE, "has layout 999, newer than the 2 this program knows")


@pytest.mark.parametrize(
    "url",
    ["registry.db", "nosuch:///registry.db", "sqlite://", "sqlite:///:memory:", "", "::",
     "postgresql://window3@db:port/cards"],
)  # fmt: skip
def test_a_url_that_names_no_registry_is_refused(url: str) -> None:
    with pytest.raises(RegistryError) as caught:
        Registry.open(url, clock=SetClock(), actor="x")
    assert_plain(caught.value, ExitCode.USAGE, "")


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(RegistryError) as caught:
        Registry.open("postgresql+psycopg://u:geheim@localhost:1/x", clock=SetClock(), actor="x")
    assert "geheim" not in str(caught.value) + caught.value.hint


# -- a registry that cannot be written -----------------------------------------------------------


def test_a_locked_registry_is_named(path: Path) -> None:
    with open_at(path, busy_seconds=0.05) as registry:
        enrol(registry, crowd(1))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        moves: list[Callable[[], object]] = [
            registry.check_writable,
            lambda: begin(registry, registry.get(1)),
            lambda: enrol(registry, crowd(2)),
        ]
        for move in moves:
            with pytest.raises(RegistryUnavailableError) as caught:
                move()
            assert_plain(caught.value, ExitCode.UNREACHABLE, "is locked by another program")
        assert registry.get(1).state == "planned"  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        registry.check_writable()


def in_child_as_nobody(work: Callable[[], None]) -> None:
    """Root may write everything, so it becomes somebody who may not."""

    def unprivileged() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()

    assert children.run(unprivileged) == 0


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """Where an unprivileged child gets at it: pytest's own directories are closed to others."""
    directory = Path("/tmp") / f"cardkit-test-{os.getpid()}"  # noqa: S108
    directory.mkdir()
    directory.chmod(0o755)  # whatever umask a test before left behind
    try:
        yield directory / "registry.db"
    finally:
        directory.chmod(0o755)
        shutil.rmtree(directory)


def test_a_read_only_registry_can_be_read_and_says_so(shared_path: Path) -> None:
    with open_at(shared_path) as registry:
        enrol(registry, crowd(2))
    shared_path.chmod(0o444)
    shared_path.parent.chmod(0o777 if os.geteuid() == 0 else 0o755)

    def work() -> None:
        with open_at(shared_path) as registry:
            assert len(list(registry.list())) == 2
            for move in (registry.check_writable, lambda: begin(registry, registry.get(1))):
                with pytest.raises(RegistryError) as caught:
                    move()
                assert_plain(caught.value, ExitCode.USAGE, "cannot be written")
            assert registry.get(1).state == "planned"

    in_child_as_nobody(work)


def look_at(path: Path) -> Registry:
    return Registry.open(sqlite_url(path), clock=SetClock(), actor="x", only_look=True)


def test_a_registry_on_a_read_only_medium_can_be_looked_at(shared_path: Path) -> None:
    """Nobody can write beside it, as SQLite wants to even for reading."""
    with open_at(shared_path) as registry:
        enrol(registry, crowd(2))
    shared_path.chmod(0o444)
    shared_path.parent.chmod(0o555)
    before = shared_path.read_bytes()

    def work() -> None:
        with look_at(shared_path) as registry:
            assert len(list(registry.list())) == 2
            assert registry.verify_history().intact
            with pytest.raises(RegistryError) as caught:
                registry.check_writable()
            assert_plain(caught.value, ExitCode.USAGE, "cannot be written")

    in_child_as_nobody(work)
    assert shared_path.read_bytes() == before
    assert [file.name for file in shared_path.parent.iterdir()] == [shared_path.name]


def test_looking_sees_what_another_user_is_writing(shared_path: Path) -> None:
    """What stands in the write-ahead log only is seen too."""
    with open_at(shared_path) as registry:
        enrol(registry, crowd(2))
        for file in shared_path.parent.iterdir():
            file.chmod(0o444)
        shared_path.parent.chmod(0o555)

        def work() -> None:
            with look_at(shared_path) as seen:
                assert len(list(seen.list())) == 2

        in_child_as_nobody(work)


def test_a_log_without_its_index_is_a_clear_line(shared_path: Path) -> None:
    """Copied half: without the log, the file alone would tell of the past."""
    with open_at(shared_path) as registry:
        enrol(registry, crowd(2))
        log = shared_path.with_name(shared_path.name + "-wal").read_bytes()
        main = shared_path.read_bytes()
    shared_path.write_bytes(main)
    shared_path.with_name(shared_path.name + "-wal").write_bytes(log)
    shared_path.parent.chmod(0o555)
    for file in shared_path.parent.iterdir():
        file.chmod(0o444)

    def work() -> None:
        with pytest.raises(RegistryError) as caught:
            look_at(shared_path).close()
        assert_plain(caught.value, ExitCode.USAGE, "cannot be")

    in_child_as_nobody(work)


def test_every_fault_is_told_in_chinese_too() -> None:
    for fault in [*faults.FAULTS.values(), faults._CONSTRAINT, faults._OTHER]:
        assert "{where}" in fault.zh
        assert "：" in fault.zh


def test_what_is_not_supported_is_not_promised() -> None:
    """There is no extra of cardkit that brings another database."""
    with pytest.raises(RegistryError) as caught:
        Registry.open("postgresql+nosuch://db/cards", clock=SetClock(), actor="x")
    assert "cardkit[" not in caught.value.hint
    assert "SQLite" in caught.value.hint


def test_a_registry_that_may_not_be_read_is_named(shared_path: Path) -> None:
    open_at(shared_path).close()
    shared_path.chmod(0)
    in_child_as_nobody(lambda: refused(shared_path, ExitCode.USAGE, "cannot be opened"))


def test_a_directory_that_may_not_be_entered_is_named(shared_path: Path) -> None:
    open_at(shared_path).close()
    shared_path.parent.chmod(0o700 if os.geteuid() == 0 else 0)

    def work() -> None:
        refused(shared_path, ExitCode.USAGE, "no permission to enter")
        with pytest.raises(RegistryError) as caught:
            common.open_registry(str(shared_path), only_look=True)
        assert_plain(caught.value, ExitCode.USAGE, "no permission to enter")

    in_child_as_nobody(work)


def test_a_directory_that_may_not_be_written_is_named(shared_path: Path) -> None:
    shared_path.parent.chmod(0o555)
    in_child_as_nobody(
        lambda: refused(shared_path, ExitCode.USAGE, "cannot be made: Permission denied")
    )


def test_a_full_disk_changes_nothing_and_is_survived(path: Path) -> None:
    """A limit on the size of files stands for the disk: writing fails in the same calls."""

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with open_at(path) as registry:
            enrol(registry, crowd(3))
            before = [registry.show(n) for n in (1, 2, 3)]
            moves: list[Callable[[], object]] = [
                lambda: begin(registry, registry.get(1)),
                lambda: enrol(registry, crowd(3000)),
                registry.check_writable,
            ]
            for move in moves:
                resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
                with pytest.raises(RegistryUnavailableError) as caught:
                    move()
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                assert caught.value.exit_code is ExitCode.UNREACHABLE
                assert "registry" in caught.value.message
                assert [registry.show(n) for n in (1, 2, 3)] == before
            begin(registry, registry.get(1))
            assert len(enrol(registry, crowd(3000)).new) == 2997
            assert_consistent(registry)

    assert children.run(work) == 0


def test_a_database_without_room_says_so(path: Path) -> None:
    with open_at(path) as registry:
        with registry._store.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RegistryUnavailableError) as caught:
            enrol(registry, crowd(3000))
        assert_plain(caught.value, ExitCode.UNREACHABLE, "no room left")
        assert sum(registry.counts().values()) == 0


def test_almost_no_room_is_found_before_a_card_is_touched(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_at(path) as registry:
        registry.check_writable()
        usage = shutil.disk_usage(path.parent)
        monkeypatch.setattr(store, "disk_usage", lambda _path: usage._replace(free=1 << 20))
        with pytest.raises(RegistryUnavailableError) as caught:
            registry.check_writable()
        assert_plain(caught.value, ExitCode.UNREACHABLE, "almost no room left")


def test_check_writable_leaves_something_durable(path: Path) -> None:
    with open_at(path) as registry:
        with registry._store.reading() as connection:
            question = "SELECT checked_at FROM schema_version"
            before = connection.exec_driver_sql(question).scalar_one()
        registry.check_writable()
    with sqlite3.connect(path) as other:
        assert other.execute(question).fetchone()[0] > before
    other.close()


@pytest.mark.parametrize("inside", [False, True])
def test_a_lost_connection_is_replaced(path: Path, *, inside: bool) -> None:
    with open_at(path) as registry:
        enrol(registry, crowd(1))
        writer = registry._store._writer
        assert writer is not None
        driver = writer.connection.driver_connection
        assert driver is not None

        def lose() -> None:
            if not inside:
                driver.close()
            with registry._store.writing() as connection:
                driver.close()
                registry._journal.head(connection)

        with pytest.raises(RegistryUnavailableError) as caught:
            lose()
        assert_plain(caught.value, ExitCode.UNREACHABLE, "cannot be used now")
        begin(registry, registry.get(1))
        assert_consistent(registry)


@pytest.mark.parametrize(
    "change",
    [
        "cards SET person = 1 WHERE id = 2",
        "cards SET card_number = (SELECT card_number FROM cards WHERE id = 1) WHERE id = 2",
        "cards SET card_id_code = (SELECT card_id_code FROM cards WHERE id = 1) WHERE id = 2",
        "chips SET card = 1 WHERE card = 2",
        "chips SET card_id_code = (SELECT card_id_code FROM cards WHERE id = 1) WHERE card = 2",
        "people SET citizen_number = (SELECT citizen_number FROM people WHERE id = 1) WHERE id = 2",
        "cards SET person = 99 WHERE id = 1",
        "chips SET card = 99",
    ],
)
def test_the_database_itself_guards_what_must_never_be(path: Path, change: str) -> None:
    """Whatever a program does wrong: no two cards a person, no number and no chip twice."""
    with open_at(path) as registry:
        enrol(registry, crowd(2))
        begin(registry, registry.get(1))
        begin(registry, registry.get(2))

        def wrong() -> None:
            with registry._store.writing() as connection:
                connection.exec_driver_sql(f"UPDATE {change}")

        with pytest.raises(RegistryError) as caught:
            wrong()
        assert_plain(caught.value, ExitCode.USAGE, "refused data that contradict it")
        assert_consistent(registry)


# -- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_can_read_the_files(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with open_at(path) as registry:
            enrol(registry, crowd(1))
            files = list(path.parent.glob("registry.db*"))
            assert len(files) == 3
            for file in files:
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_commits_survive_a_power_cut_by_setting(path: Path) -> None:
    with open_at(path) as registry, registry._store.writing() as connection:
        ask = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert ask == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_closed_registry_says_so(path: Path) -> None:
    registry = open_at(path)
    registry.close()
    registry.close()
    for move in (lambda: registry.get(1), registry.check_writable, registry.counts):
        with pytest.raises(RegistryError, match="is closed"):
            move()


def test_a_clock_without_a_zone_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="zone"):
        Registry.open(
            sqlite_url(path),
            clock=lambda: datetime(2012, 5, 1),  # noqa: DTZ001
            actor="x",
        )


def test_errors_of_the_database_show_no_data(path: Path) -> None:
    """The text of a driver's error may quote the row it complains about."""
    with open_at(path) as registry:
        people = crowd(2)

        def same_number_twice() -> None:
            with registry._store.writing() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO people (id, citizen_number, name) VALUES (1, ?, ?)",
                    [(person.citizen_number, person.name) for person in people],
                )

        with pytest.raises(RegistryError) as caught:
            same_number_twice()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        for person in people:
            assert person.citizen_number not in str(caught.value)
            assert person.name not in str(caught.value)


# -- changes behind its back --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE history SET actor = 'somebody' WHERE sequence = 2", "entry 2 was changed"),
        ("UPDATE history SET detail = '{}' WHERE sequence = 1", "entry 1 was changed"),
        ("DELETE FROM history WHERE sequence = 2", "entry 2 is missing"),
        ("UPDATE history SET card = 2 WHERE sequence = 1", "entry 1 was changed"),
        (
            "UPDATE cards SET state = 'planned' WHERE id = 1",
            "card record 1 is planned, its history says writing",
        ),
        (
            "DELETE FROM history WHERE sequence = (SELECT max(sequence) FROM history)",
            "card record 1 is writing, its history says planned",
        ),
    ],
)
def test_a_change_behind_its_back_is_found(path: Path, change: str, problem: str) -> None:
    with open_at(path) as registry:
        enrol(registry, crowd(2))
        begin(registry, registry.get(1))
        assert registry.verify_history().intact
        with sqlite3.connect(path) as other:
            other.execute(change)
        other.close()
        assert registry.verify_history().problem == problem
