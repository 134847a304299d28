"""Questions over HTTP: answers, and every reason for having none."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from cardkit.registry.inquiry.bodies import MOST_QUESTIONS
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.office import Office
from cardkit.registry.inquiry.rights import Right
from cardkit.registry.registry import Registry
from cardkit.registry.schema.life import temporary_cards, temporary_loans
from tests.registry.inquiry.conftest import EVERYTHING, PEOPLE, bearer, number_of


def ask(http: TestClient, token: str, by: str, key: str) -> dict[str, object]:
    answer = http.post("/v1/inquiry", json={"by": by, "key": key}, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def card_of(answer: dict[str, object]) -> dict[str, object]:
    card = answer["card"]
    assert isinstance(card, dict)
    return card


def test_which_card_a_citizen_holds(http: TestClient, token: str, opened: Registry) -> None:
    answer = ask(http, token, "citizen_number", PEOPLE[0].citizen_number)
    assert answer["person"] == {
        "name": PEOPLE[0].name,
        "citizen_number": PEOPLE[0].citizen_number,
        "sex": PEOPLE[0].sex,
        "birth_date": PEOPLE[0].birth_date,
    }
    assert answer["account"] == {"bank_card_number": "6230000000000001"}
    assert card_of(answer)["card_number"] == number_of(opened, 1)
    assert card_of(answer)["state"] == "active"
    assert card_of(answer)["valid"] is True


@pytest.mark.parametrize(
    ("card_id", "state", "valid"),
    [(1, "active", True), (2, "frozen", False), (3, "temporarily_lost", False),
     (4, "active", True), (5, "issued", False), (6, "planned", False)],
)  # fmt: skip
def test_how_a_card_stands(
    http: TestClient, token: str, opened: Registry, card_id: int, state: str, *, valid: bool
) -> None:
    """The temporary loss of card 4 has lapsed, though nobody has noted that yet."""
    card = card_of(ask(http, token, "card_number", number_of(opened, card_id)))
    assert (card["state"], card["valid"]) == (state, valid)


@pytest.mark.parametrize(
    ("back", "due", "state", "valid"),
    [("", "2999-01-01", "out", True), ("", "2012-01-01", "out", False),
     ("2012-05-01T00:00:00.000Z", "2999-01-01", "returned", False)],
)  # fmt: skip
def test_how_a_temporary_card_stands(
    http: TestClient, token: str, opened: Registry, back: str, due: str, state: str, *, valid: bool
) -> None:
    """A hospital asks by the number on the chip, which is that of one loan 临时卡."""
    loan = {"temporary_card": 1, "number": "L00000011", "person": 2, "due": due, "back_at": back}
    ended = {"out_at": "2012-04-01T00:00:00.000Z", "ended": "returned" if back else ""}
    with opened.books.store.writing() as connection:
        pool = {"id": 1, "serial": "LS0001", "state": "out", "changed_at": ""}
        connection.execute(insert(temporary_cards).values(**pool))
        connection.execute(insert(temporary_loans).values(id=1, **loan, **ended))

    answer = ask(http, token, "card_number", "L00000011")
    card = card_of(answer)
    assert (card["kind"], card["state"], card["valid"]) == ("temporary", state, valid)
    assert answer["person"] == {
        name: getattr(PEOPLE[1], name) for name in ("name", "citizen_number", "sex", "birth_date")
    }


def test_an_answer_says_for_which_instant_it_is_true(
    http: TestClient, token: str, opened: Registry
) -> None:
    number = number_of(opened, 1)
    first = ask(http, token, "card_number", number)
    second = ask(http, token, "card_number", number)
    assert str(first["as_of"]) < str(second["as_of"])
    assert first["region"] == "639900"


def test_a_number_that_nobody_has(http: TestClient, token: str) -> None:
    answer = ask(http, token, "card_number", "A99999999")
    assert answer["found"] is False
    assert set(answer) == {"as_of", "region", "found"}


def test_who_had_several_cards_is_answered_with_the_one_that_counts(
    http: TestClient, token: str, opened: Registry
) -> None:
    opened.discard(6, "spoilt")
    enrol_again = [PEOPLE[5]]
    from tests.registry.support import enrol  # noqa: PLC0415

    enrol(opened, enrol_again, "second.csv")
    card = card_of(ask(http, token, "citizen_number", PEOPLE[5].citizen_number))
    assert card["state"] == "planned"
    assert card["card_number"] == number_of(opened, 7)


def test_many_questions_at_once_are_answered_in_their_order(
    http: TestClient, token: str, opened: Registry
) -> None:
    questions = [
        {"by": "card_number", "key": number_of(opened, 2)},
        {"by": "card_number", "key": "no card"},
        {"by": "citizen_number", "key": PEOPLE[0].citizen_number},
        {"by": "card_number", "key": "A99999999"},
    ]
    body = http.post("/v1/inquiries", json={"questions": questions}, headers=bearer(token)).json()
    frozen, malformed, active, nobody = body["answers"]
    assert frozen["card"]["state"] == "frozen"
    assert malformed["status"] == 422
    assert active["card"]["state"] == "active"
    assert nobody["found"] is False
    assert frozen["as_of"] == active["as_of"] == nobody["as_of"]


def test_a_batch_needs_its_right(http: TestClient, clients: Clients) -> None:
    token = clients.add("single", EVERYTHING - {Right.BATCH})[1]
    question = {"questions": [{"by": "card_number", "key": "A99999999"}]}
    assert http.post("/v1/inquiries", json=question, headers=bearer(token)).status_code == 403


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"},
               {"Authorization": "Basic YTpi"}],
)  # fmt: skip
def test_who_is_not_known_learns_nothing(http: TestClient, header: dict[str, str]) -> None:
    question = {"by": "card_number", "key": "A99999999"}
    answer = http.post("/v1/inquiry", json=question, headers=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_registration_that_has_run_out(http: TestClient, clients: Clients) -> None:
    token = clients.add("old", EVERYTHING, valid_until="2012-05-01T00:00:00.000Z")[1]
    answer = http.post(
        "/v1/inquiry", json={"by": "card_number", "key": "A99999999"}, headers=bearer(token)
    )
    assert answer.status_code == 401
    assert "run out" in answer.json()["title"]


def test_another_network(office: Office, clients: Clients) -> None:
    from cardkit.registry.inquiry.clients import Credential, digest_of_token  # noqa: PLC0415
    from cardkit.registry.inquiry.desk import Call  # noqa: PLC0415

    token = clients.add("bank", EVERYTHING, networks=["10.1.0.0/16", "2001:db8::/32"])[1]
    shown = Credential(digest_of_token(token))
    places = ["10.1.2.3", "2001:db8::7", "10.2.0.1", "somewhere"]
    replies = office.desk.answer([Call(shown, place, ()) for place in places])
    assert [reply.refusal for reply in replies] == ["", "", "network", "network"]


def test_too_many_questions(http: TestClient, clients: Clients) -> None:
    token = clients.add("eager", EVERYTHING, per_second=2)[1]
    question = {"by": "card_number", "key": "A99999999"}
    statuses = [
        http.post("/v1/inquiry", json=question, headers=bearer(token)).status_code for _ in range(6)
    ]
    assert statuses == [200] * 4 + [429] * 2
    last = http.post("/v1/inquiry", json=question, headers=bearer(token))
    assert int(last.headers["Retry-After"]) >= 1


def test_a_body_that_is_refused_does_not_come_back(http: TestClient, token: str) -> None:
    """A value at the wrong place may be a personal number."""
    secret = PEOPLE[0].citizen_number
    for body in (
        {"by": secret, "key": "x"}, {"by": "card_number", "key": [secret]},
        {"by": "card_number", "key": "x", "extra": secret}, [secret],
        {"by": "card_number", "key": secret * 9}, {"by": "card_number", "key": "x", secret: 1},
    ):  # fmt: skip
        answer = http.post("/v1/inquiry", json=body, headers=bearer(token))
        assert answer.status_code == 422
        assert secret not in answer.text


def test_bodies_that_are_no_json(http: TestClient, token: str) -> None:
    for content in (b"", b"{", b"\xff\xfe", b"null", b'"x"'):
        answer = http.post("/v1/inquiry", content=content, headers=bearer(token))
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"


def test_more_questions_than_one_request_may_have(http: TestClient, token: str) -> None:
    question = {"by": "card_number", "key": "A99999999"}
    for count, status in ((MOST_QUESTIONS, 200), (MOST_QUESTIONS + 1, 422), (0, 422)):
        body = {"questions": [question] * count}
        answer = http.post("/v1/inquiries", json=body, headers=bearer(token))
        assert answer.status_code == status


def test_the_blacklist_comes_page_by_page(
    http: TestClient, token: str, opened: Registry, clients: Clients
) -> None:
    first = http.get("/v1/blacklist?limit=1", headers=bearer(token)).json()
    second = http.get(f"/v1/blacklist?limit=1&after={first['next']}", headers=bearer(token)).json()
    last = http.get(f"/v1/blacklist?after={second['next']}", headers=bearer(token)).json()
    listed = [card["card_number"] for page in (first, second, last) for card in page["cards"]]
    assert listed == [number_of(opened, 2), number_of(opened, 3)]
    assert last["next"] == 0
    other = clients.add("other", EVERYTHING - {Right.BLACKLIST})[1]
    assert http.get("/v1/blacklist", headers=bearer(other)).status_code == 403


def test_addresses_that_do_not_exist(http: TestClient) -> None:
    assert http.get("/v1/nothing").json()["type"] == "urn:cardkit:inquiry:not-found"
    assert http.get("/v1/inquiry").status_code == 405


def test_a_registry_that_has_gone_is_one_line_and_no_data(
    http: TestClient, token: str, opened: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    opened.close()
    question = {"by": "citizen_number", "key": PEOPLE[0].citizen_number}
    answer = http.post("/v1/inquiry", json=question, headers=bearer(token))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert PEOPLE[0].citizen_number not in caplog.text + answer.text


def test_the_database_holds_no_token(opened: Registry, clients: Clients, tmp_path: Path) -> None:
    token = clients.add("bank", EVERYTHING)[1]
    opened.close()
    for file in tmp_path.iterdir():
        assert token.encode() not in file.read_bytes()
