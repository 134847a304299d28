"""An office with people and cards, as long as one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.lifecycle.support import Office, open_office
from tests.registry.support import assert_consistent


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = open_office(tmp_path / "registry.db")
    yield opened
    assert_consistent(opened.registry)
    opened.registry.close()
