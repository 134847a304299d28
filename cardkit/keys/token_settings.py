"""Which PKCS#11 token holds the master keys: a small TOML file; and where its PIN comes from.

::

    module = "/usr/lib/softhsm/libsofthsm2.so"
    token = "cards"             # its label
    pin_file = "cards.pin"      # optional: mode 0600; otherwise the PIN is asked for
    test = true                 # optional: the keys are test keys
    card_keys = "worker"        # optional: "token" keeps even card keys inside the token
    timeout = 60                # seconds, optional

Paths are relative to the file.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardkit.errors import UsageError
from cardkit.keys.remote_settings import require_texts, seconds

PinSource = Callable[[], str]
"""Gives the PIN of a token whenever a session is opened."""

TIMEOUT = 60.0  # seconds
WORKER, TOKEN = "worker", "token"

_KNOWN = frozenset({"module", "token", "pin_file", "test", "card_keys", "timeout"})
_LONGEST_PIN = 256


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """A token.

    Parameters
    ----------
    module : str
        Path of its PKCS#11 library.
    token : str
        Its label.
    test : bool
        Whether keys made or imported through these settings are test keys, and references are.
    card_keys : str
        Where card keys are: ``worker`` in the process that owns the token (one bulk encryption a
        master key), ``token`` only inside (a derivation for every answer).
    plain_loading : frozenset of str
        As in `cardkit.keys.soft.SoftKeyStore`.
    timeout : float
        Seconds for one answer.
    """

    module: str
    token: str
    test: bool = False
    card_keys: str = WORKER
    plain_loading: frozenset[str] = frozenset()
    timeout: float = TIMEOUT

    def to_json(self) -> dict[str, Any]:
        """Plain fields, for the process that owns the token."""
        return {
            "module": self.module,
            "token": self.token,
            "test": self.test,
            "card_keys": self.card_keys,
            "plain_loading": sorted(self.plain_loading),
            "timeout": self.timeout,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TokenSettings:
        """Inverse of `to_json`."""
        return cls(**values | {"plain_loading": frozenset(values["plain_loading"])})


def read_settings(
    path: Path, *, plain_loading: frozenset[str] = frozenset()
) -> tuple[TokenSettings, PinSource | None]:
    """Read a settings file.

    Returns
    -------
    tuple
        Settings, and the PIN's source where the file names one.

    Raises
    ------
    UsageError
        Unreadable, or something missing, wrong or unknown in it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise UsageError(f"{path}: not a TOML file") from None
    if set(content) - _KNOWN or not {"module", "token"} <= set(content):
        raise UsageError(
            f"{path}: not a description of a token",
            hint=f"needed: module, token; possible: {', '.join(sorted(_KNOWN))}; a PIN never",
        )
    require_texts(path, content, {"module", "token", "pin_file"} & set(content))
    if not isinstance(content.get("test", False), bool):
        raise UsageError(f"{path}: test is true or false, without quotes")
    if content.get("card_keys", WORKER) not in (WORKER, TOKEN):
        raise UsageError(f'{path}: card_keys is "{WORKER}" or "{TOKEN}"')
    pin_file = content.pop("pin_file", None)
    source = pin_from_file(path.parent / pin_file) if pin_file else None
    module = path.parent / content.pop("module")
    timeout = seconds(path, content.pop("timeout", TIMEOUT))
    settings = TokenSettings(
        str(module), timeout=timeout, plain_loading=plain_loading, **content
    )  # fmt: skip
    return settings, source


def pin_from_file(path: Path) -> PinSource:
    """First line of a file that nobody else can read; read whenever a session is opened."""

    def read() -> str:
        try:
            mode = path.stat().st_mode
            with path.open(encoding="utf-8") as file:
                line = file.readline(_LONGEST_PIN).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise UsageError(f"PIN file {path}: {reason}") from None
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"others can read the PIN file {path}", hint=f"chmod 600 {path}")
        return _filled(line, f"PIN file {path}")

    return read


def pin_from_descriptor(descriptor: int) -> PinSource:
    """First line of an open file or pipe; read now, kept until the program ends."""
    try:
        with os.fdopen(descriptor, encoding="utf-8") as file:
            line = file.readline(_LONGEST_PIN).strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"no PIN can be read from descriptor {descriptor}") from None
    pin = _filled(line, f"descriptor {descriptor}")
    return lambda: pin


def pin_once_asked(ask: PinSource) -> PinSource:
    """Ask a person once; a session that has to be opened anew takes the same PIN."""
    given: list[str] = []

    def read() -> str:
        if not given:
            given.append(ask())
        return given[0]

    return read


def _filled(line: str, source: str) -> str:
    if not line:
        raise UsageError(f"{source}: no PIN in its first line")
    return line
