"""A registry as one encrypted file, taken while others work, and put back into either database.

The file is an age file (or, with a passphrase, one line and then an age file). Inside, compressed,
is one JSON text a line:

* the head: format, layout, instant, and the columns of every table;
* ``["t", name]`` before the rows of a table, each an array in the order of its columns, bytes as
  hex;
* the end: number of rows of every table, the last entry of the history, and the SHA-256 of all
  lines before it.

All rows are of one instant: one snapshot of the database. Neither writing nor reading needs more
memory than some hundred rows, whatever the size of the registry.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, LargeBinary, Table, event, select
from sqlalchemy.engine.interfaces import DBAPICursor

from cardkit import wholefile
from cardkit.history import Head
from cardkit.registry import schema
from cardkit.registry.books import Books
from cardkit.registry.journal import Detail, Event
from cardkit.registry.sealing import Lock, seal

FORMAT = "cardkit-backup"
_ROWS = 500  # in memory at a time
_CHUNK = 1 << 16

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Value = Any


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was written, or that was put back.

    Parameters
    ----------
    taken_at : str
        The instant it is true for.
    rows : int
        Of all tables together.
    head : Head
        The last entry of the history in it: to be noted down.
    """

    taken_at: str
    layout: int
    rows: int
    head: Head


def take(books: Books, path: Path, lock: Lock) -> Taken:
    """Write a backup; the file appears complete or not at all, readable by its owner only.

    Afterwards the history says that it was taken, and by whom.

    Raises
    ------
    UsageError
        The file cannot be written, or is there already.
    RegistryError
        The registry cannot be read.
    """
    notes = _Notes()
    with (
        _new_file(path) as file,
        books.store.reading(snapshot=True) as connection,
        _cursors_closed(connection),
        closing(_lines(books, connection, notes)) as lines,
    ):
        source, target = _Pulled(_compressed(lines)), _Pushed(file)
        try:
            seal(source, target, lock)
        except Exception:
            if (error := source.error or target.error) is not None:
                raise error from None  # what pyrage made another error of
            raise
    taken = notes.taken
    assert taken is not None  # noqa: S101 - the last line was written
    detail: Detail = {
        "file": path.name,
        "head": taken.head.sequence,
        "rows": taken.rows,
        "sha256": _digest_of(path),
    }
    try:
        with books.store.writing() as connection:
            books.journal.append(connection, books.store.now(), Event("backup", detail=detail))
    except BaseException:
        path.unlink(missing_ok=True)  # a backup that the history does not know is none
        raise
    return taken


@contextmanager
def _cursors_closed(connection: Connection) -> Iterator[None]:
    """Close every cursor at the end, also one whose connection was lost.

    psycopg asks the server to close a cursor of its own, which fails there and leaves the cursor
    open: it would complain whenever it is collected.
    """
    opened: list[DBAPICursor] = []

    def note(_connection: object, cursor: DBAPICursor, *_more: object) -> None:
        opened.append(cursor)

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", note)
        for cursor in opened:
            with suppress(connection.dialect.loaded_dbapi.Error):
                cursor.close()


class _Notes:
    """What is known of a backup when its last line is written."""

    taken: Taken | None = None


def _lines(books: Books, connection: Connection, notes: _Notes) -> Generator[bytes, None, None]:
    digest = hashlib.sha256()
    counts: dict[str, int] = {}

    def line(content: object) -> bytes:
        text = _encode(content).encode() + b"\n"
        digest.update(text)
        return text

    tables = schema.metadata.sorted_tables
    # Before the first question, which takes the snapshot: what was committed until then is in it.
    taken_at = books.store.now()
    head = books.journal.head(connection)
    yield line(
        {
            "format": FORMAT,
            "version": 1,
            "layout": schema.VERSION,
            "taken_at": taken_at,
            "tables": {table.name: [column.name for column in table.c] for table in tables},
        }
    )
    for table in tables:
        yield line(["t", table.name])
        counts[table.name] = 0
        for row in _rows(connection, table):
            counts[table.name] += 1
            yield line(row)
    yield (
        _encode(
            {
                "counts": counts,
                "head": [head.sequence, head.digest.hex()],
                "sha256": digest.hexdigest(),
            }
        ).encode()
        + b"\n"
    )
    notes.taken = Taken(taken_at, schema.VERSION, sum(counts.values()), head)


def _rows(connection: Connection, table: Table) -> Iterator[list[Value]]:
    """Rows in the order of their keys; what is bytes becomes hex."""
    binary = [place for place, column in enumerate(table.c) if isinstance(column.type, LargeBinary)]
    query = select(table).order_by(*table.primary_key.columns)
    with connection.execute(query, execution_options={"yield_per": _ROWS}) as rows:
        for row in rows:
            values = list(row)
            for place in binary:
                if values[place] is not None:
                    values[place] = bytes(values[place]).hex()
            yield values


def _compressed(lines: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1)
    for line in lines:
        if packed := packer.compress(line):
            yield packed
    yield packer.flush()


class _Pulled:
    """An iterator of bytes as something to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""
        self.error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, ``b""`` at the end."""
        parts = [self._left]
        there = len(self._left)
        while size < 0 or there < size:
            try:
                chunk = next(self._chunks, b"")
            except Exception as error:
                self.error = error
                raise
            if not chunk:
                break
            parts.append(chunk)
            there += len(chunk)
        whole = b"".join(parts)
        end = len(whole) if size < 0 else size
        self._left = whole[end:]
        return whole[:end]


class _Pushed:
    """Something to write to that remembers why it could not be written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Take all of `data`."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Give what was taken to the system."""
        try:
            self._file.flush()
        except OSError as error:
            self.error = error
            raise


def _new_file(path: Path) -> AbstractContextManager[BinaryIO]:
    return wholefile.appearing(
        path,
        overwrite=False,
        name=f"the backup {path}",
        hint="make room, or name another file; the registry is as it was",
        zh=f"不能写入备份文件 {path}：请腾出空间或另选文件，登记库没有改动",
    )


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(partial(file.read, _CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
