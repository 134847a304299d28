"""A registry that lives as long as one test, in a file or in a database of a server.

Making its tables takes longer than most tests: that is done once for each kind of database, and
every test gets a copy.
"""

from __future__ import annotations

import shutil
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
def unmade(request: pytest.FixtureRequest) -> str:
    """URL of a registry that is yet to be made, in each kind of database."""
    if request.param == "sqlite":
        return sqlite_url(request.getfixturevalue("path"))
    made: str = request.getfixturevalue("database")
    return made


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty registry in a file, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "registry.db"
    open_at(path).close()
    return path


@pytest.fixture(scope="session")
def _empty_database(server: postgres.Server) -> str:
    url = server.database()
    open_at(url).close()
    return postgres.name_of(url)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, path: Path) -> Iterator[str]:
    """URL of an empty registry, in each kind of database."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("empty_file"), path)
        yield sqlite_url(path)
        return
    server: postgres.Server = request.getfixturevalue("server")
    made = server.database(request.getfixturevalue("_empty_database"))
    yield made
    server.drop(made)


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """An empty registry; whatever a test does, it has to be consistent at the end."""
    with open_at(url) as opened:
        yield opened
        assert_consistent(opened)
