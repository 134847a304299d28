"""Where a PIN comes from: the terminal without echo, a file, or standard input; never argv."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from cardkit.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST = 64  # characters of a line that may be a PIN
_READABLE_BY_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class PinSource:
    """Where PINs come from.

    Parameters
    ----------
    ask : bool
        The terminal.
    file : Path or None
        A file with one PIN a line.
    stdin : bool
        Standard input, one PIN a line.
    """

    ask: bool = False
    file: Path | None = None
    stdin: bool = False

    @property
    def wanted(self) -> bool:
        """Whether a PIN is to be used at all."""
        return self.ask or self.file is not None or self.stdin

    def read(self, prompt: str) -> str:
        """One PIN."""
        return self.read_several(prompt)[0]

    def read_several(self, *prompts: str) -> list[str]:
        """One PIN for each prompt; in a file or on standard input, one a line.

        Raises
        ------
        UsageError
            There is no terminal to ask at, the file cannot be read, or a line is missing.
        """
        if self.file is not None and self.stdin:
            raise UsageError(
                "--pin-file and --pin-stdin exclude each other",
                hint="leave one of them out",
                zh="--pin-file 与 --pin-stdin 不能同时使用：请去掉一个",
            )
        if self.file is not None:
            return _lines(_content_of(self.file), len(prompts), str(self.file))
        if self.stdin:
            return _lines(sys.stdin.read(_LONGEST * len(prompts)), len(prompts), "standard input")
        if not sys.stdin.isatty():
            raise UsageError(
                "a PIN is wanted and there is no terminal to ask at",
                hint="give it with --pin-file FILE or --pin-stdin, never on the command line",
                zh="需要密码，但没有可供输入的终端：请用 --pin-file 文件 或 --pin-stdin，"
                "不要写在命令行上",
            )
        return [click.prompt(prompt, hide_input=True, err=True) for prompt in prompts]


def pin_options(command: F) -> F:
    """Give a command ``--pin-file`` and ``--pin-stdin`` (parameters of the same names)."""
    file = click.option(
        "--pin-file",
        type=click.Path(path_type=Path),
        help="Take the PIN from the first line of this file.",
    )
    stdin = click.option("--pin-stdin", is_flag=True, help="Take the PIN from standard input.")
    return file(stdin(command))


def _content_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            content = file.read(2 * _LONGEST)
            mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(
            f"PIN file {path}: {reason}",
            hint="check path and permission; one PIN a line",
            zh=f"密码文件 {path} 无法读取：请检查路径和权限，每行一个密码",
        ) from None
    warn_readable(path, mode, "PIN file")
    return content


def warn_readable(path: Path, mode: int, what: str) -> None:
    """Say it when others than the user can read a file with a secret in it."""
    # Windows has no such bits, and a pipe (<(…) of a shell) nobody else can open.
    if os.name == "posix" and path.is_file() and mode & _READABLE_BY_OTHERS:
        click.echo(f"cardkit: others can read the {what} {path}; chmod 600 it", err=True)


def _lines(content: str, count: int, source: str) -> list[str]:
    lines = [line.strip() for line in content.splitlines()][:count]
    if len(lines) < count or not all(lines):
        raise UsageError(
            f"{source}: {count} line{'s' * (count > 1)} wanted, a PIN each",
            hint="digits only, 4 to 16",
            zh=f"{source}：需要{count}行，每行一个密码（4至16位数字）",
        )
    return lines
