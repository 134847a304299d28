"""A backup put back into an empty database: complete and checked, or nothing of it."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine, LargeBinary, insert, make_url, select, update
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from cardkit.errors import UsageError
from cardkit.history import Head
from cardkit.registry import schema
from cardkit.registry.backup import FORMAT, Taken
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Detail, Event
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.sealing import Key, damaged, looks_sealed, unseal
from cardkit.registry.statements import Statement, Value
from cardkit.registry.store import Clock
from cardkit.wholefile import beside

_ROWS = 2_000  # written at a time
_MUCH = 8 << 20  # bytes of rows that wait to be written
_LONGEST = 64 << 20  # bytes of one row
_START = 64  # bytes by which a backup is known


def restore(path: Path, url: str, key: Key, *, clock: Clock, actor: str) -> Taken:
    """Put a backup back and check it: rows, digest, and the whole chain of the history.

    Afterwards the history says that, and by whom, it was restored.

    Parameters
    ----------
    url : str
        Where to: a file that is not there yet, or an empty database.

    Raises
    ------
    UsageError
        The file is damaged, of another version, or no backup.
    WrongKeyError
        It was made for another key.
    RegistryError
        The database is not empty or cannot be written.
    """
    refuse_other_files(path)
    with (
        path.open("rb") as file,
        _place(url) as made,
        Registry.open(made, clock=clock, actor=actor) as registry,
    ):
        try:
            return _fill(registry, file, key, path.name)
        except BaseException:
            _leave_nothing(registry)
            raise


def refuse_other_files(path: Path) -> None:
    """See by its first bytes whether a file is a backup at all, before a key is asked for.

    Raises
    ------
    UsageError
        It is not, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be read: {error.strerror}",
            hint="name a file that `cardkit registry backup` wrote; nothing was restored",
            zh=f"不能读取 {path.name}：请核对备份文件的名称和所在目录，未恢复任何数据",
        ) from None
    if not looks_sealed(start):
        raise UsageError(
            f"{path.name} is no backup",
            hint="name a file that `cardkit registry backup` wrote; nothing was restored",
            zh=f"{path.name} 不是备份文件：请指定由 cardkit registry backup 生成的文件，"
            "未恢复任何数据",
        )


def _fill(registry: Registry, file: BinaryIO, key: Key, name: str) -> Taken:
    store, journal = registry.books.store, registry.books.journal
    with store.writing() as connection:
        _refuse_filled(connection, store.name)
        if store.is_sqlite:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        loader = _Loader(store.engine, connection, name)
        unseal(file, loader, key, name)
        taken = loader.finish()
        verdict = journal.verify(connection)
        if verdict.problem or verdict.head != taken.head:
            raise damaged(name, verdict.problem or "its history ends elsewhere")
        connection.execute(update(schema.cards).values(claimed_by="", claimed_until=""))
        detail: Detail = {"head": taken.head.sequence, "taken_at": taken.taken_at}
        journal.append(connection, store.now(), Event("restore", detail=detail))
    return taken


@contextmanager
def _place(url: str) -> Iterator[str]:
    """Where to put it: a file gets its name when it is complete."""
    try:
        parsed = make_url(url)
        is_file = parsed.get_backend_name() == "sqlite" and bool(parsed.database)
    except (ArgumentError, NoSuchModuleError, ValueError):
        is_file = False  # opening it says what is wrong
    if not is_file:
        yield url
        return
    path = Path(parsed.database or "")
    if path.exists() and path.stat().st_size:
        raise _filled(str(path))
    unfinished = beside(path)
    try:
        yield sqlite_url(unfinished)
        unfinished.replace(path)
    finally:
        for ending in ("", "-wal", "-shm"):
            unfinished.with_name(unfinished.name + ending).unlink(missing_ok=True)


def _refuse_filled(connection: Connection, name: str) -> None:
    for table in schema.metadata.sorted_tables:
        if (
            table is not schema.schema_version
            and connection.execute(select(table).limit(1)).first()
        ):
            raise _filled(name)


def _filled(name: str) -> RegistryError:
    return RegistryError(
        f"{name} is not empty: a backup is only put back into an empty place",
        hint="name a file that is not there yet, or an empty database",
        zh=f"{name} 不是空的：备份只能恢复到空的位置，请指定新的文件或空数据库",
    )


def _leave_nothing(registry: Registry) -> None:
    """A server's tables that were made for this go again; a file never gets its name."""
    store = registry.books.store
    if store.fresh and not store.is_sqlite:
        with suppress(RegistryError), store.writing() as connection:
            schema.metadata.drop_all(connection)


class _Loader:
    """Takes the lines of a backup, piece by piece, into the tables."""

    def __init__(self, engine: Engine, connection: Connection, name: str) -> None:
        self._engine = engine
        self._connection = connection
        self._name = name
        self._unpack = zlib.decompressobj()
        self._rest = b""
        self._digest = hashlib.sha256()
        self._head: dict[str, Any] = {}
        self._end: dict[str, Any] = {}
        self._insert: Statement | None = None
        self._binary: list[int] = []
        self._rows: list[tuple[Value, ...]] = []
        self._size = 0
        self._table = ""
        self._counts: dict[str, int] = {}

    def write(self, data: bytes) -> int:
        """Some bytes of what was decrypted."""
        try:
            *lines, self._rest = (self._rest + self._unpack.decompress(data)).split(b"\n")
            for line in lines:
                self._take(line)
        except (zlib.error, ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise damaged(self._name) from None
        if len(self._rest) > _LONGEST:
            raise damaged(self._name)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def finish(self) -> Taken:
        """See that everything came.

        Raises
        ------
        UsageError
            It did not.
        """
        if not self._end or self._rest or not self._unpack.eof:
            raise damaged(self._name)
        sequence, digest = self._end["head"]
        if self._counts != self._end["counts"]:
            raise damaged(self._name, "rows are missing")
        rows = sum(self._counts.values())
        head = Head(sequence, bytes.fromhex(digest))
        return Taken(self._head["taken_at"], self._head["layout"], rows, head)

    def _take(self, line: bytes) -> None:
        content = json.loads(line)
        if not self._head:
            self._begin(content)
        elif isinstance(content, dict):
            self._store_rows()
            self._end = content
            if content["sha256"] != self._digest.hexdigest():
                raise damaged(self._name)
        elif self._end:
            raise damaged(self._name)
        elif content[0] == "t" and len(content) == 2 and content[1] in self._head["tables"]:
            self._next_table(content[1])
        else:
            self._row(content, len(line))
        self._digest.update(line + b"\n")

    def _begin(self, head: dict[str, Any]) -> None:
        if head["format"] != FORMAT or head["version"] != 1:
            raise damaged(self._name, "it is not one of cardkit")
        if head["layout"] != schema.VERSION:
            raise UsageError(
                f"{self._name} is of layout {head['layout']}, this program has {schema.VERSION}",
                hint="restore it with the cardkit it was made by, then `cardkit registry migrate`",
                zh=f"{self._name} 由其他版本的 cardkit 制作：请用原版本恢复，"
                "再运行 cardkit registry migrate",
            )
        known = {t.name: [c.name for c in t.c] for t in schema.metadata.sorted_tables}
        if {name: sorted(names) for name, names in head["tables"].items()} != {
            name: sorted(names) for name, names in known.items()
        }:
            raise damaged(self._name, "its tables are others")
        self._head = head

    def _next_table(self, name: str) -> None:
        self._store_rows()
        table = schema.metadata.tables[name]
        names = self._head["tables"][name]
        self._table = name
        self._counts[name] = 0
        self._binary = [n for n, c in enumerate(names) if isinstance(table.c[c].type, LargeBinary)]
        self._insert = Statement(insert(table).inline(), names)

    def _row(self, values: list[Value], size: int) -> None:
        for place in self._binary:
            value = values[place]
            if isinstance(value, str):
                values[place] = bytes.fromhex(value)
        self._counts[self._table] += 1
        self._rows.append(tuple(values))
        self._size += size
        if len(self._rows) >= _ROWS or self._size >= _MUCH:
            self._store_rows()

    def _store_rows(self) -> None:
        if self._insert is not None and self._table != schema.schema_version.name:
            self._insert.run_many(self._connection, self._rows)
        self._rows.clear()
        self._size = 0
