"""What fresh eyes found: approvals that stayed, values and reasons nobody looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from cardkit.codec.numbers import parse_citizen_number
from cardkit.errors import UsageError
from cardkit.registry.errors import RegistryError
from cardkit.registry.lifecycle import Agent, Appearance, Appears, RuleSet, load
from cardkit.registry.lifecycle.pool import temporary_pool
from cardkit.registry.lifecycle.values import BadValueError
from cardkit.registry.operators import NotAllowedError, Role
from cardkit.registry.schema import history
from cardkit.registry.schema.life import acts, agents
from tests.registry.lifecycle.support import AGENT, Office


@pytest.fixture
def office(busy_office: Office) -> Office:
    """Every test takes a card of its own."""
    return busy_office


def test_an_approval_on_the_spot_does_not_outlive_a_refused_act(office: Office) -> None:
    card, (chen, qian) = office.card("active"), (office.people["chen"], office.people["qian"])
    before = len(office.life.approvals.all())
    asked = replace(office.request("freeze", card, by="chen", second="none"), second=qian)
    with pytest.raises(NotAllowedError):
        office.life.perform(replace(asked, channel="phone"))
    assert len(office.life.approvals.all()) == before
    act = office.life.perform(asked)
    (kept,) = office.life.approvals.all()[: len(office.life.approvals.all()) - before]
    assert (act.to_state, kept.state, kept.decided_by) == ("frozen", "used", qian.login)
    assert chen.login == kept.asked_by


def test_an_approval_that_was_not_used_is_taken_back(office: Office) -> None:
    card, (chen, qian) = office.card("active"), (office.people["chen"], office.people["qian"])
    given = office.life.approvals.on_the_spot("freeze", card, operator=chen, second=qian)
    office.life.approvals.take_back(given.number)
    with pytest.raises(NotAllowedError):
        office.act("freeze", card, by="chen", second="none", approval=given.number)


def test_an_approval_that_does_not_exist_is_refused_and_in_the_history(office: Office) -> None:
    card = office.card("active")
    with pytest.raises(NotAllowedError) as caught:
        office.act("freeze", card, by="chen", second="none", approval=4711)
    assert caught.value.code == "second-person"
    assert office.registry.show(card).history[-1].action == "refused"


def test_a_county_act_is_not_approved_at_the_window(office: Office) -> None:
    card = office.card("active")
    with pytest.raises(NotAllowedError) as caught:
        office.request("freeze", card, by="chen", second="zhao")
    assert caught.value.code == "role"


@pytest.mark.parametrize("base", ["default", "strict"])
def test_whoever_approves_may_do_it_or_is_of_the_county(base: str) -> None:
    rules: RuleSet = load(base=base)
    for rule in rules.transitions:
        if rule.second:
            assert rule.approvers, rule.name
            assert rule.approvers <= rule.roles | {Role.COUNTY}, rule.name


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "missing"),
        ("name", "张\t三", "character"),
        ("name", "长" * 40, "too_long"),
        ("phone", "打电话找他", "unknown"),
        ("nation", "99", "unknown"),
        ("sex", "3", "unknown"),
        ("birthplace", "青海", "unknown"),
        ("insurance_number", "", "missing"),
        ("address", "村\x07", "character"),
    ],
)
def test_new_data_are_looked_at(office: Office, field: str, value: str, reason: str) -> None:
    card = office.card("active")
    before = office.registry.get(card)
    with pytest.raises(BadValueError) as caught:
        office.act("change-data", card, details={field: value})
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert not value.strip() or value not in caught.value.line("zh") + caught.value.line()
    assert "\n" not in caught.value.line("zh")
    assert office.registry.get(card) == before


def test_new_data_agree_with_the_citizen_number_and_with_other_people(office: Office) -> None:
    card, other = office.card("active"), office.registry.get(office.card("active"))
    sex = parse_citizen_number(office.registry.get(card).citizen_number).sex
    for details, reason in (
        ({"sex": "2" if sex == "1" else "1"}, "differs"),
        ({"insurance_number": other.insurance_number}, "taken"),
    ):
        with pytest.raises(BadValueError) as caught:
            office.act("change-data", card, details=details)
        assert caught.value.reason == reason


@pytest.mark.parametrize("reason", ["张三说丢了", "13900000000", "Lost", "a b", "x" * 41])
def test_a_reason_is_a_code(office: Office, reason: str) -> None:
    card = office.card("active")
    with pytest.raises(UsageError) as caught:
        office.act("report-loss", card, reason=reason)
    assert reason not in caught.value.line("zh")
    assert "lost（遗失）" in caught.value.line("zh")
    office.act("report-loss", card, reason="遗失")
    with office.registry.books.store.reading() as connection:
        kept = select(acts.c.reason).where(acts.c.card == card).order_by(acts.c.id.desc())
        assert connection.execute(kept).scalars().first() == "lost"


def test_an_agents_number_is_checked_and_nobody_stays_from_a_refused_act(office: Office) -> None:
    card = office.card("active")
    papers = office.request("report-loss", card, who=Appears.AGENT).appearance.papers
    for agent in (replace(AGENT, citizen_number="639900197001011236"), Agent(" ", "1")):
        appearance = Appearance(Appears.AGENT, papers, agent)
        with pytest.raises(NotAllowedError) as caught:
            office.act("report-loss", card, who=Appears.AGENT, appearance=appearance)
        assert caught.value.code == "agent"
    stranger = Agent("王陌生", "11010519491231002X")
    with pytest.raises(NotAllowedError):
        office.act(
            "report-loss", card, who=Appears.AGENT, channel="phone",
            appearance=Appearance(Appears.AGENT, papers, stranger),
        )  # fmt: skip
    with office.registry.books.store.reading() as connection:
        numbers = set(connection.execute(select(agents.c.citizen_number)).scalars())
    assert numbers <= {AGENT.citizen_number}


def test_who_has_no_card_any_more_borrows_none(office: Office) -> None:
    ended = office.registry.get(office.card("ended"))
    (number,) = office.life.stock_pool(["E001"], operator=office.people["wang"])
    with pytest.raises(NotAllowedError) as caught:
        office.act("temporary-out", number, details={"person": str(ended.person_id)})
    assert caught.value.code == "no-card"


def test_the_pool_says_what_is_out_and_overdue(office: Office) -> None:
    wang, books, calendar = office.people["wang"], office.registry.books, office.rules.calendar
    numbers = office.life.stock_pool(["P001", "P002"], operator=wang)
    for given in (["P003", "P001"], ["P004", "P004"]):
        with pytest.raises(RegistryError) as caught:
            office.life.stock_pool(given, operator=wang)
        assert given[1] in caught.value.line("zh")
    person = office.registry.get(office.card("planned")).person_id
    office.act("temporary-out", numbers[0], details={"person": str(person)})
    pool = {one.serial: one for one in temporary_pool(books, calendar)}
    assert (pool["P001"].state, pool["P001"].overdue, pool["P001"].person) == ("out", False, person)
    assert (pool["P002"].state, pool["P002"].due) == ("pool", "")
    assert "P003" not in pool
    office.clock.later(days=62)
    assert {one.serial for one in temporary_pool(books, calendar) if one.overdue} == {"P001"}


def test_a_person_without_the_role_for_the_pool_is_in_the_history(office: Office) -> None:
    with pytest.raises(NotAllowedError):
        office.life.stock_pool(["Q001"], operator=office.people["ji"])
    query = select(history.c.action, history.c.actor).order_by(history.c.sequence.desc())
    with office.registry.books.store.reading() as connection:
        assert tuple(connection.execute(query.limit(1)).one()) == ("refused", "ji")


def test_a_death_ends_the_planned_replacement_without_a_chip_to_punch(office: Office) -> None:
    act = office.act("replace", office.card("lost"))
    assert act.new_card is not None
    ended = office.act("end", act.new_card)
    assert (ended.to_state, ended.chip) == ("ended", "")
