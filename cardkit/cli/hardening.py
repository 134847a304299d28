"""What the process does before anything else, so that nothing secret is left lying about."""

from __future__ import annotations

import io
import os
import sys


def harden() -> None:
    """No core dumps, files for their owner only, and text that no terminal can choke on."""
    _no_core_dumps()
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        # A console of another code page shows a code instead of stopping the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _no_core_dumps() -> None:
    try:
        import resource  # noqa: PLC0415 - Windows has none, and writes no core files
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
