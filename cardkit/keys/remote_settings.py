"""Where a key service is and how a client shows who it is: a small TOML file.

::

    host = "10.0.0.5"
    port = 7000
    ca = "ca.pem"               # who may have signed the service's certificate
    certificate = "window-3.pem"
    key = "window-3.key"
    timeout = 30                # seconds, optional

Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cardkit.errors import UsageError

TIMEOUT = 30.0  # seconds
_LONGEST_WAIT = 86_400  # seconds
_HIGHEST_PORT = 65_535
_NEEDED = frozenset({"host", "port", "ca", "certificate", "key"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files of PEM by which one side knows the other and is known.

    Parameters
    ----------
    ca : Path
        Certificates that may have signed the other side's.
    certificate, key : Path
        Own certificate and its private key.
    """

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A key service as a client sees it; ``timeout`` in seconds."""

    host: str
    port: int
    credentials: Credentials
    timeout: float = TIMEOUT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def from_file(cls, path: Path) -> ServiceAddress:
        """Read one.

        Raises
        ------
        UsageError
            Unreadable, or something missing or unknown in it.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise UsageError(f"{path}: not a TOML file") from None
        if set(content) - {"timeout"} != _NEEDED:
            raise UsageError(
                f"{path}: not a description of a key service",
                hint=f"needed: {', '.join(sorted(_NEEDED))}; possible: timeout",
            )
        require_texts(path, content, _NEEDED - {"port"})
        port = content["port"]
        if type(port) is not int or not 0 < port <= _HIGHEST_PORT:
            raise UsageError(f"{path}: port is a number from 1 to {_HIGHEST_PORT}")
        timeout = seconds(path, content.get("timeout", TIMEOUT))
        files = [path.parent / content[name] for name in ("ca", "certificate", "key")]
        return cls(content["host"], port, Credentials(*files), timeout)


def require_texts(path: Path, content: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise unless what stands under some names in a file of settings is text.

    Raises
    ------
    UsageError
    """
    for name in sorted(names):
        if not isinstance(content[name], str) or not content[name]:
            raise UsageError(f'{path}: {name} is a text, {name} = "..."')


def seconds(path: Path, value: object) -> float:
    """A time-out of a file of settings.

    Raises
    ------
    UsageError
        It is no time that anybody would wait.
    """
    if isinstance(value, int | float) and type(value) is not bool and 0 < value <= _LONGEST_WAIT:
        return float(value)
    raise UsageError(
        f"{path}: timeout is a number of seconds", hint=f"more than 0, at most {_LONGEST_WAIT}"
    )
