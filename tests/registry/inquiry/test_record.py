"""Who asked what: without the numbers, and in a chain that shows changes."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from cardkit.registry.inquiry.app import make_app
from cardkit.registry.inquiry.office import Office
from cardkit.registry.inquiry.questions import By, Question
from cardkit.registry.registry import Registry
from cardkit.registry.schema.inquiry import inquiries
from tests.registry.inquiry.conftest import PEOPLE, bearer

HOLDER = Question(By.CITIZEN_NUMBER, PEOPLE[0].citizen_number)


def ask_twice(http: TestClient, token: str) -> None:
    for person in PEOPLE[:2]:
        body = {"by": "citizen_number", "key": person.citizen_number}
        assert http.post("/v1/inquiry", json=body, headers=bearer(token)).status_code == 200


def test_a_holder_can_learn_who_asked(http: TestClient, token: str, office: Office) -> None:
    ask_twice(http, token)
    assert office.record.flush() == 2
    (row,) = office.record.about(HOLDER)
    assert (row.client, row.result, row.rights) == ("agency", "found", "card person account")


def test_questions_by_another_number_are_found_too(
    http: TestClient, token: str, office: Office, opened: Registry
) -> None:
    for card in (1, 2):
        body = {"by": "card_number", "key": opened.get(card).card_number}
        assert http.post("/v1/inquiry", json=body, headers=bearer(token)).status_code == 200
    office.record.flush()
    (row,) = office.record.about(HOLDER)
    assert (row.client, row.key_kind) == ("agency", "card_number")


def test_the_numbers_themselves_are_not_kept(
    http: TestClient, token: str, office: Office, opened: Registry
) -> None:
    ask_twice(http, token)
    office.record.flush()
    with opened.books.store.reading() as connection:
        kept = str(connection.execute(inquiries.select()).all())
    assert PEOPLE[0].citizen_number not in kept
    assert PEOPLE[0].citizen_number not in repr(HOLDER)


@pytest.mark.parametrize(
    "change",
    [
        update(inquiries).values(client="somebody else"),
        delete(inquiries).where(inquiries.c.id == 2),
        update(inquiries).where(inquiries.c.id == 1).values(result="none"),
    ],
)
def test_changed_rows_are_found(
    http: TestClient, token: str, office: Office, opened: Registry, change: object
) -> None:
    ask_twice(http, token)
    office.record.flush()
    assert office.record.verify() == ""
    with opened.books.store.writing() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert office.record.verify() == "inquiries 1 to 2 were changed"


def test_questions_are_written_when_the_server_stops(office: Office, token: str) -> None:
    with TestClient(make_app(office)) as http:
        ask_twice(http, token)
    assert office.record.flush() == 0
    assert len(office.record.about(HOLDER)) == 1


def test_what_could_not_be_written_is_written_later(
    http: TestClient, token: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_twice(http, token)
    with monkeypatch.context() as broken:
        broken.setattr(office.record, "_write", _fail)
        with pytest.raises(OSError, match="disk"):
            office.record.flush()
    assert office.record.flush() == 2


def _fail(_: object) -> None:
    raise OSError("disk")


def test_nothing_asked_writes_nothing(office: Office, opened: Registry) -> None:
    before = opened.history_head()
    assert office.record.flush() == 0
    assert opened.history_head() == before
