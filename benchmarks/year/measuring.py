"""Seconds, rows and memory of the chapters; memory of a server's processes beside the program's."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_EVERY = 0.5  # seconds


class Meter:
    """Measures chapters, and prints a line for each.

    Parameters
    ----------
    server : Path, optional
        Folder of a PostgreSQL server whose processes are watched.
    quiet : bool
        Print nothing.
    """

    def __init__(self, server: Path | None = None, *, quiet: bool = False) -> None:
        self._server = server
        self._quiet = quiet
        self._peak = 0
        self._server_busy = 0.0
        self._began = time.perf_counter()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No longer."""
        self._ended.set()
        self._watch.join()

    @contextmanager
    def chapter(self, name: str) -> Iterator[list[str]]:
        """Measure a block; what it appends to the list is printed with it."""
        told: list[str] = []
        began, busy = time.perf_counter(), time.process_time()
        yield told
        seconds, used = time.perf_counter() - began, time.process_time() - busy
        if not self._quiet:
            print(
                f"  {name:<34} {seconds:7.2f} s ({used:6.2f} s here) {_own():5.0f} MB  "
                + ", ".join(told),
                flush=True,
            )

    def total(self) -> None:
        """The last line."""
        busy = f"processor: {time.process_time():.0f} s here"
        memory = f"peak memory: {_own():.0f} MB here"
        if self._server:
            busy += f", {self._server_busy:.0f} s in the server"
            memory += f", {self._peak / 1024:.0f} MB in the server's processes"
        print(f"  together {time.perf_counter() - self._began:.0f} s (target 600); {busy}")
        print(f"  {memory} (target 2048 together)")

    def _look(self) -> None:
        while self._server and not self._ended.wait(_EVERY):
            processes = _processes(self._server)
            self._peak = max(self._peak, sum(map(_share, processes)))
            self._server_busy = max(self._server_busy, _busy(processes))


def _own() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processes(folder: Path) -> list[int]:
    """The server's processes, the one that began the others first."""
    try:
        postmaster = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        tasks = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    except (OSError, ValueError):
        return []
    return [postmaster, *map(int, tasks)]


def _busy(processes: list[int]) -> float:
    """Processor seconds of all of them, and of those that ended."""
    ticks = 0
    for at, pid in enumerate(processes):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        own, of_ended = fields[11:13], fields[13:15] if at == 0 else ()
        ticks += sum(map(int, (*own, *of_ended)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _share(pid: int) -> int:
    """Proportional share of memory (PSS) of a process, KiB."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:  # it has ended
        pass
    return 0
