"""A registry that lives as long as one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.registry.registry import Registry
from tests.registry.support import assert_consistent, open_at


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def registry(path: Path) -> Iterator[Registry]:
    """An empty registry; whatever a test does, it has to be consistent at the end."""
    with open_at(path) as opened:
        yield opened
        assert_consistent(opened)
