"""Work done in another process, which may be killed or lose its rights."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

KILLED = -signal.SIGKILL


def run(work: Callable[[], object]) -> int:
    """Fork, do `work`, return the exit status: 0 done, 1 an exception, -9 killed."""
    return wait(start(work))


def start(work: Callable[[], object]) -> int:
    """Fork and do `work` there; returns the process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - a child must never come back into pytest
        traceback.print_exc()
    finally:
        os._exit(status)


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_this_process() -> None:
    """Die as from a power cut: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
