"""Which programs may hold a reader.

PC/SC does not tell. On Linux every client has the client library mapped and is connected by a Unix
socket, which /proc shows for processes of the same user (root sees all). Elsewhere nothing is
found.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LIBRARY: Final = b"libpcsclite"
_DAEMON: Final = "pcscd"


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that uses the PC/SC service.

    Parameters
    ----------
    pid : int
        Process id.
    program : str
        Its short name. The command line is not shown: it may hold what nobody else should see.
    """

    pid: int
    program: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid})"


def find_holders(proc: Path = Path("/proc")) -> list[Holder]:
    """Programs other than this one that talk to the PC/SC service, by process id.

    Parameters
    ----------
    proc : Path
        Where the system shows its processes.

    Returns
    -------
    list of Holder
        Empty where the system does not tell.
    """
    try:
        entries = [entry.name for entry in proc.iterdir() if entry.name.isdigit()]
    except OSError:
        return []
    pids = sorted(int(entry) for entry in entries if int(entry) != os.getpid())
    holders = (_holder(proc / str(pid), pid) for pid in pids)
    return [holder for holder in holders if holder is not None]


def _holder(process: Path, pid: int) -> Holder | None:
    try:
        if _LIBRARY not in (process / "maps").read_bytes():
            return None
        program = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        if program == _DAEMON or not _has_socket(process / "fd"):
            return None
    except OSError:
        return None  # ended meanwhile, or of another user
    return Holder(pid, program)


def _has_socket(descriptors: Path) -> bool:
    return any(_target(entry).startswith("socket:") for entry in descriptors.iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
