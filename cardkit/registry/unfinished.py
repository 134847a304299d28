"""Files that get their name when they are complete, and what a killed program left of them."""

from __future__ import annotations

import os
from glob import escape
from pathlib import Path

_ENDING = ".part"


def beside(path: Path) -> Path:
    """Where this program makes `path`; what dead programs left of theirs is removed first.

    It may hold personal data, and nobody would look for it.

    Examples
    --------
    >>> beside(Path("registry.db")).name == f".registry.db.{os.getpid()}.part"
    True
    """
    for left in path.parent.glob(f".{escape(path.name)}.*{_ENDING}*"):
        process = left.name.removeprefix(f".{path.name}.").partition(_ENDING)[0]
        if process.isdecimal() and _has_ended(int(process)):
            left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}{_ENDING}")


def _has_ended(process: int) -> bool:
    """Whether it was one of this computer's and is no more; elsewhere nothing is known."""
    if os.name != "posix":  # asking would end it there
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
