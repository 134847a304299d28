"""Settings from files: ``cardkit.toml`` in the current directory, then in the user's own place.

::

    profile = "test"                  # for every command that has --profile
    registry = "sqlite:////srv/cards/registry.db"
    reader = "ACR39"
    lang = "zh"

    [command."registry list"]         # for one command, any of its options
    full = true

A flag on the command line comes first, then a ``CARDKIT_*`` variable, then these files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from cardkit.cli import places
from cardkit.errors import UsageError

FILE_NAME = "cardkit.toml"
SHARED = ("profile", "registry", "reader", "lang", "runtime_dir")
"""Options that mean the same in every command, so they may stand at the top of the file."""

_NEVER = frozenset({"as_json", "help"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say.

    Parameters
    ----------
    shared : mapping
        For every command that has such an option.
    by_command : mapping
        ``"registry list"`` → options of that command.
    """

    shared: Mapping[str, Any] = field(default_factory=dict)
    by_command: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def defaults(self, path: str, command: click.Command) -> dict[str, Any]:
        """Defaults for the options of one command (``path`` without the program's name).

        Raises
        ------
        UsageError
            The command has no such option.
        """
        options = _by_flag(command)
        found = {flag: value for flag, value in self.shared.items() if flag in options}
        for key, value in self.by_command.get(path, {}).items():
            flag = key.replace("-", "_")
            if flag not in options:
                raise UsageError(
                    f"{FILE_NAME}: `cardkit {path}` has no option {key}",
                    hint=f"see `cardkit {path} --help`",
                )
            found[flag] = value
        return {
            str(options[flag].name): _as_option(options[flag], value)
            for flag, value in found.items()
        }


def _by_flag(command: click.Command) -> dict[str, click.Parameter]:
    """Options by their flags, as people know them: ``runtime_dir`` for ``--runtime-dir``."""
    return {
        flag.removeprefix("--").replace("-", "_"): option
        for option in command.params
        for flag in option.opts
        if flag.startswith("--") and option.name not in _NEVER
    }


class GroupDefaults(dict[str, Any]):
    """What click takes for the ``default_map`` of a group; made for a command when it is asked for.

    Parameters
    ----------
    settings : Settings
        Where the defaults come from.
    group : click.Group
        Its commands are asked for by name.
    path : str
        Words between the program's name and the command.
    """

    def __init__(self, settings: Settings, group: click.Group, path: str = "") -> None:
        super().__init__()
        self._settings = settings
        self._group = group
        self._path = path

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Defaults of the command, or of the group, with that name."""
        command = self._group.get_command(click.Context(self._group), name)
        path = f"{self._path} {name}".strip()
        if isinstance(command, click.Group):
            return GroupDefaults(self._settings, command, path)
        return default if command is None else self._settings.defaults(path, command)


def _as_option(option: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    return [value] if getattr(option, "multiple", False) and isinstance(value, str) else value


def load(directories: Sequence[Path] | None = None) -> Settings:
    """Read the settings files.

    Parameters
    ----------
    directories : sequence of Path, optional
        Where to look, the first comes first. Default: current directory, the user's own.

    Raises
    ------
    UsageError
        A file cannot be read, is no TOML, or sets something unknown.
    """
    wanted = directories if directories is not None else (Path(), places.config_directory())
    shared: dict[str, Any] = {}
    by_command: dict[str, dict[str, Any]] = {}
    for directory in reversed(wanted):
        content = _read(directory / FILE_NAME)
        for path, options in content.pop("command", {}).items():
            by_command[path] = by_command.get(path, {}) | options
        shared |= content
    return Settings(shared, by_command)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"settings {path}: {error}", hint="correct the file, or move it away"
        ) from None
    content = {key.replace("-", "_"): value for key, value in content.items()}
    _check(path, content)
    return content


def _check(path: Path, content: Mapping[str, Any]) -> None:
    unknown = sorted(set(content) - {*SHARED, "command"})
    if unknown:
        raise UsageError(
            f"settings {path}: unknown setting {unknown[0]}",
            hint=f'known are {", ".join(SHARED)} and [command."NOUN VERB"] for one command',
        )
    commands = content.get("command", {})
    if not isinstance(commands, dict) or not all(isinstance(c, dict) for c in commands.values()):
        raise UsageError(
            f"settings {path}: [command] holds tables",
            hint='write [command."registry list"] above the options of that command',
        )
