"""The test bench: a real pcscd with virtual readers for every test process.

Each process (pytest-xdist starts several) has a daemon, readers and network of its own, so tests
run beside each other and beside the machine's own PC/SC service. Cards are objects of the test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.errors import CardkitError
from cardkit.virtual import service, vpcd
from cardkit.virtual.vpcd import CardSide
from tests.bench import READERS, SOON, Insert, Inserted

_runtime_directory: Path | None = None


def pytest_configure() -> None:
    """Point this process at its own daemon before PC/SC is loaded, which looks once only."""
    global _runtime_directory  # noqa: PLW0603
    _runtime_directory = Path(tempfile.mkdtemp(prefix="cardkit-bench-"))
    os.environ[service.SOCKET_VARIABLE] = str(service.daemon_socket(_runtime_directory))


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if _runtime_directory is not None:
        shutil.rmtree(_runtime_directory, ignore_errors=True)


@pytest.fixture(scope="session")
def pcsc_service() -> Iterator[service.Service]:
    """A PC/SC service with 8 virtual readers, for this test process only."""
    assert _runtime_directory is not None
    try:
        running = service.start(READERS, _runtime_directory, publish=False)
    except CardkitError as error:
        if os.geteuid() == 0:
            raise
        pytest.skip(f"NOT TESTED over PC/SC: {error} - {error.hint}. Run the tests with sudo.")
    if running.mode is not service.Mode.PRIVATE:
        running.stop()
        pytest.skip("NOT TESTED over PC/SC: no private network for pcscd. Run the tests with sudo.")
    with running:
        yield running


@pytest.fixture(scope="session")
def _slots() -> Iterator[int]:
    return cycle(range(READERS))


@pytest.fixture
def insert(pcsc_service: service.Service, _slots: Iterator[int]) -> Iterator[Insert]:
    """Put a card object into a reader: ``insert(card, slot=None)``, removed after the test.

    Without ``slot`` the next reader of the ring is taken. Returns when the reader has noticed the
    card.
    """
    there: list[Inserted] = []

    def put(card: CardSide, slot: int | None = None) -> Inserted:
        number = next(_slots) if slot is None else slot
        reader = pcsc_service.readers[number]
        pcsc.wait_for_removal(reader, SOON)  # of the test before
        thread = vpcd.insert(card, lambda: pcsc_service.attach(number))
        there.append(Inserted(number, reader, thread))
        pcsc.wait_for_card(reader, SOON)
        return there[-1]

    yield put
    for inserted in there:
        inserted.thread.remove()


@pytest.fixture
def empty_reader(pcsc_service: service.Service, _slots: Iterator[int]) -> str:
    """Name of a reader without a card."""
    reader = pcsc_service.readers[next(_slots)]
    pcsc.wait_for_removal(reader, SOON)
    return reader
