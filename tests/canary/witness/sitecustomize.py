"""Loaded by every Python that a canary test starts: takes down what cannot be seen afterwards.

Written into the folder ``CANARY_WITNESS``: which files were opened for writing, a copy of every
file before it is removed, and the command line of every program that is started.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR
_STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system"}


class Witness:
    """Writes down what Python is about to do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if self._busy:
            return
        self._busy = True
        try:
            self._note(event, arguments)
        except OSError:
            pass  # gone already, or no file at all
        finally:
            self._busy = False

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if flags & _WRITES or (isinstance(mode, str) and set(mode) & set("wax+")):
                self._write("opened", os.fsdecode(path) if isinstance(path, (str, bytes)) else "")
        elif event == "sqlite3.connect":
            self._write("opened", os.fsdecode(arguments[0]))
        elif event == "os.remove":
            path = _resolve(*arguments)
            self._write("removed", str(path), path.read_bytes())
        elif event in _STARTS:
            self._write("started", "", repr(arguments).encode())

    def _write(self, what: str, path: str, content: bytes = b"") -> None:
        """One file: a line of JSON, then the content."""
        head = {"what": what, "path": os.path.abspath(path) if path else ""}  # noqa: PTH100
        name = f"{what}-{os.getpid()}-{next(self._numbers)}"
        (self._folder / name).write_bytes(json.dumps(head).encode() + b"\n" + content)


def _resolve(path: str | bytes, folder: int) -> Path:
    name = os.fsdecode(path)
    if folder == -1:
        return Path(name)
    return Path(os.readlink(f"/proc/self/fd/{folder}"), name)  # noqa: PTH115 - no file of that name


if folder := os.environ.get("CANARY_WITNESS"):
    sys.addaudithook(Witness(Path(folder)))
