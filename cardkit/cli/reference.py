"""The page docs/commands.md, made of the commands' own help.

``python -m cardkit.cli.reference > docs/commands.md`` writes it anew; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from cardkit.cli.main import cli

_WIDTH = 90

_HEAD = """\
# Commands 命令

Made from the help of the program: `python -m cardkit.cli.reference > docs/commands.md`.

## What all commands have in common

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | done, but some rows were rejected, cards failed, or checks did not pass: see the report |
| 2 | wrong usage, or a file that cannot be used |
| 3 | reader, card or device not reachable |
| 4 | refused for security: locked, wrong PIN, wrong key, no permission |
| 70 | a bug in cardkit; a file with the places in the code (no data) is named |
| 130 | stopped by Ctrl-C |

With `--json` standard output is exactly one JSON document. When a command fails before it has one,
it is `{"error": {"type", "message", "hint", ...}}`. Messages and progress go to standard error.

Settings come from flags, then `CARDKIT_*` variables (`CARDKIT_PROFILE`, `CARDKIT_REGISTRY`,
`CARDKIT_READER`, `CARDKIT_LANG`, `CARDKIT_RUNTIME_DIR`), then `cardkit.toml` in the current
directory, then `cardkit.toml` in the user's own place (`~/.config/cardkit`):

```toml
profile = "test"                  # for every command that has --profile
registry = "/srv/cards/registry.db"
reader = "ACR39"

[command."registry list"]         # for one command, any of its options
full = true
```

Who works 操作员 has two names. In a registry with accounts it is the account that is signed in:
`--operator`, `CARDKIT_OPERATOR_LOGIN`, or whoever is if it is one person. For keys, and in a
registry without accounts, it is the login name at the computer, or `CARDKIT_OPERATOR`; under
`sudo` it is who called it. The socket
of a key agent that opens the key store is `CARDKIT_KEY_AGENT`.

PINs are asked for without echo, or come from `--pin-file` or
`--pin-stdin`: there is no option that takes a PIN, because others can see a command line.

After a bug, `CARDKIT_DEBUG=1` shows the whole traceback, which may hold personal data.
"""


def render() -> str:
    """The page."""
    context = click.Context(
        cli, info_name="cardkit", **dict(cli.context_settings, terminal_width=_WIDTH)
    )
    return "\n".join([_HEAD, *_sections(cli, context)])


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    with context.scope(cleanup=False):
        yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _sections(inner, _context(inner, name, context))


def _context(command: click.Command, name: str, parent: click.Context) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH)


if __name__ == "__main__":
    click.echo(render(), nl=False)
