"""What only SQLite needs: a private file, and settings that make a commit survive a power cut."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from cardkit.registry.errors import RegistryError
from cardkit.wholefile import flush_folder

_WAL_LIMIT = 64 << 20  # bytes the write-ahead log shrinks to after a bulk enrolment
_PAUSE = 0.02  # seconds
_MAGIC = b"SQLite format 3\0"
_CACHE = 32 << 10  # KiB of pages in memory, per connection


def path_of(engine: Engine) -> Path:
    """File of the registry.

    Raises
    ------
    RegistryError
        The URL names no file: a registry in memory would forget its cards.
    """
    name = engine.url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        raise RegistryError(
            "a registry needs a file",
            hint="--registry sqlite:////absolute/path/registry.db",
            zh="登记库必须是一个文件：请用 --registry 指明",
        )
    return Path(name)


def prepare_file(path: Path) -> None:
    """See that `path` can be a registry; make an empty file that only its owner can read.

    SQLite gives its side files (-wal, -shm) the permissions of this one.

    Raises
    ------
    RegistryError
        Its directory is missing, it is not a file, or it cannot be made.
    """
    _refuse_closed_directory(path)
    if not path.parent.is_dir():
        raise RegistryError(
            f"the directory {path.parent} of the registry does not exist",
            hint=f"make it (mkdir -p {path.parent}) or name another registry with --registry",
            zh=f"登记库的文件夹 {path.parent} 不存在：请先建立，或用 --registry 指明另一个登记库",
        )
    if path.is_dir():
        raise RegistryError(
            f"the registry {path} is a directory",
            hint="name a file in it",
            zh=f"登记库 {path} 是文件夹：请指明其中的文件",
        )
    if path.exists():
        _refuse_other_file(path)
        return
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise RegistryError(
            f"the registry {path} cannot be made: {error.strerror}",
            hint="see that this user may write in that directory",
            zh=f"不能建立登记库 {path}：请检查当前用户能否在该文件夹写入",
        ) from None
    try:
        if hasattr(os, "fchmod"):  # a umask may have taken more than it should
            os.fchmod(handle, 0o600)
        os.fsync(handle)
    finally:
        os.close(handle)
    flush_folder(path.parent)


def _refuse_closed_directory(path: Path) -> None:
    try:
        path.lstat()
    except PermissionError:
        raise RegistryError(
            f"no permission to enter the directory of the registry {path}",
            hint="give this user the right to enter it, or name another registry with --registry",
            zh=f"没有进入登记库 {path} 所在文件夹的权限：请给予权限，"
            "或用 --registry 指明另一个登记库",
        ) from None
    except OSError:
        pass  # not there: said by what follows


def _refuse_other_file(path: Path) -> None:
    """SQLite itself takes a short file of anything for an empty database, and overwrites it."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return  # SQLite finds out, and says why
    if start and start != _MAGIC:
        raise RegistryError(
            f"{path} is not a registry",
            hint="name another file with --registry; this one was left as it is",
            zh=f"{path} 不是登记库：请用 --registry 指明登记库；该文件未被改动",
        )


def is_read_only(path: Path) -> bool:
    """Whether this user cannot write an existing registry: no right to, or a read-only medium.

    SQLite writes beside the file too, even to read it.
    """
    return os.access(path, os.R_OK) and not (
        os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    )


def connect_to_look(path: Path) -> sqlite3.Connection:
    """A connection that cannot change anything and leaves nothing beside the file.

    Without a write-ahead log nobody is writing and the file says all: SQLite needs no side files
    then (``immutable``). With one, its index must be there too; SQLite says when it is not.
    """
    log = path.with_name(path.name + "-wal")
    alone = not log.exists() or not log.stat().st_size
    question = "mode=ro&immutable=1" if alone else "mode=ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{question}", uri=True, check_same_thread=False
    )


def configure(engine: Engine, busy_seconds: float) -> None:
    """Settings of every connection, and transactions that take the writer's place at once."""

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin below, not by the driver's guess
        connection.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.create_function("from_hex", 1, bytes.fromhex, deterministic=True)

    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("writing") or options.get("passing"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif options.get("snapshot"):  # a single question sees one state of things without
            connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


@contextmanager
def hasty(connection: Connection) -> Iterator[None]:
    """Commits of this connection do not wait for the disk; what others commit is as safe as ever.

    In a write-ahead log a commit that was not waited for is lost as a whole or not at all.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        driver.execute("PRAGMA synchronous = FULL")


def use_write_ahead_log(engine: Engine, busy_seconds: float) -> None:
    """Readers then never wait for a writer; the setting stays in the file."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for attempts_left in reversed(range(1 + int(busy_seconds / _PAUSE))):
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:  # SQLite itself does not wait for this one
                if not attempts_left or not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                    raise
                time.sleep(_PAUSE)
            else:
                return
    finally:
        raw.close()


def copy_file(engine: Engine, copy: Path) -> None:
    """The database as it is at this moment, in a new file that only its owner can read.

    Raises
    ------
    RegistryError
        The copy cannot be made; there is none then.
    """
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.part")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        raw = engine.raw_connection()
        target = sqlite3.connect(unfinished)
        try:
            source: Any = raw.driver_connection
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        finally:
            target.close()
            raw.close()
        unfinished.replace(copy)
        flush_folder(copy.parent)
    except (OSError, sqlite3.Error):
        raise RegistryError(
            f"the registry cannot be copied to {copy}: nothing was changed",
            hint="free space on that disk and see that this user may write there",
            zh=f"不能把登记库复制到 {copy}，没有任何改动：请腾出空间并检查写权限",
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
