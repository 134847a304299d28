"""Watches a run from outside: command lines, environments, and temporary files as they come."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.canary.search import Evidence

_SETTLED = 20
"""Looks after which a process is taken for one that starts no other program in its place."""

_PAUSE = 0.03  # seconds; a command lives for ten times as long


class Watch:
    """Looks at every process of the machine, and at a folder, until it is left.

    Parameters
    ----------
    folder : Path
        Where temporary files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[Evidence] = set()
        self._known: dict[Path, tuple[int, int]] = {}
        self._looks: Counter[Path] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary watch", daemon=True)
        self.rounds = 0

    @property
    def evidence(self) -> set[Evidence]:
        """What was seen."""
        return self._seen

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        self.rounds += 1
        for process in _processes():
            self._looks[process] += 1
            if self._looks[process] > _SETTLED and self.rounds % _SETTLED:
                continue
            self._note("command line", process / "cmdline")
            if _is_ours(process):
                self._note("environment", process / "environ")
        for path in list(_files(self._folder)):
            self._file(path)

    def _file(self, path: Path) -> None:
        with suppress(OSError):
            status = path.stat()
            state = (status.st_mtime_ns, status.st_size)
            if self._known.get(path) != state:
                self._known[path] = state
                self._note(f"temporary: {path.relative_to(self._folder)}", path)

    def _note(self, place: str, path: Path) -> None:
        with suppress(OSError):  # it has ended, or is not ours
            self._seen.add(Evidence(place, path.read_bytes()))


def _processes() -> Iterator[Path]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - a thousand times a second
        if name.isdecimal():
            yield Path("/proc", name)


def _is_ours(process: Path) -> bool:
    """A descendant of this process."""
    with suppress(OSError, ValueError):
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        while parent > 1:
            if parent == os.getpid():
                return True
            parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def _files(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):
        for name in names:
            yield Path(here, name)
