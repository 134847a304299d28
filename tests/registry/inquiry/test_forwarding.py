"""Another region's answers are not trusted: neither what is in them, nor how they come."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from cardkit.registry.inquiry import forwarding
from cardkit.registry.inquiry.app import make_app
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.office import open_office
from cardkit.registry.inquiry.regions import Region, Regions
from cardkit.registry.inquiry.rights import Right
from cardkit.registry.registry import Registry
from tests.registry.inquiry.conftest import EVERYTHING, bearer

FULL = {
    "as_of": "2026-01-01T00:00:00.000Z", "region": "639800", "found": True,
    "card": {"state": "active", "valid": True, "card_number": "B00000010", "secret": "?"},
    "person": {"name": "林凤淑", "citizen_number": "639800198001010013"},
    "account": {"bank_card_number": "6230000000000001"}, "diary": "?",
}  # fmt: skip
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
QUESTION = {"by": "card_number", "key": "B00000010"}

Answering = Callable[[socket.socket], None]


@contextmanager
def far_region(answering: Answering) -> Iterator[str]:
    """Somebody who answers as a test wants, one connection after the other; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        answering(connection)
                    except OSError:  # whoever asked has gone
                        ended.set()

        ended.clear()
        threading.Thread(target=work, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


ended = threading.Event()


def saying(content: object) -> Answering:
    body = json.dumps(content).encode()
    return lambda connection: connection.sendall(
        HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )


def trickling(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.05)


def endless(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


@contextmanager
def asking(opened: Registry, url: str) -> Iterator[TestClient]:
    regions = Regions("639900", [Region("639800", url, card_prefixes=("B",))])
    with TestClient(make_app(open_office(opened.books, regions, lambda: 0.0))) as http:
        yield http


@pytest.mark.parametrize(
    ("rights", "groups"),
    [
        ({Right.STATE}, {"card": {"state": "active", "valid": True}}),
        ({Right.NUMBERS}, {"card": {"card_number": "B00000010"}}),
        ({Right.PERSON}, {"person": FULL["person"]}),
        ({Right.ACCOUNT}, {"account": FULL["account"]}),
    ],
)
def test_a_client_sees_of_another_region_what_it_may_see_here(
    opened: Registry, clients: Clients, rights: set[Right], groups: dict[str, object]
) -> None:
    """However much the region over there tells this one."""
    token = clients.add("clinic", frozenset(rights) | {Right.FOREIGN, Right.BATCH})[1]
    wanted = {**{name: FULL[name] for name in ("as_of", "region", "found")}, **groups}
    with far_region(saying({"answers": [FULL]})) as url, asking(opened, url) as http:
        assert http.post("/v1/inquiry", json=QUESTION, headers=bearer(token)).json() == wanted
        several = http.post(
            "/v1/inquiries", json={"questions": [QUESTION]}, headers=bearer(token)
        ).json()
        assert several == {"answers": [wanted]}


@pytest.mark.parametrize(
    "answer", [{}, [], "found", {"found": True}, {"status": 200}, {"status": "403", "type": "x"}]
)
def test_what_is_no_answer_is_none(opened: Registry, clients: Clients, answer: object) -> None:
    token = clients.add("clinic", EVERYTHING)[1]
    with far_region(saying({"answers": [answer]})) as url, asking(opened, url) as http:
        got = http.post("/v1/inquiry", json=QUESTION, headers=bearer(token))
    assert got.status_code == 502
    assert got.json()["detail"].startswith("region 639800")


@pytest.mark.parametrize("answering", [trickling, endless])
def test_an_answer_that_does_not_end_is_waited_for_no_longer_than_was_promised(
    opened: Registry, clients: Clients, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then, or more than anybody can keep."""
    monkeypatch.setattr(forwarding, "_SECONDS", 1.0 if answering is trickling else 30.0)
    token = clients.add("clinic", EVERYTHING)[1]
    with far_region(answering) as url, asking(opened, url) as http:
        began = time.monotonic()
        got = http.post("/v1/inquiry", json=QUESTION, headers=bearer(token))
        took = time.monotonic() - began
    assert got.status_code == 502
    assert took < 20
    assert ended.wait(20)  # the line was closed
