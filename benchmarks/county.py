"""A county: 220,000 people read, checked, enrolled and numbered with history, twice.

On SQLite and on PostgreSQL; then backed up and restored.

Each step runs in a process of its own, so that its memory is its own: the limit of 8 s and 700 MB
is for one process that does it all. Then what the registry costs each card beside the disk.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage

from cardkit.issuance import roster
from cardkit.issuance.roster import sample
from cardkit.registry import backup, restoring
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.sealing import Key, Lock
from tests import postgres

PEOPLE = 220_000
CARDS = 1_000
COLUMNS = ("insurance_number", "name", "citizen_number", "address", "phone")
"""The list of an agency for batch opening."""

_NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")


def main() -> None:
    """Print seconds and memory of every step."""
    with tempfile.TemporaryDirectory(prefix="cardkit-county-") as name:
        directory = Path(name)
        _alone(_write_roster, directory)
        print(f"{PEOPLE:,} people, {_roster(directory).stat().st_size / 1e6:.1f} MB GB18030 CSV")
        print("SQLite, one file")
        _measure(directory)
        with postgres.started(durable=True) as server:
            print("PostgreSQL, a server on this machine")
            _place(directory).write_text(server.database(), encoding="utf-8")
            _measure(directory)


def _measure(directory: Path) -> None:
    _alone(_enrol, directory)
    print("the same roster again")
    _alone(_enrol, directory)
    _alone(_check, directory)
    _alone(_make, directory)
    _alone(_back_up, directory)
    _alone(_restore, directory)


def _alone(step: Callable[[Path], None], directory: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=step, args=(directory,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{step.__name__} failed")


def _roster(directory: Path) -> Path:
    return directory / "roster.csv"


def _write_roster(directory: Path) -> None:
    sample.write(_roster(directory), PEOPLE, 1, encoding="gb18030", fields=COLUMNS)


def _place(directory: Path) -> Path:
    """File with the URL of the registry on a server, once that is measured."""
    return directory / "url"


def _open(directory: Path) -> Registry:
    place = _place(directory)
    url = place.read_text() if place.exists() else sqlite_url(directory / "registry.db")
    return Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark")


def _enrol(directory: Path) -> None:
    path = _roster(directory)
    began, busy = time.perf_counter(), time.process_time()
    with _timed("read and check"):
        found = roster.read(path, today=dt.date(2030, 1, 1))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    applicants: list[Applicant] = found.applicants
    with _timed("enrol"), _open(directory) as registry:
        result = registry.enrol(applicants, _NUMBERING, BatchInfo(path.name, digest, PEOPLE))
    counts = ", ".join(f"{count:,} {what}" for what, count in result.counts().items() if count)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total, used = time.perf_counter() - began, time.process_time() - busy
    print(f"  together         {total:6.2f} s (target 8), {used:.2f} s of it processor")
    print(f"  memory           {memory:4.0f} MB (target 700): {counts}")


def _check(directory: Path) -> None:
    with _open(directory) as registry:
        with _timed("verify history"):
            verdict = registry.verify_history()
        assert verdict.intact
        with _timed("list"):
            count = sum(1 for _ in registry.list())
    assert count == PEOPLE


def _make(directory: Path) -> None:
    """The two commits of a card, and how much of them is the processor's."""
    with _open(directory) as registry:
        work = registry.worklist()
        records = [record for _ in range(CARDS) if (record := work.claim())]
        began, busy = time.perf_counter(), os.times()
        for record in records:
            registry.intent(
                record.card_id,
                id_code=record.id_code,
                atr=record.id_code,
                factory_atr=None,
                reader="benchmark",
                chip_kind="premade",
            )
            registry.result(record.card_id, ok=True, id_code=record.id_code + bytes(4))
        wall, used = time.perf_counter() - began, os.times()
    user = (used.user - busy.user) / CARDS * 1e3
    print(f"  intent and result {wall / CARDS * 1e3:.2f} ms a card, {user:.2f} ms of it Python")


def _back_up(directory: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (directory / "identity").write_text(str(identity))
    file = directory / "county.backup"
    file.unlink(missing_ok=True)
    with _open(directory) as registry, _timed("back up"):
        backup.take(registry.books, file, Lock((str(identity.to_public()),)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory           {memory:4.0f} MB, file {file.stat().st_size / 1e6:.0f} MB")


def _restore(directory: Path) -> None:
    key = Key(((directory / "identity").read_text(),))
    target = directory / "restored.db"
    with _timed("restore, checked"):
        restoring.restore(
            directory / "county.backup", sqlite_url(target), key,
            clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark",
        )  # fmt: skip
    target.unlink()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory           {memory:4.0f} MB")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began, busy = time.perf_counter(), time.process_time()
    yield
    total, used = time.perf_counter() - began, time.process_time() - busy
    print(f"  {what:<16} {total:6.2f} s, {used:.2f} s of it processor", flush=True)
