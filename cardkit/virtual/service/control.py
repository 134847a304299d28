"""Start and stop a service with virtual readers, and find the one that runs."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from cardkit.apdu.pcsc.calls import SOCKET_VARIABLE
from cardkit.errors import UnreachableError, UsageError
from cardkit.virtual.service.connections import (
    NoVirtualReaderError,
    ask,
    attach_directly,
    attach_through,
    listening,
)
from cardkit.virtual.service.launch import end, isolating_command, launch
from cardkit.virtual.service.lock import enter, leave
from cardkit.virtual.service.publish import DEFAULT_SOCKET, answers
from cardkit.virtual.service.rundir import (
    FIRST_PORT,
    MOST_READERS,
    ROOT_DIRECTORY,
    SLOTS_A_DRIVER,
    RuntimeDirectory,
    ServiceRecord,
    default_directory,
    reader_name,
)


class Mode(Enum):
    """Where the readers of a service are."""

    PRIVATE = "private"
    MACHINE = "machine"
    RUNNING = "running"


class Service:
    """Virtual readers that are there; a context manager that stops them.

    Parameters
    ----------
    mode : Mode
        Where the daemon lives.
    record : ServiceRecord
        What it told.
    directory : RuntimeDirectory or None
        None for the running daemon of the machine, which is not ours to stop.
    process : subprocess.Popen or None
        The process that keeps the daemon.
    """

    def __init__(
        self,
        mode: Mode,
        record: ServiceRecord,
        directory: RuntimeDirectory | None = None,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.mode = mode
        self.count = record.count
        self.socket = Path(record.socket)
        self.published = record.published
        self._directory = directory
        self._process = process

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the readers, as PC/SC lists them, by slot."""
        if self.mode is Mode.RUNNING:
            return tuple(f"Virtual PCD 00 {slot:02}" for slot in range(self.count))
        return tuple(reader_name(slot) for slot in range(self.count))

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find the readers; empty when nothing."""
        if self.published or self.mode is not Mode.PRIVATE:
            return {}
        return {SOCKET_VARIABLE: str(self.socket)}

    @property
    def running(self) -> bool:
        """Whether the readers are still there."""
        return self._process is None or self._process.poll() is None

    def attach(self, slot: int) -> socket.socket:
        """Connection for a card in a slot; errors as `cardkit.virtual.service.attach`."""
        if self._directory is None:
            return attach_directly(slot)
        return attach_through(self._directory.attach_socket, slot)

    def stop_daemon(self) -> None:
        """Stop pcscd but keep the service, as when the daemon crashed (for tests)."""
        self._ask({"do": "stop-daemon"})

    def start_daemon(self, count: int | None = None) -> None:
        """Start pcscd (again), with another number of readers if given (for tests)."""
        self.count = count or self.count
        self._ask({"do": "start-daemon", "count": self.count})

    def _ask(self, request: dict[str, object]) -> None:
        if self._directory is None:
            raise UsageError("the running daemon of this machine is not ours to stop")
        ask(self._directory.attach_socket, request)

    def stop(self) -> None:
        """Stop the daemon and leave nothing behind; harmless when it has stopped."""
        process, self._process = self._process, None
        if process is None or self._directory is None:
            return
        end(process)
        leave(self._directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def start(count: int, runtime_directory: Path | None = None, *, publish: bool = True) -> Service:
    """Start a service with ``count`` virtual readers and return when they can be used.

    Parameters
    ----------
    count : int
        1 to 16. The driver has readers in pairs: with an odd number one reader more is listed.
    runtime_directory : Path, optional
        Default /run/cardkit for root, $XDG_RUNTIME_DIR/cardkit for others.
    publish : bool
        Whether the system's default PC/SC path may lead to the service.

    Raises
    ------
    UsageError
        Count out of range, or the directory cannot be used.
    UnreachableError
        Nothing can be started: packages missing, another service or daemon in the way.
    """
    if not 1 <= count <= MOST_READERS:
        raise UsageError(f"{count} virtual readers", hint=f"1 to {MOST_READERS} are possible")
    directory = _directory(runtime_directory)
    lock = enter(directory)
    try:
        directory.prepare()
        return _start_somewhere(directory, count, lock, publish=publish)
    except BaseException:
        directory.clean()
        leave(directory)
        raise
    finally:
        os.close(lock)  # the process that keeps the daemon has it from now on


def run_service(
    count: int,
    runtime_directory: Path | None = None,
    *,
    report: Callable[[Service], None],
    stop: threading.Event,
) -> None:
    """Run virtual readers until ``stop`` is set; ``report`` is called once they are there.

    Raises
    ------
    UnreachableError
        They cannot be started, or ended by themselves.
    """
    with start(count, runtime_directory) as service:
        report(service)
        while not stop.wait(0.2):
            if not service.running:
                raise UnreachableError(
                    "the virtual readers have ended", hint="start them again, see pcscd's log"
                )


def attach(slot: int, runtime_directory: Path | None = None) -> socket.socket:
    """Connection for a card in a virtual reader of the running service.

    Without a service it is one of the two virtual readers of the machine's own daemon.

    Raises
    ------
    NoVirtualReaderError
        There is no such reader.
    SlotTakenError
        A card is in it.
    RefusedError
        The service belongs to another user.
    """
    for path in _candidates(runtime_directory):
        if path.attach_socket.exists():
            return attach_through(path.attach_socket, slot)
    if runtime_directory is not None:
        raise NoVirtualReaderError(
            f"no virtual readers run in {runtime_directory}",
            hint="start them in another terminal: cardkit virtual readers --count 1",
        )
    return attach_directly(slot)


def running_record(runtime_directory: Path | None = None) -> ServiceRecord | None:
    """What a service that runs in this directory (or the default ones) tells, None without one."""
    for path in _candidates(runtime_directory):
        record = path.read_record()
        if record is not None and answers(Path(record.socket)):
            return record
    return None


def client_environment(
    environment: Mapping[str, str], runtime_directory: Path | None = None
) -> dict[str, str]:
    """Variables this process should set before it opens PC/SC, so that it finds a private service.

    Empty when the user has chosen a socket, when a daemon answers at the default path, or when no
    service runs.
    """
    if SOCKET_VARIABLE in environment or answers(DEFAULT_SOCKET):
        return {}
    record = running_record(runtime_directory)
    return {SOCKET_VARIABLE: record.socket} if record is not None and record.private else {}


def _candidates(runtime_directory: Path | None) -> list[RuntimeDirectory]:
    if runtime_directory is not None:
        return [RuntimeDirectory(runtime_directory)]
    own = default_directory(os.environ, os.geteuid())
    return [RuntimeDirectory(path) for path in dict.fromkeys((own, ROOT_DIRECTORY))]


def _directory(path: Path | None) -> RuntimeDirectory:
    directory = RuntimeDirectory(path or default_directory(os.environ, os.geteuid()))
    directory.check()
    return directory


def _start_somewhere(
    directory: RuntimeDirectory, count: int, lock: int, *, publish: bool
) -> Service:
    process = None
    if wrapper := isolating_command():
        process = launch([*wrapper], directory, count, lock, private=True, publish=publish)
        mode = Mode.PRIVATE
    elif os.geteuid() == 0 and not answers(DEFAULT_SOCKET):
        process = launch([], directory, count, lock, private=False, publish=False)
        mode = Mode.MACHINE
    if process is None:
        return _running(directory, count)
    record = directory.read_record()
    if record is None:
        end(process)
        raise UnreachableError(f"the virtual readers left no record in {directory.path}")
    return Service(mode, record, directory, process)


def _running(directory: RuntimeDirectory, count: int) -> Service:
    """The two virtual readers of the running daemon."""
    there = sum(listening(FIRST_PORT + slot) for slot in range(SLOTS_A_DRIVER))
    if there < count:
        raise UnreachableError(
            f"{count} virtual readers are wanted, the running PC/SC daemon has {there}",
            hint="run this as root (sudo), or install vsmartcard-vpcd and restart pcscd for two",
        )
    directory.clean()
    leave(directory)
    record = ServiceRecord(count, str(DEFAULT_SOCKET), private=False, published=True, pid=0)
    return Service(Mode.RUNNING, record)
