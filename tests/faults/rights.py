"""Root without its right to open everything: what files of other users are for the rest of us."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bench import NOBODY

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root")

UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
"""Starts a program that permissions hold for, although it can still read this Python."""


def give_away(path: Path, mode: int) -> None:
    """Make a file or folder somebody else's."""
    path.chmod(mode)
    os.chown(path, NOBODY, NOBODY)
