"""How a card outside gets its connection to a virtual reader inside the service's own network.

The service owns a Unix socket. A card sends one line of JSON and gets one line back, with the
connected TCP socket attached to it (SCM_RIGHTS). From then on the card talks to the reader driver
directly; no relay is in between.

Requests: ``{"do": "attach", "slot": 0}``, ``{"do": "stop-daemon"}``,
``{"do": "start-daemon", "count": 2}``. Answers: ``{"ok": true}`` or ``{"ok": false,
"why": "..."}``.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Final

from cardkit.errors import RefusedError, UnreachableError
from cardkit.virtual.service.rundir import FIRST_PORT, SLOTS_A_DRIVER

_LONGEST_LINE: Final = 4096
_TIMEOUT: Final = 10.0
_ESTABLISHED: Final = "01"
_LISTENING: Final = "0A"


class NoVirtualReaderError(UnreachableError):
    """No service with virtual readers answers, or it has no such reader."""


class SlotTakenError(UnreachableError):
    """A card is in that virtual reader already."""


def ask(path: Path, request: dict[str, object]) -> list[int]:
    """Send one request to the service, return the descriptors it sends back.

    Raises
    ------
    NoVirtualReaderError
        Nobody answers, or the request cannot be fulfilled.
    SlotTakenError
        The reader has a card.
    RefusedError
        The service belongs to another user.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line, descriptors, _, _ = socket.recv_fds(
                connection, _LONGEST_LINE, 1, socket.MSG_CMSG_CLOEXEC
            )
        except PermissionError:
            raise RefusedError(
                "the virtual readers belong to another user",
                hint="run this as the user who started them, or with sudo",
            ) from None
        except OSError as error:
            raise NoVirtualReaderError(
                f"no virtual readers at {path} ({error.strerror or error})",
                hint="start them in another terminal: cardkit virtual readers --count 1",
            ) from None
    answer = json.loads(line or b'{"ok": false, "why": "the service has just stopped"}')
    if answer["ok"]:
        return descriptors
    kind = SlotTakenError if answer.get("taken") else NoVirtualReaderError
    raise kind(answer["why"], hint=answer.get("hint", ""))


def attach_through(path: Path, slot: int) -> socket.socket:
    """Get the connection for a card in ``slot`` from the service at ``path``; errors as `ask`."""
    (descriptor,) = ask(path, {"do": "attach", "slot": slot})
    return socket.socket(fileno=descriptor)


def attach_directly(slot: int) -> socket.socket:
    """Connect to a slot of the machine's own daemon, which has two if vpcd is installed.

    Raises
    ------
    NoVirtualReaderError
        Nothing listens on that port.
    SlotTakenError
        A card is connected to it; another would wait unseen.
    """
    port = FIRST_PORT + slot
    if occupied(port):
        raise SlotTakenError(
            f"virtual reader {slot} has a card in it", hint="remove that one first"
        )
    try:
        if slot >= SLOTS_A_DRIVER:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", port), timeout=None)
    except OSError:
        raise NoVirtualReaderError(
            f"no virtual reader {slot}: nothing listens on port {port}",
            hint="start readers in another terminal: cardkit virtual readers --count 1",
        ) from None


def tcp_states(port: int) -> set[str]:
    """States of the local TCP sockets on ``port``, as /proc/net/tcp writes them."""
    wanted = f":{port:04X}"
    try:
        rows = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:  # not Linux: nobody knows
        return set()
    fields = (row.split() for row in rows)
    return {row[3] for row in fields if row[1].endswith(wanted)}


def listening(port: int) -> bool:
    """Whether a reader waits for cards on ``port``."""
    return _LISTENING in tcp_states(port)


def occupied(port: int) -> bool:
    """Whether a card is connected to ``port``, or waits to be noticed there."""
    return _ESTABLISHED in tcp_states(port)
