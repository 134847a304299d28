"""docs/commands.md is what the commands say of themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cardkit.cli.main import cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def commands(
    command: click.Command = cli, path: str = "cardkit"
) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def test_the_page_is_current() -> None:
    # A process of its own: click remembers the help option of a command that ran by itself.
    made = subprocess.run(
        [sys.executable, "-m", "cardkit.cli.reference"], capture_output=True, check=True
    )

    assert PAGE.read_bytes() == made.stdout, (
        "write it anew: python -m cardkit.cli.reference > docs/commands.md"
    )


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[p for p, _ in commands()])
def test_every_command_explains_itself_with_the_chinese_term(
    path: str, command: click.Command
) -> None:
    assert command.help
    assert any("一" <= character <= "鿿" for character in command.help), path
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.name}"


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[p for p, _ in commands()])
def test_no_option_takes_a_secret(path: str, command: click.Command) -> None:
    """PINs and keys come from the terminal, a file or a pipe; others can see a command line."""
    for option in command.params:
        if {"pin", "password", "key"} & set((option.name or "").split("_")):
            assert getattr(option, "is_flag", False) or option.name == "pin_file", path
