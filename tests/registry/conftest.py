"""A registry that lives as long as one test, in a file or in a database of a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.registry.registry import Registry, sqlite_url
from tests import postgres
from tests.registry.support import assert_consistent, open_at

BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for this test process."""
    try:
        postgres.programs()
    except postgres.NoPostgresError:
        pytest.skip("NOT TESTED on PostgreSQL: it is not installed (Debian package postgresql)")
    with postgres.started() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    """URL of a registry that is yet to be made, in each kind of database."""
    if request.param == "sqlite":
        return sqlite_url(request.getfixturevalue("path"))
    made: str = request.getfixturevalue("database")
    return made


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """An empty registry; whatever a test does, it has to be consistent at the end."""
    with open_at(url) as opened:
        yield opened
        assert_consistent(opened)
