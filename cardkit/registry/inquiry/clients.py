"""Systems that may ask: their token or certificate, rights, networks and rate."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.inquiry.rights import Right, parse
from cardkit.registry.journal import Detail, Event
from cardkit.registry.schema.inquiry import inquiry_clients

_TOKEN_BYTES = 32
_TABLE = "inquiry_clients"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client showed: digests only.

    Parameters
    ----------
    token, certificate : str
        SHA-256 in hex, ``''`` when none was shown.
    """

    token: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """A system that may ask.

    Parameters
    ----------
    per_second : int
        Questions it may ask a second; 0 for no limit.
    valid_until : str
        UTC instant, ``''`` for ever.
    """

    client_id: int
    name: str
    rights: frozenset[Right]
    networks: tuple[IPv4Network | IPv6Network, ...]
    per_second: int
    valid_until: str
    state: str
    made_at: str = ""
    by_certificate: bool = False

    def admits(self, address: str) -> bool:
        """Whether the client may ask from an IP address."""
        if not self.networks:
            return True
        try:
            host = ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self.networks)


def digest_of_token(token: str) -> str:
    """What the registry keeps of a token."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Clients:
    """The clients of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def add(
        self,
        name: str,
        rights: Collection[Right],
        *,
        certificate: bytes | None = None,
        networks: Iterable[str] = (),
        per_second: int = 0,
        valid_until: str = "",
    ) -> tuple[Client, str]:
        """Register a client; returns it with its token, which is shown this once.

        Parameters
        ----------
        certificate : bytes, optional
            DER; then the client shows it and has no token (``''``).

        Raises
        ------
        UsageError
            The name is taken, or a network is none.
        """
        _refuse_bad_name(name)
        wanted = _networks(networks)
        token = "" if certificate is not None else secrets.token_urlsafe(_TOKEN_BYTES)
        books = self._books
        with books.store.writing() as connection:
            self._refuse_taken(connection, name)
            client_id = books.counters.draw(connection, _TABLE)
            now = books.store.now()
            connection.execute(
                insert(inquiry_clients).values(
                    id=client_id,
                    name=name,
                    token=digest_of_token(token) if token else None,
                    certificate=sha256(certificate).hexdigest() if certificate else None,
                    rights=" ".join(sorted(rights)),
                    networks=" ".join(map(str, wanted)),
                    per_second=per_second,
                    valid_until=valid_until,
                    state="active",
                    made_at=now,
                    made_by=books.journal.actor,
                )
            )
            self._log(connection, now, "client-add", name, rights)
        return self.get(name), token

    def revoke(self, name: str) -> Client:
        """Take all rights away, at once and for good.

        Raises
        ------
        UsageError
            There is no such client, or it was revoked before.
        """
        books = self._books
        with books.store.writing() as connection:
            now = books.store.now()
            changed = connection.execute(
                update(inquiry_clients)
                .where(inquiry_clients.c.name == name, inquiry_clients.c.state == "active")
                .values(state="revoked", revoked_at=now, token=None, certificate=None)
            ).rowcount
            if not changed:
                raise _unknown(name)
            self._log(connection, now, "client-revoke", name, ())
        return self.get(name)

    def set_rights(self, name: str, rights: Collection[Right]) -> Client:
        """Give a client these rights and no others, from its next question on.

        Raises
        ------
        UsageError
            There is no such client, or it was revoked.
        """
        books = self._books
        with books.store.writing() as connection:
            changed = connection.execute(
                update(inquiry_clients)
                .where(inquiry_clients.c.name == name, inquiry_clients.c.state == "active")
                .values(rights=" ".join(sorted(rights)))
            ).rowcount
            if not changed:
                raise _unknown(name)
            self._log(connection, books.store.now(), "client-rights", name, rights)
        return self.get(name)

    def get(self, name: str) -> Client:
        """The client of that name.

        Raises
        ------
        UsageError
            There is none.
        """
        with self._books.store.reading() as connection:
            row = connection.execute(
                select(inquiry_clients).where(inquiry_clients.c.name == name)
            ).first()
        if row is None:
            raise _unknown(name)
        return _client(row)

    def list(self) -> list[Client]:
        """All of them, revoked ones too."""
        with self._books.store.reading() as connection:
            rows = connection.execute(select(inquiry_clients).order_by(inquiry_clients.c.id))
            return [_client(row) for row in rows]

    def _refuse_taken(self, connection: Connection, name: str) -> None:
        query = select(inquiry_clients.c.id).where(inquiry_clients.c.name == name)
        if connection.execute(query).first():
            raise UsageError(
                f"there is a client {name} already", hint="names are used once, for the history"
            )

    def _log(
        self, connection: Connection, now: str, action: str, name: str, rights: Collection[Right]
    ) -> None:
        detail: Detail = {"client": name, "rights": sorted(map(str, rights))}
        self._books.journal.append(connection, now, Event(action, detail=detail))


def find(connection: Connection, shown: Collection[Credential]) -> dict[Credential, Client]:
    """Clients of some credentials; unknown ones are left out.

    A certificate counts before a token. Digests are compared by the database's index: a digest of a
    256-bit secret gives nothing away through the time that takes.
    """
    tokens = {c.token for c in shown if c.token}
    certificates = {c.certificate for c in shown if c.certificate}
    rows = connection.execute(
        select(inquiry_clients).where(
            inquiry_clients.c.state == "active",
            or_(
                inquiry_clients.c.token.in_(tokens), inquiry_clients.c.certificate.in_(certificates)
            ),
        )
    ).all()
    by_token = {row.token: _client(row) for row in rows if row.token}
    by_certificate = {row.certificate: _client(row) for row in rows if row.certificate}
    found: dict[Credential, Client] = {}
    for credential in shown:
        client = by_certificate.get(credential.certificate) or by_token.get(credential.token)
        if client is not None:
            found[credential] = client
    return found


def _client(row: Any) -> Client:  # noqa: ANN401 - a row of the table
    return Client(
        row.id,
        row.name,
        parse(row.rights.split()),
        tuple(ip_network(text) for text in row.networks.split()),
        row.per_second,
        row.valid_until,
        row.state,
        row.made_at,
        by_certificate=row.certificate is not None,
    )


def _networks(texts: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(text) for text in texts]
    except ValueError as error:
        raise UsageError(f"no network: {error}", hint="10.1.0.0/16, 192.0.2.7/32 ...") from None


def _refuse_bad_name(name: str) -> None:
    if not name or len(name) > 60 or not name.isprintable() or " " in name:
        raise UsageError(
            "a client's name is 1 to 60 characters without spaces", hint="hospital-3, bank.core ..."
        )


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"there is no active client {name!r}", hint="`cardkit registry client list` shows them"
    )
