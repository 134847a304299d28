"""Several windows, each a program, on one PostgreSQL: cards a second with 1, 2, 4 and 8 of them.

The server is one of this run's own, and its commits wait for the disk. The chips are virtual and
in process, so nearly all of the time is the windows' own work; on real chips the wire decides.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.people import person
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry
from tests import postgres

CARDS = 200  # of one run, all windows together
_NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")


def main() -> None:
    """Print cards a second from the first card to the last."""
    with postgres.started(durable=True) as server:
        for windows in (1, 2, 4, 8):
            with tempfile.TemporaryDirectory(prefix="cardkit-windows-") as folder:
                _run(server.database(), windows, Path(folder))


def _open(url: str) -> Registry:
    return Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark")


def _run(url: str, windows: int, folder: Path) -> None:
    with _open(url) as registry:
        registry.enrol(
            [person(n) for n in range(CARDS)], _NUMBERING, BatchInfo("roster.csv", "0" * 64, CARDS)
        )
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.registry.window", url, f"window {number}",
             str(folder / str(number)), str(number)],
            stdout=subprocess.PIPE, text=True,
        )
        for number in range(windows)
    ]  # fmt: skip
    began = time.perf_counter()
    instants = []
    for program in programs:
        said, _ = program.communicate()
        assert program.returncode == 0
        instants += [line.split()[1] for line in said.splitlines()]
    wall = time.perf_counter() - began
    first, last = (dt.datetime.fromisoformat(each(instants)) for each in (min, max))
    seconds = (last - first).total_seconds()
    with _open(url) as registry:
        assert registry.counts()["issued"] == CARDS == len(instants)
        assert registry.verify_history().intact
    print(f"  {windows} windows  {(CARDS - 1) / seconds:6.1f} cards/s, {wall:.1f} s with start")


if __name__ == "__main__":
    main()
