"""The audit log: durable, chained, shared; cutting, reordering and editing are found."""

from __future__ import annotations

import json
import multiprocessing
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.history import Head
from cardkit.keys.audit import AuditError, AuditLog, Entry
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


@pytest.mark.parametrize("kept", [0, 1, 20, 100])
def test_an_entry_torn_by_a_crash_is_cut_away_by_the_next(log: AuditLog, kept: int) -> None:
    """It was never acknowledged, so nothing is lost."""
    whole = log.path.read_bytes()
    next_entry = b'[6,"2026-11-21T02:00:00.000Z","a","b","",0,"","ok",""' + b" " * 100
    log.path.write_bytes(whole + next_entry[:kept])
    log.append(Entry("a", "after"))
    assert log.verify().intact
    assert [line.entry.action for line in log.lines()][-2:] == ["derive", "after"]


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
