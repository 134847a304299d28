"""The key service: answers clients over mutual TLS, a thread a connection (密钥服务)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import BinaryIO, Self, cast

from cardkit.errors import CardkitError, UnreachableError
from cardkit.keys.gate import GATE
from cardkit.keys.remote_access import AccessList, Rights
from cardkit.keys.remote_desk import Desk, note_refusal
from cardkit.keys.remote_frames import FrameError, read_frame, write_frame
from cardkit.keys.remote_messages import error_to_json
from cardkit.keys.remote_settings import Credentials
from cardkit.keys.remote_tls import server_context
from cardkit.keys.store import KeyStore

_HANDSHAKE_TIMEOUT = 10.0  # seconds
_MOST_CONNECTIONS = 64

Notice = Callable[[str], None]


class KeyService:
    """A store behind a port.

    Parameters
    ----------
    store_for : callable
        Common name of a client → the store that answers it, e.g. guarded with the client as the
        actor of the audit log. Threads of several clients use what it gives at once. If it has a
        method ``flush``, that is called when the client has gone.
    credentials : Credentials
        The service's own, and the CA of its clients.
    access : AccessList
        Who may do what.
    host, port
        Where to listen; port 0 takes a free one.
    notice : callable
        Gets one line for each connection that comes, goes or is refused. No secrets.

    Raises
    ------
    UnreachableError
        The port cannot be had.
    SelfTestFailedError
        An algorithm does not compute its known answers, of which all are tried.
    """

    def __init__(
        self,
        store_for: Callable[[str], KeyStore],
        credentials: Credentials,
        access: AccessList,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        notice: Notice = lambda _: None,
    ) -> None:
        GATE.require(full=True)
        self._store_for = store_for
        self._context = server_context(credentials)
        self._access = access
        self._notice = notice
        self._connections: set[socket.socket] = set()
        self._serving: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopped = False
        try:
            self._listener = socket.create_server((host, port))
        except OSError as error:
            raise UnreachableError(
                f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another port"
            ) from None
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="key service", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody and free the port."""
        self._stopped = True
        # A thread in accept() does not notice that its socket was closed.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        with self._lock:
            serving = list(self._serving)
        for thread in serving:  # what was counted for a client is written before the store closes
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            with self._lock:
                full = len(self._connections) >= _MOST_CONNECTIONS
                if not full:
                    self._connections.add(connection)
            if full:
                self._notice(f"{address[0]}: too many connections, refused")
                connection.close()
                continue
            name = f"client {address[0]}:{address[1]}"
            thread = threading.Thread(
                target=self._serve, args=(connection, name), name=name, daemon=True
            )
            with self._lock:
                self._serving.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket, name: str) -> None:
        try:
            connection.settimeout(_HANDSHAKE_TIMEOUT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._context.wrap_socket(connection, server_side=True) as secure:
                with self._lock:
                    self._connections.discard(connection)
                    self._connections.add(secure)
                connection = secure
                secure.settimeout(None)
                self._converse(secure, name)
        except ssl.SSLError as error:
            self._notice(f"{name}: refused, {error.reason or 'no TLS'}")
        except (OSError, FrameError):
            self._notice(f"{name}: gone")
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._serving.discard(threading.current_thread())
            connection.close()

    def _converse(self, secure: ssl.SSLSocket, name: str) -> None:
        client = common_name(secure)
        stream = cast("BinaryIO", secure.makefile("rwb"))
        try:
            store = self._store_for(client)
            rights = self._rights(client, store)
        except CardkitError as error:
            self._notice(f"{name}: {error.message}")
            read_frame(stream)
            write_frame(stream, {"error": error_to_json(error)})
            return
        self._notice(f"{name}: {client} is here")
        try:
            self._answer(stream, Desk(store, rights), f"{name}: {client}")
        finally:
            getattr(store, "flush", lambda: None)()
        self._notice(f"{name}: {client} has gone")

    def _rights(self, client: str, store: KeyStore) -> Rights:
        try:
            return self._access.rights(client)
        except CardkitError as error:
            note_refusal(store, "", "connect", error)
            raise

    def _answer(self, stream: BinaryIO, desk: Desk, name: str) -> None:
        while (frame := read_frame(stream)) is not None:
            reply, blob = desk.answer(*frame)
            if "error" in reply:
                self._notice(f"{name}: {reply['error']['message']}")
            write_frame(stream, reply, blob)


def common_name(secure: ssl.SSLSocket) -> str:
    """Common name of the certificate the other side showed; empty if it has none."""
    certificate = secure.getpeercert() or {}
    subject = cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject", ()))
    names = [value for part in subject for field, value in part if field == "commonName"]
    return names[0] if len(names) == 1 else ""
