"""A registry with cards in several states, and the inquiry interface over it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from cardkit.registry.inquiry.app import make_app
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.office import Office, open_office
from cardkit.registry.inquiry.regions import Region, Regions
from cardkit.registry.inquiry.rights import Right
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.schema import cards
from tests.registry.support import crowd, enrol, issue, open_at

EVERYTHING = frozenset(Right)
PEOPLE = crowd(6)
FAR = Region("639800", "https://127.0.0.1:1", districts=("6398",), card_prefixes=("B",))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Registry]:
    """Six people: one each active, frozen, lost for now, lapsed, made, planned."""
    with open_at(sqlite_url(tmp_path / "registry.db")) as registry:
        enrol(registry, PEOPLE)
        for record in list(registry.list())[:5]:
            issue(registry, record)
        _set(registry, 1, state="active", bank_state="active", bank_card_number="6230000000000001")
        _set(registry, 2, state="frozen")
        for card, lapses_at in ((3, "2999-01-01T00:00:00.000Z"), (4, "2012-01-01T00:00:00.000Z")):
            _set(registry, card, state="temporarily_lost", held_from="active", lapses_at=lapses_at)
        yield registry


def _set(registry: Registry, card_id: int, **values: str) -> None:
    with registry.books.store.writing() as connection:
        connection.execute(update(cards).where(cards.c.id == card_id).values(**values))


@pytest.fixture
def clients(opened: Registry) -> Clients:
    return Clients(opened.books)


@pytest.fixture
def office(opened: Registry) -> Office:
    ticks = itertools.count()
    return open_office(opened.books, Regions("639900", [FAR]), lambda: next(ticks) / 1e6)


@pytest.fixture
def http(office: Office) -> Iterator[TestClient]:
    with TestClient(make_app(office), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def token(clients: Clients) -> str:
    """Of a client that may do everything."""
    return clients.add("agency", EVERYTHING)[1]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def number_of(registry: Registry, card_id: int) -> str:
    return registry.get(card_id).card_number
