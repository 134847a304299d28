"""The database under the registry: opening it, and its transactions.

One connection writes, under one lock; whoever reads takes another one for a moment. Each
``writing`` block is one transaction and one durable commit, whatever thread it comes from. Between
processes the database's own lock does the same, taken when the transaction begins, so nothing read
inside a ``writing`` block can be out of date when it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from cardkit.registry import postgres, schema, sqlite, turn
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.faults import errors_of, translate, translated
from cardkit.registry.statements import AnyRow, Statement

Clock = Callable[[], datetime]
CommitHook = Callable[[Literal["before", "after"]], None]

_LEAST_FREE = 4 << 20  # bytes: some thousand cards
_BUSY_SECONDS = 10.0


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


_ASK_LAYOUT = Statement(select(schema.schema_version.c.version))


class Store:
    """An open registry database.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.
    clock : callable
        Gives the time, with zone.
    busy_seconds : float, optional
        How long to wait for another program that writes. Default: 10 for a file, 60 for a server.
    on_commit : callable, optional
        Called with ``'before'`` and ``'after'`` around every durable commit: the place for fault
        injection.
    only_look : bool
        Nothing will be written: a registry that cannot be written is opened all the same.
    older : bool
        One of an earlier layout is opened too: to bring it up to date.

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
        busy_seconds: float | None = None,
        on_commit: CommitHook | None = None,
        only_look: bool = False,
        older: bool = False,
    ) -> None:
        self._clock = clock
        self._on_commit = on_commit
        self._lock = threading.RLock()
        self._closed = False
        self._writer: Connection | None = None
        self._only_look = only_look
        self._older = older
        self.layout = schema.VERSION
        self.fresh = False  # whether this program made the tables
        self.engine = _engine(url, busy_seconds, only_look=only_look)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            self.name = str(sqlite.path_of(self.engine))
        else:
            self.name = postgres.shown(self.engine.url)
        with translated(self.engine, self.name):
            self._open(busy_seconds or _BUSY_SECONDS)

    def _open(self, busy_seconds: float) -> None:
        try:
            if self.is_sqlite:
                sqlite.prepare_file(sqlite.path_of(self.engine))
            found = self._check_version()
            if not found and self.is_sqlite:
                sqlite.use_write_ahead_log(self.engine, busy_seconds)
            if not found:
                self._create()
        except BaseException:
            self.engine.dispose()
            raise

    def _check_version(self) -> bool:
        """Whether there is a registry; refuse what is none or has a layout of its own."""
        with self.engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            if not tables:
                self._refuse_fresh(connection)
                return False
            if schema.schema_version.name not in tables or schema.cards.name not in tables:
                raise RegistryError(
                    f"{self.name} is a database, but not a registry",
                    hint="name another one with --registry; this one was left as it is",
                    zh=f"{self.name} 是数据库，但不是登记库：请用 --registry 指明登记库；"
                    "该数据库未被改动",
                )
            found: int = connection.execute(select(schema.schema_version.c.version)).scalar_one()
        if found != schema.VERSION and not (self._older and found < schema.VERSION):
            raise _other_layout(self.name, found)
        self.layout = found
        return True

    def _refuse_fresh(self, connection: Connection) -> None:
        """An empty database is no registry for whoever looks, migrates, or has wrong encoding."""
        if self.is_sqlite:
            if not self._older:
                return
        elif not (self._only_look or self._older):
            postgres.check_database(connection, self.name)
            return
        raise RegistryError(
            f"there is no registry in {self.name}: it is empty",
            hint="`cardkit issue` makes it; or name another one with --registry",
            zh=f"{self.name} 是空的，没有登记库：制卡（cardkit issue）时建立；"
            "或用 --registry 指明另一个",
        )

    def _create(self) -> None:
        with self._block(check=False) as connection:
            if inspect(connection).has_table(schema.schema_version.name):
                return  # another program was quicker
            schema.metadata.create_all(connection)
            self.fresh = True
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
            The registry cannot be written, or another program upgraded it; nothing was changed.
        """
        with self._block(check=True) as connection:
            yield connection

    @contextmanager
    def _block(self, *, check: bool) -> Iterator[Connection]:
        with self._lock:
            self._refuse_closed()
            try:
                with self._transaction(check=check) as connection, turn.taken(connection):
                    yield connection
                    self._fault_point("before")
            except errors_of(self.engine) as error:
                self._drop_lost_writer()
                raise translate(error, self.name) from None
            self._fault_point("after")

    @contextmanager
    def _transaction(self, *, check: bool) -> Iterator[Connection]:
        if not self.is_sqlite and self._writer is not None:
            driver = self._writer.connection.driver_connection
            if driver is None or postgres.is_stale(driver):  # the server was started anew
                self._writer.invalidate()
                self._writer.close()
                self._writer = None
        connection = self._for_writing()
        with connection.begin():
            if not self.is_sqlite:
                question = _ASK_LAYOUT.sql(self.engine.dialect) if check else "SELECT 0"
                row = postgres.take_turn(connection, question)
            else:
                row = _ASK_LAYOUT.first(connection) if check else None
            if check:
                self._compare_layout(row)
            yield connection

    def _for_writing(self) -> Connection:
        """The connection that writes; there is one."""
        if self._writer is None:
            own = {} if self.is_sqlite else postgres.BEGINS_ITSELF
            self._writer = self.engine.connect().execution_options(writing=True, **own)
        return self._writer

    @contextmanager
    def idle_writer(self) -> Iterator[Any]:
        """The driver's own connection for writing, outside any transaction: for its settings."""
        with self._lock:
            yield self._for_writing().connection.driver_connection

    def _drop_lost_writer(self) -> None:
        if not self.is_sqlite and self._writer is not None and postgres.drop_if_lost(self._writer):
            self._writer = None

    def _compare_layout(self, row: AnyRow | None) -> None:
        """Whether the tables are still those this program has opened."""
        if row is None or row[0] != self.layout:
            raise RegistryError(
                f"the registry {self.name} was upgraded while this program was running: nothing "
                "was changed",
                hint="end this program and start it again; if it is refused then, update cardkit "
                "on this computer",
                zh=f"登记库 {self.name} 在本程序运行时被升级，没有任何改动：请退出后重新启动；"
                "仍被拒绝时请更新本机的 cardkit",
            )

    @contextmanager
    def passing(self) -> Iterator[Connection]:
        """A transaction for what may be forgotten in a power cut: no wait for the disk, no history.

        For claims, never for anything a card depends on.
        """
        with self._lock if self.is_sqlite else nullcontext():
            self._refuse_closed()
            with translated(self.engine, self.name), self.engine.connect() as connection:
                begun = connection.execution_options(passing=True)
                with sqlite.hasty(begun) if self.is_sqlite else nullcontext(), begun.begin():
                    self._compare_layout(_ASK_LAYOUT.first(begun))
                    yield begun

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

    def check_writable(self, check: Callable[[Connection, str], object] | None = None) -> None:
        """Write something for good and see that there is room for more, before a card is touched.

        Parameters
        ----------
        check : callable, optional
            Called with the connection and the instant: what else has to be right.

        Raises
        ------
        RegistryError
            The registry cannot be written, or there is (almost) no room left.
        """
        with self.writing() as connection:
            now = self.now()
            if check:
                check(connection, now)
            connection.execute(schema.schema_version.update().values(checked_at=now))
        if not self.is_sqlite:
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


def _other_layout(name: str, found: int) -> RegistryError:
    if found > schema.VERSION:
        return RegistryError(
            f"the registry {name} has layout {found}, newer than the {schema.VERSION} "
            "this program knows",
            hint="update cardkit on this computer",
            zh=f"登记库 {name} 由更新版本的 cardkit 建立：请更新本机的 cardkit",
        )
    return RegistryError(
        f"the registry {name} has layout {found}, this program needs {schema.VERSION}",
        hint="when no other program uses it: `cardkit registry migrate`; the data stay",
        zh=f"登记库 {name} 是旧版本（{found}），本程序需要版本{schema.VERSION}："
        "请在没有其他程序使用时运行 cardkit registry migrate，数据会保留",
    )


def _engine(url: str, busy_seconds: float | None, *, only_look: bool) -> Engine:
    try:
        parsed = postgres.engine_url(make_url(url))
        is_sqlite = parsed.get_backend_name() == "sqlite"
        path = Path(parsed.database or "")
        more: dict[str, Any] = {}
        if only_look and is_sqlite and sqlite.is_read_only(path):
            more["creator"] = partial(sqlite.connect_to_look, path)
        if parsed.get_backend_name() == "postgresql":
            wait = postgres.WAIT_SECONDS if busy_seconds is None else busy_seconds
            more["connect_args"] = postgres.connect_arguments(parsed, wait)
        engine = create_engine(
            parsed,
            **more,
            hide_parameters=True,  # its errors print personal data otherwise
            paramstyle="qmark" if is_sqlite else "format",
            pool_reset_on_return="rollback",
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):  # a port that is no number
        raise RegistryError(
            "this is not the URL of a registry, or the driver of its database is not installed",
            hint="name an SQLite file: --registry sqlite:///PATH, or a PostgreSQL database: "
            "--registry postgresql://USER@HOST/DATABASE",
            zh="登记库的地址不对，或没有安装其数据库的驱动：请用 SQLite 文件（--registry 路径），"
            "或 PostgreSQL 数据库（postgresql://用户@主机/数据库）",
        ) from None
    if is_sqlite:
        sqlite.configure(engine, _BUSY_SECONDS if busy_seconds is None else busy_seconds)
    elif parsed.get_backend_name() == "postgresql":
        postgres.configure(engine)
    return engine
