"""Names of windows on one registry, and which of them have certainly ended."""

from __future__ import annotations

import os
import platform
import zlib

FIRST_VIRTUAL_SERIAL = 0x40000000
_RANGE = 1 << 16  # chips of one virtual reader
_RANGES = 1 << 13


def own_name() -> str:
    """Name of this process on this computer."""
    return f"{platform.node() or 'window'}/{os.getpid()}"


def is_dead(window: str) -> bool:
    """Whether a name that `own_name` gave is that of a process of this computer that is no more.

    Of other computers, and on Windows, nothing is known: what such a window had is free again when
    its time is over.

    Examples
    --------
    >>> is_dead(own_name()), is_dead("window 3")
    (False, False)
    """
    computer, _, process = window.rpartition("/")
    if os.name != "posix" or computer != (platform.node() or "window") or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def first_virtual_serial(window: str | None) -> int:
    """Where the chips of a virtual reader start: a named window has a factory of its own.

    Examples
    --------
    >>> f"{first_virtual_serial(None):X}"
    '40000000'
    """
    if not window:
        return FIRST_VIRTUAL_SERIAL
    return FIRST_VIRTUAL_SERIAL + _RANGE * (1 + zlib.crc32(window.encode()) % _RANGES)
