"""``cardkit card shell``."""

from __future__ import annotations

import sys

import click

from cardkit.cli.session import Target, card_session, target_options


@click.command()
@target_options
@click.pass_context
def shell(ctx: click.Context, target: Target) -> None:
    """Talk to a card step by step 交互; `help` lists what can be said.

    Commands may also come from a pipe, one a line; # begins a comment. The exit code is then that
    of the worst of them. What is typed is kept in memory only, because it may hold a PIN.
    """
    from cardkit.cli.shell import Shell, lines  # noqa: PLC0415

    with card_session(target, opens=True) as session:
        worst = Shell(session).run(lines())
    ctx.exit(0 if sys.stdin.isatty() else worst)
