"""A process with mounts and a network of its own: its own /run, no USB readers, a loopback."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
from pathlib import Path
from typing import Final

from cardkit.virtual.service.pcscd import DRIVER_FOLDERS
from cardkit.virtual.service.rundir import RuntimeDirectory

_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1
_INTERFACE_REQUEST: Final = "16sH14x"  # struct ifreq with flags


def isolate(directory: RuntimeDirectory) -> None:
    """Give this process (already in new namespaces) its own /run and no USB readers.

    The run-time directory stays visible at its own path even when it lies below /run.
    """
    keep = os.open(directory.path, os.O_RDONLY)
    drivers = [folder for folder in DRIVER_FOLDERS if Path(folder).is_dir()]
    for folder in ("/run", *drivers):
        _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)
    if not directory.path.exists():
        directory.path.mkdir(parents=True)
        # By descriptor and as it stands: its path leads to the new, empty /run by now.
        source = f"/proc/{os.getpid()}/fd/{keep}"
        _mount("--no-canonicalize", "--bind", source, str(directory.path))
    os.close(keep)
    Path("/run/pcscd").mkdir()
    _mount("--bind", str(directory.daemon), "/run/pcscd")
    loopback_up()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)  # noqa: S603, S607


def loopback_up() -> None:
    """Switch on the loopback interface of this process's network, which starts without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack(_INTERFACE_REQUEST, b"lo", 0)
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        flags = struct.unpack(_INTERFACE_REQUEST, answer)[1] | _IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_INTERFACE_REQUEST, b"lo", flags))
