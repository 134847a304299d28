"""Eight windows, each a program, on one PostgreSQL; some are killed again and again."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from cardkit.registry import backup, restoring
from cardkit.registry.registry import Registry
from cardkit.registry.sealing import Key, Lock
from cardkit.virtual.card import VirtualCard
from tests import postgres, workshop
from tests.registry.support import assert_consistent

WINDOWS = 8
KILLED = 2
PEOPLE = 96
_SELECT_SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
_READ_NUMBER = bytes.fromhex("00B2072C")


class Windows:
    """The programs, and what each of them said it had committed."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.running: dict[int, subprocess.Popen[str]] = {}
        self.kills = 0

    def start(self, number: int) -> None:
        log = (self.folder / f"{number}.log").open("a")
        self.running[number] = subprocess.Popen(
            [sys.executable, "-m", "tests.registry.window", self.url, f"window {number}",
             str(self.folder / f"chips-{number}"), str(number)],
            stdout=log, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        log.close()

    def kill(self, number: int) -> bool:
        """As a power cut does, and start it again; False when it had ended by itself."""
        program = self.running[number]
        if program.poll() is not None:
            return False
        self.kills += 1
        program.kill()
        program.communicate()
        self.start(number)
        return True

    def wait(self) -> None:
        for number, program in self.running.items():
            _, said = program.communicate(timeout=240)
            assert program.returncode == 0, f"window {number}: {said}"

    def committed(self) -> list[tuple[int, str]]:
        """Card record and instant of everything that was reported done."""
        lines = "".join(p.read_text() for p in self.folder.glob("*.log")).splitlines()
        return [(int(number), instant) for number, instant in map(str.split, lines)]

    def chips(self) -> list[Path]:
        """Every chip, also one that a killed window left in its reader."""
        found = self.folder.glob("chips-*/*")
        return sorted(path for path in found if path.suffix in (".card", ".in-reader"))


@pytest.fixture
def windows(database: str, tmp_path: Path) -> Iterator[Windows]:
    made = workshop.Workshop(tmp_path, [])
    made.url = database
    with made.registry() as registry:
        made.enrol(registry, [workshop.applicant(row) for row in range(1, PEOPLE + 1)])
    started = Windows(database, tmp_path)
    yield started
    for program in started.running.values():
        program.kill()
        program.communicate()


def test_eight_windows_two_of_them_killed_again_and_again(windows: Windows) -> None:
    for number in range(WINDOWS):
        windows.start(number)
    chance = random.Random(4)
    at_work = True
    while at_work and windows.kills < 6:
        time.sleep(chance.uniform(0.7, 1.6))
        at_work = windows.kill(windows.kills % KILLED)
    windows.wait()
    for number in range(KILLED):  # what the last kill left begun is finished by the next start
        windows.start(number)
    windows.wait()
    assert windows.kills >= 2
    with _opened(windows.url) as registry:
        assert_consistent(registry)
        assert registry.counts()["issued"] == PEOPLE
        assert_chips_agree(registry, windows.chips())
        told = Counter(card_id for card_id, _ in windows.committed())
        assert set(told.values()) == {1}, "a card was reported twice"


def test_a_backup_while_eight_windows_work_has_everything_committed_before(
    windows: Windows, server: postgres.Server, tmp_path: Path
) -> None:
    """And can be put back on another machine, into either database."""
    identity = pyrage.x25519.Identity.generate()
    for number in range(WINDOWS):
        windows.start(number)
    while len(windows.committed()) < 20:
        time.sleep(0.05)
    before = windows.committed()
    file = tmp_path / "noon.backup"
    with _opened(windows.url) as registry:
        taken = backup.take(registry.books, file, Lock((str(identity.to_public()),)))
    windows.wait()
    fresh = server.database()
    for target in (fresh, f"sqlite:///{tmp_path / 'restored.db'}"):
        restored = restoring.restore(file, target, Key((str(identity),)), clock=_now, actor="drill")
        assert restored == taken
        with _opened(target) as registry:
            assert_consistent(registry)
            issued = {record.card_id for record in registry.list(["issued"])}
            assert {card_id for card_id, _ in before} <= issued
            done = windows.committed()
            told = {card_id for card_id, instant in done if instant < taken.taken_at}
            assert told <= issued
            assert len(issued) < PEOPLE, "the backup was taken after the work"
    server.drop(fresh)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _opened(url: str) -> Registry:
    return Registry.open(url, clock=_now, actor="proof")


def assert_chips_agree(registry: Registry, images: list[Path]) -> None:
    """Each issued record is on exactly one chip, which carries its number; others carry none."""
    found = Counter(number for image in images if (number := _card_number(image)))
    issued = {record.card_number for record in registry.list(["issued"])}
    assert set(found) == issued
    assert set(found.values()) == {1}


def _card_number(image: Path) -> str:
    """Card number in a chip (SSSE EF05 record 7), ``''`` where there is none."""
    card = VirtualCard.load(image)
    card.power_on()
    card.transmit(_SELECT_SSSE)
    length = card.transmit(_READ_NUMBER + b"\x00")
    if length[0] != 0x6C:
        return ""
    record = card.transmit(_READ_NUMBER + length[1:])
    text = record[2:11]  # behind tag and length
    return text.decode("ascii") if text.isalnum() else ""
