"""A registry of an earlier layout, with data in it, becomes one of today: all of it or nothing."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url

from cardkit.errors import ExitCode
from cardkit.registry import migrating, postgres, schema
from cardkit.registry.errors import RegistryError
from cardkit.registry.registry import sqlite_url
from tests.registry.support import SetClock, applicant, assert_consistent, enrol, issue, open_at

LAYOUT_1 = Path(__file__).parent / "migrations" / "layout-1.sql"
"""A registry of twelve people as the first version of cardkit left it: issued, begun, failed ..."""

STATES_1 = {"planned": 7, "writing": 1, "issued": 3, "spoilt": 1, "failed": 1}


def engine(url: str) -> Engine:
    return create_engine(postgres.engine_url(make_url(url)), poolclass=NullPool)


def with_layout_1(url: str) -> None:
    """Make the registry of layout 1 with its data."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            file.executescript(LAYOUT_1.read_text(encoding="utf-8"))
            file.execute("PRAGMA journal_mode = WAL")
        file.close()
        return
    with sqlite3.connect(":memory:") as memory:
        memory.executescript(LAYOUT_1.read_text(encoding="utf-8"))
    with engine(url).begin() as connection:
        migrating.run_steps(connection, 0, 1)
        for table in ("batches", "people", "cards", "chips", "counters", "history",
                      "schema_version"):  # fmt: skip
            cursor = memory.execute(f"SELECT * FROM {table}")  # noqa: S608
            names = ", ".join(column[0] for column in cursor.description)
            marks = ", ".join(["%s"] * len(cursor.description))
            for row in cursor:
                connection.exec_driver_sql(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                    row,
                )
    memory.close()


@pytest.fixture
def old(unmade: str) -> str:
    with_layout_1(unmade)
    return unmade


def migrate(url: str, **more: Any) -> migrating.Migration:
    return migrating.migrate(url, clock=SetClock(), actor="administrator", **more)


def test_the_data_of_layout_1_are_kept(old: str) -> None:
    done = migrate(old)
    assert (done.found, done.layout, done.needed) == (1, schema.VERSION, True)
    with open_at(old) as registry:
        assert_consistent(registry)
        counts = {state: count for state, count in registry.counts().items() if count}
        assert counts == STATES_1
        person = registry.find_by_citizen_number(applicant(9).citizen_number)
        assert person is not None
        assert person.address == "测试镇"
        other = registry.find_by_citizen_number(applicant(40).citizen_number)
        assert other is not None
        assert (other.items, other.bank_card_number) == ({"DF01.EF05.20": "10"}, "6200000000000005")
        entry = registry.verify_history().head
        assert entry.sequence == 36 + 1


def test_the_migration_is_in_the_history(old: str) -> None:
    migrate(old)
    with engine(old).connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT actor, action, detail FROM history ORDER BY sequence DESC LIMIT 1"
        ).one()
    assert tuple(row) == ("administrator", "migrate", f'{{"from":1,"to":{schema.VERSION}}}')


def test_work_goes_on_afterwards(old: str) -> None:
    migrate(old)
    with open_at(old) as registry:
        enrol(registry, [applicant(50)])
        for record in registry.next_planned(20):
            issue(registry, record)
        assert_consistent(registry)


def test_an_old_registry_is_refused_in_one_line(old: str) -> None:
    with pytest.raises(RegistryError, match="has layout 1, this program needs 2") as caught:
        open_at(old)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "cardkit registry migrate" in caught.value.hint
    assert "cardkit registry migrate" in caught.value.zh


def test_looking_first_changes_nothing(old: str) -> None:
    assert migrate(old, check=True).needed
    assert migrate(old, check=True).needed
    migrate(old)
    assert not migrate(old, check=True).needed


def test_a_second_migration_has_nothing_to_do(old: str) -> None:
    migrate(old)
    again = migrate(old)
    assert (again.needed, again.copy) == (False, None)


def test_the_file_as_it_was_stays_beside_it(path: Path) -> None:
    with_layout_1(sqlite_url(path))
    done = migrate(sqlite_url(path))
    assert done.copy == path.with_name("registry.db.layout-1")
    assert stat.S_IMODE(done.copy.stat().st_mode) == 0o600
    with sqlite3.connect(done.copy) as copy:
        assert copy.execute("SELECT version FROM schema_version").fetchone() == (1,)
        assert copy.execute("SELECT count(*) FROM history").fetchone() == (36,)
    copy.close()


def test_a_step_that_fails_leaves_everything_as_it_was(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Connection, found: int, wanted: int) -> None:
        whole(connection, found, wanted)
        connection.exec_driver_sql("INSERT INTO cards (id) VALUES (1)")

    whole = migrating.run_steps
    monkeypatch.setattr(migrating, "run_steps", broken)
    with pytest.raises(RegistryError):
        migrate(old)
    with engine(old).connect() as connection:
        version = connection.exec_driver_sql("SELECT version FROM schema_version").scalar_one()
        assert version == 1
        assert "claimed_by" not in str(structure(connection))
    monkeypatch.undo()
    migrate(old)
    with open_at(old) as registry:
        assert_consistent(registry)


def test_an_empty_database_is_not_migrated(unmade: str) -> None:
    with pytest.raises(RegistryError, match="there is no registry"):
        migrate(unmade)


def test_a_newer_registry_is_not_migrated(url: str) -> None:
    open_at(url).close()
    with engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version = 999")
    with pytest.raises(RegistryError, match="newer than"):
        migrate(url)


@pytest.mark.parametrize("busy", ["enrol", "claim", "check"])
def test_a_program_that_was_running_changes_nothing_any_more(url: str, busy: str) -> None:
    """It was opened before another one upgraded the tables under it."""
    with open_at(url) as registry:
        enrol(registry, [applicant(1)])
        head = registry.history_head()
        with engine(url).begin() as connection:
            connection.exec_driver_sql("UPDATE schema_version SET version = version + 1")
        acts: dict[str, Callable[[], object]] = {
            "enrol": lambda: enrol(registry, [applicant(2)]),
            "claim": lambda: registry.worklist().claim(),
            "check": registry.check_writable,
        }
        with pytest.raises(RegistryError, match="was upgraded while this program was running"):
            acts[busy]()
        assert registry.history_head() == head
        assert registry.counts()["planned"] == 1


# -- the steps and the tables of the code say the same -------------------------------------------


@pytest.fixture
def both(
    unmade: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Engine, Engine]]:
    """A database made by all steps, and one made from the tables of the code."""
    if unmade.startswith("sqlite"):
        other = sqlite_url(tmp_path / "fresh.db")
    else:
        server = request.getfixturevalue("server")
        other = server.database()
        request.addfinalizer(lambda: server.drop(other))  # noqa: PT021
    made, fresh = engine(unmade), engine(other)
    with made.begin() as connection:
        migrating.run_steps(connection, 0, schema.VERSION)
    schema.metadata.create_all(fresh)
    yield made, fresh
    made.dispose()
    fresh.dispose()


def test_no_step_is_missing(both: tuple[Engine, Engine]) -> None:
    """When this fails: tools/migration.py, see docs/database.md."""
    made, fresh = both
    with made.connect() as one, fresh.connect() as other:
        assert compare_metadata(MigrationContext.configure(one), schema.metadata) == []
        assert structure(one) == structure(other)


def test_the_first_step_makes_what_the_first_version_made(tmp_path: Path) -> None:
    stored, made = (engine(sqlite_url(tmp_path / f"{name}.db")) for name in "ab")
    with_layout_1(str(stored.url))
    with made.begin() as connection:
        migrating.run_steps(connection, 0, 1)
    with stored.connect() as one, made.connect() as other:
        assert structure(one) == structure(other)


def structure(connection: Connection) -> dict[str, object]:
    """Tables, columns, indexes with their conditions and keys, whatever their order."""
    if connection.dialect.name == "sqlite":
        return _sqlite_structure(connection)
    questions = [
        """SELECT table_name, column_name, data_type, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public'""",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    ]
    return {
        question: sorted(map(str, connection.exec_driver_sql(question))) for question in questions
    }


def _sqlite_structure(connection: Connection) -> dict[str, object]:
    ask = connection.exec_driver_sql
    indexes = ask("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql != ''")
    found: dict[str, object] = {row[0]: row[1] for row in indexes}
    for (table,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'").all():
        found[table] = {
            "columns": sorted(str(row[1:]) for row in ask(f"PRAGMA table_info({table})")),
            "keys": sorted(str(row[2:]) for row in ask(f"PRAGMA foreign_key_list({table})")),
            "unique": sum(row[3] == "u" for row in ask(f"PRAGMA index_list({table})")),
        }
    return found
