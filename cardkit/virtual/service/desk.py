"""The service's end of `cardkit.virtual.service.connections`: gives cards their connections."""

from __future__ import annotations

import contextlib
import json
import os
import socket

from cardkit.errors import CardkitError, UnreachableError, UsageError
from cardkit.virtual.service.connections import SlotTakenError, occupied
from cardkit.virtual.service.pcscd import Daemon
from cardkit.virtual.service.rundir import FIRST_PORT, MOST_READERS


class Desk:
    """Answers the requests of `cardkit.virtual.attach`."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        path = daemon.directory.attach_socket
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        path.chmod(0o600)
        if owner := os.environ.get("SUDO_UID"):
            os.chown(path, int(owner), -1)
        self.socket.listen(MOST_READERS)

    def serve_one(self) -> None:
        """Take one request and answer it; a client that misbehaves is dropped."""
        connection, _ = self.socket.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(1.0)
            try:
                given = self._fulfil(json.loads(connection.recv(4096)))
            except CardkitError as error:
                self._refuse(connection, error)
            except (ValueError, TypeError, KeyError):
                self._refuse(connection, UsageError("not a request"))
            else:
                descriptors = [] if given is None else [given.fileno()]
                socket.send_fds(connection, [b'{"ok": true}\n'], descriptors)
                if given is not None:
                    given.close()

    @staticmethod
    def _refuse(connection: socket.socket, error: CardkitError) -> None:
        answer = {"ok": False, "why": error.message, "hint": error.hint}
        answer |= {"taken": isinstance(error, SlotTakenError)}
        connection.sendall(json.dumps(answer).encode() + b"\n")

    def _fulfil(self, request: dict[str, object]) -> socket.socket | None:
        match request:
            case {"do": "attach", "slot": int(slot)}:
                return self._connect(slot)
            case {"do": "stop-daemon"}:
                self._daemon.stop()
            case {"do": "start-daemon", "count": int(count)} if 1 <= count <= MOST_READERS:
                self._daemon.stop()
                self._daemon.count = count
                self._daemon.start()
            case _:
                raise UsageError("not a request")
        return None

    def _connect(self, slot: int) -> socket.socket:
        if not 0 <= slot < self._daemon.count:
            raise UsageError(
                f"there is no virtual reader {slot}",
                hint=f"the service has readers 0 to {self._daemon.count - 1}",
            )
        if occupied(FIRST_PORT + slot):
            raise SlotTakenError(
                f"virtual reader {slot} has a card in it", hint="remove it, or use another --slot"
            )
        try:
            return socket.create_connection(("127.0.0.1", FIRST_PORT + slot))
        except OSError:
            raise UnreachableError(f"virtual reader {slot} is not running") from None
