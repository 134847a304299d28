"""Opens the port: TLS, client certificates, limits on sizes and on patience. uvicorn stays here."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cardkit.errors import UnreachableError, UsageError
from cardkit.registry.inquiry.app import MOST_BYTES, PROBLEM, make_app
from cardkit.registry.inquiry.office import Office
from cardkit.registry.inquiry.refusals import problem

try:  # much quicker, but not made for every system
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
except ImportError:  # pragma: no cover
    _Protocol = H11Protocol  # type: ignore[assignment,misc,unused-ignore]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ENDING = (signal.SIGINT, signal.SIGTERM)
_GRACE = 10  # seconds for answers under way when the server stops
_PATIENCE = 30.0  # seconds for a request to come whole and its answer to be taken
_HANDSHAKE = 10.0  # seconds for TLS to be agreed on
_MOST_CONNECTIONS = 4000
_OWN_FILES = 100  # files and sockets the server itself has open, and some to spare

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the server's side.

    Parameters
    ----------
    client_ca : Path or None
        Certificates that sign those of clients; None: clients have tokens only.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


class Protocol(_Protocol):
    """HTTP on a connection that knows the client's certificate and is not kept for nothing.

    uvicorn waits for ever for a request that was begun. Some hundred clients that say a word and
    then nothing would take every place.
    """

    most = _MOST_CONNECTIONS
    _told_at = float("-inf")
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the digest of the certificate for the requests of this connection."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._tell_full()
            transport.abort()
            return
        self._watch()
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        if certificate:
            digest = sha256(certificate).hexdigest()
            self.app_state = {**self.app_state, "client_certificate": digest}

    def data_received(self, data: bytes) -> None:
        """Count the seconds from the first byte of a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Stop counting; the next request may be here already."""
        self._unwatch()
        super().on_response_complete()
        if not self.cycle.response_complete:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(_PATIENCE, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _tell_full(self) -> None:
        """One line a minute, however many come."""
        now = self.loop.time()
        if now - Protocol._told_at > 60:
            Protocol._told_at = now
            log.warning("%d connections are open: others are turned away", self.most)


def _most_connections() -> int:
    """As many as this process may have open; the system's usual limit is raised if it lets us."""
    try:
        import resource  # noqa: PLC0415 - of POSIX only
    except ImportError:  # pragma: no cover
        return _MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + _OWN_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_CONNECTIONS
    reached = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
    return max(1, reached - _OWN_FILES)


class LimitedBody:
    """Refuses bodies that are too large before anybody reads them."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            await _too_large(send)
            return
        taken = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:  # a body without a declared length: whoever sends it is cut off
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)


async def _too_large(send: Send) -> None:

    body = json.dumps(problem("too-large")).encode()
    headers = [(b"content-type", PROBLEM.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def listen(host: str, port: int) -> socket.socket:
    """Take the port, so that a wrong one is told before anything else.

    Raises
    ------
    UnreachableError
        It is taken, or no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only sends at once (TCP_NODELAY) where the protocol is named; an answer in two pieces
    # would wait 40 ms for the client's system to confirm the first
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise UnreachableError(
            f"{host}:{port} cannot be listened on: {error.strerror}",
            hint="another program has it, or it is no address of this machine; see --listen",
        ) from None
    return taken


def serve(
    office: Office, port: socket.socket, tls: Tls | None, started: Callable[[], None]
) -> None:
    """Answer until SIGTERM or Ctrl-C; answers under way are finished, questions recorded.

    Raises
    ------
    UsageError
        A file of `tls` cannot be used.
    """
    app = make_app(office)
    config = uvicorn.Config(
        LimitedBody(app),
        http=Protocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
        loop="asyncio",
    )
    Protocol.most = _most_connections()
    config.load()
    if tls is not None:
        config.ssl = _context(tls)
    server = _Server(config, started)
    server.run(sockets=[port])


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as a wish to end; uvicorn's own way kills the process afterwards."""
        kept = {name: signal.signal(name, self.handle_exit) for name in _ENDING}
        try:
            yield
        finally:
            for name, handler in kept.items():
                signal.signal(name, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port and tell."""
        if self.config.ssl is not None:  # asyncio alone would wait for a minute
            loop: Any = asyncio.get_running_loop()
            loop.create_server = partial(loop.create_server, ssl_handshake_timeout=_HANDSHAKE)
        await super().startup(sockets)
        if self.started:
            self._tell()


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL  # a client may have a token instead
    except OSError as error:  # an SSLError is one
        raise UsageError(
            f"{tls.certificate}: certificate and key cannot be used "
            f"({getattr(error, 'reason', None) or error.strerror})",
            hint="PEM files that belong together, the key without a passphrase",
        ) from None
    return context
