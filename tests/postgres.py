"""A PostgreSQL server of the tests' own: made in a temporary folder, ended with them.

Debian's programs are started directly, as an unprivileged user where the tests run as root. The
server listens on a socket in that folder only; a cluster that the machine runs is left alone.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

_DEBIAN = Path("/usr/lib/postgresql")
_SOON = 30.0  # seconds for a server to start or end
_QUICK = (
    *("-c", "fsync=off"),
    *("-c", "full_page_writes=off"),
    *("-c", "autovacuum=off"),
)
_SMALL = (
    *("-c", "listen_addresses="),
    *("-c", "shared_buffers=64MB"),
    *("-c", "max_connections=150"),
    *("-c", "max_wal_size=1GB"),
)


class NoPostgresError(Exception):
    """PostgreSQL is not installed."""


def programs() -> Path:
    """Folder of ``initdb`` and ``postgres``: Debian's newest, or what the path has.

    Raises
    ------
    NoPostgresError
    """
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    raise NoPostgresError


class Server:
    """A running server; `start` makes one."""

    def __init__(
        self, folder: Path, *, durable: bool = False, settings: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._durable = durable
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        """URL of one of its databases."""
        return f"postgresql://tester@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [*_SMALL, *(() if self._durable else _QUICK), "-k", str(self.folder),
                    *self._settings]  # fmt: skip
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [*_as_somebody(), str(programs() / "postgres"), "-D", str(self._data), *settings],
            stdout=log, stderr=log, cwd=self.folder,
        )  # fmt: skip
        log.close()
        end = time.monotonic() + _SOON
        while True:
            try:
                self._admin("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; SIGINT ends connections too, SIGQUIT is a crash."""
        if self._process is None:
            return
        # Not the program that changed the user, but the one it became: the same process id.
        self._process.send_signal(how)
        try:
            self._process.wait(_SOON)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def database(self, like: str = "template0") -> str:
        """URL of a fresh database; a copy of the database `like`."""
        name = f"t{next(self._numbers)}"
        self._admin(
            f"CREATE DATABASE {name} TEMPLATE {like} ENCODING 'UTF8' LOCALE 'C' STRATEGY file_copy"
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Give a database of `database` up, whoever is connected."""
        self._admin(f"DROP DATABASE IF EXISTS {name_of(url)} WITH (FORCE)")

    def end_connections(self, url: str) -> None:
        """As an administrator does: every program is thrown out of a database."""
        self._admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608
            f"WHERE datname = '{name_of(url)}'"
        )

    def wait_for_end_of(self, backends: Sequence[int]) -> None:
        """A client has closed its connection before the server has given it up."""
        end = time.monotonic() + _SOON
        wanted = ",".join(map(str, backends))
        while self._admin(
            f"SELECT 1 FROM pg_stat_activity WHERE pid IN ({wanted}) LIMIT 1"  # noqa: S608
        ):
            if time.monotonic() > end:
                raise TimeoutError(wanted)
            time.sleep(0.01)

    def run(self, url: str, sql: str) -> list[tuple[object, ...]]:
        """Do something in a database behind cardkit's back."""
        return self._run(name_of(url), sql)

    def _admin(self, sql: str) -> list[tuple[object, ...]]:
        return self._run("postgres", sql)

    def _run(self, database: str, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(self.folder), user="tester", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def name_of(url: str) -> str:
    """Name of the database of a URL."""
    return url.partition("?")[0].rpartition("/")[2]


def _as_somebody() -> Sequence[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return ()
    somebody = _somebody()
    return ("setpriv", f"--reuid={somebody.pw_uid}", f"--regid={somebody.pw_gid}", "--clear-groups")


def _somebody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError


@contextmanager
def started(*, durable: bool = False, settings: Sequence[str] = ()) -> Iterator[Server]:
    """A server for the length of a block.

    Parameters
    ----------
    durable : bool
        Whether its commits wait for the disk, as they do in life.
    settings : sequence of str
        More arguments of the server: ``-c``, ``name=value``, ...
    """
    with tempfile.TemporaryDirectory(prefix="cardkit-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        if not os.geteuid():
            somebody = _somebody()
            os.chown(folder, somebody.pw_uid, somebody.pw_gid)
        arguments = ["--auth=trust", "--username=tester", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*_as_somebody(), str(programs() / "initdb"), "-D", str(folder / "data"), "--no-sync",
             *arguments],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        server = Server(folder, durable=durable, settings=settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
