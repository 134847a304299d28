"""Start the process that keeps the daemon, and end it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from typing import Any, Final

from cardkit.errors import UnreachableError
from cardkit.virtual.service.rundir import RuntimeDirectory

_KEEPER: Final = "cardkit.virtual.service.keeper"
_START_TIMEOUT: Final = 20.0
_STOP_TIMEOUT: Final = 10.0


def isolating_command() -> list[str]:
    """The command that gives a process a network and mounts of its own; empty if not permitted.

    Root may unless a container forbids it; other users may where user namespaces are open to them.
    """
    if shutil.which("unshare") is None:
        return []
    wrapper = ["unshare", "--mount", "--net"]
    if os.geteuid() != 0:
        wrapper[1:1] = ["--map-root-user"]
    probe = [*wrapper, "mount", "-t", "tmpfs", "tmpfs", "/run"]
    permitted = subprocess.run(probe, capture_output=True, check=False).returncode == 0  # noqa: S603
    return wrapper if permitted else []


def launch(
    wrapper: list[str],
    directory: RuntimeDirectory,
    count: int,
    lock: int,
    *,
    private: bool,
    publish: bool,
) -> subprocess.Popen[bytes]:
    """Start `cardkit.virtual.service.keeper` and wait until its readers are there.

    Parameters
    ----------
    wrapper : list of str
        What `isolating_command` gave, or nothing.
    directory : RuntimeDirectory
        Prepared.
    count : int
        Readers.
    lock : int
        Descriptor that holds the directory's lock; the process keeps it.
    private, publish : bool
        Whether the daemon is isolated; whether the default path may lead to it.

    Raises
    ------
    UnreachableError
        They did not come.
    """
    command = [*wrapper, sys.executable, "-m", _KEEPER]
    command += ["--directory", str(directory.path), "--count", str(count)]
    command += ["--private"] * private + ["--publish"] * publish
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(lock,),
        start_new_session=True,  # Ctrl-C is for us; we end the daemon in order
    )
    try:
        _wait_until_told(process)
    except BaseException:
        end(process)
        raise
    return process


def _wait_until_told(process: subprocess.Popen[bytes]) -> None:
    output = process.stdout
    assert output is not None  # noqa: S101 - asked for above
    ready, _, _ = select.select([output], [], [], _START_TIMEOUT)
    line = output.readline() if ready else b""
    told: dict[str, Any] = {"ok": False, "why": "the virtual readers did not start"}
    if line:
        told = json.loads(line)
    if not told["ok"]:
        raise UnreachableError(told["why"], hint=told.get("hint", ""))


def end(process: subprocess.Popen[bytes]) -> None:
    """Closing its standard input tells the process to stop; killed only if it does not."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
