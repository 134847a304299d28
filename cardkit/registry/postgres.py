"""What only PostgreSQL needs: its URL, its connections, the one writer's lock, and COPY.

A registry is one database of a server, in UTF-8. Passwords come from ``PGPASSWORD`` or libpq's
password file; nothing here shows one.
"""

from __future__ import annotations

import select
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError

from cardkit.registry.errors import RegistryError

WAIT_SECONDS = 60.0
"""How long a window waits for another one that is writing: a county's roster takes some ten."""

_TURN_SECONDS = 45
"""How long whoever has the writer's turn may say nothing: less than others wait for it.

A program that was stopped in the middle of a change, or whose computer sleeps or lost its network,
would keep every other window waiting for ever.
"""

_CONNECT_SECONDS = 10
_LINE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds and tries after which a line is given up whose other end has gone without a word."""

_WRITER = 0x636172646B6974  # "cardkit": one writer of a registry at a time
_TAKE_TURN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{_TURN_SECONDS}s'; "
    f"SELECT pg_advisory_xact_lock({_WRITER})"
)

BEGINS_ITSELF = {"isolation_level": "AUTOCOMMIT"}
"""Execution options of the connection that writes: the driver leaves it to `take_turn` to begin."""


def engine_url(url: URL) -> URL:
    """``postgresql://`` and ``postgres://`` with the driver this program brings.

    Examples
    --------
    >>> from sqlalchemy import make_url
    >>> engine_url(make_url("postgresql://window3@db/cards")).drivername
    'postgresql+psycopg'
    """
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def shown(url: URL) -> str:
    """The URL for people, without password and without whatever else was put into it.

    Examples
    --------
    >>> from sqlalchemy import make_url
    >>> shown(make_url("postgresql+psycopg://window3:secret@db/cards?passfile=x"))
    'postgresql://window3@db/cards'
    """
    plain = url.set(drivername="postgresql", query={})
    return URL.create(
        plain.drivername, plain.username, None, plain.host, plain.port, plain.database
    ).render_as_string()


def connect_arguments(url: URL, busy_seconds: float) -> dict[str, Any]:
    """Settings of every connection; a commit is durable whatever the server's own settings are."""
    given = url.query.get("options", "")
    wished = given if isinstance(given, str) else " ".join(given)
    ours = f"-c lock_timeout={max(1, int(busy_seconds * 1000))} -c synchronous_commit=on" + "".join(
        f" -c tcp_{name}={value}" for name, value in _LINE.items()
    )
    return {
        "options": f"{wished} {ours}".strip(),
        "application_name": "cardkit",
        "client_encoding": "UTF8",
        "connect_timeout": _CONNECT_SECONDS,
        "tcp_user_timeout": 1000 * int(WAIT_SECONDS),
        **_LINE,
    }


def configure(engine: Engine) -> None:
    """Transactions of every sort but the writer's, and no connection that the server has closed."""

    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("passing"):  # what a power cut may forget
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        elif options.get("snapshot"):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def taken_out(connection: DBAPIConnection, _record: object, _proxy: object) -> None:
        if is_stale(connection):
            raise DisconnectionError

    event.listen(engine, "begin", begun)
    event.listen(engine, "checkout", taken_out)


def take_turn(connection: Connection, question: str) -> Any:  # noqa: ANN401 - a row
    """Begin to write: wait for the writer's turn, then ask something; returns its first row.

    All of it is one round trip to the server. Each statement sees what was committed when it
    began, so the answer is as things are once the turn has come.
    """
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(f"{_TAKE_TURN}; {question}", prepare=False)
        while cursor.nextset():
            pass
        return cursor.fetchone()


def is_stale(connection: Any) -> bool:  # noqa: ANN401 - a connection of psycopg
    """Whether the server has gone away behind an idle connection; asks the socket, not the server.

    A server that ends, or ends a connection, says so: there is something to read that nobody
    asked for.
    """
    if connection.closed:
        return True
    try:
        readable, _, _ = select.select([connection.fileno()], [], [], 0)
    except (OSError, ValueError):
        return True
    return bool(readable)


def drop_if_lost(connection: Connection) -> bool:
    """Give up an SQLAlchemy connection whose server is gone; whether it was."""
    if not (connection.closed or connection.invalidated):
        driver: Any = connection.connection.driver_connection
        if driver is not None and not driver.closed and not driver.broken:
            return False
    with suppress(Exception):  # nothing of it is of use any more
        connection.invalidate()
    with suppress(Exception):
        connection.close()
    return True


def check_database(connection: Connection, name: str) -> None:
    """Refuse a database that could not hold every name, before tables are made in it.

    Raises
    ------
    RegistryError
        Its encoding is not UTF-8.
    """
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise RegistryError(
            f"the database {name} is in {encoding}, which cannot hold every name",
            hint="make it in UTF-8: createdb --encoding=UTF8 --locale=C --template=template0 NAME",
            zh=f"数据库 {name} 的编码是 {encoding}，存不下所有姓名：请以 UTF8 编码重建数据库",
        )


def analyze(connection: Connection, table: str) -> None:
    """Let the planner know what this transaction has put into a table of ours."""
    connection.exec_driver_sql(f"ANALYZE {table}")


def copy_rows(cursor: Any, sql: str, rows: Iterable[Sequence[object]]) -> None:  # noqa: ANN401
    """Send rows by ``COPY ... FROM STDIN``, the quickest road into a table."""
    with cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)
