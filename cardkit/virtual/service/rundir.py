"""The run-time directory of the virtual reader service: what lies in it, who may use it.

::

    lock            held (flock) as long as a service runs
    service.json    what runs: number of readers, socket, process id
    attach.sock     cards ask here for a connection to a slot (see `.connections`)
    pcscd/          the daemon's own folder, pcscd.comm in it
    conf/, drivers/ its reader list, and one copy of the driver a pair of readers
    pcscd.log       what the daemon says
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cardkit.errors import UsageError

ROOT_DIRECTORY: Final = Path("/run/cardkit")
FIRST_PORT: Final = 0x8C7B
MOST_READERS: Final = 16
SLOTS_A_DRIVER: Final = 2
_LONGEST_SOCKET_PATH: Final = 107  # bytes, sun_path of Linux


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """What a running service tells about itself.

    Parameters
    ----------
    count : int
        Readers asked for.
    socket : str
        Path of the daemon's socket, for PCSCLITE_CSOCK_NAME.
    private : bool
        Whether the daemon lives in a network of its own.
    published : bool
        Whether the system's default path leads to ``socket``.
    pid : int
        Process that keeps the daemon.
    """

    count: int
    socket: str
    private: bool
    published: bool
    pid: int


class RuntimeDirectory:
    """Paths inside one run-time directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock = self.path / "lock"
        self.record = self.path / "service.json"
        self.attach_socket = self.path / "attach.sock"
        self.daemon = self.path / "pcscd"
        self.daemon_socket = self.daemon / "pcscd.comm"
        self.configuration = self.path / "conf"
        self.drivers = self.path / "drivers"
        self.log = self.path / "pcscd.log"

    def check(self) -> None:
        """Refuse a path that is too long for a socket in it.

        Raises
        ------
        UsageError
            The path is too long.
        """
        if len(os.fsencode(self.daemon_socket)) > _LONGEST_SOCKET_PATH:
            raise UsageError(
                f"the run-time directory {self.path} has too long a path for a socket",
                hint="choose a shorter one, for example /run/cardkit",
            )

    def prepare(self) -> None:
        """Make the folders, empty."""
        self.clean()
        for folder in (self.daemon, self.configuration, self.drivers):
            folder.mkdir()
            folder.chmod(0o755)  # whatever the umask: any user may talk to the daemon

    def clean(self) -> None:
        """Remove everything a service leaves, but not the lock and the directory itself."""
        for folder in (self.daemon, self.configuration, self.drivers):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.record, self.attach_socket, self.log):
            file.unlink(missing_ok=True)

    def write_record(self, record: ServiceRecord) -> None:
        """Tell who is running, at once and whole."""
        fresh = self.record.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(record)), encoding="utf-8")
        fresh.replace(self.record)

    def read_record(self) -> ServiceRecord | None:
        """Who is running here, None when nobody has said so."""
        try:
            return ServiceRecord(**json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def default_directory(environment: Mapping[str, str], user: int) -> Path:
    """Where a service of this user lives.

    Parameters
    ----------
    environment : mapping
        Only XDG_RUNTIME_DIR is read.
    user : int
        Effective user id; root's service is the machine's and always in /run/cardkit.

    Examples
    --------
    >>> default_directory({"XDG_RUNTIME_DIR": "/run/user/1000"}, 1000).as_posix()
    '/run/user/1000/cardkit'
    >>> default_directory({"XDG_RUNTIME_DIR": "/run/user/0"}, 0).as_posix()
    '/run/cardkit'
    """
    if user == 0:
        return ROOT_DIRECTORY
    runtime = environment.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "cardkit" if runtime else Path(f"/tmp/cardkit-{user}")  # noqa: S108


def daemon_socket(runtime_directory: Path) -> Path:
    """Where clients find the daemon of a private service in this directory."""
    return RuntimeDirectory(runtime_directory).daemon_socket


def reader_name(slot: int) -> str:
    """Name of the virtual reader with this number, as PC/SC lists it.

    Examples
    --------
    >>> reader_name(0), reader_name(3)
    ('cardkit Virtual Reader A 00 00', 'cardkit Virtual Reader B 00 01')
    """
    pair, half = divmod(slot, SLOTS_A_DRIVER)
    return f"{_friendly_name(pair)} 00 {half:02}"


def _friendly_name(pair: int) -> str:
    # Every pair has a name of its own: pcscd numbers equal names of different drivers alike.
    return f"cardkit Virtual Reader {chr(ord('A') + pair)}"


def write_configuration(directory: RuntimeDirectory, driver: Path, count: int) -> None:
    """Bring the daemon's reader list and drivers: one driver copy for every pair of readers.

    The driver keeps its two slots in static memory, so entries that share a file overwrite each
    other; copies (not links, which the loader recognises) do not. It always has two slots: an odd
    number of readers leaves a spare one.
    """
    entries = []
    for pair in range((count + 1) // SLOTS_A_DRIVER):
        copy = directory.drivers / f"vpcd-{pair}.so"
        shutil.copyfile(driver, copy)
        port = FIRST_PORT + SLOTS_A_DRIVER * pair
        entries.append(
            f'FRIENDLYNAME "{_friendly_name(pair)}"\n'
            f"DEVICENAME /dev/null:0x{port:X}\n"
            f"LIBPATH {copy}\n"
            f"CHANNELID 0x{port:X}\n"
        )
    (directory.configuration / "cardkit").write_text("\n".join(entries), encoding="ascii")
