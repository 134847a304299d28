"""A village day: the pack, who had it, what came back, and what the registry could not follow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from cardkit.errors import UsageError
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle import Agent, Appearance, Appears, Lifecycle, Request, load
from cardkit.registry.lifecycle.errors import InLotError
from cardkit.registry.lots import Clerk, Lot, LotError, Lots, Outcome, OutcomeRow
from cardkit.registry.lots.files import read_outcome, read_pack
from cardkit.registry.lots.taking_down import take_down
from cardkit.registry.operators import Approvals, NotAllowedError
from cardkit.registry.places import Membership, PlaceRow, Places, Residence
from cardkit.registry.registry import Registry
from cardkit.registry.stock import Order, Stock
from tests.registry.crew import Crew
from tests.registry.support import crowd, enrol, issue


@pytest.fixture
def crew(registry: Registry) -> Crew:
    crew = Crew(registry.books)
    records = registry.get_many(enrol(registry, crowd(12)).new)
    for record in records:
        issue(registry, record)
    Residence(registry.books).assign_by_address(operator=crew.li)
    Stock(registry.books).do(Order("receive", "pos", "W1", "POS001", "POS002"), operator=crew.li)
    return crew


@pytest.fixture
def lots(registry: Registry) -> Lots:
    return Lots(registry.books, Lifecycle(registry.books, load()))


def packed(lots: Lots, crew: Crew, *card_ids: int) -> Lot:
    return lots.pack("V0", operator=crew.li, card_ids=card_ids or None)


def taken_out(lots: Lots, crew: Crew, *card_ids: int) -> Lot:
    lot = packed(lots, crew, *card_ids)
    return lots.out(
        lot.lot_id,
        operator=crew.li,
        card_carrier="zhao",
        machine_carrier="qian",
        machine="POS001",
    )


def outcome(lots: Lots, lot: Lot, *rows: OutcomeRow) -> Outcome:
    pack = lots.pack_file(lot.lot_id)
    return Outcome(lot.lot_id, lot.digest, rows).sealed(pack.seal_key)


def rows_of(lots: Lots, lot: Lot, result: str = "handed") -> list[OutcomeRow]:
    cards = lots.pack_file(lot.lot_id).cards
    return [OutcomeRow(card.position, card.card_id, result) for card in cards]


def test_a_village_day(lots: Lots, crew: Crew, registry: Registry) -> None:
    lot = taken_out(lots, crew, 1, 2, 3, 4)
    handed, left = rows_of(lots, lot)[:3], rows_of(lots, lot, "returned")[3:]

    merged = lots.merge(outcome(lots, lot, *handed, *left), operator=crew.zhao)
    story = lots.back(lot.lot_id, [4], operator=crew.li)
    closed = lots.close(lot.lot_id, operator=crew.li).lot

    assert (merged.handed, merged.returned, merged.conflicts) == (3, 1, ())
    assert [registry.get(n).state for n in (1, 2, 3, 4)] == ["handed_out"] * 3 + ["issued"]
    assert [(c.what, c.from_who, c.to_who, c.count) for c in story.custody] == [
        ("cards", "", "li", 4),
        ("cards", "li", "zhao", 4),
        ("machine", "li", "qian", 1),
        ("cards", "zhao", "li", 1),
        ("machine", "qian", "li", 1),
    ]
    assert (closed.state, closed.handed, closed.returned, closed.missing) == ("closed", 3, 1, 0)
    assert packed(lots, crew, 4).count == 1  # what came back goes along the next time


def test_a_village_gets_its_own_cards_and_each_is_in_one_lot(lots: Lots, crew: Crew) -> None:
    lot = packed(lots, crew)
    cards = [card.card_id for card in lots.pack_file(lot.lot_id).cards]

    assert cards == [1]  # the only address that begins with the prefix of V0
    with pytest.raises(LotError, match="no card"):
        packed(lots, crew)
    with pytest.raises(LotError, match="card record 1 cannot be packed"):
        packed(lots, crew, 1, 2)


def test_every_village_with_cards_gets_a_lot(lots: Lots, crew: Crew) -> None:
    made = lots.pack_villages("C", operator=crew.li)

    assert [(lot.place, lot.count) for lot in made] == [("V0", 1), ("V1", 3), ("V2", 1)]
    assert lots.pack_villages("C", operator=crew.li) == []


def test_one_person_never_has_cards_and_machine(lots: Lots, crew: Crew) -> None:
    lot = packed(lots, crew, 1, 2)

    for cards, machine in (("zhao", "zhao"), ("li", "zhao")):
        with pytest.raises(NotAllowedError) as refused:
            lots.out(lot.lot_id, operator=crew.li, card_carrier=cards, machine_carrier=machine)
        assert refused.value.code == "same-person"
    with pytest.raises(NotAllowedError):
        lots.out(lot.lot_id, operator=crew.li, card_carrier="sun", machine_carrier="zhao")
    assert lots.show(lot.lot_id).lot.state == "packed"


def test_a_machine_is_in_one_bag_and_in_stock(lots: Lots, crew: Crew) -> None:
    taken_out(lots, crew, 1)
    other = packed(lots, crew, 2)

    for machine, words in (("POS001", "is out with L000001"), ("POS009", "stock has no pos")):
        with pytest.raises(LotError, match=words):
            lots.out(
                other.lot_id,
                operator=crew.li,
                card_carrier="qian",
                machine_carrier="zhao",
                machine=machine,
            )


def test_cards_change_hands_on_the_way(lots: Lots, crew: Crew) -> None:
    lot = taken_out(lots, crew, 1, 2)

    with pytest.raises(NotAllowedError):
        lots.hand_over(lot.lot_id, "wang", operator=crew.li)  # who does not have them
    with pytest.raises(NotAllowedError):
        lots.hand_over(lot.lot_id, "qian", operator=crew.zhao)  # who has the machine
    lots.hand_over(lot.lot_id, "wang", operator=crew.zhao)
    with pytest.raises(NotAllowedError):
        lots.back(lot.lot_id, [1, 2], operator=crew.wang)  # from oneself

    chain = lots.back(lot.lot_id, [1, 2], operator=crew.li).custody
    cards = [(one.from_who, one.to_who) for one in chain if one.what == "cards"]
    assert cards == [("", "li"), ("li", "zhao"), ("zhao", "wang"), ("wang", "li")]


def test_merging_twice_changes_nothing(lots: Lots, crew: Crew, registry: Registry) -> None:
    lot = taken_out(lots, crew, 1, 2, 3)
    file = outcome(lots, lot, *rows_of(lots, lot))

    first = lots.merge(file, operator=crew.zhao)
    head = registry.history_head()
    again = lots.merge(file, operator=crew.zhao)

    assert again == replace(first, again=True)
    assert registry.history_head() == head
    later = lots.merge(outcome(lots, lot, *rows_of(lots, lot)[:2]), operator=crew.zhao)
    assert (later.handed, later.already, later.conflicts) == (0, 2, ())


def move(registry: Registry, card_id: int, state: str) -> None:
    """Bring a card into a state as other windows would; the history has to say so too."""
    before = registry.get(card_id)
    with registry.books.store.writing() as connection:
        connection.execute(
            text("UPDATE cards SET state = :state WHERE id = :id"), {"state": state, "id": card_id}
        )
        event = Event("test", card_id, before.person_id, before.state, state)
        registry.books.journal.append(connection, registry.books.store.now(), event)


def test_what_the_registry_cannot_follow_is_named(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    other = packed(lots, crew, 9)
    lot = taken_out(lots, crew, 1, 2, 3, 4, 5, 6)
    for card_id, state in ((2, "frozen"), (3, "lost"), (4, "replaced")):
        move(registry, card_id, state)
    rows = rows_of(lots, lot)
    strange = [
        rows[0],
        OutcomeRow(7, 9, "handed"),  # of the other lot
        OutcomeRow(8, 10, "handed"),  # of no lot
        OutcomeRow(9, 4711, "handed"),
        OutcomeRow(5, 6, "handed"),  # position 5 is card 5
    ]

    result = lots.merge(outcome(lots, lot, *rows[:4], *strange), operator=crew.zhao)

    assert [(c.position, c.kind) for c in result.conflicts] == [
        (2, "state"),
        (3, "state"),
        (4, "state"),
        (1, "twice"),
        (7, "other-lot"),
        (8, "other-lot"),
        (9, "unknown-card"),
        (5, "other-card"),
    ]
    assert result.conflicts[0].detail == "the card is frozen at the centre"
    assert other.name in result.conflicts[4].detail
    assert [registry.get(n).state for n in range(1, 5)] == [
        "handed_out",
        "frozen",
        "lost",
        "replaced",
    ]
    story = lots.show(lot.lot_id)
    assert (story.lot.handed, story.lot.conflicts) == (4, 3)  # they are with their holders
    assert story.conflicts == result.conflicts
    contradicting = replace(rows[0], outcome="returned")
    later = lots.merge(outcome(lots, lot, contradicting), operator=crew.zhao)
    assert [c.kind for c in later.conflicts] == ["contradicts"]


def test_the_rules_of_handing_out_hold_in_the_village_too(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    lot = taken_out(lots, crew, 1, 2, 3)
    rows = rows_of(lots, lot)
    agent = Agent("测试代", "639900198001019995", "13900000000", "son")
    file = outcome(
        lots,
        lot,
        replace(rows[0], appeared="agent", papers=("id", "agent-id"), agent=agent),
        replace(rows[1], appeared="agent", papers=("id",), agent=agent),  # without the agent's ID
        replace(rows[2], appeared="nobody"),
    )

    result = lots.merge(file, operator=crew.zhao)

    assert [(c.position, c.kind) for c in result.conflicts] == [(2, "refused"), (3, "refused")]
    assert [registry.get(n).state for n in (1, 2, 3)] == ["handed_out", "issued", "issued"]
    with registry.books.store.reading() as connection:
        details = connection.execute(text("SELECT detail FROM history")).scalars().all()
    assert not any(agent.name in detail or agent.citizen_number in detail for detail in details)


def test_a_changed_file_or_one_of_another_lot_is_refused(lots: Lots, crew: Crew) -> None:
    lot = taken_out(lots, crew, 1, 2)
    other = packed(lots, crew, 3)
    file = outcome(lots, lot, *rows_of(lots, lot))
    fewer = Outcome(lot.lot_id, lot.digest, file.rows[:1], file.seal)
    foreign = Outcome(lot.lot_id, other.digest, file.rows, file.seal)
    early = outcome(lots, other, *rows_of(lots, other))
    unknown = Outcome(77, lot.digest, file.rows, file.seal)

    for wrong, code in (
        (fewer, "changed"),
        (foreign, "other-list"),
        (early, "order"),
        (unknown, "unknown"),
    ):
        with pytest.raises(LotError) as refused:
            lots.merge(wrong, operator=crew.zhao)
        assert refused.value.code == code
    assert lots.show(lot.lot_id).lot.unknown == 2


def test_a_difference_is_named_and_explained_by_two(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    lot = taken_out(lots, crew, 1, 2, 3)
    lots.merge(outcome(lots, lot, rows_of(lots, lot)[0]), operator=crew.zhao)
    story = lots.back(lot.lot_id, [2], operator=crew.li)
    assert story.open_cards == ((3, 3),)

    with pytest.raises(LotError, match=registry.get(3).card_number):
        lots.close(lot.lot_id, operator=crew.li)
    with pytest.raises(NotAllowedError):
        lots.close(lot.lot_id, operator=crew.li, minutes="CY-1")
    approval = Approvals(registry.books).on_the_spot(
        "lot-close", lot.lot_id, operator=crew.li, second=crew.wang
    )
    closed = lots.close(lot.lot_id, operator=crew.li, minutes="CY-1", approval=approval.number)

    assert (closed.lot.handed, closed.lot.returned, closed.lot.missing) == (1, 1, 1)
    assert closed.open_cards == ((3, 3),)


def test_the_count_is_by_card(lots: Lots, crew: Crew) -> None:
    lot = taken_out(lots, crew, 1, 2)

    for returned, code in (([1, 1], "twice"), ([3], "not-of-lot")):
        with pytest.raises(LotError) as refused:
            lots.back(lot.lot_id, returned, operator=crew.li)
        assert refused.value.code == code
    lots.merge(outcome(lots, lot, *rows_of(lots, lot)), operator=crew.zhao)
    story = lots.back(lot.lot_id, [2], operator=crew.li)  # handed out, says the file

    assert story.lot.conflicts == 1
    assert [(c.position, c.card_id, c.kind) for c in story.conflicts] == [(2, 2, "came-back")]


def closed(lots: Lots, crew: Crew, lot: Lot, registry: Registry) -> None:
    approval = Approvals(registry.books).on_the_spot(
        "lot-close", lot.lot_id, operator=crew.li, second=crew.wang
    )
    lots.close(lot.lot_id, operator=crew.li, minutes="CY-1", approval=approval.number)


def test_only_what_is_in_the_office_is_packed_the_next_time(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    Residence(registry.books).assign(
        [("card_id", str(card), "V2") for card in range(1, 5)], operator=crew.li, moving=True
    )
    lot = taken_out(lots, crew, 1, 2, 3, 4)
    rows = rows_of(lots, lot)
    without_papers = replace(rows[0], papers=())  # refused, yet the card is with its holder
    move(registry, 2, "frozen")
    lots.merge(outcome(lots, lot, without_papers, rows[1]), operator=crew.zhao)
    move(registry, 2, "issued")  # unfrozen
    lots.back(lot.lot_id, [3], operator=crew.li)  # nobody knows where card 4 is
    closed(lots, crew, lot, registry)

    again = lots.pack("V2", operator=crew.li)

    assert 3 in [card.card_id for card in lots.pack_file(again.lot_id).cards]
    assert not {1, 2, 4} & {card.card_id for card in lots.pack_file(again.lot_id).cards}
    found = lots.pack("V2", operator=crew.li, card_ids=[4])  # it turned up: somebody names it
    lots.out(found.lot_id, operator=crew.li, card_carrier="zhao", machine_carrier="qian")
    lots.back(found.lot_id, [1], operator=crew.li)
    lots.close(found.lot_id, operator=crew.li)
    assert [
        card.card_id for card in lots.pack_file(lots.pack("V2", operator=crew.li).lot_id).cards
    ] == [4]


def test_lots_go_one_way(lots: Lots, crew: Crew) -> None:
    lot = packed(lots, crew, 1)

    with pytest.raises(LotError, match="is packed, not out"):
        lots.back(lot.lot_id, [1], operator=crew.li)
    with pytest.raises(LotError, match="is packed, not back"):
        lots.close(lot.lot_id, operator=crew.li)


def test_only_an_encrypted_pack_names_people(lots: Lots, crew: Crew) -> None:
    lot = packed(lots, crew, 1, 2)
    pack = lots.pack_file(lot.lot_id)

    clear, full = pack.to_json(full=False), pack.to_json(full=True)

    for card in pack.cards:
        assert card.name not in clear
        assert card.citizen_number not in clear
        assert card.citizen_number in full
    assert read_pack(full).cards == pack.cards
    assert "seal_key" in json.loads(full)
    assert "seal_key" not in json.loads(clear)
    assert pack.cards[0].name not in repr(pack)
    with pytest.raises(LotError, match="changed"):
        read_pack(clear.replace(pack.cards[0].card_number, pack.cards[1].card_number))


def test_the_staff_writes_down_rows_and_the_file_is_sealed(lots: Lots, crew: Crew) -> None:
    lot = taken_out(lots, crew, 1, 2, 3)
    pack = read_pack(lots.pack_file(lot.lot_id).to_json(full=True))
    written = (
        "position,outcome,appeared,agent_name,agent_number,relation\n"
        "1,handed,,,,\n2,handed,agent,测试代,639900198001019995,son\n3,returned,,,,\n"
    )

    file = read_outcome(take_down(pack, written).to_json())
    result = lots.merge(file, operator=crew.zhao)

    assert (result.handed, result.returned, result.conflicts) == (2, 1, ())
    for line in ("4,handed,,,,", "1,eaten,,,,", "1,handed,agent,,,", "x,handed,,,,"):
        with pytest.raises(LotError, match="line 2"):
            take_down(pack, written.splitlines()[0] + "\n" + line)


def test_when_a_card_was_handed_out_is_an_instant(lots: Lots, crew: Crew) -> None:
    pack = lots.pack_file(taken_out(lots, crew, 1).lot_id)
    head = "position,outcome,at\n1,handed,"

    assert take_down(pack, head + "2012-05-01 10:30").rows[0].at == "2012-05-01T02:30:00.000Z"
    for nonsense in ("昨天", "2012-05-01", "10:30"):
        with pytest.raises(LotError, match="line 2"):
            take_down(pack, head + nonsense)
    told = take_down(pack, head + "2012-05-01 10:30").to_json()
    with pytest.raises(LotError, match="damaged"):
        read_outcome(told.replace("2012-05-01T02:30:00.000Z", "yesterday"))


def test_attempts_are_in_the_history(lots: Lots, crew: Crew, registry: Registry) -> None:
    with pytest.raises(NotAllowedError):
        lots.pack("V0", operator=crew.sun)

    with registry.books.store.reading() as connection:
        last = connection.execute(
            text("SELECT actor, action, detail FROM history ORDER BY sequence DESC LIMIT 1")
        ).one()
    assert tuple(last) == ("sun", "refused", '{"for":"lot-pack","why":"role"}')


def test_who_takes_a_list_is_in_the_history(lots: Lots, crew: Crew, registry: Registry) -> None:
    lot = packed(lots, crew, 1, 2)
    with pytest.raises(NotAllowedError):
        lots.take(lot.lot_id, operator=crew.sun)
    lots.take(lot.lot_id, operator=crew.zhao)
    lots.take(lot.lot_id, operator=crew.li, recipient="age1xyz")
    with registry.books.store.reading() as connection:
        rows = connection.execute(
            text("SELECT actor, detail FROM history WHERE action = 'lot-take' ORDER BY sequence")
        ).all()
    assert [(who, json.loads(detail)["form"]) for who, detail in rows] == [
        ("zhao", "masked"), ("li", "encrypted"),
    ]  # fmt: skip
    assert all(json.loads(detail)["digest"] == lot.digest for _, detail in rows)


def hand_out(crew: Crew, registry: Registry, card_id: int) -> None:
    holder = Appearance(Appears.HOLDER, frozenset({"id"}))
    Lifecycle(registry.books, load()).perform(
        Request("hand-out", card_id, crew.zhao, holder, second=crew.qian)
    )


def test_a_card_that_is_out_is_not_handed_out_at_the_window(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    """It is not there; the lot hands it out, or brings it back and it is counted."""
    lot = taken_out(lots, crew, 1, 2)
    with pytest.raises(InLotError, match=f"record 1 is out with the hand-out lot {lot.name}"):
        hand_out(crew, registry, 1)
    with registry.books.store.reading() as connection:
        kept = connection.execute(text("SELECT card, result, reason FROM acts")).all()
    assert kept == [(1, "refused:in-lot", "")], "the attempt is kept"

    here, away = rows_of(lots, lot)[:1], rows_of(lots, lot, "returned")[1:]
    assert lots.merge(outcome(lots, lot, *here, *away), operator=crew.zhao).conflicts == ()
    with pytest.raises(InLotError):
        hand_out(crew, registry, 2)

    lots.back(lot.lot_id, [2], operator=crew.li)
    hand_out(crew, registry, 2)
    assert [registry.get(n).state for n in (1, 2)] == ["handed_out"] * 2


def test_a_lot_packed_by_mistake_is_taken_apart(lots: Lots, crew: Crew, registry: Registry) -> None:
    """Its cards go into the next lot; it stays on the list, with nothing open."""
    wrong = packed(lots, crew, 1, 2)
    done = lots.unpack(wrong.lot_id, "wrong-data", operator=crew.zhao)

    assert (done.state, done.count, done.unknown) == ("unpacked", 2, 0)
    assert (lots.show(wrong.lot_id).open_cards, lots.list("packed")) == ((), [])
    assert packed(lots, crew, 1, 2).lot_id == wrong.lot_id + 1
    with registry.books.store.reading() as connection:
        query = "SELECT actor, detail FROM history WHERE action = 'lot-unpack'"
        (actor, detail) = connection.execute(text(query)).one()
    expected = {"lot": wrong.lot_id, "cards": 2, "reason": "wrong-data"}
    assert (actor, json.loads(detail)) == ("zhao", expected)


def test_a_lot_leaves_only_with_the_cards_of_its_list(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    """One was given to its holder at the window before the lot left: it is not in the bag."""
    stale = packed(lots, crew, 1, 2)
    hand_out(crew, registry, 1)
    with pytest.raises(LotError, match="1 of 2 cards are not to be handed out any more: A00000011"):
        lots.out(stale.lot_id, operator=crew.li, card_carrier="zhao", machine_carrier="qian")

    lots.unpack(stale.lot_id, "outdated", operator=crew.li)
    left = packed(lots, crew, 2)
    out = lots.out(left.lot_id, operator=crew.li, card_carrier="zhao", machine_carrier="qian")
    assert (out.state, out.count) == ("out", 1)


def test_what_left_once_is_not_unpacked(lots: Lots, crew: Crew) -> None:
    lot = taken_out(lots, crew, 1)
    with pytest.raises(LotError, match="is out, not packed"):
        lots.unpack(lot.lot_id, "other", operator=crew.li)
    with pytest.raises(LotError, match="packed"):
        packed(lots, crew, 1)
    other = packed(lots, crew, 2)
    with pytest.raises(NotAllowedError):
        lots.unpack(other.lot_id, "other", operator=crew.sun)
    for reason in ("", "张三的卡"):
        with pytest.raises(UsageError, match="reason"):
            lots.unpack(other.lot_id, reason, operator=crew.li)
    lots.unpack(other.lot_id, "other", operator=crew.li)
    with pytest.raises(LotError, match="is unpacked, not packed"):
        lots.out(other.lot_id, operator=crew.li, card_carrier="zhao", machine_carrier="qian")


def test_many_at_once_leave_out_what_is_in_a_lot(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    taken_out(lots, crew, 1)
    life = Lifecycle(registry.books, load())
    given = life.approvals.on_the_spot("hand-out", [1, 3], operator=crew.zhao, second=crew.qian)
    done = life.perform_many(
        "hand-out", [1, 3], operator=crew.zhao, approval=given.number,
        appearance=Appearance(Appears.EMPLOYER, frozenset({"stamped-list"})),
    )  # fmt: skip
    assert (done.done, [card for card, _ in done.refused]) == (1, [1])


def vouched(registry: Registry, crew: Crew, file: Outcome) -> int:
    return (
        Approvals(registry.books)
        .on_the_spot("lot-merge", file.subject(), operator=crew.zhao, second=crew.li)
        .number
    )


def test_a_file_without_a_seal_counts_when_two_people_vouch_for_exactly_it(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    lot = taken_out(lots, crew, 1, 2)
    clear = read_pack(lots.pack_file(lot.lot_id).to_json(full=False))
    file = read_outcome(take_down(clear, "position,outcome\n1,handed\n2,returned\n").to_json())
    other = read_outcome(take_down(clear, "position,outcome\n1,handed\n2,handed\n").to_json())
    assert file.seal == ""
    with pytest.raises(NotAllowedError, match="vouch"):
        lots.merge(file, operator=crew.zhao)
    number = vouched(registry, crew, file)
    with pytest.raises(NotAllowedError, match="something else"):
        lots.merge(other, operator=crew.zhao, approval=number)
    result = lots.merge(file, operator=crew.zhao, approval=number)
    assert (result.handed, result.returned) == (1, 1)
    assert lots.merge(file, operator=crew.zhao).again
    sealed = replace(file, seal="00" * 32)
    with pytest.raises(LotError, match="changed"):
        lots.merge(sealed, operator=crew.zhao)


def test_an_employer_collects_the_cards_of_the_people_on_its_list(
    lots: Lots, crew: Crew, registry: Registry
) -> None:
    Places(registry.books).load([PlaceRow("E1", "employer", "测试厂", "C")], operator=crew.li)
    rows = [("card_id", str(card), "E1") for card in (2, 5, 7)]
    assert Membership(registry.books).assign(rows, operator=crew.li).new == 3
    lot = lots.pack("E1", "employer", operator=crew.li)
    assert [card.card_id for card in lots.pack_file(lot.lot_id).cards] == [2, 5, 7]
    with pytest.raises(LotError, match="collected by its employer"):
        lots.out(lot.lot_id, operator=crew.li, card_carrier="zhao", machine_carrier="qian")
    clerk = Clerk("单位经办", "639900197001010013")
    approvals = Approvals(registry.books)

    def second() -> int:
        return approvals.on_the_spot(
            "lot-pick-up", lot.lot_id, operator=crew.zhao, second=crew.li
        ).number

    with pytest.raises(NotAllowedError, match="one person"):
        lots.pick_up(lot.lot_id, clerk, operator=crew.zhao, approval=None)
    for bad in (replace(clerk, papers={"id"}), replace(clerk, name="")):
        with pytest.raises(LotError, match="stamped list"):
            lots.pick_up(lot.lot_id, bad, operator=crew.zhao, approval=second())
    astray = replace(clerk, citizen_number="639900197001010016")
    with pytest.raises(LotError, match="citizen number"):
        lots.pick_up(lot.lot_id, astray, operator=crew.zhao, approval=second())
    lots.pick_up(lot.lot_id, clerk, operator=crew.zhao, approval=second())
    story = lots.show(lot.lot_id)
    assert (story.clerk, story.custody[-1].to_who, story.custody[-1].count) == (
        "单位经办", "employer E1", 3,
    )  # fmt: skip

    pack = lots.pack_file(lot.lot_id)
    signed = "position,outcome,appeared\n1,handed,employer\n2,handed,employer\n3,returned,\n"
    file = take_down(pack, signed)
    with pytest.raises(NotAllowedError, match="vouch"):
        lots.merge(file, operator=crew.zhao)
    result = lots.merge(file, operator=crew.zhao, approval=vouched(registry, crew, file))
    assert (result.handed, result.returned, result.conflicts) == (2, 1, ())
    lots.back(lot.lot_id, [3], operator=crew.li)
    assert lots.close(lot.lot_id, operator=crew.li).lot.state == "closed"
    assert registry.get(2).state == "handed_out"
    with registry.books.store.reading() as connection:
        told = connection.execute(text("SELECT detail FROM history")).scalars().all()
    assert not any("单位经办" in line or "639900197001010013" in line for line in told)
