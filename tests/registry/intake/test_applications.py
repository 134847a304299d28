"""An application from the window to a card record, and everything that keeps it from being one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select

from cardkit.errors import CardkitError
from cardkit.profile.schema import Intake
from cardkit.registry.intake.application import ApplicationError
from cardkit.registry.intake.identity import Verdict
from cardkit.registry.intake.photos import PhotoTakenError
from cardkit.registry.lifecycle.errors import NotAllowedError, OutOfOrderError
from cardkit.registry.schema.cards import history, people
from cardkit.registry.schema.intake import applications, identity_checks, photos
from cardkit.registry.schema.life import acts
from tests.registry.intake.support import TODAY, Window, open_window, person, prepared
from tests.registry.support import enrol, leave_in


def rows(window: Window, query: Select[Any]) -> list[tuple[Any, ...]]:
    with window.registry.books.store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_apply_check_confirm_makes_one_planned_record_with_the_photo(window: Window) -> None:
    number = window.apply(person(1), prepared(1))
    window.identities.check(number, window.system)
    window.check(number)
    card_id = window.confirm(number)

    record = window.registry.get(card_id)
    assert (record.state, record.citizen_number) == ("planned", person(1).citizen_number)
    assert window.photos.current(record.person_id).chip == prepared(1).chip
    done = window.room("li").get(number)
    assert (done.state, done.card_id, done.verdict) == ("confirmed", card_id, Verdict.MATCH)
    assert (done.applied_by, done.checked_by, done.decided_by) == ("zhao", "ma", "li")
    assert rows(window, select(identity_checks.c.person)) == [(record.person_id,)]
    steps = [row[0] for row in rows(window, select(acts.c.action).order_by(acts.c.id))]
    assert steps == ["apply", "check", "confirm"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": ""}, "name", "missing"),
        ({"name": "张\ue000"}, "name", "character"),
        ({"name": "张" * 30}, "name", "too_long"),
        ({"citizen_number": "639900198101010018"}, "citizen_number", "check_digit"),
        ({"citizen_number": "639900810101001"}, "citizen_number", "old_number"),
        ({"sex": "1"}, "sex", "differs"),
        ({"birth_date": "19810102"}, "birth_date", "differs"),
        ({"nation": "57"}, "nation", "unknown"),
        ({"birthplace": "63990"}, "birthplace", "unknown"),
        ({"bank_card_number": "6200000000000004"}, "bank_card_number", "unknown"),
        ({"card_kind": "gold"}, "card_kind", "unknown"),
        ({"address": "村" * 201}, "address", "too_long"),
        ({"insurance_number": ""}, "insurance_number", "missing"),
    ],
)
def test_wrong_data_are_named_by_field_and_never_repeated(
    window: Window, changes: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(ApplicationError) as caught:
        window.apply(person(1, **changes))
    assert (field, code) in [(p.field, p.code) for p in caught.value.problems]
    for value in changes.values():
        assert not value or value == "1" or value not in caught.value.message + caught.value.zh
    assert rows(window, select(applications)) == []


def test_a_child_gets_no_adult_card_and_a_pupil_names_the_school(window: Window) -> None:
    from cardkit.codec.numbers import citizen_check  # noqa: PLC0415

    body = "63990020080101001"
    number = body + citizen_check(body)
    born = {"birth_date": "20080101", "sex": "1"}
    child = person(1, citizen_number=number, insurance_number=number, **born)
    with pytest.raises(ApplicationError, match="kind"):
        window.apply(child)
    child.card_kind = "child"
    assert window.apply(child) == 1


def test_who_has_a_card_or_an_open_application_gets_no_second(window: Window) -> None:
    enrol(window.registry, [person(1)])
    with pytest.raises(ApplicationError, match="has a card already") as caught:
        window.apply(person(1))
    assert caught.value.code == "has_card"
    window.apply(person(2))
    with pytest.raises(ApplicationError, match="on its way") as caught:
        window.apply(person(2))
    assert caught.value.code == "has_application"


def test_a_refused_attempt_is_in_the_history_and_changes_nothing(window: Window) -> None:
    with pytest.raises(NotAllowedError):
        window.apply(person(1), login="sun")
    assert rows(window, select(applications)) == []
    assert rows(window, select(acts.c.result, acts.c.action)) == [("refused:role", "apply")]
    assert rows(window, select(history.c.action).where(history.c.action == "refused")) == [
        ("refused",)
    ]


def test_steps_out_of_order_and_by_the_wrong_person_are_refused(window: Window) -> None:
    number = window.apply(person(1), prepared(1))
    with pytest.raises(OutOfOrderError):
        window.confirm(number)
    window.check(number)
    with pytest.raises(OutOfOrderError):
        window.check(number)
    with pytest.raises(NotAllowedError):
        window.confirm(number, login="zhao")
    assert window.room("li").get(number).state == "checked"


def test_confirming_waits_for_photo_and_identity(window: Window) -> None:
    number = window.apply(person(1))
    window.check(number)
    with pytest.raises(ApplicationError, match="no photo"):
        window.confirm(number)
    window.room("zhao").add_photo(number, prepared(1))
    with pytest.raises(ApplicationError, match="was not checked"):
        window.confirm(number)
    window.system.people = {person(1).citizen_number: ("别人", Verdict.MATCH)}
    window.identities.check(number, window.system)
    with pytest.raises(ApplicationError, match="name_differs"):
        window.confirm(number)
    window.system.people.clear()
    window.identities.check(number, window.system)
    assert window.registry.get(window.confirm(number)).state == "planned"
    with pytest.raises(ApplicationError, match="takes no photo"):
        window.room("zhao").add_photo(number, prepared(2))


def test_a_place_may_do_without_photo_and_identity(tmp_path: Path) -> None:
    window = open_window(tmp_path / "r.db", Intake(photo_required=False, identity_required=False))
    number = window.apply(person(1))
    window.check(number)
    assert window.confirm(number) == 1
    window.registry.close()


def test_data_that_contradict_the_registry_stop_the_confirmation(window: Window) -> None:
    other = person(5)
    number = window.apply(person(1, insurance_number="8800001"), prepared(1))
    window.identities.check(number, window.system)
    window.check(number)
    other.insurance_number = "8800001"
    enrol(window.registry, [other])  # came in by a roster meanwhile
    with pytest.raises(ApplicationError) as caught:
        window.confirm(number)
    assert caught.value.code == "conflict"
    assert window.room("li").get(number).state == "checked"


def test_an_application_ends_for_a_reason_of_the_list_only(window: Window) -> None:
    number = window.apply(person(1))
    request = window.request("refuse-application", "li", reason="he is a friend")
    with pytest.raises(ApplicationError, match="reason of the list"):
        window.room("li").end(number, request)
    window.room("li").end(number, window.request("refuse-application", "li", reason="photo"))
    ended = window.room("li").get(number)
    assert (ended.state, ended.reason, ended.decided_by) == ("refused", "photo", "li")
    again = window.apply(person(1))
    window.room("zhao").end(again, window.request("withdraw", "zhao", reason="withdrawn"))
    assert [a.state for a in window.room("li").list()] == ["refused", "withdrawn"]
    assert [a.number for a in window.room("li").list(["refused"])] == [number]


def test_the_same_photo_file_serves_one_person_only(window: Window) -> None:
    window.apply(person(1), prepared(1))
    with pytest.raises(PhotoTakenError):
        window.apply(person(2), prepared(1))
    assert [a.applicant.citizen_number for a in window.room("li").list()] == [
        person(1).citizen_number
    ]


def test_a_later_photo_counts_and_the_earlier_one_stays(window: Window) -> None:
    card_id = window.made(1)
    person_id = window.registry.get(card_id).person_id
    window.photos.take(person_id, prepared(7))
    assert window.photos.current(person_id).chip == prepared(7).chip
    kept = rows(window, select(photos.c.current).order_by(photos.c.id))
    assert kept == [(0,), (1,)]


def test_nothing_personal_reaches_the_history(window: Window) -> None:
    window.made(1)
    with pytest.raises(CardkitError):
        window.apply(person(1))
    one = person(1)
    text = json.dumps([list(map(str, row)) for row in rows(window, select(history))])
    for secret in (one.name, one.citizen_number, one.address, one.phone):
        assert secret not in text
        assert secret.encode("unicode_escape").decode() not in text


def test_nothing_personal_is_in_a_repr(window: Window) -> None:
    number = window.apply(person(1), prepared(1))
    shown = repr(window.room("li").get(number)) + repr(prepared(1))
    assert person(1).name not in shown
    assert person(1).citizen_number not in shown


def test_who_applied_today_is_told_apart_by_name_and_birth_date(window: Window) -> None:
    enrol(window.registry, [person(1)])
    twin = person(11, name="张测试1", birth_date=person(11).citizen_number[6:14])
    request = window.request("apply", "zhao")
    found = window.room("zhao").apply(twin, request, today=TODAY).candidates
    assert [c.likeness.value for c in found] == ["name"]
    assert rows(window, select(people.c.id)) == [(1,)]


# -- a roster does not go round it ----------------------------------------------------------------


def conflicts(window: Window, index: int = 1) -> list[str]:
    return [one.reason_en for one in enrol(window.registry, [person(index)]).conflicts]


def test_a_roster_waits_for_an_application_on_its_way(window: Window) -> None:
    number = window.apply(person(1))
    assert "not confirmed yet" in conflicts(window)[0]
    window.check(number)
    assert "not confirmed yet" in conflicts(window)[0]
    assert conflicts(window, 2) == []  # who never applied comes by roster as ever


@pytest.mark.parametrize(
    ("action", "login", "reason", "told"),
    [
        ("refuse-application", "li", "not-entitled", "was refused"),
        ("withdraw", "zhao", "withdrawn", "was withdrawn"),
    ],
)
def test_who_was_refused_or_withdrew_gets_no_card_by_roster(
    window: Window, action: str, login: str, reason: str, told: str
) -> None:
    number = window.apply(person(1))
    window.room(login).end(number, window.request(action, login, reason=reason))
    assert told in conflicts(window)[0]


def test_whom_the_identity_system_calls_dead_gets_no_card(window: Window) -> None:
    window.made(1)
    assert conflicts(window) == []
    window.system.people = {person(1).citizen_number: (person(1).name, Verdict.DEAD)}
    window.identities.check(1, window.system)
    assert "dead" in conflicts(window)[0]


@pytest.mark.parametrize(("state", "made"), [("cancelled", True), ("ended", False)])
def test_a_new_card_after_a_cancelled_one_comes_by_application(
    window: Window, state: str, made: bool
) -> None:
    window.made(1)
    leave_in(window.registry, 1, state)
    assert "the card of this person" in conflicts(window)[0]
    number = window.apply(person(1))
    window.identities.check(number, window.system)
    window.check(number)
    if made:
        assert window.confirm(number) == 2
    else:
        with pytest.raises(ApplicationError, match="has ended"):
            window.confirm(number)


# -- correcting ------------------------------------------------------------------------------------


def test_a_wrong_name_is_corrected_checked_again_and_confirmed(window: Window) -> None:
    number = window.apply(person(1, name="张错字"), prepared(1))
    window.system.people = {person(1).citizen_number: (person(1).name, Verdict.MATCH)}
    assert window.identities.check(number, window.system) is Verdict.NAME_DIFFERS
    window.check(number)
    right = {"name": person(1).name}
    assert window.room("zhao").correct(number, right, today=TODAY) == ["name"]

    one = window.room("li").get(number)
    assert (one.applicant.name, one.state, one.verdict) == (person(1).name, "applied", None)
    assert [a.number for a in window.room("li").list()] == [number]
    kept = select(applications.c.name).where(applications.c.reason == "corrected")
    assert rows(window, kept) == [("张错字",)]
    text = str(rows(window, select(history)))
    assert "correct-application" in text
    assert "张错字" not in text

    assert window.identities.check_waiting(window.system).verdicts == {number: Verdict.MATCH}
    window.check(number)
    assert window.registry.get(window.confirm(number)).name == person(1).name
    assert conflicts(window) == []


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"name": ""}, "form"),
        ({"citizen_number": "639900198101010018"}, "form"),
        ({"state": "confirmed"}, "field"),
        ({}, "same"),
    ],
)
def test_a_correction_is_looked_at_like_an_application(
    window: Window, details: dict[str, str], code: str
) -> None:
    number = window.apply(person(1))
    with pytest.raises(ApplicationError) as caught:
        window.room("zhao").correct(number, details, today=TODAY)
    assert caught.value.code == code
    assert window.room("li").get(number).applicant.name == person(1).name


def test_what_is_decided_is_not_corrected(window: Window) -> None:
    window.made(1)
    with pytest.raises(ApplicationError, match="not corrected any more"):
        window.room("zhao").correct(1, {"name": "李测试"}, today=TODAY)


def test_messages_about_an_application_call_it_so(window: Window) -> None:
    number = window.apply(person(1))
    with pytest.raises(OutOfOrderError) as caught:
        window.confirm(number)
    assert caught.value.zh.startswith(f"申请{number}")
