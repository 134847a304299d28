"""The restore drill: what was committed before a backup is there after it was put back."""

from __future__ import annotations

import datetime as dt
import gc
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import Connection, Table, select

from cardkit.errors import CardkitError, ExitCode, UsageError
from cardkit.registry import backup, restoring, schema
from cardkit.registry.errors import RegistryError, RegistryUnavailableError
from cardkit.registry.numbering import Numbering
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.sealing import Key, Lock, WrongKeyError
from tests import postgres
from tests.registry.conftest import BOTH
from tests.registry.support import (
    SetClock,
    applicant,
    assert_consistent,
    batch,
    begin,
    crowd,
    enrol,
    issue,
    open_at,
)

IDENTITY = pyrage.x25519.Identity.generate()
LOCK = Lock((str(IDENTITY.to_public()),))
KEY = Key((str(IDENTITY),))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monday.backup"


@pytest.fixture(params=BOTH)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place of each kind to restore into."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "restored.db")
        return
    server: postgres.Server = request.getfixturevalue("server")
    made = server.database()
    yield made
    server.drop(made)


@pytest.fixture
def in_file(path: Path) -> Iterator[Registry]:
    """A registry in a file, where the database makes no difference: a passphrase takes a second."""
    with open_at(path) as registry:
        yield registry


def fill(registry: Registry) -> None:
    """People in every state of making."""
    enrol(registry, [*crowd(40), applicant(41, items={"DF01.EF05.20": "10"}, nation="")])
    for record in registry.next_planned(5):
        issue(registry, record)
    begin(registry, registry.get(6))
    begin(registry, registry.get(7))
    registry.spoil(7, "6581")
    registry.discard(8, "卡面印错")
    registry.worklist().claim()


def content(registry: Registry) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for claims, which do not outlive a window."""
    found = {}
    with registry.books.store.reading(snapshot=True) as connection:
        for table in schema.metadata.sorted_tables:
            if table is schema.schema_version:
                continue
            kept = [column for column in table.c if not column.name.startswith("claimed_")]
            rows = connection.execute(select(*kept).order_by(*table.primary_key.columns))
            found[table.name] = [
                tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows
            ]
    return found


def take(registry: Registry, file: Path, lock: Lock = LOCK) -> backup.Taken:
    return backup.take(registry.books, file, lock)


def restore(file: Path, target: str, key: Key = KEY) -> backup.Taken:
    return restoring.restore(file, target, key, clock=SetClock(), actor="administrator")


def test_the_restore_drill(registry: Registry, file: Path, target: str) -> None:
    """From either database into either."""
    drill(registry, file, target, LOCK, KEY)


def test_the_restore_drill_with_a_passphrase(in_file: Registry, file: Path, tmp_path: Path) -> None:
    target = sqlite_url(tmp_path / "restored.db")
    drill(in_file, file, target, Lock(passphrase="测试 words"), Key(passphrase="测试 words"))


def drill(registry: Registry, file: Path, target: str, lock: Lock, key: Key) -> None:
    fill(registry)
    before = content(registry)
    taken = take(registry, file, lock)
    assert restore(file, target, key) == taken
    with open_at(target) as restored:
        assert_consistent(restored)
        after = content(restored)
        assert after["history"][:-1] == before["history"]
        assert {**after, "history": []} == {**before, "history": []}
        assert restored.worklist().claim() is not None
        for record in restored.next_planned(3):
            issue(restored, record)
        enrol(restored, crowd(50))
        assert_consistent(restored)


def test_after_a_real_loss_no_number_comes_twice(
    registry: Registry, file: Path, target: str
) -> None:
    """What was given out after the backup is known to nobody: the profile says where to go on."""
    fill(registry)
    take(registry, file)
    enrol(registry, crowd(60))  # and then the disk broke
    given = {(r.card_number, r.id_code) for r in registry.list()}
    restore(file, target)
    with open_at(target) as restored:
        kept = {(r.card_number, r.id_code) for r in restored.list()}
        beyond = Numbering("A", 1000, 1000, "639900")
        restored.enrol([applicant(n) for n in range(200, 220)], beyond, batch())
        new = {(r.card_number, r.id_code) for r in restored.list()} - kept
        assert len(new) == 20
        assert not {number for number, _ in new} & {number for number, _ in given}
        assert not {code for _, code in new} & {code for _, code in given}


def test_both_sides_note_it_in_the_history(registry: Registry, file: Path, target: str) -> None:
    fill(registry)
    taken = take(registry, file)
    assert content(registry)["history"][-1][3] == "backup"
    restore(file, target)
    with open_at(target) as restored:
        entry = content(restored)["history"][-1]
        assert (entry[2], entry[3], entry[0]) == (
            "administrator", "restore", taken.head.sequence + 1,
        )  # fmt: skip


def test_a_backup_shows_no_personal_data(registry: Registry, file: Path) -> None:
    fill(registry)
    take(registry, file)
    raw = file.read_bytes()
    assert applicant(0).citizen_number.encode() not in raw
    assert raw.startswith(b"age-encryption.org/v1\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_overwrites_nothing(registry: Registry, file: Path) -> None:
    file.write_bytes(b"precious")
    with pytest.raises(UsageError, match="is there already"):
        take(registry, file)
    assert file.read_bytes() == b"precious"


def test_a_backup_that_cannot_be_written_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        take(registry, tmp_path / "missing" / "file")
    with pytest.raises(UsageError, match="no public key"):
        take(registry, tmp_path / "file", Lock(("age1nonsense",)))
    assert not list(tmp_path.glob("*file*"))


def test_a_card_made_before_the_instant_of_a_backup_is_in_it(
    registry: Registry, file: Path
) -> None:
    """Another window finishes its card while the backup looks at the clock, at the latest."""
    fill(registry)
    begin(registry, registry.get(9))
    url = registry.books.store.engine.url.render_as_string(hide_password=False)
    ticking, work = SetClock(), [lambda: finish(registry, 9)]

    def clock() -> dt.datetime:
        instant = ticking()
        if armed and work:
            work.pop()()
        return instant

    armed = False
    with Registry.open(url, clock=clock, actor="administrator") as administrators:
        ticking.now += dt.timedelta(hours=1)
        armed = True
        taken = take(administrators, file)
    target = file.with_name("restored.db")
    assert restoring.restore(file, sqlite_url(target), KEY, clock=ticking, actor="x") == taken
    with open_at(target) as restored:
        assert restored.get(9).state == "issued"


def finish(registry: Registry, card_id: int) -> None:
    registry.result(card_id, ok=True, id_code=registry.get(card_id).id_code + b"MACS")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize("lock", [LOCK, Lock(passphrase="测试 words")])
def test_a_backup_onto_a_full_disk_is_one_line_and_leaves_nothing(
    in_file: Registry, file: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk says so while the encryption writes, which makes an error of its own of it."""
    fill(in_file)
    opened = os.open

    def onto_a_full_disk(path: Path, flags: int, mode: int = 0o777) -> int:
        unfinished = str(path).endswith(".part")
        return opened("/dev/full", os.O_WRONLY) if unfinished else opened(path, flags, mode)

    monkeypatch.setattr(os, "open", onto_a_full_disk)
    with pytest.raises(UsageError, match="No space left on device"):
        take(in_file, file, lock)
    assert [path.name for path in file.parent.glob("*") if "registry.db" not in path.name] == []


def test_a_backup_that_the_history_cannot_note_is_none(registry: Registry, file: Path) -> None:
    """Whoever is told that it failed finds no file that looks like one."""
    fill(registry)
    clock = SetClock()
    later = Registry.open(
        registry.books.store.engine.url.render_as_string(hide_password=False),
        clock=lambda: clock() - dt.timedelta(days=1),
        actor="administrator",
    )
    with later, pytest.raises(RegistryError, match="the clock says"):
        take(later, file)
    assert not file.exists()


def test_what_a_killed_program_left_is_removed_by_the_next(registry: Registry, file: Path) -> None:
    """A restore that was killed leaves a registry in clear beside the name it was to get."""
    fill(registry)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    target = file.with_name("restored.db")
    left = [
        target.with_name(f".{target.name}.{ended.pid}.part{more}") for more in ("", "-wal", "-shm")
    ]
    left.append(file.with_name(f".{file.name}.{ended.pid}.part"))
    working = file.with_name(f".{file.name}.{os.getppid()}.part")
    foreign = file.with_name(f".{file.name}.notes.part")
    for path in (*left, working, foreign):
        path.touch()
    take(registry, file)
    restore(file, sqlite_url(target))
    assert not [path for path in left if path.exists()]
    assert working.exists()
    assert foreign.exists()


def test_a_registry_that_fails_while_it_is_backed_up_is_told_as_such(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as the error that pyrage makes of it; no file is left and nothing is in the history."""
    fill(registry)
    before = registry.history_head()
    rows = backup._rows

    def failing(connection: Connection, table: Table) -> Iterator[list[object]]:
        if table is schema.history:  # behind some thousand bytes that were written
            connection.exec_driver_sql("SELECT nothing FROM nowhere")
        yield from rows(connection, table)

    monkeypatch.setattr(backup, "_rows", failing)
    with pytest.raises(RegistryError) as caught:
        take(registry, tmp_path / "noon.backup")
    assert "registry" in caught.value.message
    assert "nowhere" not in str(caught.value.details())
    assert not list(tmp_path.glob("*noon*"))
    assert registry.history_head() == before
    monkeypatch.undo()
    take(registry, tmp_path / "noon.backup")


@pytest.mark.filterwarnings("error")  # of a cursor that nobody closed
def test_a_connection_lost_during_a_backup(
    database: str, server: postgres.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = backup._rows

    def thrown_out(connection: Connection, table: Table) -> Iterator[list[object]]:
        if table is schema.history:
            server.end_connections(database)
        yield from rows(connection, table)

    with open_at(database) as registry:
        fill(registry)
        monkeypatch.setattr(backup, "_rows", thrown_out)
        with pytest.raises(RegistryUnavailableError, match="is lost"):
            take(registry, tmp_path / "noon.backup")
        gc.collect()
        assert not list(tmp_path.glob("*noon*"))
        monkeypatch.undo()
        take(registry, tmp_path / "noon.backup")
        assert_consistent(registry)


def test_a_backup_of_an_earlier_layout_is_refused_with_what_to_do(
    registry: Registry, file: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(registry)
    take(registry, file)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(UsageError, match="is of layout") as caught:
        restore(file, target)
    assert "restore it with the cardkit it was made by" in caught.value.hint
    assert "registry migrate" in caught.value.hint
    assert "registry migrate" in caught.value.zh
    assert "\n" not in caught.value.message
    monkeypatch.undo()
    restore(file, target)  # nothing was left in the way


# -- files that are not to be trusted --------------------------------------------------------------


def cut(raw: bytes) -> bytes:
    return raw[:-20]


def nearly_all(raw: bytes) -> bytes:
    return raw[:300]


def flipped(raw: bytes) -> bytes:
    middle = len(raw) * 3 // 4
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]


def lengthened(raw: bytes) -> bytes:
    return raw + b"\0" * 20


@pytest.mark.parametrize(
    "harm", [cut, nearly_all, flipped, lengthened, lambda _: b"", lambda _: b"x"]
)
def test_a_damaged_backup_is_named_and_leaves_nothing(
    registry: Registry, file: Path, target: str, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    fill(registry)
    take(registry, file)
    file.write_bytes(harm(file.read_bytes()))
    refused(file, target, UsageError, "is no (usable )?backup")
    assert_nothing_left(target, tmp_path)
    file.unlink()
    take(registry, file)
    restore(file, target)


def refused(file: Path, target: str, kind: type[CardkitError], text: str, key: Key = KEY) -> None:
    with pytest.raises(kind, match=text) as caught:
        restore(file, target, key)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.zh


def assert_nothing_left(target: str, folder: Path) -> None:
    if target.startswith("sqlite"):
        assert not list(folder.glob("*restored*"))
        return
    with pytest.raises(RegistryError, match="there is no registry"):
        Registry.open(target, clock=SetClock(), actor="x", only_look=True)


@pytest.mark.parametrize(
    "key",
    [Key((str(pyrage.x25519.Identity.generate()),)), Key(passphrase="geheim"), Key()],
    ids=["other", "passphrase", "none"],
)
def test_a_wrong_key_is_named(registry: Registry, file: Path, target: str, key: Key) -> None:
    fill(registry)
    take(registry, file)
    refused(file, target, WrongKeyError, "does not open monday.backup", key)


@pytest.mark.parametrize("key", [Key(passphrase="falsch"), KEY], ids=["other", "identity"])
def test_a_wrong_passphrase_is_named(
    in_file: Registry, file: Path, tmp_path: Path, key: Key
) -> None:
    take(in_file, file, Lock(passphrase="richtig"))
    refused(file, sqlite_url(tmp_path / "new.db"), WrongKeyError, "does not open", key)


def test_only_an_empty_place_is_restored_into(registry: Registry, file: Path, target: str) -> None:
    take(registry, file)
    with open_at(target) as other:
        enrol(other, crowd(1))
        before = content(other)
    refused(file, target, RegistryError, "is not empty")
    with open_at(target) as other:
        assert content(other) == before


def test_a_history_that_was_changed_before_the_backup_is_found(
    registry: Registry, file: Path, tmp_path: Path
) -> None:
    fill(registry)
    history = schema.history
    wrong = history.update().where(history.c.sequence == 3).values(actor="somebody")
    with registry.books.store.writing() as connection:
        right = connection.execute(
            select(history.c.actor).where(history.c.sequence == 3)
        ).scalar_one()
        connection.execute(wrong)
    take(registry, file)
    refused(file, sqlite_url(tmp_path / "new.db"), UsageError, "entry 3 was changed")
    assert not list(tmp_path.glob("*new.db*"))
    with registry.books.store.writing() as connection:
        connection.execute(wrong.values(actor=right))


@pytest.mark.parametrize("key", [KEY, Key(passphrase="geheim")], ids=["identity", "passphrase"])
def test_what_is_no_backup_at_all_is_named_as_such(tmp_path: Path, key: Key) -> None:
    """Not as a damaged one, nor as one for another key."""
    roster = tmp_path / "people.csv"
    roster.write_text("姓名,公民身份号码\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"^people\.csv is no backup$") as caught:
        restore(roster, sqlite_url(tmp_path / "new.db"), key)
    assert "cardkit registry backup" in caught.value.hint
    assert "不是备份文件" in caught.value.zh
    assert not list(tmp_path.glob("*new.db*"))


def test_a_missing_backup_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file") as caught:
        restore(tmp_path / "nothing", sqlite_url(tmp_path / "new.db"))
    assert caught.value.exit_code is ExitCode.USAGE
