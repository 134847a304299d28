"""Several windows, each a program, on one registry: cards a second with 1, 2, 4 and 8 of them.

The server is one of this run's own, and its commits wait for the disk. Chips are virtual, made
before and kept in memory; the windows start to work together, when all of them are ready. So what
is measured is the registry and the windows' own work: on real chips the wire decides (``wire``).
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from benchmarks.people import person
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from tests import postgres

CARDS = 400  # of one run, all windows together
_NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")


def main() -> None:
    """Print cards a second from the first card to the last."""
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory(prefix="cardkit-windows-") as folder:
        print("SQLite, one file")
        for windows in (1, 2):
            _run(sqlite_url(Path(folder) / f"{windows}.db"), windows)
    with postgres.started(durable=True) as server:
        print("PostgreSQL, a server on this machine")
        for windows in (1, 2, 4, 8):
            _run(server.database(), windows)


def _open(url: str) -> Registry:
    return Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark")


def _run(url: str, windows: int) -> None:
    with _open(url) as registry:
        registry.enrol(
            [person(n) for n in range(CARDS)], _NUMBERING, BatchInfo("roster.csv", "0" * 64, CARDS)
        )
    chips = CARDS if windows == 1 else 3 * CARDS // 2 // windows  # a quick window may make more
    programs = [_start(url, number, chips) for number in range(windows)]
    for program in programs:
        assert _pipe(program.stdout).readline() == "ready\n"
    began = time.perf_counter()
    for program in programs:
        _pipe(program.stdin).write("\n")
        _pipe(program.stdin).flush()
    said = [program.communicate()[0].split() for program in programs]
    wall = time.perf_counter() - began
    assert not any(program.returncode for program in programs)
    made = [int(count) for count, _, _ in said]
    seconds = max(float(seconds) for _, seconds, _ in said)
    used = sum(float(used) for _, _, used in said)
    with _open(url) as registry:
        assert registry.counts()["issued"] == CARDS == sum(made)
        assert registry.verify_history().intact
    print(
        f"  {windows} windows  {CARDS / seconds:6.1f} cards/s ({min(made)} to {max(made)} a "
        f"window), {used / CARDS * 1e3:.2f} ms of processor a card without the server's; "
        f"{wall:.1f} s, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _start(url: str, number: int, chips: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.windows_program", url, str(number), str(chips)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


if __name__ == "__main__":
    main()
