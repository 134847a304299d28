"""A township's people act on the people of their township; the county on everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardkit.errors import UsageError
from cardkit.registry.lifecycle import Appearance, Appears, Lifecycle, load
from cardkit.registry.lifecycle.reach import reach_of
from cardkit.registry.operators import NotAllowedError, Operators, Role
from cardkit.registry.places import PlaceRow, Places, Residence
from tests.registry.lifecycle.support import CHEAP, Office

LIST = Appearance(Appears.EMPLOYER, frozenset({"stamped-list"}))


@pytest.fixture
def land(office: Office) -> Office:
    """Two townships; the first has a village. tang works for the first."""
    places = [
        PlaceRow("T1", "township", "一乡", "", "测试乡第1"),
        PlaceRow("V1", "village", "一村", "T1", "测试乡第10"),
        PlaceRow("T2", "township", "二乡", "", "测试乡第2"),
    ]
    Places(office.registry.books).load(places, operator=office.people["chen"])
    move(office, "tang", "T1")
    return office


def move(office: Office, login: str, place: str) -> None:
    people = Operators(office.registry.books, cost=CHEAP)
    office.people[login] = people.set_place(login, place, by=office.people["boss"])


def at_home(office: Office, place: str) -> int:
    """A finished card of somebody who belongs there."""
    card = office.card("issued")
    home = [("card_id", str(card), place)]
    Residence(office.registry.books).assign(home, operator=office.people["chen"])
    return card


@pytest.mark.parametrize("place", ["T1", "V1"])
def test_their_own_township_and_its_villages(land: Office, place: str) -> None:
    card = at_home(land, place)
    assert land.act("hand-out", card, by="tang", second="wang").to_state == "handed_out"


@pytest.mark.parametrize("place", ["T2", None])
def test_not_that_of_others_or_of_nobody(land: Office, place: str | None) -> None:
    card = at_home(land, place) if place else land.card("issued")
    with pytest.raises(NotAllowedError) as caught:
        land.act("hand-out", card, by="tang", second="wang")
    assert caught.value.code == "place"
    assert land.state(card) == "issued"
    assert land.registry.show(card).history[-1].action == "refused"
    assert land.act("hand-out", card, by="wang", second="zhao").to_state == "handed_out"


def test_of_many_those_of_other_places_stay(land: Office) -> None:
    mine, village, other = (at_home(land, place) for place in ("T1", "V1", "T2"))
    cards = [mine, village, other]
    tang, wang = land.people["tang"], land.people["wang"]
    approval = land.life.approvals.on_the_spot("hand-out", cards, operator=tang, second=wang)
    done = land.life.perform_many(
        "hand-out", cards, operator=tang, appearance=LIST, approval=approval.number
    )
    assert (done.done, [card for card, _ in done.refused]) == (2, [other])


def test_somebody_with_a_second_role_is_not_bound(land: Office) -> None:
    people = Operators(land.registry.books, cost=CHEAP)
    both = [Role.TOWNSHIP, Role.WINDOW]
    land.people["tang"] = people.set_roles("tang", both, by=land.people["boss"])
    card = at_home(land, "T2")
    assert land.act("hand-out", card, by="tang", second="wang").to_state == "handed_out"


def test_whoever_moved_belongs_to_the_new_place(land: Office) -> None:
    card = at_home(land, "T2")
    Residence(land.registry.books).assign(
        [("card_id", str(card), "T1")], operator=land.people["chen"], moving=True
    )
    assert land.act("hand-out", card, by="tang", second="wang").to_state == "handed_out"


def test_chips_of_other_places_are_not_seen_nor_done(land: Office) -> None:
    mine, other = at_home(land, "V1"), at_home(land, "T2")
    for card in (mine, other):
        land.act("hand-out", card, by="wang", second="zhao")
        land.act("report-loss", card, by="wang")
    tang, ji = land.people["tang"], land.people["ji"]
    assert [work.number for work in land.life.chips.pending(operator=tang)] == [mine]
    everywhere = land.life.chips.pending(operator=land.people["chen"])
    assert [work.number for work in everywhere] == [mine, other]
    for operator, act, code in ((tang, everywhere[1], "place"), (ji, everywhere[0], "role")):
        with pytest.raises(NotAllowedError) as caught:
            land.life.chip_done(act.act_id, operator=operator)
        assert caught.value.code == code
    land.life.chip_done(everywhere[0].act_id, operator=tang)


def test_an_applicant_is_of_the_place_whose_prefix_is_the_longest(land: Office) -> None:
    with land.registry.books.store.reading() as connection:
        reach = reach_of(connection, land.rules, land.people["tang"])
        roles = {Role.TOWNSHIP}
        for address, near in [
            ("测试乡第1村", True),
            ("测试乡第10村", True),
            ("测试乡第2村", False),
            ("别处", False),
        ]:
            assert reach.reaches_address(connection, roles, address) is near
        assert reach.reaches_address(connection, {Role.TOWNSHIP, Role.COUNTY}, "测试乡第1村")


def test_without_a_place_the_strict_rules_let_nobody_of_a_township_act(land: Office) -> None:
    move(land, "tang", "")
    card = at_home(land, "T2")
    strict = replace(load(base="strict"), numbering=land.rules.numbering)
    life = Lifecycle(land.registry.books, strict)
    request = land.request("hand-out", card, by="tang", second="wang")
    with pytest.raises(NotAllowedError) as caught:
        life.perform(request)
    assert caught.value.code == "place"
    assert land.life.perform(request).to_state == "handed_out"  # the default ones do not ask


def test_a_place_that_does_not_exist_is_given_to_nobody(land: Office) -> None:
    with pytest.raises(UsageError):
        move(land, "tang", "T9")
    with pytest.raises(NotAllowedError):
        Operators(land.registry.books).set_place("tang", "T2", by=land.people["wang"])
