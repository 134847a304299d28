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
from dataclasses import dataclass
from pathlib import Path

from cardkit.errors import UsageError

TIMEOUT = 30.0  # seconds
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
        files = [path.parent / str(content[name]) for name in ("ca", "certificate", "key")]
        try:
            timeout = float(content.get("timeout", TIMEOUT))
            return cls(str(content["host"]), int(content["port"]), Credentials(*files), timeout)
        except (TypeError, ValueError):
            raise UsageError(f"{path}: port and timeout are numbers") from None
