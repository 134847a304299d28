"""An earlier registry brought up to date: all steps in one transaction, or none.

The number of the layout in ``schema_version`` is the only thing that says where a registry stands;
Alembic keeps no table of its own. Alembic is loaded here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cardkit.registry import migrations, schema, sqlite
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Event, Journal
from cardkit.registry.store import Clock, Store


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done, or would be.

    Parameters
    ----------
    found, layout : int
        Layout before and after.
    copy : Path or None
        The registry as it was, beside the file it is in; None for a server.
    """

    found: int
    layout: int
    copy: Path | None = None

    @property
    def needed(self) -> bool:
        """Whether there was anything to do."""
        return self.found != self.layout


def migrate(url: str, *, clock: Clock, actor: str, check: bool = False) -> Migration:
    """Bring a registry to the layout of this program.

    Parameters
    ----------
    url : str
        As `Registry.open` takes it.
    check : bool
        Only say what would be done.

    Raises
    ------
    RegistryError
        There is no registry, or it is newer, or cannot be written now; it is as it was then.
    """
    store = Store(url, clock=clock, only_look=check, older=True)
    try:
        found = store.layout
        if check or found == schema.VERSION:
            return Migration(found, schema.VERSION)
        copy = _copy_beside(store, found) if store.is_sqlite else None
        with _no_foreign_keys(store), store.writing() as connection:
            run_steps(connection, found, schema.VERSION)
            _refuse_dangling(store, connection)
            now = store.now()
            connection.execute(
                schema.schema_version.update().values(version=schema.VERSION, applied_at=now)
            )
            detail = {"from": found, "to": schema.VERSION}
            Journal(actor).append(connection, now, Event("migrate", detail=detail))
        return Migration(found, schema.VERSION, copy)
    finally:
        store.close()


def run_steps(connection: Connection, found: int, wanted: int) -> None:
    """Change the tables from layout `found` (0: there are none) to `wanted`."""
    context = MigrationContext.configure(connection)
    with Operations.context(context):
        for number, step in _steps():
            if found < number <= wanted:
                step.upgrade()


def _steps() -> Iterator[tuple[int, ModuleType]]:
    script = ScriptDirectory(Path(migrations.__file__).parent)
    for revision in reversed(list(script.walk_revisions())):
        yield int(revision.revision), revision.module


@contextmanager
def _no_foreign_keys(store: Store) -> Iterator[None]:
    """SQLite makes a table anew to change it; references to it must bear that for a moment."""
    if not store.is_sqlite:
        yield
        return
    with store.idle_writer() as driver:
        driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        with store.idle_writer() as driver:
            driver.execute("PRAGMA foreign_keys = ON")


def _refuse_dangling(store: Store, connection: Connection) -> None:
    if not store.is_sqlite:
        return
    row = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if row is not None:
        raise RegistryError(
            f"row {row[1]} of table {row[0]} names something that does not exist: nothing was "
            "changed",
            hint="the registry was changed by something else than cardkit; go back to a backup",
            zh=f"表 {row[0]} 第 {row[1]} 行引用了不存在的记录，没有任何改动："
            "登记库曾被其他程序改动，请恢复备份",
        )


def _copy_beside(store: Store, found: int) -> Path:
    """A copy of the file as it is, whatever becomes of it."""
    path = sqlite.path_of(store.engine)
    for number in range(1, 1000):
        ending = f".layout-{found}" + (f".{number}" if number > 1 else "")
        copy = path.with_name(path.name + ending)
        if not copy.exists():
            sqlite.copy_file(store.engine, copy)
            return copy
    raise RegistryError(f"there are too many copies beside {path}", hint="remove some of them")
