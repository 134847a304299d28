"""A window for every test, and stacks of cards in real readers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.virtual import service, vpcd
from cardkit.virtual.vpcd import CardSide
from tests.bench import SOON
from tests.faults.window import Window


@pytest.fixture
def window(tmp_path: Path) -> Window:
    return Window(tmp_path)


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for files of other users, outside the window's own."""
    folder = tmp_path_factory.mktemp("foreign")
    yield folder
    for path in (folder, *folder.rglob("*")):
        os.chown(path, os.geteuid(), -1)
        path.chmod(0o700)


@dataclass(frozen=True)
class Stacked:
    """Cards that go into a reader one after the other."""

    slot: int
    reader: str
    thread: vpcd.ReaderThread


Stack = Callable[..., Stacked]


@pytest.fixture
def stack(pcsc_service: service.Service, _slots: Iterator[int]) -> Iterator[Stack]:
    """Put cards into a reader: ``stack(card, card, slot=None)``.

    The next goes in when one that was talked to is powered down. A card that loses its power is
    taken out, and ends the stack.
    """
    there: list[Stacked] = []

    def put(*cards: CardSide, slot: int | None = None) -> Stacked:
        number = next(_slots) if slot is None else slot
        reader = pcsc_service.readers[number]
        pcsc.wait_for_removal(reader, SOON)
        thread = vpcd.feed(cards, lambda: pcsc_service.attach(number))
        there.append(Stacked(number, reader, thread))
        pcsc.wait_for_card(reader, SOON)
        return there[-1]

    yield put
    for stacked in there:
        stacked.thread.remove()


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 8 MiB of its own."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
