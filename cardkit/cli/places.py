"""Where this user's files live: settings, data, state. Nothing is made here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_NAME = "cardkit"


def config_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where ``cardkit.toml`` of the user is looked for.

    Examples
    --------
    >>> config_directory({"XDG_CONFIG_HOME": "/srv/etc"}).as_posix()
    '/srv/etc/cardkit'
    """
    return _place(environment, "XDG_CONFIG_HOME", ".config", "APPDATA")


def data_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the registry is by default.

    Examples
    --------
    >>> data_directory({"XDG_DATA_HOME": "/srv/data"}).as_posix()
    '/srv/data/cardkit'
    """
    return _place(environment, "XDG_DATA_HOME", ".local/share", "LOCALAPPDATA")


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where notes about crashes, and the history of the shell, are kept.

    Examples
    --------
    >>> state_directory({"XDG_STATE_HOME": "/srv/state"}).as_posix()
    '/srv/state/cardkit'
    """
    return _place(environment, "XDG_STATE_HOME", ".local/state", "LOCALAPPDATA")


def _place(environment: Mapping[str, str], xdg: str, below_home: str, windows: str) -> Path:
    chosen = environment.get(xdg, "")
    if chosen and Path(chosen).is_absolute():  # the XDG rules ignore a relative path
        return Path(chosen) / _NAME
    if os.name == "nt" and environment.get(windows):
        return Path(environment[windows]) / _NAME
    return Path.home() / below_home / _NAME


def make_private(directory: Path) -> Path:
    """Make a directory (and those above it) that only its owner can enter; returns it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
