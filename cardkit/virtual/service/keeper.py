"""The process that keeps pcscd and its virtual readers, in a network and mounts of its own.

Started by `cardkit.virtual.service.start` as
``unshare --mount --net python -m cardkit.virtual.service.keeper``. It gives cards from outside
their connections, starts pcscd again should it die, and stops when its standard input closes, that
is, when whoever started it ends in whatever way.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from cardkit.errors import CardkitError
from cardkit.virtual.service.desk import Desk
from cardkit.virtual.service.isolation import isolate
from cardkit.virtual.service.pcscd import Daemon
from cardkit.virtual.service.publish import Publication
from cardkit.virtual.service.rundir import RuntimeDirectory, ServiceRecord


def run(directory: RuntimeDirectory, count: int, *, private: bool, publish: bool) -> None:
    """Keep the readers until standard input closes or SIGTERM comes."""
    daemon = Daemon(directory, count, private=private)
    publication = Publication(daemon.socket) if private and publish else None
    if private:
        isolate(directory)
    try:
        daemon.start()
        published = publication is not None and publication.publish()
        desk = Desk(daemon)
        record = ServiceRecord(count, str(daemon.socket), private, published, os.getpid())
        directory.write_record(record)
        print('{"ok": true}', flush=True)  # noqa: T201 - tells the service that started this
        _loop(daemon, desk)
    finally:
        if publication is not None:
            publication.withdraw()
        daemon.stop()
        directory.clean()


def _loop(daemon: Daemon, desk: Desk) -> None:
    while True:
        readable, _, _ = select.select([sys.stdin, desk.socket], [], [], 0.5)
        if sys.stdin in readable and not os.read(0, 1):
            return
        if desk.socket in readable:
            desk.serve_one()
        if not daemon.directory.attach_socket.exists():
            return  # somebody has cleared the directory away: nobody can reach us any more
        if daemon.lost:
            daemon.start()


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def main() -> int:
    """Entry point of the process; tells success or failure in one line of JSON."""
    parser = argparse.ArgumentParser(prog="cardkit.virtual.service.keeper")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--private", action="store_true")
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    directory = RuntimeDirectory(options.directory)
    try:
        run(directory, options.count, private=options.private, publish=options.publish)
    except CardkitError as error:
        told = {"ok": False, "why": error.message, "hint": error.hint}
    except (OSError, subprocess.SubprocessError) as error:
        told = {"ok": False, "why": f"the virtual readers stopped: {error}", "hint": ""}
    else:
        return 0
    print(json.dumps(told), flush=True)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
