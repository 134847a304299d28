"""An agent: a process to which two custodians speak once, and which then opens a store for others.

It listens on a Unix socket that only its own user can reach (mode 0600; the user of whoever calls
is asked of the kernel, too) and gives the file key of one store. Whoever runs as that user can open
the store while the agent runs; that is what it is for.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.errors import RefusedError, UnreachableError, UsageError
from cardkit.keys.secret import Secret
from cardkit.keys.soft_file import KeyFile
from cardkit.keys.soft_format import Header

_TIMEOUT = 5.0  # seconds for one question
_LONGEST = 256
_TICK = 0.2
_CHANGED = "no longer"  # answer for a store whose file key is another one now


class AgentError(UnreachableError):
    """The agent does not answer."""


class AgentKey:
    """Has a store opened by the agent; an `Unlock`.

    Parameters
    ----------
    path : Path
        Its socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def file_key(self, header: Header, name: str) -> Secret:
        """See `Unlock`."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(_TIMEOUT)
                line.connect(str(self._path))
                line.sendall(f"{header.id.hex()} {header.lock}\n".encode())
                answer = _line(line)
        except OSError:
            raise AgentError(
                f"the key agent at {self._path} does not answer",
                hint="start it with `cardkit key agent`; two custodians are needed",
            ) from None
        if answer == _CHANGED:  # its key does not fit; that is no reason to suspect anybody
            raise RefusedError(
                f"the custodians of {name} have changed their passphrases",
                hint="stop the key agent, and start it with the new ones",
            )
        word, _, rest = answer.partition(" ")
        if word != "key" or len(rest) != 64:
            raise RefusedError(
                f"the key agent does not open {name}", hint="it was started for another store"
            )
        return Secret(bytes.fromhex(rest))


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """The socket of an agent, removed at the end.

    Raises
    ------
    UsageError
        It cannot be made, or an agent is there.
    """
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        before = os.umask(0o177)
        try:
            line.bind(str(path))
        except OSError as error:
            raise UsageError(f"agent socket {path}: {error.strerror}") from None
        finally:
            os.umask(before)
        try:
            line.listen()
            line.settimeout(_TICK)
            yield line
        finally:
            path.unlink(missing_ok=True)


def serve(line: socket.socket, file: KeyFile, stop: threading.Event) -> None:
    """Answer until ``stop`` is set."""
    while not stop.is_set():
        try:
            caller, _ = line.accept()
        except TimeoutError:
            continue
        with caller, contextlib.suppress(OSError):
            caller.settimeout(_TIMEOUT)
            caller.sendall(_answer(caller, file) + b"\n")


def _answer(caller: socket.socket, file: KeyFile) -> bytes:
    store, _, lock = _line(caller).partition(" ")
    if _uid(caller) not in (None, os.geteuid()):
        return b"no other user"
    if store != file.header.id.hex():
        return b"no other store"
    if lock != file.header.lock:
        return _CHANGED.encode()
    return b"key " + file.file_key().reveal().hex().encode()


def _uid(caller: socket.socket) -> int | None:
    """User of the process at the other end, where the kernel tells."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _, uid, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, option, 12))
    return int(uid)


def _line(line: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\n") and len(text) < _LONGEST:
        more = line.recv(_LONGEST)
        if not more:
            break
        text += more
    return text.decode("ascii", "replace").strip()


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_TIMEOUT)
            line.connect(str(path))
    except OSError:
        return False
    return True
