"""The database under the registry: opening it, and its transactions.

One connection writes, under one lock; whoever reads takes another one for a moment. Each
``writing`` block is one transaction and one durable commit, whatever thread it comes from. Between
processes the database's own lock does the same, taken when the transaction begins, so nothing read
inside a ``writing`` block can be out of date when it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from cardkit.registry import schema, sqlite
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.faults import errors_of, translate, translated

Clock = Callable[[], datetime]
CommitHook = Callable[[Literal["before", "after"]], None]

_LEAST_FREE = 4 << 20  # bytes: some thousand cards
_ADVISORY_LOCK = 0x636172646B6974  # "cardkit": one writer of a PostgreSQL registry at a time


def instant(clock: Clock) -> str:
    """The clock's time as UTC text.

    Raises
    ------
    ValueError
        The clock does not say in which zone it runs.

    Examples
    --------
    >>> instant(lambda: datetime(2012, 5, 1, 8, 0, tzinfo=UTC))
    '2012-05-01T08:00:00.000Z'
    """
    now = clock()
    if now.tzinfo is None:
        raise ValueError("the clock of a registry must know its zone")
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class Store:
    """An open registry database.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.
    clock : callable
        Gives the time, with zone.
    busy_seconds : float
        How long to wait for another program that writes.
    on_commit : callable, optional
        Called with ``'before'`` and ``'after'`` around every durable commit: the place for fault
        injection.
    only_look : bool
        Nothing will be written: a registry that cannot be written is opened all the same.

    Raises
    ------
    RegistryError
        Anything that keeps the registry from being used.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        busy_seconds: float = 10.0,
        on_commit: CommitHook | None = None,
        only_look: bool = False,
    ) -> None:
        self._clock = clock
        self._on_commit = on_commit
        self._lock = threading.RLock()
        self._closed = False
        self._writer: Connection | None = None
        self.engine = _engine(url, busy_seconds, only_look=only_look)
        self.name = self.engine.url.render_as_string(hide_password=True)
        if self.engine.dialect.name == "sqlite":
            self.name = str(sqlite.path_of(self.engine))
        with translated(self.engine, self.name):
            self._open(busy_seconds)

    def _open(self, busy_seconds: float) -> None:
        is_sqlite = self.engine.dialect.name == "sqlite"
        try:
            if is_sqlite:
                sqlite.prepare_file(sqlite.path_of(self.engine))
            fresh = not self._check_version()
            if fresh and is_sqlite:
                sqlite.use_write_ahead_log(self.engine, busy_seconds)
            if fresh:
                self._create()
        except BaseException:
            self.engine.dispose()
            raise

    def _check_version(self) -> bool:
        """Whether there is a registry; refuse what is none or is newer than this program."""
        with self.engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            if not tables:
                return False
            if schema.schema_version.name not in tables or schema.cards.name not in tables:
                raise RegistryError(
                    f"{self.name} is a database, but not a registry",
                    hint="name another file with --registry; this one was left as it is",
                    zh=f"{self.name} 是数据库，但不是登记库：请用 --registry 指明登记库；"
                    "该文件未被改动",
                )
            found = connection.execute(schema.schema_version.select()).scalar_one()
        if found > schema.VERSION:
            raise RegistryError(
                f"the registry {self.name} has layout {found}, newer than the {schema.VERSION} "
                "this program knows",
                hint="update cardkit on this computer",
                zh=f"登记库 {self.name} 由更新版本的 cardkit 建立：请更新本机的 cardkit",
            )
        return True

    def _create(self) -> None:
        with self.writing() as connection:
            if inspect(connection).has_table(schema.schema_version.name):
                return  # another program was quicker
            schema.metadata.create_all(connection)
            now = self.now()
            connection.execute(
                schema.schema_version.insert().values(
                    version=schema.VERSION, applied_at=now, checked_at=now
                )
            )

    def now(self) -> str:
        """The instant as the tables keep it."""
        return instant(self._clock)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it durable at the end of the block, or nothing.

        Raises
        ------
        RegistryError
            The registry cannot be written; nothing was changed.
        """
        with self._lock:
            self._refuse_closed()
            try:
                with self._transaction() as connection:
                    yield connection
                    self._fault_point("before")
            except errors_of(self.engine) as error:
                raise translate(error, self.name) from None
            self._fault_point("after")

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._writer is None:
            self._writer = self.engine.connect().execution_options(writing=True)
        with self._writer.begin():
            yield self._writer

    def _fault_point(self, when: Literal["before", "after"]) -> None:
        if self._on_commit:
            self._on_commit(when)

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """What was committed, as it is at each question.

        Parameters
        ----------
        snapshot : bool
            All questions of the block see the same state of things.
        """
        self._refuse_closed()
        with translated(self.engine, self.name), self.engine.connect() as connection:
            if snapshot:
                connection.execution_options(snapshot=True).begin()
            yield connection

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RegistryError("the registry is closed", hint="open it again")

    def check_writable(self) -> None:
        """Write something for good and see that there is room for more, before a card is touched.

        Raises
        ------
        RegistryError
            The registry cannot be written, or there is (almost) no room left.
        """
        with self.writing() as connection:
            connection.execute(schema.schema_version.update().values(checked_at=self.now()))
        if self.engine.dialect.name != "sqlite":
            return
        free = disk_usage(sqlite.path_of(self.engine).parent).free
        if free < _LEAST_FREE:
            raise RegistryUnavailableError(
                f"almost no room left for the registry {self.name} ({free >> 10} KiB)",
                hint="free space on that disk, then start again: nothing is lost",
                zh=f"登记库 {self.name} 所在磁盘几乎已满（剩{free >> 10} KiB）：请腾出空间后"
                "再运行，数据没有丢失",
            )

    def close(self) -> None:
        """Give everything back; closing twice does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with translated(self.engine, self.name):
                if self._writer is not None:
                    self._writer.close()
                self.engine.dispose()


def _engine(url: str, busy_seconds: float, *, only_look: bool) -> Engine:
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        path = Path(parsed.database or "")
        creator: dict[str, Any] = {}
        if only_look and is_sqlite and sqlite.is_read_only(path):
            creator["creator"] = partial(sqlite.connect_to_look, path)
        engine = create_engine(
            parsed,
            **creator,
            hide_parameters=True,  # its errors print personal data otherwise
            paramstyle="qmark" if is_sqlite else "format",
            pool_reset_on_return="rollback",
        )
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise RegistryError(
            "this is not the URL of a registry, or the driver of its database is not installed",
            hint="name an SQLite file: --registry sqlite:///PATH; this version comes with no other "
            "database, PostgreSQL works only where psycopg is installed (postgresql+psycopg://...)",
            zh="登记库的地址不对，或没有安装其数据库的驱动：请用 SQLite 文件（--registry 路径）；"
            "PostgreSQL 须另装 psycopg",
        ) from None
    if is_sqlite:
        sqlite.configure(engine, busy_seconds)
    elif parsed.get_backend_name() == "postgresql":
        event.listen(engine, "begin", _begun_on_postgresql)
    return engine


def _begun_on_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    elif options.get("snapshot"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
