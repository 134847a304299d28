"""PostgreSQL under the registry: what goes wrong with a server, and what goes on afterwards."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from cardkit.errors import ExitCode
from cardkit.registry import faults
from cardkit.registry import postgres as postgres_store
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.journal import Event
from cardkit.registry.registry import Registry
from tests import postgres
from tests.registry.support import SetClock, assert_consistent, begin, crowd, enrol, issue, open_at


@pytest.fixture
def own() -> Iterator[postgres.Server]:
    """A server that the test may stop."""
    with postgres.started() as server:
        yield server


@pytest.fixture
def filled(database: str) -> Iterator[Registry]:
    with open_at(database) as registry:
        enrol(registry, crowd(5))
        yield registry


def assert_plain(error: RegistryError, text: str, code: ExitCode = ExitCode.UNREACHABLE) -> None:
    assert text in error.message
    assert error.exit_code is code
    assert error.hint
    assert error.zh
    for line in (error.message, error.hint, error.zh):
        assert "\n" not in line
        assert "psycopg" not in line.replace("postgresql+psycopg", "")
        assert "geheim" not in line
    assert error.__suppress_context__ or error.__context__ is None


def refused(url: str, text: str, code: ExitCode) -> None:
    with pytest.raises(RegistryError) as caught:
        open_at(url).close()
    assert_plain(caught.value, text, code)


def test_a_server_that_was_started_anew_is_noticed_by_nobody(own: postgres.Server) -> None:
    with open_at(own.database()) as registry:
        enrol(registry, crowd(3))
        issue(registry, registry.get(1))
        own.stop()
        for act in (registry.counts, registry.check_writable):
            with pytest.raises(RegistryUnavailableError) as caught:
                act()
            assert_plain(caught.value, "does not answer")
        own.start()
        issue(registry, registry.get(2))
        assert registry.counts()["issued"] == 2
        assert_consistent(registry)


def test_a_crash_of_the_server_keeps_what_was_committed(own: postgres.Server) -> None:
    with open_at(own.database()) as registry:
        enrol(registry, crowd(3))
        begin(registry, registry.get(1))
        own.stop(signal.SIGQUIT)
        own.start()
        assert registry.get(1).state == "writing"
        assert_consistent(registry)


def test_a_connection_lost_in_the_middle_is_one_line_and_the_next_block_works(
    filled: Registry, server: postgres.Server, database: str
) -> None:
    store = filled.books.store

    def lose() -> None:
        with store.writing() as connection:
            filled.books.journal.append(connection, store.now(), Event("test"))
            server.end_connections(database)
            filled.books.journal.append(connection, store.now(), Event("test"))

    head = filled.history_head()
    with pytest.raises(RegistryUnavailableError) as caught:
        lose()
    assert_plain(caught.value, "is lost")
    assert filled.history_head() == head
    issue(filled, filled.get(1))
    assert_consistent(filled)


def test_connections_thrown_out_while_idle_are_replaced(
    filled: Registry, server: postgres.Server, database: str
) -> None:
    for _ in range(3):
        server.end_connections(database)
        assert filled.counts()["planned"] == 5
        filled.check_writable()


def test_a_registry_that_another_program_writes_is_waited_for(database: str) -> None:
    with open_at(database, busy_seconds=0.1) as one, open_at(database) as other:
        enrol(one, crowd(2))
        with other.books.store.writing():
            with pytest.raises(RegistryUnavailableError) as caught:
                begin(one, one.get(1))
            assert_plain(caught.value, "is locked by another program")
            assert one.get(1).state == "planned"  # reading goes on
        begin(one, one.get(1))
    with open_at(database) as one, open_at(database) as other:
        with other.books.store.writing():
            waiting = threading.Thread(target=begin, args=(one, one.get(2)))
            waiting.start()
        waiting.join()
        assert one.get(2).state == "writing"


def test_a_program_that_stopped_in_the_middle_does_not_keep_the_others_waiting(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its computer sleeps, or a cable was pulled: it loses its turn, and its change."""
    assert postgres_store._TURN_SECONDS < postgres_store.WAIT_SECONDS
    quick = postgres_store._TAKE_TURN.replace(f"'{postgres_store._TURN_SECONDS}s'", "'1s'")
    assert quick != postgres_store._TAKE_TURN
    monkeypatch.setattr(postgres_store, "_TAKE_TURN", quick)
    with open_at(database) as sleeper, open_at(database) as other:
        enrol(other, crowd(2))
        head = other.history_head()

        def fall_asleep() -> None:
            store, journal = sleeper.books.store, sleeper.books.journal
            with store.writing() as connection:
                journal.append(connection, store.now(), Event("test"))
                begin(other, other.get(1))  # waits, and gets its turn
                journal.append(connection, store.now(), Event("test"))

        with pytest.raises(RegistryUnavailableError) as caught:
            fall_asleep()
        assert_plain(caught.value, "is lost")
        assert other.history_head().sequence == head.sequence + 1
        issue(sleeper, sleeper.get(2))  # it is awake again
        assert_consistent(other)


def test_a_server_that_is_not_there(tmp_path: object) -> None:
    refused(f"postgresql://u:geheim@/x?host={tmp_path}", "does not answer", ExitCode.UNREACHABLE)
    refused("postgresql://u:geheim@127.0.0.1:1/x", "does not answer", ExitCode.UNREACHABLE)


def test_a_database_or_user_that_is_not_there(server: postgres.Server) -> None:
    refused(server.url("nosuch"), "does not exist", ExitCode.USAGE)
    wrong = server.url("postgres").replace("tester", "otto:geheim")
    refused(wrong, "no permission", ExitCode.USAGE)


def test_a_database_in_another_encoding_is_refused(server: postgres.Server) -> None:
    server.run(server.url("postgres"),
               "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")  # fmt: skip
    refused(server.url("latin"), "is in LATIN1", ExitCode.USAGE)
    server.drop(server.url("latin"))


def test_another_database_is_left_as_it_is(server: postgres.Server, database: str) -> None:
    server.run(database, "CREATE TABLE cards (id integer)")
    refused(database, "is a database, but not a registry", ExitCode.USAGE)


def test_looking_at_an_empty_database_makes_nothing(server: postgres.Server, database: str) -> None:
    with pytest.raises(RegistryError, match="there is no registry"):
        Registry.open(database, clock=SetClock(), actor="x", only_look=True)
    assert server.run(database, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.usefixtures("filled")
def test_a_server_that_only_reads_can_be_looked_at(server: postgres.Server, database: str) -> None:
    name = database.partition("?")[0].rpartition("/")[2]
    server.run(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with open_at(database) as registry:
        assert registry.counts()["planned"] == 5
        with pytest.raises(RegistryError) as caught:
            registry.check_writable()
        assert_plain(caught.value, "cannot be written", ExitCode.USAGE)


@pytest.mark.usefixtures("filled")
def test_a_user_without_rights_is_told_so(server: postgres.Server, database: str) -> None:
    server.run(database, "CREATE ROLE guest LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public "
               "TO guest")  # fmt: skip
    with open_at(database.replace("tester", "guest")) as registry:
        assert registry.counts()["planned"] == 5
        with pytest.raises(RegistryError) as caught:
            registry.check_writable()
        assert_plain(caught.value, "no permission", ExitCode.USAGE)
    server.run(database, "DROP OWNED BY guest; DROP ROLE guest")


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (psycopg.errors.DiskFull, "no room left", ExitCode.UNREACHABLE),
        (psycopg.errors.OutOfMemory, "no memory left", ExitCode.UNREACHABLE),
        (psycopg.errors.TooManyConnections, "no connection left", ExitCode.UNREACHABLE),
        (psycopg.errors.IoError, "the disk failed", ExitCode.UNREACHABLE),
        (psycopg.errors.DataCorrupted, "is damaged", ExitCode.USAGE),
        (psycopg.errors.AdminShutdown, "is lost", ExitCode.UNREACHABLE),
        (psycopg.errors.IdleInTransactionSessionTimeout, "is lost", ExitCode.UNREACHABLE),
        (psycopg.errors.CannotConnectNow, "is lost", ExitCode.UNREACHABLE),
        (psycopg.errors.SerializationFailure, "is locked", ExitCode.UNREACHABLE),
        (psycopg.errors.DeadlockDetected, "is locked", ExitCode.UNREACHABLE),
        (psycopg.errors.UniqueViolation, "refused data", ExitCode.USAGE),
        (psycopg.errors.UndefinedColumn, "not those this program knows", ExitCode.USAGE),
        (psycopg.errors.DivisionByZero, "cannot be used now", ExitCode.UNREACHABLE),
    ],
)
def test_what_a_server_says_is_one_line(
    error: type[psycopg.Error], text: str, code: ExitCode
) -> None:
    """Faults that cannot be made here, by their SQLSTATE; the driver's own text is not shown."""
    raised = error("geheim: 639900199001011234")
    for given in (raised, DBAPIError("SELECT geheim", None, raised)):
        assert_plain(faults.translate(given, "postgresql://db/cards"), text, code)


def test_every_fault_of_a_server_is_told_in_chinese_too() -> None:
    for fault in faults.POSTGRES_FAULTS.values():
        assert "{where}" in fault.zh
        assert "：" in fault.zh


@pytest.mark.parametrize("count", [1, 19, 21, 3000])
def test_copy_and_single_rows_keep_the_same(database: str, count: int) -> None:
    """COPY has escapes of its own."""
    odd = "a\tb\\c\nd\\N\"'%s;"
    with open_at(database) as registry:
        people = crowd(count)
        people[0].address = odd
        enrol(registry, people)
        assert registry.get(1).address == odd
        assert registry.get(count).name == people[-1].name
        assert_consistent(registry)


@pytest.mark.usefixtures("filled")
def test_commits_are_durable_whatever_the_server_is_set_to(
    server: postgres.Server, database: str
) -> None:
    name = database.partition("?")[0].rpartition("/")[2]
    server.run(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    with open_at(database) as registry:
        with registry.books.store.writing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        with registry.books.store.passing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "off"
