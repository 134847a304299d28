"""Many cards at once: what differs from card to card, and what one refusal does to the others."""

from __future__ import annotations

from sqlalchemy import select

from cardkit.registry.lifecycle import Appearance, Appears
from cardkit.registry.lifecycle.requests import BulkResult
from cardkit.registry.schema.cards import history
from cardkit.registry.schema.life import acts, bank_accounts, corrections
from tests.registry.lifecycle.support import Office
from tests.registry.lifecycle.test_acts import rows
from tests.registry.support import crowd, enrol

NOBODY = Appearance(Appears.NOBODY)
MANY = 30  # above the number from which one statement is for all


def enrolled(office: Office, count: int = MANY) -> list[int]:
    return list(enrol(office.registry, crowd(count)).new)


def change(office: Office, cards: list[int], **more: object) -> BulkResult:
    chen, qian = office.people["chen"], office.people["qian"]
    approval = office.life.approvals.on_the_spot("change-data", cards, operator=chen, second=qian)
    return office.life.perform_many(
        "change-data", cards, operator=chen, appearance=NOBODY, approval=approval.number,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_everybody_gets_their_own_new_data(office: Office) -> None:
    cards = enrolled(office)
    before = {card: office.registry.get(card) for card in cards}
    each = {card: {"address": f"新村{card}号", "phone": "13900009999"} for card in cards}
    each[cards[1]] = {"phone": "13900009999"}
    assert change(office, cards, each=each) == BulkResult(MANY, [])
    kept = rows(office, corrections)
    assert len(kept) == 2 * MANY - 1
    for card in cards:
        after = office.registry.get(card)
        address = each[card].get("address", before[card].address)
        assert (after.address, after.phone) == (address, "13900009999")
        mine = {str(row["field"]): row["before"] for row in kept if row["card"] == card}
        assert mine == {name: getattr(before[card], name) for name in each[card]}
    act_of = {row["id"]: row["card"] for row in rows(office, acts)}
    assert all(act_of[row["act"]] == row["card"] for row in kept)
    assert "新村" not in "".join(str(entry["detail"]) for entry in rows(office, history))


def test_the_same_for_all_changes_those_who_have_something_else(office: Office) -> None:
    cards = enrolled(office)
    assert change(office, cards[:3], details={"status": "2"}).done == 3
    done = change(office, cards, details={"status": "2"})
    assert (done.done, [card for card, _ in done.refused]) == (MANY - 3, cards[:3])
    assert {office.registry.get(card).status for card in cards} == {"2"}
    assert len(rows(office, corrections)) == MANY
    refused = [row for row in rows(office, acts) if row["result"] == "refused:same-data"]
    assert [row["card"] for row in refused] == cards[:3]


def test_accounts_are_opened_each_with_its_number(office: Office) -> None:
    cards = enrolled(office)
    each = {card: {"account": f"A{card}", "bank_card_number": f"62{card:017d}"} for card in cards}
    del each[cards[4]]["bank_card_number"]
    done = office.life.perform_many(
        "bank-open", [*cards, 999], operator=office.people["chen"], appearance=NOBODY,
        details={"bank": "ICBC"}, each=each,
    )  # fmt: skip
    assert (done.done, len(done.refused)) == (MANY, 1)
    found = rows(office, bank_accounts)
    assert {row["card"]: (row["bank"], row["account"], row["state"]) for row in found} == {
        card: ("ICBC", each[card]["account"], "opened") for card in cards
    }
    numbers = [office.registry.get(card).bank_card_number for card in cards]
    assert numbers == [each[card].get("bank_card_number", "") for card in cards]
    assert "62000" not in "".join(str(entry["detail"]) for entry in rows(office, history))


def test_a_refused_one_leaves_the_others_alone(office: Office) -> None:
    first, second = office.card("active"), office.card("planned")
    done = office.life.perform_many(
        "bank-open", [first, second], operator=office.people["chen"], appearance=NOBODY
    )
    assert done.done == 2
    dead = office.card("ended")
    again = office.life.perform_many(
        "bank-open", [first, dead], operator=office.people["chen"], appearance=NOBODY
    )
    assert (again.done, len(again.refused)) == (0, 2)
    with office.registry.books.store.reading() as connection:
        told = connection.execute(select(acts.c.result).order_by(acts.c.id.desc()).limit(2))
        assert list(told.scalars()) == ["refused:order", "refused:order"]
