"""``cardkit key agent``: two custodians speak once, services open the store all day."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from cardkit.cli import common
from cardkit.cli.key_access import AGENT_VARIABLE, KeyAccess, access_options


@click.command()
@access_options
@click.option(
    "--socket", "path", type=click.Path(path_type=Path), required=True,
    help="Where it listens 套接字; only this user can reach it.",
)  # fmt: skip
def agent(access: KeyAccess, path: Path) -> None:
    """Open a store for services of this user 密钥代理, until stopped (Ctrl-C, SIGTERM).

    Two custodians give their passphrases once. Whoever runs as this user can then open the store:
    give the agent and its services a user of their own.
    """
    from cardkit.keys.agent import listening, serve  # noqa: PLC0415
    from cardkit.keys.audit import Entry  # noqa: PLC0415

    stop = threading.Event()
    with access.file() as file, listening(path) as line:
        file.audit.append(Entry(common.operator(), "agent-start", detail=file.path.name))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        click.echo(f"key agent 密钥代理 for {file.path.name}: {AGENT_VARIABLE}={path}")
        serve(line, file, stop)
        file.audit.append(Entry(common.operator(), "agent-stop", detail=file.path.name))
