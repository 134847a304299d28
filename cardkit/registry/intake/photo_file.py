"""Photo files from outside: what cannot be taken anyway is not read into memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from cardkit.registry.intake.findings import Finding
from cardkit.registry.intake.photo import PhotoVerdict


def read_photo(path: Path, most_bytes: int) -> bytes | PhotoVerdict:
    """The content of a photo file, or the verdict on one that is too large to be looked at.

    Raises
    ------
    OSError
        It cannot be read, or is a pipe, a device or a folder.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if status.st_size > most_bytes:
        return PhotoVerdict((Finding("file_large", {"bytes": status.st_size, "most": most_bytes}),))
    return path.read_bytes()
