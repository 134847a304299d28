"""``cardkit key``: its commands, each in a module of its own."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "selftest": Later(
        "cardkit.cli.key_selftest:selftest", "Compute known answers 算法自检 and compare"
    ),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def key() -> None:
    """Keys 密钥."""
