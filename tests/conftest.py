"""The test bench: a real pcscd with virtual readers for every test process.

Each process (pytest-xdist starts several) has a daemon, readers and network of its own, so tests
run beside each other and beside the machine's own PC/SC service. Cards are objects of the test.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import settings

from cardkit.apdu import pcsc
from cardkit.errors import CardkitError
from cardkit.virtual import service, vpcd
from cardkit.virtual.vpcd import CardSide
from tests.bench import READERS, SOON, Insert, Inserted

_runtime_directory: Path | None = None

# A busy machine is no failure.
settings.register_profile("cardkit", deadline=None)
settings.load_profile("cardkit")


def pytest_configure() -> None:
    """Point this process at its own daemon before PC/SC is loaded, which looks once only."""
    global _runtime_directory  # noqa: PLW0603
    _runtime_directory = Path(tempfile.mkdtemp(prefix="cardkit-bench-"))
    if service.isolating_command():
        os.environ[service.SOCKET_VARIABLE] = str(service.daemon_socket(_runtime_directory))


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if _runtime_directory is not None:
        shutil.rmtree(_runtime_directory, ignore_errors=True)


@pytest.fixture(scope="session")
def pcsc_service() -> Iterator[service.Service]:
    """A PC/SC service with 8 virtual readers, for this test process only.

    In a container that permits no network for it, it is the machine's own, and test processes wait
    for each other.
    """
    assert _runtime_directory is not None
    with _turn(wait=not service.isolating_command()):
        try:
            running = service.start(READERS, _runtime_directory, publish=False)
        except CardkitError as error:
            if os.geteuid() == 0:
                raise
            pytest.skip(f"NOT TESTED over PC/SC: {error}. Run the tests with sudo.")
        with running:
            yield running


@contextmanager
def _turn(*, wait: bool) -> Iterator[None]:
    if not wait:
        yield
        return
    with Path(tempfile.gettempdir(), "cardkit-bench.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder every user can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="cardkit-public-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


_HOLD = """
import sys
from cardkit.apdu import pcsc
link = pcsc.open_card(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold() -> Iterator[Callable[[str], int]]:
    """Another program that keeps a card for itself: ``hold(reader)`` returns its process id."""
    programs: list[subprocess.Popen[bytes]] = []

    def start(reader: str) -> int:
        program = subprocess.Popen(
            [sys.executable, "-c", _HOLD, reader], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        programs.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == b"held\n"
        return program.pid

    yield start
    for program in programs:
        program.communicate()
