"""A registry that cannot be written, and disks that fill up: no card is touched then."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from cardkit.virtual.card import VirtualCard
from tests.faults.conftest import Stack
from tests.faults.rights import UNPRIVILEGED, as_root, give_away
from tests.faults.window import Done, Window

pytestmark = pytest.mark.pcsc

UPDATE, READ = 0xDC, 0xB2


def fill(disk: Path, *, leaving: int = 0) -> Path:
    """Use up the space of a disk but for so many bytes; returns the file that has it."""
    path = disk / f"filler-{leaving}"
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 12))
    if leaving:
        os.truncate(path, max(path.stat().st_size - leaving, 0))
    return path


def untouched(card: VirtualCard) -> bool:
    return card.counters.commands == 0


def issue(window: Window, card: VirtualCard, stack: Stack, registry: Path, *wrapper: str) -> Done:
    """Make one card with a registry that is elsewhere."""
    at = stack(card)
    card.reset_counters()
    return window.run(
        *window.issuing(window.people(1), at.reader, registry=registry), wrapper=wrapper
    )


@as_root
def test_a_registry_that_belongs_to_somebody_else(
    window: Window, stack: Stack, foreign: Path
) -> None:
    registry = foreign / "registry.db"
    assert window.run(*window.issuing(window.people(1), registry=registry)).code == 0
    give_away(registry, 0o444)
    give_away(foreign, 0o555)
    before, card = registry.read_bytes(), window.premade(1)

    done = issue(window, card, stack, registry, *UNPRIVILEGED)

    assert done.code == 2
    assert done.complaint == f"the registry {registry} cannot be written"
    assert untouched(card)
    assert registry.read_bytes() == before
    assert {path.name for path in foreign.iterdir()} == {"registry.db"}


@as_root
def test_a_folder_in_which_no_registry_can_be_made(
    window: Window, stack: Stack, foreign: Path
) -> None:
    give_away(foreign, 0o555)
    card = window.premade(1)

    done = issue(window, card, stack, foreign / "registry.db", *UNPRIVILEGED)

    assert done.code == 2
    assert f"registry {foreign}/registry.db cannot be made" in done.complaint
    assert untouched(card)


def test_a_registry_on_a_read_only_disk(window: Window, stack: Stack, disk: Path) -> None:
    registry = disk / "registry.db"
    assert window.run(*window.issuing(window.people(1), registry=registry)).code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    card = window.premade(1)

    done = issue(window, card, stack, registry)

    assert done.code == 2
    assert f"the registry {registry} cannot be" in done.complaint
    assert untouched(card)


def test_a_disk_that_is_full_from_the_start(window: Window, stack: Stack, disk: Path) -> None:
    registry = disk / "registry.db"
    assert window.run(*window.issuing(window.people(1), registry=registry)).code == 0
    fill(disk)
    card = window.premade(1)

    done = issue(window, card, stack, registry)

    assert done.code == 3
    assert str(registry) in done.complaint
    assert "room" in done.err
    assert untouched(card)


def test_a_disk_that_is_too_small_for_a_new_registry(
    window: Window, stack: Stack, disk: Path
) -> None:
    fill(disk)
    card = window.premade(1)

    done = issue(window, card, stack, disk / "registry.db")

    assert done.code == 3
    assert "room left for the registry" in done.complaint
    assert untouched(card)


@pytest.mark.parametrize(
    ("instruction", "times", "state"),
    [(READ, 1, "planned"), (UPDATE, 5, "writing")],
    ids=["before the intent", "while it is written"],
)
def test_a_disk_that_fills_up_in_the_middle_of_a_batch(
    window: Window, stack: Stack, disk: Path, instruction: int, times: int, state: str
) -> None:
    window.registry = disk / "registry.db"
    cards = [window.premade(order) for order in range(1, 4)]
    before = [card.snapshot() for card in cards]
    seen = 0

    def count(command: bytes, _: bytes) -> None:
        nonlocal seen
        seen += command[1] == instruction
        if seen == times and command[1] == instruction:
            fill(disk)
            fill(disk)

    cards[1].on_exchange.append(count)
    at = stack(*cards)
    roster = window.people(3)

    done = window.run(*window.issuing(roster, at.reader, idle=None))

    assert done.code == 3, done.err
    assert "room left for the registry" in done.err or "disk" in done.err
    assert "Traceback" not in done.err
    assert untouched(cards[2]), "the next card was not even looked at"
    for path in disk.glob("filler-*"):
        path.unlink()
    assert window.states() == ["issued", state, "planned"]
    if state == "planned":
        assert cards[1].snapshot() == before[1]
    at.thread.remove()

    assert window.run(*window.issuing(roster, stack(cards[1], cards[2]).reader)).code == 0

    window.correct(*cards)


# --- where the report goes -----------------------------------------------------------------------


@as_root
def test_a_folder_for_the_report_that_cannot_be_written(
    window: Window, stack: Stack, foreign: Path
) -> None:
    give_away(foreign, 0o555)
    window.out = foreign
    card = window.premade(1)

    done = issue(window, card, stack, window.registry, *UNPRIVILEGED)

    assert done.code == 2
    assert done.complaint == f"nothing can be written to {foreign}: Permission denied"
    assert untouched(card)
    assert not window.registry.exists()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_disk_for_the_report_that_fills_up(
    window: Window, stack: Stack, disk: Path, suffix: str
) -> None:
    window.out = disk / "out"
    sample = window.folder / f"roster{suffix}"
    assert window.run("roster", "sample", 1, "--out", sample).code == 0
    card = window.premade(1)

    def first(*_: bytes) -> None:
        card.on_exchange.clear()
        fill(disk)

    card.on_exchange.append(first)

    done = window.run(*window.issuing(sample, stack(card).reader))

    assert done.code == 2, done.err
    assert "No space left on device" in done.err
    assert "Traceback" not in done.err
    window.correct(card)
    for path in disk.glob("filler-*"):
        path.unlink()
    again = window.run(*window.issuing(sample, "cardkit"))
    assert again.code == 0
    assert len(list(window.out.glob("return-*"))) == 1
