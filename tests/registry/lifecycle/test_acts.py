"""What acts do beside the state, and what is refused whatever the state."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Table, select

from cardkit.errors import ExitCode, UsageError
from cardkit.registry.errors import UnknownCardError
from cardkit.registry.lifecycle import Agent, Appearance, Appears, Request
from cardkit.registry.lifecycle.errors import OutOfOrderError, SameDataError, UnknownActionError
from cardkit.registry.operators import NotAllowedError, Role
from cardkit.registry.schema.cards import cards, chips, history
from cardkit.registry.schema.life import (
    acts,
    agents,
    bank_accounts,
    charges,
    corrections,
    insurance_relations,
    successions,
    temporary_loans,
)
from tests.registry.lifecycle.support import AGENT, Office
from tests.registry.support import applicant, enrol, issue


def rows(office: Office, table: Table) -> list[dict[str, object]]:
    with office.registry.books.store.reading() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key)).mappings()
        return [dict(row) for row in found]


# --- loss ----------------------------------------------------------------------------------------


def test_a_temporary_loss_lapses_by_itself_and_both_instants_are_kept(office: Office) -> None:
    card = office.card("active")
    act = office.act("report-loss-temporary", card, channel="phone")
    assert act.lapses_at.startswith("2012-05-11T08:00")
    office.clock.later(days=9, hours=23)
    assert office.state(card) == "temporarily_lost"
    office.clock.later(hours=2)
    assert office.state(card) == "active"  # before anybody wrote it down
    assert office.registry.get(card).state == "active"
    assert office.registry.counts()["active"] == 1
    assert [record.card_id for record in office.registry.list(["active"])] == [card]
    assert list(office.registry.list(["temporarily_lost"])) == []
    assert office.life.lapse() == 1
    assert office.life.lapse() == 0
    reported, lapsed = office.registry.show(card).history[-2:]
    assert json.loads(reported.detail)["lapses_at"] == act.lapses_at
    assert json.loads(lapsed.detail) == {"lapsed_at": act.lapses_at}
    assert (lapsed.from_state, lapsed.to_state) == ("temporarily_lost", "active")


def test_an_act_after_the_lapse_writes_the_lapse_down_first(office: Office) -> None:
    card = office.card("temporarily_lost")
    office.clock.later(days=11)
    office.act("suspend", card)
    actions = [entry.action for entry in office.registry.show(card).history]
    assert actions[-3:] == ["report-loss-temporary", "lapse", "suspend"]


def test_a_loss_that_lapses_while_the_card_is_frozen_counts_no_more_afterwards(
    office: Office,
) -> None:
    card = office.card("temporarily_lost")
    office.act("freeze", card)
    office.clock.later(days=11)
    assert office.state(card) == "frozen"
    office.act("unfreeze", card)
    assert office.state(card) == "active"


def test_a_loss_unfrozen_in_time_still_lapses(office: Office) -> None:
    card = office.card("temporarily_lost")
    office.act("freeze", card)
    office.act("unfreeze", card)
    assert office.state(card) == "temporarily_lost"
    office.clock.later(days=11)
    assert office.state(card) == "active"


def test_found_after_a_formal_loss_leads_to_before_both_losses(office: Office) -> None:
    card = office.card("suspended")
    office.act("report-loss-temporary", card)
    office.act("report-loss", card)
    office.act("find", card)
    assert office.state(card) == "suspended"
    office.act("release", card)
    assert office.state(card) == "active"


def test_the_two_sides_are_reported_apart(office: Office) -> None:
    card = office.card("active")
    office.act("bank-open", card)
    office.act("bank-report-loss-temporary", card)
    at = office.life.standing(card)
    assert (at.state, at.bank_state) == ("active", "temporarily_lost")
    office.clock.later(days=11)
    assert office.life.standing(card).bank_state == "opened"
    assert office.life.lapse() == 1
    lapse = json.loads(office.registry.show(card).history[-1].detail)
    assert (lapse["bank_from"], lapse["bank_to"]) == ("temporarily_lost", "opened")


# --- a new card for an old one -------------------------------------------------------------------


def test_a_replacement_is_planned_with_new_numbers_and_the_old_card_is_dead(
    office: Office,
) -> None:
    old = office.card("lost")
    act = office.act("replace", old, reason="lost")
    assert act.new_card is not None
    before, after = office.registry.get(old), office.registry.get(act.new_card)
    assert (before.state, after.state) == ("replaced", "planned")
    assert before.person_id == after.person_id
    assert before.card_number != after.card_number
    assert before.id_code != after.id_code
    (chip,) = rows(office, chips)
    assert chip["state"] == "retired"
    (succession,) = rows(office, successions)
    assert (succession["old_card"], succession["new_card"]) == (old, act.new_card)
    assert office.registry.find_by_citizen_number(after.citizen_number) == after


def test_the_first_replacement_is_free_the_second_costs_a_fee(office: Office) -> None:
    old = office.card("lost")
    first = office.act("replace", old)
    assert (first.fee, first.receipt) == (0, "replacement")
    assert first.new_card is not None

    issue(office.registry, office.registry.get(first.new_card))
    for action in ("hand-out", "report-loss"):
        office.act(action, first.new_card)
    second = office.act("replace", first.new_card)
    assert second.fee == 2800
    assert [(c["kind"], c["amount"], c["state"]) for c in rows(office, charges)] == [
        ("fee", 2800, "waived"),
        ("fee", 2800, "paid"),
    ]
    assert first.receipt_number != second.receipt_number


def test_the_due_day_counts_working_days(office: Office) -> None:
    act = office.act("replace", office.card("lost"))
    assert act.due == "2012-06-12"  # 30 working days after Tuesday 1 May
    assert date.fromisoformat(act.due).weekday() < 5


def test_replacing_ends_the_account_of_the_old_card(office: Office) -> None:
    card = office.card("active")
    office.act("bank-open", card, details={"bank": "B1", "account": "6200"})
    office.act("report-loss", card)
    act = office.act("replace", card)
    assert (act.bank_from, act.bank_to) == ("opened", "closed")
    (account,) = rows(office, bank_accounts)
    assert (account["state"], account["account"]) == ("closed", "6200")
    assert "6200" not in "".join(str(entry["detail"]) for entry in rows(office, history))


def test_a_child_who_grew_up_gets_a_card_for_adults(office: Office) -> None:
    person = applicant(0, card_kind="child")
    (card,) = enrol(office.registry, [person]).new
    born = date.fromisoformat(f"{person.birth_date[:4]}-{person.birth_date[4:6]}-01")
    assert office.life.outgrown(born.replace(year=born.year + 15)) == []
    assert office.life.outgrown(born.replace(year=born.year + 17)) == [card]

    issue(office.registry, office.registry.get(card))
    office.act("hand-out", card)
    act = office.act("exchange", card)
    assert act.new_card is not None
    assert office.registry.get(act.new_card).kind == "adult"


def test_nobody_gets_a_card_of_a_kind_that_is_not_for_them(office: Office) -> None:
    card = office.card("active")
    with pytest.raises(NotAllowedError) as caught:
        office.act("exchange", card, details={"kind": "child"})
    assert caught.value.code == "card-kind"
    assert office.state(card) == "active"
    with pytest.raises(UsageError):
        office.act("exchange", card, details={"kind": "gold"})


# --- data, relations -----------------------------------------------------------------------------


def test_a_data_change_keeps_what_it_changes(office: Office) -> None:
    card = office.card("active")
    before = office.registry.get(card)
    act = office.act("change-data", card, details={"name": "张新名", "phone": before.phone})
    assert act.follow_up == "remake"  # the name stands on the face
    assert office.registry.get(card).name == "张新名"
    (kept,) = rows(office, corrections)
    assert (kept["field"], kept["before"], kept["after"]) == ("name", before.name, "张新名")
    assert "张新名" not in "".join(str(entry["detail"]) for entry in rows(office, history))
    with pytest.raises(SameDataError):
        office.act("change-data", card, details={"name": "张新名"})
    with pytest.raises(UsageError):
        office.act("change-data", card, details={"citizen_number": "1"})


def test_what_a_chip_still_needs_is_noted_until_it_is_done(office: Office) -> None:
    card = office.card("active")
    act = office.act("unlock-pin", card)
    assert act.chip == "unlock-pin"
    office.life.chip_done(act.act_id, operator=office.people["wang"])
    assert rows(office, acts)[-1]["chip_done_at"]
    with pytest.raises(UsageError):
        office.life.chip_done(act.act_id, operator=office.people["wang"])


def test_ending_a_card_ends_the_insurance_relation(office: Office) -> None:
    card = office.card("active")
    person = office.registry.get(card).person_id
    with office.registry.books.store.writing() as connection:
        connection.execute(
            insurance_relations.insert().values(id=1, person=person, number="1", state="active")
        )
    office.act("end", card)
    assert rows(office, insurance_relations)[0]["state"] == "ended"


def test_cancelling_takes_three_visits(office: Office) -> None:
    card = office.card("active")
    office.act("bank-open", card)
    office.act("cancel", card)
    with pytest.raises(OutOfOrderError) as caught:
        office.act("cancel-finish", card)  # the bank first
    assert "cancel-bank" in caught.value.legal
    office.act("cancel-bank", card)
    assert office.act("cancel-finish", card).to_state == "cancelled"


def test_a_lost_card_is_cancelled_without_the_card(office: Office) -> None:
    """It cannot be taken back: the certificate of its loss stands for it."""
    card = office.card("lost")
    office.act("cancel", card)
    with pytest.raises(NotAllowedError) as caught:
        office.act("cancel-finish", card, papers=("id",))
    assert "社会保障卡或挂失证明" in caught.value.line("zh")
    done = office.act("cancel-finish", card, papers=("id", "loss-certificate"))
    assert done.to_state == "cancelled"


# --- temporary cards -----------------------------------------------------------------------------


def test_a_temporary_card_is_lent_again_but_its_number_never(office: Office) -> None:
    office.card("planned")
    (number,) = office.life.stock_pool(["T001"], operator=office.people["wang"])
    for _ in range(2):
        out = office.act("temporary-out", number, details={"person": "1"})
        back = office.act("temporary-back", number)
        assert (out.deposit, back.deposit) == (2500, -2500)
        office.act("temporary-wipe", number)
    loans = rows(office, temporary_loans)
    assert len({loan["number"] for loan in loans}) == 2
    assert {loan["ended"] for loan in loans} == {"returned"}
    assert [charge["kind"] for charge in rows(office, charges)] == ["deposit", "refund"] * 2


def test_nobody_has_two_temporary_cards(office: Office) -> None:
    office.card("planned")
    first, second = office.life.stock_pool(["T001", "T002"], operator=office.people["wang"])
    office.act("temporary-out", first, details={"person": "1"})
    with pytest.raises(NotAllowedError):
        office.act("temporary-out", second, details={"person": "1"})
    with pytest.raises(UsageError):
        office.act("temporary-out", second, details={"person": "99"})
    lost = office.act("temporary-lost", first)
    assert lost.deposit == 0  # it is kept


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "how", "code"),
    [
        ("report-loss", {"by": "chen"}, "role"),
        ("report-loss", {"by": "ji"}, "role"),
        ("report-loss", {"by": "boss"}, "role"),
        ("suspend", {"second": "none"}, "second-person"),
        ("reset-pin", {"who": Appears.AGENT}, "appearance"),
        ("unlock-pin", {"who": Appears.AGENT}, "appearance"),
        ("report-loss", {"papers": ()}, "papers"),
        ("report-loss", {"papers": ("id", "张三的身份证")}, "papers"),
        ("exchange", {"papers": ("id",)}, "papers"),
        ("unlock-pin", {"channel": "phone"}, "channel"),
    ],
)
def test_refused_in_one_line_with_nothing_changed(
    office: Office, action: str, how: dict[str, Any], code: str
) -> None:
    card = office.card("active")
    before = office.registry.show(card)
    with pytest.raises(NotAllowedError) as caught:
        office.act(action, card, **how)
    assert caught.value.code == code
    assert caught.value.exit_code == ExitCode.REFUSED
    assert "\n" not in caught.value.line()
    assert not caught.value.line("zh").isascii()
    after = office.registry.show(card)
    assert after.record == before.record
    (entry,) = after.history[len(before.history) :]
    detail = json.loads(entry.detail)
    assert (entry.action, detail["asked"], detail["why"]) == ("refused", action, code)
    assert rows(office, acts)[-1]["result"] == f"refused:{code}"


def test_an_agent_is_named_and_is_not_the_holder(office: Office) -> None:
    card = office.card("active")
    holder = office.registry.get(card).citizen_number
    request = office.request("report-loss", card, who=Appears.AGENT)
    for agent in (None, Agent("某人", holder)):
        appearance = Appearance(Appears.AGENT, request.appearance.papers, agent)
        with pytest.raises(NotAllowedError) as caught:
            office.act("report-loss", card, who=Appears.AGENT, appearance=appearance)
        assert caught.value.code == "agent"
    office.act("report-loss", card, who=Appears.AGENT)
    assert [row["citizen_number"] for row in rows(office, agents)][-1] == AGENT.citizen_number
    assert AGENT.name not in "".join(str(entry["detail"]) for entry in rows(office, history))


def test_what_does_not_exist(office: Office) -> None:
    card = office.card("active")
    with pytest.raises(UnknownActionError):
        office.life.perform(Request("fly", card, office.people["wang"]))
    with pytest.raises(UnknownCardError):
        office.act("report-loss", 99)


def test_a_person_whose_role_was_taken_away_works_no_more_with_it(office: Office) -> None:

    card = office.card("active")
    request = office.request("report-loss", card, by="wang")
    office.life.people.set_roles("wang", [Role.INSPECTOR], by=office.people["boss"])
    with pytest.raises(NotAllowedError):  # though the request still says otherwise
        office.life.perform(request)


# --- many ----------------------------------------------------------------------------------------


def test_many_at_once_are_judged_one_by_one(office: Office) -> None:
    good, frozen, dead = office.card("issued"), office.card("frozen", 1), office.card("ended", 2)
    wanted = [good, frozen, dead, 99]
    wang, zhao = office.people["wang"], office.people["zhao"]
    granted = office.life.approvals.on_the_spot("hand-out", wanted, operator=wang, second=zhao)
    appearance = Appearance(Appears.EMPLOYER, frozenset({"stamped-list"}))
    result = office.life.perform_many(
        "hand-out", wanted, operator=wang, appearance=appearance, approval=granted.number
    )
    assert result.done == 1
    assert [card for card, _ in result.refused] == [frozen, dead, 99]
    assert "frozen" in result.refused[0][1]
    assert [office.state(c) for c in (good, frozen, dead)] == ["handed_out", "frozen", "ended"]
    assert office.registry.show(frozen).history[-1].action == "refused"


def test_an_approval_for_other_cards_stops_all(office: Office) -> None:
    some = [office.card("issued"), office.card("issued", 1)]
    wang, zhao = office.people["wang"], office.people["zhao"]
    granted = office.life.approvals.on_the_spot("hand-out", some[:1], operator=wang, second=zhao)
    appearance = Appearance(Appears.EMPLOYER, frozenset({"stamped-list"}))
    with pytest.raises(NotAllowedError):
        office.life.perform_many(
            "hand-out", some, operator=wang, appearance=appearance, approval=granted.number
        )
    assert [office.state(card) for card in some] == ["issued", "issued"]


def test_the_same_card_twice_in_a_list_is_one_act(office: Office) -> None:
    card = office.card("handed_out")
    wang = office.people["wang"]
    appearance = Appearance(Appears.EMPLOYER, frozenset({"stamped-list"}))
    result = office.life.perform_many("open", [card, card], operator=wang, appearance=appearance)
    assert (result.done, result.refused) == (1, [])
    with office.registry.books.store.reading() as connection:
        assert connection.execute(select(cards.c.state)).scalars().all() == ["active"]


# --- card kinds ----------------------------------------------------------------------------------

SCHOOL = {"kind": "student", "school": "第一中学", "student_number": "G639900199001010012"}


def kind_of(office: Office, card: int | None) -> str:
    with office.registry.books.store.reading() as connection:
        return str(connection.execute(select(cards.c.kind).where(cards.c.id == card)).scalar())


def test_a_pupil_gets_a_student_card_and_later_an_adults(office: Office) -> None:
    card = office.card("active")
    for missing in ("school", "student_number"):
        told = {name: value for name, value in SCHOOL.items() if name != missing}
        with pytest.raises(NotAllowedError) as caught:
            office.act("exchange", card, details=told)
        assert (caught.value.code, caught.value.hint) == ("card-kind", missing)
    act = office.act("exchange", card, details=SCHOOL)
    assert kind_of(office, act.new_card) == "student"
    assert "第一中学" not in "".join(str(entry["detail"]) for entry in rows(office, history))
    assert act.new_card is not None
    issue(office.registry, office.registry.get(act.new_card))
    for action in ("hand-out", "open"):
        office.act(action, act.new_card)
    kept = office.act("exchange", act.new_card)  # a pupil stays one until somebody says otherwise
    assert kind_of(office, kept.new_card) == "student"
    assert kept.new_card is not None
    issue(office.registry, office.registry.get(kept.new_card))
    office.act("hand-out", kept.new_card)
    grown = office.act("exchange", kept.new_card, details={"kind": "adult"})
    assert kind_of(office, grown.new_card) == "adult"


def test_nobody_is_a_pupil_before_the_age_for_it(office: Office) -> None:
    small = applicant(40, birth_date="20070102")
    (card,) = enrol(office.registry, [small], "small").new
    issue(office.registry, office.registry.get(card))
    office.act("hand-out", card)
    with pytest.raises(NotAllowedError) as caught:
        office.act("exchange", card, details=SCHOOL)
    assert (caught.value.code, caught.value.hint) == ("card-kind", "birth_date")
    office.clock.later(days=366 * 2)
    assert kind_of(office, office.act("exchange", card, details=SCHOOL).new_card) == "student"


# --- only judged ---------------------------------------------------------------------------------


def test_a_request_that_is_only_judged_changes_nothing(office: Office) -> None:
    card = office.card("active")
    before = office.registry.show(card)
    request = office.request("reset-pin", card)
    office.life.check(request)
    assert office.registry.show(card) == before
    office.life.perform(request)  # its approval was not used up
    with pytest.raises(NotAllowedError):
        office.life.check(office.request("reset-pin", card, who=Appears.AGENT))
    assert office.registry.show(card).history[-1].action == "refused"
