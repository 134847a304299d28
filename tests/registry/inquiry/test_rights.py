"""Who sees what: every field belongs to one right, and without it the field does not exist."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardkit.cli.registry_client import RIGHTS
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.questions import By
from cardkit.registry.inquiry.rights import FIELDS, Right
from cardkit.registry.registry import Registry
from tests.registry.inquiry.conftest import EVERYTHING, PEOPLE, bearer, number_of

ALL_FIELDS = [(group, name) for group, fields in FIELDS.items() for name in fields]


OF_A_PERSON = {"name", "citizen_number", "sex", "birth_date"}
OF_AN_ACCOUNT = {"bank_card_number"}
NUMBERS = {"card_number", "card_id_code", "insurance_number"}


def test_which_right_a_field_needs() -> None:
    """Written down once more, so that a slip in the table is noticed."""
    by_right = {
        right: {name for fields in FIELDS.values() for name, r in fields.items() if r is right}
        for right in Right
    }
    assert by_right[Right.PERSON] == OF_A_PERSON
    assert by_right[Right.ACCOUNT] == OF_AN_ACCOUNT
    assert by_right[Right.NUMBERS] == NUMBERS
    assert not by_right[Right.STATE] & (OF_A_PERSON | OF_AN_ACCOUNT | NUMBERS)


def test_the_command_line_knows_every_right() -> None:
    assert set(RIGHTS) == set(Right)


@pytest.mark.parametrize(("group", "name"), ALL_FIELDS)
def test_a_field_is_seen_with_its_right_only(
    http: TestClient, clients: Clients, opened: Registry, group: str, name: str
) -> None:
    needed = FIELDS[group][name]
    question = {"by": "card_number", "key": number_of(opened, 1)}
    for rights, there in ((EVERYTHING, True), (EVERYTHING - {needed}, False)):
        token = clients.add(f"client-{there}", rights)[1]
        answer = http.post("/v1/inquiry", json=question, headers=bearer(token)).json()
        assert answer["found"] is True
        assert (name in answer.get(group, {})) is there


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rights=st.sets(st.sampled_from(sorted(Right))), by=st.sampled_from(sorted(By)))
def test_nothing_of_a_person_reaches_a_client_without_the_right(
    http: TestClient, clients: Clients, opened: Registry, rights: set[Right], by: By
) -> None:
    """Whatever is asked by whichever number, the answer has no value the rights do not show."""
    record = opened.get(1)
    keys = {
        By.CARD_NUMBER: record.card_number,
        By.CARD_ID_CODE: record.card_id_code.hex().upper(),
        By.CITIZEN_NUMBER: PEOPLE[0].citizen_number,
        By.INSURANCE_NUMBER: PEOPLE[0].insurance_number,
        By.BANK_CARD_NUMBER: "6230000000000001",
    }
    name = f"c{sum(1 for _ in clients.list())}"
    token = clients.add(name, frozenset(rights))[1]
    answer = http.post("/v1/inquiry", json={"by": by.value, "key": keys[by]}, headers=bearer(token))
    text = json.dumps(answer.json(), ensure_ascii=False)
    secrets = {
        Right.PERSON: [PEOPLE[0].name],
        Right.ACCOUNT: ["6230000000000001"],
        Right.NUMBERS: [record.card_number, record.card_id_code.hex().upper()],
        Right.STATE: ['"active"'],
    }
    for right, values in secrets.items():
        if right not in rights:
            assert not any(value in text for value in values)
    if not rights & {Right.PERSON, Right.NUMBERS}:
        assert PEOPLE[0].citizen_number not in text


@pytest.mark.parametrize("by", ["citizen_number", "insurance_number", "bank_card_number"])
def test_without_the_right_to_ask_a_number_that_exists_and_one_that_does_not_look_the_same(
    http: TestClient, clients: Clients, by: str
) -> None:
    token = clients.add("curious", frozenset({Right.STATE}))[1]
    keys = [PEOPLE[0].citizen_number, "639900199901010000"]
    if by == "bank_card_number":
        keys = ["6230000000000001", "6230000000000002"]
    answers = [
        http.post("/v1/inquiry", json={"by": by, "key": key}, headers=bearer(token)) for key in keys
    ]
    assert [a.status_code for a in answers] == [403, 403]
    assert answers[0].content == answers[1].content


def test_rights_that_are_taken_away_are_gone_at_the_next_question(
    http: TestClient, clients: Clients, token: str, opened: Registry
) -> None:
    question = {"by": "card_number", "key": number_of(opened, 1)}
    assert http.post("/v1/inquiry", json=question, headers=bearer(token)).status_code == 200
    clients.set_rights("agency", frozenset({Right.STATE}))
    changed = http.post("/v1/inquiry", json=question, headers=bearer(token)).json()
    assert set(changed) == {"as_of", "region", "found", "card"}
    clients.revoke("agency")
    assert http.post("/v1/inquiry", json=question, headers=bearer(token)).status_code == 401
