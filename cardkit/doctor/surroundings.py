"""Where the checks look: everything about this machine that a test may want to replace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cardkit.apdu import pcsc
from cardkit.apdu.pcsc import Holder, ReaderState
from cardkit.apdu.pcsc.calls import SYSTEMD, socket_path

_SYSTEM_DIRECTORIES: Final = "/usr/sbin:/usr/local/sbin:/sbin"


def find_program(name: str) -> str | None:
    """Path of a program, also of one for administrators."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_DIRECTORIES}")


def user_name() -> str:
    """Name of the user this program works for, or the number where it has no name."""
    try:
        import pwd  # noqa: PLC0415 - not on Windows
    except ImportError:
        return os.environ.get("USERNAME", "")
    user = os.geteuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine, as far as the checks of PC/SC look at it.

    Parameters
    ----------
    socket : Path
        Where clients look for the PC/SC daemon.
    user : str
        Name of this user.
    driver_folders : sequence of Path
        Where the daemon looks for reader drivers.
    policy : Path
        Present when the daemon asks polkit who may use it.
    systemd : Path
        Present when systemd runs the machine.
    tcp_table : Path
        The kernel's list of TCP sockets.
    reader_states, find_holders : callable
        Ask PC/SC; ask the system.
    find_program : callable
        Name → path, or None.
    """

    socket: Path
    user: str
    driver_folders: Sequence[Path] = (
        Path("/usr/lib/pcsc/drivers"),
        Path("/usr/lib64/pcsc/drivers"),
    )
    policy: Path = Path("/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy")
    systemd: Path = SYSTEMD
    tcp_table: Path = Path("/proc/net/tcp")
    reader_states: Callable[[], list[ReaderState]] = pcsc.reader_states
    find_holders: Callable[[], list[Holder]] = pcsc.find_holders
    find_program: Callable[[str], str | None] = find_program

    @classmethod
    def here(cls) -> Surroundings:
        """The machine this program runs on."""
        return cls(Path(socket_path()), user_name())
