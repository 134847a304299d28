"""Make the system's default PC/SC path lead to the virtual readers, while nothing else is there.

So every PC/SC program (opensc-tool, scriptor, cardkit) finds them without any variable. A daemon
that answers at the default path is left alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Final

DEFAULT_FOLDER: Final = Path("/run/pcscd")
DEFAULT_SOCKET: Final = DEFAULT_FOLDER / "pcscd.comm"


def answers(path: Path) -> bool:
    """Whether a daemon accepts connections at ``path``."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        return client.connect_ex(str(path)) == 0


class Publication:
    """A symbolic link at the default path.

    Made before the mounts of `cardkit.virtual.service.isolation.isolate`: it keeps the machine's
    own /run open so that the link can be made and removed from inside.

    Parameters
    ----------
    target : Path
        The socket the link leads to.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._link: str | None = None
        self._made_folder = False
        self._run = -1
        if os.geteuid() == 0 and not answers(DEFAULT_SOCKET):
            self._run = os.open(DEFAULT_FOLDER.parent, os.O_RDONLY | os.O_DIRECTORY)

    def publish(self) -> bool:
        """Put the link there; False when a daemon answers there, or it cannot be written."""
        if self._run < 0:
            return False
        name = f"{DEFAULT_FOLDER.name}/{DEFAULT_SOCKET.name}"
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(DEFAULT_FOLDER.name, 0o755, dir_fd=self._run)
                self._made_folder = True
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._run)  # nobody answers there: left by a dead daemon
            os.symlink(self._target, name, dir_fd=self._run)
        except OSError:
            return False
        self._link = name
        return True

    def withdraw(self) -> None:
        """Remove the link if it is still ours, and the folder if it was made for it."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(self._link, dir_fd=self._run) == self._target:
                    os.unlink(self._link, dir_fd=self._run)
        if self._made_folder:
            with contextlib.suppress(OSError):
                os.rmdir(DEFAULT_FOLDER.name, dir_fd=self._run)
        if self._run >= 0:
            os.close(self._run)
        self._run, self._link, self._made_folder = -1, None, False
