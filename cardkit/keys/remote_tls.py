"""Mutual TLS between a client and a key service: contexts, and the client's channel."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
from pathlib import Path
from typing import BinaryIO, cast

from cardkit.errors import RefusedError, UsageError
from cardkit.keys.remote_client import RemoteKeyStore, Reply
from cardkit.keys.remote_frames import PROTOCOL, FrameError, Message, read_frame, write_frame
from cardkit.keys.remote_messages import (
    KeyServiceError,
    KeysLostError,
    KeyTimeoutError,
    error_from_json,
)
from cardkit.keys.remote_settings import Credentials, ServiceAddress

_CONNECT_TIMEOUT = 10.0  # seconds


def open_remote(path: Path) -> RemoteKeyStore:
    """The key store behind the service of a settings file; connects with the first question.

    Raises
    ------
    UsageError
        The file cannot be used.
    """
    return connect_to(ServiceAddress.from_file(path))


def connect_to(address: ServiceAddress) -> RemoteKeyStore:
    """The key store behind a service."""
    context = client_context(address.credentials)
    return RemoteKeyStore(lambda: TlsChannel(address, context), f"key service {address}")


def client_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.3; the service's certificate is checked against the CA and its address.

    Raises
    ------
    UsageError
        A file cannot be read or is no PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _load(context, credentials)


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.3; every client has to show a certificate of the CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _load(context, credentials)


def _load(context: ssl.SSLContext, credentials: Credentials) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    for what, path in (("certificate of the CA", credentials.ca), ("key", credentials.key)):
        if not path.is_file():
            raise UsageError(f"{path}: no such file, the {what} was to be there")
    if os.name == "posix" and credentials.key.stat().st_mode & stat.S_IRWXO:
        raise UsageError(
            f"others can read the private key {credentials.key}",
            hint=f"chmod 600 {credentials.key}",
        )
    try:
        context.load_verify_locations(credentials.ca)
        context.load_cert_chain(credentials.certificate, credentials.key, password=_no_password)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
        raise UsageError(
            f"{credentials.certificate}: certificate and key cannot be used ({reason})",
            hint="PEM files that belong together, the key without a passphrase and mode 0600",
        ) from None
    return context


def _no_password() -> str:
    raise ValueError("the key has a passphrase")


class TlsChannel:
    """A connection to a key service; implements `cardkit.keys.remote_client.Channel`."""

    def __init__(self, address: ServiceAddress, context: ssl.SSLContext) -> None:
        self._address = address
        self._socket = _connect(address, context)
        self._stream = cast("BinaryIO", self._socket.makefile("rwb"))
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        """The first answer tells whether the service takes our certificate (TLS 1.3)."""
        try:
            hello: Message = {"do": "hello", "protocol": PROTOCOL}
            reply, _ = self.exchange(hello, b"", "its greeting")
        except KeysLostError as error:
            if isinstance(error.__cause__, ssl.SSLError):
                raise RefusedError(
                    f"key service {self._address} refuses this client's certificate",
                    hint="is it of the CA the service knows, and still valid?",
                ) from None
            raise KeyServiceError(
                f"key service {self._address} hangs up", hint="see its log"
            ) from None
        if "error" in reply:
            raise error_from_json(reply["error"])

    def exchange(self, message: Message, blob: bytes, waiting_for: str) -> Reply:
        """See `Channel`."""
        lost = f"key service {self._address} went away while it was asked for {waiting_for}"
        try:
            write_frame(self._stream, message, blob)
            frame = read_frame(self._stream)
        except TimeoutError:
            raise KeyTimeoutError(
                f"key service {self._address} did not give {waiting_for} "
                f"in {self._address.timeout:g} s",
                hint="is it busy, or its token? The next call connects anew",
            ) from None
        except (OSError, FrameError) as error:
            raise KeysLostError(lost, hint="is the service running?") from error
        if frame is None:
            raise KeysLostError(lost, hint="is the service running?")
        return frame

    def close(self) -> None:
        """See `Channel`."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self._socket.close()


def _connect(address: ServiceAddress, context: ssl.SSLContext) -> ssl.SSLSocket:
    where = (address.host, address.port)
    try:
        plain = socket.create_connection(where, min(_CONNECT_TIMEOUT, address.timeout))
    except TimeoutError:
        raise KeyTimeoutError(
            f"key service {address}: no connection in {_CONNECT_TIMEOUT:g} s",
            hint="is the address right, and no firewall between?",
        ) from None
    except OSError as error:
        raise KeyServiceError(
            f"key service {address} cannot be reached: {error.strerror or error}",
            hint="is it running? cardkit key serve",
        ) from None
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(address.timeout)
        return context.wrap_socket(plain, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise RefusedError(
            f"key service {address} is not who it should be: {error.verify_message}",
            hint="compare its certificate with the CA and the host of the settings file",
        ) from None
    except TimeoutError:
        plain.close()
        raise KeyTimeoutError(
            f"key service {address} did not finish the TLS handshake in {address.timeout:g} s",
            hint="is it a key service that listens there?",
        ) from None
    except OSError as error:
        plain.close()
        reason = getattr(error, "reason", None) or "the connection was cut"
        raise KeyServiceError(
            f"key service {address}: no TLS connection ({reason})",
            hint="is it a key service that listens there?",
        ) from None
