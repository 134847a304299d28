"""Accounts, passwords, sessions, approvals."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cardkit.errors import UsageError
from cardkit.registry.operators import (
    Approvals,
    NotAllowedError,
    Operators,
    Role,
    Sessions,
    check_apart,
)
from cardkit.registry.registry import Registry
from cardkit.registry.schema.cards import history
from cardkit.registry.schema.operators import operators, sessions
from tests.registry.lifecycle.support import CHEAP, PASSWORD, Office


def accounts(office: Office) -> Operators:
    return Operators(office.registry.books, cost=CHEAP)


def signed_in(office: Office) -> Sessions:
    return Sessions(office.registry.books, accounts(office))


def actions(office: Office) -> list[str]:
    with office.registry.books.store.reading() as connection:
        query = select(history.c.action).order_by(history.c.sequence)
        return list(connection.execute(query).scalars())


def refused(code: str) -> pytest.RaisesExc[NotAllowedError]:
    return pytest.raises(NotAllowedError, check=lambda error: error.code == code)


# --- accounts ------------------------------------------------------------------------------------


def test_the_first_account_is_made_once(registry: Registry) -> None:
    people = Operators(registry.books, cost=CHEAP)
    assert not people.exist()
    first = people.init("boss", "管理员", PASSWORD)
    assert first.roles == {Role.ADMINISTRATOR}
    assert people.exist()
    with refused("not-first"):
        people.init("other", "某人", PASSWORD)


def test_accounts_are_kept_by_an_administrator(office: Office) -> None:
    people = accounts(office)
    with refused("role"):
        people.add("new", "某人", [Role.WINDOW], PASSWORD, by=office.people["wang"])
    with pytest.raises(UsageError):
        people.add("wang", "某人", [Role.WINDOW], PASSWORD, by=office.people["boss"])
    with pytest.raises(UsageError):
        people.add("王", "某人", [Role.WINDOW], PASSWORD, by=office.people["boss"])


@pytest.mark.parametrize(
    "roles",
    [
        (Role.ADMINISTRATOR, Role.COUNTY),
        (Role.ENCRYPTION, Role.WINDOW),
        (Role.INSPECTOR, Role.WINDOW),
        (Role.TOWNSHIP, Role.COUNTY),
    ],
)
def test_roles_that_check_each_other_are_not_one_persons(
    office: Office, roles: tuple[Role, ...]
) -> None:
    with refused("roles-apart"):
        accounts(office).add("new", "某人", roles, PASSWORD, by=office.people["boss"])
    with refused("roles-apart"):
        accounts(office).set_roles("wang", roles, by=office.people["boss"])


def test_somebody_may_have_roles_that_do_not_check_each_other(office: Office) -> None:
    both = [Role.WINDOW, Role.TOWNSHIP]
    assert accounts(office).set_roles("wang", both, by=office.people["boss"]).roles == set(both)


def test_there_is_always_an_administrator(office: Office) -> None:
    people, boss = accounts(office), office.people["boss"]
    with refused("last-administrator"):
        people.lock("boss", by=boss)
    with refused("last-administrator"):
        people.set_roles("boss", [Role.WINDOW], by=boss)


# --- passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weak", ["short1", "aaaaaaaaaaaaaa", "my-wang-password", "x" * 200 + "1"])
def test_weak_passwords_are_refused_and_not_shown(office: Office, weak: str) -> None:
    with refused("weak-password") as caught:
        accounts(office).set_password("wang", weak, by=office.people["wang"])
    assert weak not in f"{caught.value!r} {caught.value.line('zh')} {caught.value.line()}"


def test_a_password_is_kept_as_argon2id_only(office: Office) -> None:
    with office.registry.books.store.reading() as connection:
        kept = connection.execute(select(operators.c.password)).scalars().all()
    assert all(text.startswith("$argon2id$") for text in kept)
    assert len(set(kept)) == len(kept)  # salted: the same password never looks the same


def test_wrong_passwords_lock_the_account(office: Office) -> None:
    people = accounts(office)
    for _ in range(4):
        with refused("password"):
            people.authenticate("wang", "wrong")
    people.authenticate("wang", PASSWORD)  # the count begins anew
    for _ in range(4):
        with refused("password"):
            people.authenticate("wang", "wrong")
    with refused("locked"):
        people.authenticate("wang", "wrong")
    with refused("locked"):
        people.authenticate("wang", PASSWORD)
    people.unlock("wang", by=office.people["boss"])
    assert people.authenticate("wang", PASSWORD).login == "wang"


def test_an_unknown_login_is_told_the_same_as_a_wrong_password(office: Office) -> None:
    with refused("password") as wrong:
        accounts(office).authenticate("wang", "wrong")
    with refused("password") as unknown:
        accounts(office).authenticate("nobody-here", "wrong")
    assert wrong.value.line() == unknown.value.line()
    assert "nobody-here" not in str(actions(office))


# --- sessions ------------------------------------------------------------------------------------


def test_whoever_does_nothing_is_signed_off(office: Office) -> None:
    room = signed_in(office)
    token = room.sign_in("wang", PASSWORD)
    for _ in range(3):
        office.clock.later(minutes=14)
        assert room.touch(token).login == "wang"
    office.clock.later(minutes=16)
    for _ in range(2):
        with refused("signed-off"):
            room.touch(token)
    assert actions(office)[-2:] == ["sign-in", "sign-off"]


def test_a_clock_set_back_gives_nobody_more_time(office: Office) -> None:
    room = signed_in(office)
    token = room.sign_in("wang", PASSWORD)
    office.clock.later(minutes=-60)
    room.touch(token)
    office.clock.later(minutes=76)
    with refused("signed-off"):
        room.touch(token)


def test_signing_off_and_a_new_password_end_the_session(office: Office) -> None:
    room = signed_in(office)
    first, second = room.sign_in("wang", PASSWORD), room.sign_in("zhao", PASSWORD)
    room.sign_off(first)
    room.sign_off(first)
    accounts(office).set_password("zhao", "Another-one-9", by=office.people["zhao"])
    for token in (first, second, "guess"):
        with refused("signed-off"):
            room.touch(token)


def test_the_registry_does_not_know_the_token(office: Office) -> None:
    token = signed_in(office).sign_in("wang", PASSWORD)
    with office.registry.books.store.reading() as connection:
        kept = connection.execute(select(sessions)).all()
    assert token not in str(kept)


# --- approvals -----------------------------------------------------------------------------------


def use(office: Office, number: int, action: str, subject: int | list[int], login: str) -> None:
    with office.registry.books.store.writing() as connection:
        office.life.approvals.use(
            connection, number, action=action, subject=subject, operator=office.people[login]
        )


def test_an_approval_is_for_this_act_on_these_cards_by_this_person_once(office: Office) -> None:
    approvals: Approvals = office.life.approvals
    number = approvals.request("freeze", [1, 2], operator=office.people["chen"]).number
    with refused("second-person"):
        use(office, number, "freeze", [1, 2], "chen")  # not granted yet
    approvals.grant(number, operator=office.people["qian"])
    others: list[tuple[str, int | list[int], str]] = [
        ("end", [1, 2], "chen"),
        ("freeze", [1, 2, 3], "chen"),
        ("freeze", 1, "chen"),
        ("freeze", [1, 2], "wang"),
    ]
    for action, subject, login in others:
        with refused("second-person"):
            use(office, number, action, subject, login)
    use(office, number, "freeze", [2, 1], "chen")
    with refused("second-person"):
        use(office, number, "freeze", [1, 2], "chen")


def test_nobody_approves_their_own_request(office: Office) -> None:
    approvals = office.life.approvals
    number = approvals.request("freeze", 1, operator=office.people["chen"]).number
    with refused("same-person"):
        approvals.grant(number, operator=office.people["chen"])
    with refused("same-person"):
        approvals.on_the_spot(
            "freeze", 1, operator=office.people["chen"], second=office.people["chen"]
        )
    assert actions(office)[-1] == "approval-denied"
    for login in ("ji", "boss", "mi"):
        with refused("role"):
            approvals.grant(number, operator=office.people[login])


def test_a_refused_approval_stays_refused(office: Office) -> None:
    approvals = office.life.approvals
    number = approvals.request("freeze", 1, operator=office.people["chen"]).number
    approvals.refuse(number, operator=office.people["qian"], reason="papers")
    with refused("decided"):
        approvals.grant(number, operator=office.people["qian"])
    found = approvals.get(number)
    assert (found.state, found.reason, found.decided_by) == ("refused", "papers", "qian")
    assert approvals.all("refused") == [found]


def test_an_approval_lapses(office: Office) -> None:
    approvals = office.life.approvals
    first = approvals.request("freeze", 1, operator=office.people["chen"]).number
    second = approvals.request("freeze", 1, operator=office.people["chen"]).number
    approvals.grant(second, operator=office.people["qian"])
    office.clock.later(hours=25)
    with refused("second-person"):
        approvals.grant(first, operator=office.people["qian"])
    with refused("second-person"):
        use(office, second, "freeze", 1, "chen")


def test_an_approval_of_somebody_locked_since_is_void(office: Office) -> None:
    approvals = office.life.approvals
    number = approvals.request("freeze", 1, operator=office.people["chen"]).number
    approvals.grant(number, operator=office.people["qian"])
    accounts(office).lock("qian", by=office.people["boss"])
    with refused("locked"):
        use(office, number, "freeze", 1, "chen")


def test_cards_and_machine_are_carried_by_two_people(office: Office) -> None:
    check_apart(office.people["wang"], office.people["zhao"])
    with refused("same-person"):
        check_apart(office.people["wang"], office.people["wang"])
