"""A window with its registry, as long as one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.intake.support import Window, open_window
from tests.registry.support import assert_consistent


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    opened = open_window(tmp_path / "registry.db")
    yield opened
    assert_consistent(opened.registry)
    opened.registry.close()
