"""The audit log: durable, chained, shared; cutting, reordering and editing are found."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import json
import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit import history
from cardkit.errors import UsageError
from cardkit.history import Head
from cardkit.keys.audit import HEAD_GONE, AuditError, AuditLog, Entry
from cardkit.keys.audit_head import HeadFile, Mark, Sealer
from tests.keys.conftest import Clock


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> AuditLog:
    log = AuditLog(tmp_path / "log", clock)
    for number in range(5):
        log.append(Entry("王", "derive", f"SSSE.IRK v1 (00000{number})", 100_000, "issue"))
    return log


def raw(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def test_entries_come_back_and_the_file_is_private(log: AuditLog) -> None:
    lines = list(log.lines())
    assert [line.sequence for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0].entry == Entry("王", "derive", "SSSE.IRK v1 (000000)", 100_000, "issue")
    assert lines[0].instant == "2026-11-21T02:00:00.000Z"
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert log.verify().intact


@pytest.mark.parametrize("field", range(9))
@pytest.mark.parametrize("place", range(5))
def test_any_edited_field_is_found(log: AuditLog, place: int, field: int) -> None:
    lines = raw(log)
    entry = json.loads(lines[place])
    entry[field] = entry[field] + 1 if isinstance(entry[field], int) else entry[field] + "x"
    lines[place] = json.dumps(entry).encode() + b"\n"
    log.path.write_bytes(b"".join(lines))
    assert str(place + 1) in log.verify().problem


@pytest.mark.parametrize("odd", ["NaN", "1e999", "null", "true", "[]", "{}", "-1.5", '"x"', "7"])
@pytest.mark.parametrize("field", range(10))
def test_a_field_of_another_kind_is_an_edited_entry_too(
    log: AuditLog, field: int, odd: str
) -> None:
    """Nothing that stands in the file is a fault of the program that reads it."""
    lines = raw(log)
    fields = [json.dumps(value) for value in json.loads(lines[2])]
    fields[field] = odd
    lines[2] = f"[{', '.join(fields)}]\n".encode()
    log.path.write_bytes(b"".join(lines))
    assert log.verify().problem in {"entry 3 was changed", "entry 3 is missing"}
    for look in (lambda: list(log.lines()), log.reservations, log.set_backs):
        with contextlib.suppress(AuditError):
            look()


def test_reordered_and_removed_entries_are_found(log: AuditLog) -> None:
    lines = raw(log)
    for broken in (
        [lines[1], lines[0], *lines[2:]],
        [*lines[:2], *lines[3:]],
        lines[1:],
        [*lines[:3], lines[4], lines[3]],
        [*lines, lines[4]],
    ):
        log.path.write_bytes(b"".join(broken))
        assert not log.verify().intact


def test_entries_cut_off_at_the_end_are_found_and_stop_the_next(log: AuditLog) -> None:
    log.path.write_bytes(b"".join(raw(log)[:3]))
    assert log.verify().problem == "entries 4 to 5 are cut off at the end"
    with pytest.raises(AuditError, match="is missing or was changed"):
        log.append(Entry("x", "y"))
    log.path.unlink()
    with pytest.raises(AuditError, match="is missing or was changed"):
        log.append(Entry("x", "y"))
    with pytest.raises(AuditError, match=r"is gone|is missing"):
        log.latest_instant()


def test_a_cut_with_its_head_shows_against_a_noted_digest(log: AuditLog) -> None:
    noted = log.verify().head
    head = log.path.with_name("log.head")
    three = list(log.lines())[2]
    log.path.write_bytes(b"".join(raw(log)[:3]))
    head.write_text(f"{3:020} {three.digest.hex()}\n")
    assert log.verify().intact
    assert log.verify(noted).problem == "entries 4 to 5 are cut off at the end"
    log.append(Entry("a", "b"))
    log.append(Entry("a", "b"))
    assert log.verify(noted).problem == "entry 5 was changed"
    assert log.verify(Head(3, three.digest)).intact


def test_a_head_that_is_gone_is_told_and_the_next_entry_does_not_hide_it(log: AuditLog) -> None:
    """Without a seal nothing else tells of entries that were cut off together with it."""
    log.path.write_bytes(b"".join(raw(log)[:3]))
    log.path.with_name("log.head").unlink()
    verdict = log.verify()
    assert not verdict.intact
    assert verdict.problem == "log.head is gone: it told whether entries are cut off at the end"
    log.append(Entry("clerk", "derive"))
    assert log.verify().intact
    (told,) = log.lines(HEAD_GONE)
    assert (told.sequence, told.entry.actor) == (4, "clerk")
    assert told.entry.detail == "log.head was gone: what followed entry 3 may be too"
    assert [line.entry.action for line in log.lines()][4:] == ["derive"]


@pytest.mark.parametrize("kept", [0, 1, 20, 100])
def test_an_entry_torn_by_a_crash_is_cut_away_by_the_next(log: AuditLog, kept: int) -> None:
    """It was never acknowledged, so nothing is lost."""
    whole = log.path.read_bytes()
    next_entry = b'[6,"2026-11-21T02:00:00.000Z","a","b","",0,"","ok",""' + b" " * 100
    log.path.write_bytes(whole + next_entry[:kept])
    log.append(Entry("a", "after"))
    assert log.verify().intact
    assert [line.entry.action for line in log.lines()][-2:] == ["derive", "after"]


@pytest.mark.parametrize("length", [4_000, 5_000, 60_000])
def test_the_last_entry_is_found_however_long_it_and_what_a_crash_left_are(
    log: AuditLog, length: int
) -> None:
    log.append(Entry("a", "long", detail="x" * length))
    with log.path.open("ab") as file:
        file.write(b'[7,"' + b"y" * length)
    log.append(Entry("a", "after"))
    assert log.verify().intact
    assert [line.entry.action for line in log.lines()][-2:] == ["long", "after"]


def test_a_disk_that_is_full_for_the_first_head_leaves_no_empty_one(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty head is one that was damaged: it would end the use of all keys, for good."""
    log, real, full = AuditLog(tmp_path / "log", clock), os.open, [True]

    def opened(path: str | os.PathLike[str], *rest: int) -> int:
        handle = real(path, *rest)
        if full[0] and ".head" in str(path):
            os.dup2(real("/dev/full", os.O_WRONLY), handle)
        return handle

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(UsageError, match="No space left on device"):
        log.append(Entry("a", "derive"))
    full[0] = False
    log.append(Entry("a", "derive"))
    assert log.verify().intact
    assert log.verify().head.sequence == 2


def test_a_crash_between_log_and_head_loses_nothing(log: AuditLog) -> None:
    head = log.path.with_name("log.head")
    before = head.read_bytes()
    log.append(Entry("a", "b"))
    head.write_bytes(before)
    assert log.verify().intact
    log.append(Entry("a", "c"))
    assert log.verify().head.sequence == 7


@given(junk=st.binary(max_size=300))
def test_any_junk_is_told_in_one_line(
    junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = AuditLog(tmp_path_factory.mktemp("log") / "log", Clock())
    log.append(Entry("a", "b"))
    log.path.write_bytes(junk)
    assert not log.verify().intact
    with pytest.raises(AuditError) as caught:
        log.append(Entry("a", "b"))
    assert "\n" not in caught.value.message


def _write(path: Path) -> None:
    log = AuditLog(path, Clock())
    for _ in range(20):
        log.append(Entry("process", "use"))


def test_processes_and_threads_share_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path,)) for _ in range(2)]
    threads = [threading.Thread(target=_write, args=(path,)) for _ in range(3)]
    for process in workers:
        process.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in workers:
        process.join()
        assert process.exitcode == 0
    verdict = AuditLog(path, Clock()).verify()
    assert verdict.intact
    assert verdict.head.sequence == 100


# --- the disk -------------------------------------------------------------------------------------


def test_an_entry_is_on_the_disk_before_anybody_hears_of_it(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk says no when the entry is to be made durable: the call fails, nothing is used."""
    synced: list[int] = []

    def fail(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(AuditError, match="cannot be written: Input/output error"):
        log.append(Entry("x", "derive"))
    assert synced == [log.path.stat().st_ino]
    assert HeadFile.read(log.path.with_name("log.head")).end.head.sequence == 5


# --- the clock ------------------------------------------------------------------------------------


def test_the_latest_instant_is_kept_however_often_the_clock_is_set_back(tmp_path: Path) -> None:
    clock = Clock()
    log, latest = AuditLog(tmp_path / "log", clock), clock.now
    log.append(Entry("a", "derive"))
    clock.now -= dt.timedelta(days=9)
    for _ in range(3):
        log.append(Entry("a", "derive", result="refused: the clock"))
        clock.now += dt.timedelta(hours=1)
        assert log.latest_instant() == latest
        assert AuditLog(log.path, clock).latest_instant() == latest
    (back,) = log.set_backs()
    assert (back.first, back.last, back.accepted) == (2, 4, False)
    assert (back.instant, back.latest) == ("2026-11-12T02:00:00.000Z", "2026-11-21T02:00:00.000Z")


@pytest.mark.parametrize("stale", ["two words", "gone", "an entry behind"])
def test_the_latest_instant_is_found_again_without_the_head(tmp_path: Path, stale: str) -> None:
    """After a power cut, or with a head of an earlier version, the whole log is read."""
    clock = Clock()
    log, latest = AuditLog(tmp_path / "log", clock), clock.now
    head = tmp_path / "log.head"
    log.append(Entry("a", "derive"))
    before = head.read_text()
    clock.now -= dt.timedelta(days=9)
    log.append(Entry("a", "derive"))
    text = {"two words": " ".join(head.read_text().split()[:2]) + "\n", "an entry behind": before}
    if stale == "gone":
        head.unlink()
    else:
        head.write_text(text[stale])
    fresh = AuditLog(log.path, clock)
    assert fresh.latest_instant() == latest
    fresh.append(Entry("a", "derive"))
    assert fresh.latest_instant() == latest


# --- the seal -------------------------------------------------------------------------------------

SEALER = Sealer("aa" * 16, bytes(32))


def rewrite(log: AuditLog, keep: int, actor: str) -> Head:
    """What somebody does who may write log and head, and knows how digests are made."""
    head, lines = Head(), []
    for line in list(log.lines())[:keep]:
        fields = [*line.fields]
        fields[2] = actor
        head = Head(line.sequence, history.link(head.digest, fields))
        lines.append(json.dumps([*fields, head.digest.hex()]).encode() + b"\n")
    log.path.write_bytes(b"".join(lines))
    return head


@pytest.mark.parametrize("forged", ["end only", "seal", "no seal", "own key"])
def test_a_log_that_was_rewritten_whole_is_found_by_its_seal(
    log: AuditLog, clock: Clock, forged: str
) -> None:
    log.seal_with(SEALER, check=False)
    log.append(Entry("a", "derive"))
    head_file = log.path.with_name("log.head")
    seal = HeadFile.read(head_file).seals[SEALER.store]
    end = Mark(rewrite(log, 6, "somebody else"), clock.now)
    own = Sealer(SEALER.store, hashlib.sha256(b"guess").digest())
    seals = {
        "end only": {SEALER.store: seal},
        "seal": {SEALER.store: Mark(end.head, end.latest, seal.mac)},
        "no seal": {},
        "own key": {SEALER.store: own.seal(end)},
    }
    head_file.unlink()
    HeadFile(end, seals[forged]).write(head_file)
    with pytest.raises(AuditError, match=r"was rewritten|has no seal"):
        AuditLog(log.path, clock).seal_with(SEALER)
    # A program that runs finds it with its next entry, and does not seal what is there.
    with pytest.raises(AuditError, match=r"was rewritten|was changed|has no seal"):
        log.append(Entry("a", "derive"))


def test_a_head_that_is_gone_is_not_made_anew_by_a_program_that_has_its_store_open(
    log: AuditLog,
) -> None:
    log.seal_with(SEALER, check=False)
    log.append(Entry("a", "derive"))
    head_file = log.path.with_name("log.head")
    head_file.unlink()
    with pytest.raises(AuditError, match="has no seal"):
        log.append(Entry("a", "derive"))
    assert not head_file.exists()


@pytest.mark.parametrize("opened", ["before its first entry", "after one"])
def test_a_longer_log_put_in_place_is_not_sealed_by_a_program_that_runs(
    log: AuditLog, clock: Clock, opened: str
) -> None:
    """Its end is behind the seal, which stays as it was; only the entries there are others."""
    log.seal_with(SEALER, check=False)
    log.append(Entry("a", "derive"))
    running = AuditLog(log.path, clock)
    running.seal_with(SEALER)
    if opened == "after one":
        running.append(Entry("a", "derive"))
    head_file = log.path.with_name("log.head")
    seals = HeadFile.read(head_file).seals
    rewrite(log, 9, "somebody else")
    for _ in range(4):
        log = AuditLog(log.path, clock)
        head_file.unlink(missing_ok=True)
        log.append(Entry("somebody else", "derive"))
    HeadFile(HeadFile.read(head_file).end, seals).write(head_file)
    with pytest.raises(AuditError, match="was rewritten"):
        running.append(Entry("a", "derive"))


def test_a_sealed_log_goes_on(log: AuditLog, clock: Clock) -> None:
    """Also with entries of those who have no key, a PSAM or a failed self-test, in between."""
    log.seal_with(SEALER, check=False)
    log.append(Entry("a", "derive"))
    AuditLog(log.path, clock).append(Entry("psam", "probe"))
    again = AuditLog(log.path, clock)
    again.seal_with(SEALER)
    assert again.sealed() == 6
    again.append(Entry("a", "derive"))
    assert again.sealed() == 8
    assert again.verify().intact


def test_a_head_does_not_lower_what_was_sealed(log: AuditLog, clock: Clock) -> None:
    """Editing the instant in the head does not bring a key back that has run out."""
    log.seal_with(SEALER, check=False)
    log.append(Entry("a", "derive"))
    head_file = log.path.with_name("log.head")
    there, latest = HeadFile.read(head_file), clock.now
    HeadFile(Mark(there.end.head, latest - dt.timedelta(days=9)), there.seals).write(head_file)
    again = AuditLog(log.path, clock)
    again.seal_with(SEALER)
    assert again.latest_instant() == latest
