"""An office with people and cards, as long as one test, on each kind of database.

Making tables and accounts takes longer than most tests: an office is made once for each kind of
database, and every test gets a copy.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.registry.conftest import BOTH
from tests.registry.lifecycle.support import Office, open_office
from tests.registry.support import assert_consistent

Offices = Callable[[], Office]
"""Opens one more office of one kind."""


@pytest.fixture(scope="session")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("office") / "registry.db"
    open_office(path).registry.close()
    return path


@pytest.fixture(scope="session")
def _database(server: postgres.Server) -> str:
    url = server.database()
    open_office(url).registry.close()
    return postgres.name_of(url)


@contextmanager
def offices_of(
    request: pytest.FixtureRequest, kind: str, folder: Path, own: dict[str, Any] | None = None
) -> Iterator[Offices]:
    """Offices in one kind of database, by the rules of one place; all are checked at the end."""
    made: list[Office] = []
    urls: list[str] = []
    if kind == "sqlite":
        template: Path = request.getfixturevalue("_file")

        def place() -> Path | str:
            return shutil.copy(template, folder / f"registry {len(made)}.db")
    else:
        server: postgres.Server = request.getfixturevalue("server")
        like: str = request.getfixturevalue("_database")

        def place() -> Path | str:
            urls.append(server.database(like))
            return urls[-1]

    def make() -> Office:
        made.append(open_office(place(), own))
        return made[-1]

    try:
        yield make
        for office in made:
            assert_consistent(office.registry)
    finally:
        for office in made:
            office.registry.close()
        for url in urls:
            server.drop(url)


@pytest.fixture(params=BOTH)
def offices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Offices]:
    with offices_of(request, request.param, tmp_path) as make:
        yield make


@pytest.fixture
def office(offices: Offices) -> Office:
    return offices()


@pytest.fixture(scope="module", params=BOTH)
def busy_office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One office for a whole module of tests that each take a card of their own."""
    folder = tmp_path_factory.mktemp("busy")
    with offices_of(request, request.param, folder) as make:
        yield make()
