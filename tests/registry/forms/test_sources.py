"""What papers say comes from what the registry knows, and from nowhere else."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, text

from cardkit.errors import UsageError
from cardkit.registry.forms import Kind, Subject
from cardkit.registry.forms.contents import ReceiptContent
from cardkit.registry.forms.errors import NoSuchPaperError
from cardkit.registry.forms.gathering import Gathered, Wish, gather
from cardkit.registry.forms.lists import (
    ArchiveContent,
    CountContent,
    HandOutContent,
    StatementContent,
)
from cardkit.registry.forms.sources import office_of
from cardkit.registry.lifecycle import Appearance, Appears, Request
from cardkit.registry.operators import NotAllowedError
from cardkit.registry.places import PlacesError
from cardkit.registry.schema import people
from cardkit.registry.schema.inspection import volume_people, volumes
from cardkit.registry.schema.lots import lot_cards, lots
from cardkit.registry.stock import Order, Stock
from tests.registry.forms.conftest import HOLDER, Office
from tests.registry.support import crowd, enrol, issue

FIRST, LAST = date(2012, 5, 1), date(2012, 5, 31)


def wished(office: Office, kind: Kind, wish: Wish) -> Gathered:
    with office.registry.books.store.reading() as connection:
        return gather(
            connection, office.desk, kind, wish, login="zhao", now="2012-05-31T09:00:00.000Z"
        )


def place_id(office: Office, code: str) -> int:
    with office.registry.books.store.reading() as connection:
        query = text("SELECT id FROM places WHERE code = :code")
        return int(connection.execute(query, {"code": code}).scalar_one())


def test_an_act_through_an_agent_in_the_words_of_the_rules(office: Office) -> None:
    content = office.content(office.lose(), Kind.BUSINESS)

    record = office.registry.get(office.card)
    assert (content.action, content.before, content.after) == ("正式挂失", "已启用", "已挂失")
    assert content.holder.name == record.name
    assert content.holder.citizen_number == record.citizen_number
    assert content.agent is not None
    assert (content.agent.name, content.agent.relation) == ("李代办", "父亲")
    assert content.appeared == "代办人"
    assert sorted(content.papers) == ["代办人身份证", "本人身份证"]
    assert (content.operator, content.second) == ("测试zhao", "")
    assert content.at.startswith("2012-05-01 16:")  # 08:00 UTC


def test_the_second_person_is_named(office: Office) -> None:
    content = office.content(office.do("hand-out"), Kind.BUSINESS)

    assert (content.operator, content.second) == ("测试zhao", "测试qian")


def test_a_replacement_names_both_cards_and_the_day(office: Office) -> None:
    office.lose()
    act = office.do("replace")

    content = office.content(act, Kind.REPLACEMENT)

    assert act.new_card is not None
    assert content.card_number == office.registry.get(office.card).card_number
    assert content.new_card_number == office.registry.get(act.new_card).card_number
    assert content.due == act.due != ""
    assert content.bank_side == "未开户"


def test_a_temporary_loss_lapses_at_a_local_instant(office: Office) -> None:
    office.do("hand-out")
    act = office.do("report-loss-temporary")

    content = office.content(act, Kind.LOSS)

    assert content.lapses[:10] == "2012-05-11"
    assert content.lapses > content.at


def test_papers_name_the_temporary_card_and_its_loan(office: Office) -> None:
    """Whoever brings it back, or is asked for the deposit, has to be told which one."""
    (number,) = office.life.stock_pool(["LS0001"], operator=office.crew.zhao)
    lent = Request("temporary-out", number, office.crew.zhao, HOLDER, details={"person": "1"})
    act = office.life.perform(lent)

    content = office.content(act, Kind.BUSINESS)
    assert (content.card_number, content.card_kind) == ("L00000011", "临时卡（LS0001）")
    receipt = wished(office, Kind.RECEIPT, Wish(act=act.act_id)).content
    assert isinstance(receipt, ReceiptContent)
    assert [(one.what, one.price) for one in receipt.charges] == [("临时卡押金（LS0001）", 2500)]

    papers = Appearance(Appears.HOLDER, frozenset({"deposit-receipt"}))
    back = office.life.perform(Request("temporary-back", number, office.crew.zhao, papers))
    given_back = office.content(back, Kind.BUSINESS)
    assert (given_back.card_number, given_back.deposit) == ("L00000011", -2500)
    assert given_back.as_content(hidden=False)["deposit"] == "退还 25.00"


@pytest.mark.parametrize("kind", [Kind.LOSS, Kind.REPLACEMENT, Kind.RECEIPT])
def test_an_act_has_only_its_own_papers(office: Office, kind: Kind) -> None:
    act = office.do("hand-out")

    with pytest.raises(NoSuchPaperError):
        wished(office, kind, Wish(act=act.act_id))


def test_a_refused_act_and_none_at_all_have_no_paper(office: Office) -> None:
    with pytest.raises(NotAllowedError):
        office.do("hand-out", Appearance())
    with office.registry.books.store.reading() as connection:
        query = text("SELECT max(id) FROM acts WHERE result <> 'done'")
        refused = connection.execute(query).scalar()

    for act in (refused or 998, 999):
        with pytest.raises(NoSuchPaperError):
            wished(office, Kind.BUSINESS, Wish(act=act))


@pytest.mark.parametrize("kind", Kind)
def test_a_paper_about_nothing_says_what_is_wanted(office: Office, kind: Kind) -> None:
    with pytest.raises(UsageError) as refused:
        wished(office, kind, Wish())

    assert "--" in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        (Kind.HAND_OUT, Wish(lot=9)),
        (Kind.ARCHIVE, Wish(volume=9)),
        (Kind.COUNT, Wish(counts=(9,))),
    ],
)
def test_a_list_of_nothing_is_refused(office: Office, kind: Kind, wish: Wish) -> None:
    with pytest.raises(NoSuchPaperError):
        wished(office, kind, wish)


def test_a_statement_has_every_act_of_the_card_and_its_money(office: Office) -> None:
    office.lose()
    office.do("find")

    found = wished(office, Kind.STATEMENT, Wish(card=office.card, since=FIRST, until=LAST))
    before = wished(
        office,
        Kind.STATEMENT,
        Wish(card=office.card, since=date(2012, 4, 1), until=date(2012, 4, 30)),
    )

    assert isinstance(found.content, StatementContent)
    assert [row.what for row in found.content.rows] == ["发放", "启用", "正式挂失", "解挂"]
    assert found.subject == Subject("card", office.card)
    assert office.registry.get(office.card).card_number in found.content.about
    assert isinstance(before.content, StatementContent)
    assert before.content.rows == ()


def test_a_statement_of_a_place_has_the_acts_of_those_who_work_there_or_below(
    office: Office,
) -> None:
    office.lose()
    with office.registry.books.store.writing() as connection:
        connection.execute(text("UPDATE acts SET place = 'T1' WHERE action = 'report-loss'"))

    def of(code: str) -> StatementContent:
        content = wished(office, Kind.STATEMENT, Wish(place=code, since=FIRST, until=LAST)).content
        assert isinstance(content, StatementContent)
        return content

    county, elsewhere = of("C"), of("V0")
    assert "正式挂失" in [row.what for row in county.rows]
    assert (county.about, elsewhere.rows) == ("单位：测试县（C）", ())
    with pytest.raises(PlacesError, match="no place"):  # no paper about a place that is not there
        of("NOPE")


def test_a_statement_may_be_made_again_and_again(office: Office) -> None:
    office.lose()
    numbers = []
    for _ in range(2):
        found = wished(office, Kind.STATEMENT, Wish(card=office.card, since=FIRST, until=LAST))
        document, _ = office.forms.make(
            Kind.STATEMENT, found.content, subject=found.subject, operator=office.crew.zhao
        )
        numbers.append(document.number)

    assert numbers == ["YD2012000001", "YD2012000002"]


def test_a_lot_lists_its_cards_in_order_and_names_those_that_cannot_be_given(
    office: Office,
) -> None:
    registry = office.registry
    more = enrol(registry, crowd(3, first=1), "more.csv").card_ids
    for card in more[:2]:
        issue(registry, registry.get(card or 0))
    registry.discard(more[2] or 0, "misprinted")
    order = [more[1], office.card, more[2]]
    with registry.books.store.writing() as connection:
        connection.execute(
            insert(lots).values(
                id=5, kind="village", place=place_id(office, "V1"), state="packed", count=3,
                digest="", seal_key=b"", machine="P1", card_carrier="zhao", machine_carrier="qian",
                packed_at="2012-05-01T20:00:00.000Z",
            )
        )  # fmt: skip
        for position, card in enumerate(order, 1):
            connection.execute(insert(lot_cards).values(lot=5, position=position, card=card))

    content = wished(office, Kind.HAND_OUT, Wish(lot=5)).content

    assert isinstance(content, HandOutContent)
    assert (content.place, content.lot, content.at) == ("第1村", "L000005", "2012-05-02")
    assert content.machine == "P1"
    assert (content.card_carrier, content.machine_carrier) == ("测试zhao", "测试qian")
    assert [row.card_number for row in content.rows] == [
        registry.get(card or 0).card_number for card in order
    ]
    assert [row.note for row in content.rows] == ["", "", "已作废"]


def test_a_volume_lists_its_people_with_the_card_that_counts(office: Office) -> None:
    office.lose()
    act = office.do("replace")
    registry = office.registry
    with registry.books.store.writing() as connection:
        connection.execute(
            insert(people).values(id=77, citizen_number="639900199001010015", name="无卡")
        )
        connection.execute(
            insert(volumes).values(
                id=3, place=place_id(office, "V1"), number=4, bound_at="2012-05-01T08:00:00.000Z"
            )
        )
        holder = registry.get(office.card).person_id
        for position, person in enumerate((holder, 77), 1):
            connection.execute(
                insert(volume_people).values(volume=3, position=position, person=person)
            )

    content = wished(office, Kind.ARCHIVE, Wish(volume=3)).content

    assert isinstance(content, ArchiveContent)
    assert (content.place, content.volume) == ("第1村", 4)
    assert [row.card_number for row in content.rows] == [
        registry.get(act.new_card or 0).card_number,
        "",
    ]


def test_a_count_of_stock_names_its_difference(office: Office) -> None:
    stock, crew = Stock(office.registry.books), office.crew
    stock.do(Order("receive", "psam", "W1", "P001", "P003"), operator=crew.li)
    first = stock.reconcile("W1", "psam", operator=crew.zhao, numbers=[("P001", "P002")])
    second = stock.reconcile(
        "W1", "receipt", operator=crew.zhao, numbers=[("SJ000001", "SJ000100")]
    )

    found = wished(office, Kind.COUNT, Wish(counts=(second.count_id, first.count_id)))

    assert isinstance(found.content, CountContent)
    assert found.subject == Subject("count", first.count_id)
    assert found.content.place == "一号窗口"
    assert [(r.kind, r.booked, r.counted, r.note) for r in found.content.rows] == [
        ("PSAM卡", 3, 2, "缺 P003（1）"),
        ("收款收据", 100, 100, ""),
    ]


def test_counts_of_two_places_are_no_sheet(office: Office) -> None:
    stock, crew = Stock(office.registry.books), office.crew
    counts = tuple(
        stock.reconcile(place, "blank-card", operator=crew.li, count=0).count_id
        for place in ("W1", "C")
    )

    with pytest.raises(NoSuchPaperError, match="one place"):
        wished(office, Kind.COUNT, Wish(counts=counts))


def test_the_office_is_the_place_somebody_works_at(office: Office) -> None:
    with office.registry.books.store.reading() as connection:
        assert office_of(connection, "W1") == "一号窗口"
        assert office_of(connection, "") == ""
