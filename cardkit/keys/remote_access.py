"""Which client of a key service may use which keys, and for what.

A client is known by the common name of its certificate. What is not listed is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cardkit.card.key_request import External, Internal, KeyRequest, Seal
from cardkit.errors import UsageError
from cardkit.keys.record import Operation
from cardkit.keys.store import KeyPolicyError

GRANTABLE = frozenset(
    {
        Operation.EXTERNAL,
        Operation.INTERNAL,
        Operation.SEAL,
        Operation.LOAD,
        Operation.LOAD_PLAIN,
    }
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one client may do.

    Parameters
    ----------
    client : str
        Common name of its certificate.
    keys : tuple of str
        Names of keys, ``*`` and ``?`` as in file names.
    operations : frozenset of Operation
        Of `GRANTABLE`.
    """

    client: str
    keys: tuple[str, ...]
    operations: frozenset[Operation]

    def may_use(self, name: str) -> bool:
        """Whether the client may know the key."""
        return any(fnmatchcase(name, pattern) for pattern in self.keys)

    def check_key(self, name: str) -> None:
        """Raise unless the client may know the key.

        Raises
        ------
        KeyPolicyError
        """
        if not self.may_use(name):
            raise KeyPolicyError(
                f"client {self.client} may not use key {name}",
                hint="the access file of the key service lists what it may use",
            )

    def check_request(self, name: str, request: KeyRequest) -> None:
        """Raise unless the client may put such a request to a key of that name.

        Raises
        ------
        KeyPolicyError
        """
        self.check_key(name)
        operation = operation_of(request)
        if operation not in self.operations:
            raise KeyPolicyError(
                f"client {self.client} may not use key {name} for {operation}",
                hint="the access file of the key service lists what it may do",
            )


EVERYTHING = Rights("this computer", ("*",), GRANTABLE)


def operation_of(request: KeyRequest) -> Operation:
    """What a request uses its key for."""
    match request:
        case External():
            return Operation.EXTERNAL
        case Internal():
            return Operation.INTERNAL
        case Seal():
            return Operation.SEAL
        case _:
            return Operation.LOAD if request.under is not None else Operation.LOAD_PLAIN


class AccessList:
    """The clients of a service.

    The file has a table for each::

        [clients."window-3"]
        keys = ["SSSE.UKSSSE", "SSSE.IRK"]
        operations = ["external", "internal", "seal"]
    """

    def __init__(self, clients: Mapping[str, Rights]) -> None:
        self._clients = dict(clients)

    @classmethod
    def from_file(cls, path: Path) -> AccessList:
        """Read one.

        Raises
        ------
        UsageError
            Unreadable, or something in it that is not known.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise UsageError(f"{path}: not a TOML file") from None
        clients = content.get("clients")
        if set(content) != {"clients"} or not isinstance(clients, dict) or not clients:
            raise UsageError(f"{path}: no clients in it", hint='[clients."NAME"] for each')
        return cls({name: _rights(path, name, entry) for name, entry in clients.items()})

    def rights(self, client: str) -> Rights:
        """What a client may do.

        Raises
        ------
        KeyPolicyError
            It is not listed.
        """
        try:
            return self._clients[client]
        except KeyError:
            raise KeyPolicyError(
                f"client {client} is not known to the key service",
                hint="its certificate is good; add it to the access file of the service",
            ) from None


def _strings(entry: object, field: str) -> list[str]:
    """A list of strings in a table; empty if it is anything else."""
    values = entry.get(field) if isinstance(entry, dict) else None
    return values if isinstance(values, list) and all(isinstance(v, str) for v in values) else []


def _rights(path: Path, name: str, entry: Any) -> Rights:  # noqa: ANN401 - from a file
    words = {str(operation): operation for operation in GRANTABLE}
    keys, wanted = _strings(entry, "keys"), _strings(entry, "operations")
    if not keys or not wanted or not set(wanted) <= set(words) or len(entry) > 2:
        raise UsageError(
            f"{path}: client {name} needs keys and operations, two lists",
            hint=f"operations: {', '.join(sorted(words))}",
        )
    return Rights(name, tuple(keys), frozenset(words[word] for word in wanted))
