"""What each exchange does to the registry, and what it answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from cardkit.codec.numbers import is_bank_card_number
from cardkit.registry.exchange.checking import bank_card_numbers
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError, FileFaultsError
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.exchange.writing import write
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle import Appearance, Appears, Request
from cardkit.registry.operators import NotAllowedError
from cardkit.registry.registry import Registry
from cardkit.registry.schema import cards, chips, people
from cardkit.registry.schema.exchange import exchange_rows, proposals
from cardkit.registry.schema.life import acts, bank_accounts, corrections, successions
from tests.registry.exchange.desk import (
    CLERK,
    COLLEAGUE,
    DAY,
    LAYOUTS,
    OTHER_WINDOW,
    WINDOW,
    Desk,
    bank_card,
)
from tests.registry.support import SetClock, applicant, assert_consistent, crowd, enrol, open_at

PEOPLE = 5


@pytest.fixture
def desk(registry: Registry) -> Desk:
    """On SQLite and on PostgreSQL; each test leaves the registry consistent."""
    enrol(registry, crowd(PEOPLE))
    return Desk(registry)


def put_state(desk: Desk, card_id: int, state: str) -> None:
    """As the lifecycle would, with the entry of the history that belongs to it."""
    books = desk.registry.books
    with books.store.writing() as connection:
        connection.execute(update(cards).where(cards.c.id == card_id).values(state=state))
        books.journal.append(
            connection, books.store.now(), Event("test", card_id, card_id, None, state)
        )


# -- batch opening ---


def test_batch_opening_brings_card_numbers_back(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    assert (sent.batch.rows, sent.batch.number) == (PEOPLE, "000001")
    receipt = desk.take("bank-opening-return", desk.bank_answers(sent, failing=(2, 4)), "bank")
    assert (receipt.batch.done, receipt.batch.failed) == (3, 2)
    found = desk.cards()
    assert found["bank_card_number"].to_list() == [bank_card(1), "", bank_card(3), "", bank_card(5)]
    assert found["bank_state"].to_list() == ["opened", "none", "opened", "none", "opened"]
    assert len(desk.events("bank-open")) == 3
    with desk.registry.books.store.reading() as connection:
        accounts = connection.execute(select(bank_accounts.c.card, bank_accounts.c.account)).all()
    assert [tuple(row) for row in accounts] == [(at, bank_card(at)) for at in (1, 3, 5)]
    failure = desk.file(receipt, "failure").decode("gb18030").splitlines()
    assert failure[0].endswith("|2")
    assert [line.split("|")[0] for line in failure[1:]] == ["2", "4"]
    assert failure[1].endswith("|1001|姓名不符|与登记不符")


def test_the_same_goes_for_a_bank_that_takes_xml(desk: Desk) -> None:
    sent = desk.send("bank-opening-xml", "bank")
    assert desk.file(sent, "original").startswith(b'<?xml version="1.0" encoding="GB18030"?>\n')
    answer = desk.bank_answers(sent, failing=(2,))
    lines = answer.splitlines(keepends=True)
    short = b"".join(lines[:14] + lines[15:])
    with pytest.raises(FileFaultsError, match="line 11: says 5 rows, the file has 4") as caught:
        desk.take("bank-opening-return-xml", short, "bank")
    assert caught.value.further() == ["line 15: row 2 is missing: serial goes on with 3"]
    receipt = desk.take("bank-opening-return-xml", answer, "bank")
    assert (receipt.batch.done, receipt.batch.failed) == (PEOPLE - 1, 1)
    assert desk.cards()["bank_state"].to_list() == ["opened", "none", *["opened"] * (PEOPLE - 2)]
    failure = desk.file(receipt, "failure").decode("gb18030")
    assert (
        "<RET_CODE>1001</RET_CODE><ERR_MSG>姓名不符</ERR_MSG><REASON>与登记不符</REASON>" in failure
    )
    assert "<TOTAL_ITEM>1</TOTAL_ITEM>" in failure
    again = desk.exchange.reissue(sent.batch.id, operator=CLERK)
    assert (again.batch.rows, again.batch.layout) == (1, "bank-opening-xml")
    with pytest.raises(ExchangeError, match="nothing to send"):
        desk.send("bank-opening", "bank")


def test_an_opening_is_an_act_of_the_lifecycle_as_one_at_the_window_is(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank", limit=2)
    desk.life.perform(Request("bank-open", 5, CLERK, channel="file", reason="batch-2"))
    receipt = desk.take("bank-opening-return", desk.bank_answers(sent, failing=(1,)), "bank")
    assert receipt.batch.done == 1
    with desk.registry.books.store.reading() as connection:
        window, file = connection.execute(select(acts).order_by(acts.c.id)).mappings().all()
    same = {"id", "instant", "subject_id", "card", "person"}
    assert [name for name in window if window[name] != file[name] and name not in same] == []
    assert (file["card"], file["subject_id"], file["person"]) == (2, 2, 2)
    at_window, by_file = (json.loads(detail) for detail in desk.events("bank-open"))
    assert by_file == at_window | {"act": file["id"]}
    assert desk.life.standing(2).bank_state == "opened"


def test_a_card_that_has_an_account_by_now_is_not_given_another(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank", limit=2)
    desk.life.perform(Request("bank-open", 1, CLERK, channel="file"))
    receipt = desk.take("bank-opening-return", desk.bank_answers(sent), "bank")
    assert (receipt.batch.done, receipt.batch.failed) == (1, 1)
    assert (
        desk.file(receipt, "failure")
        .decode("gb18030")
        .splitlines()[1]
        .endswith("|现在的状态不允许")
    )


def test_nobody_is_sent_to_the_bank_twice_but_rejected_rows_go_into_a_new_batch(
    desk: Desk,
) -> None:
    sent = desk.send("bank-opening", "bank", limit=3)
    assert desk.send("bank-opening", "bank").batch.rows == PEOPLE - 3
    with pytest.raises(ExchangeError, match="nothing to send"):
        desk.send("bank-opening", "bank")
    with pytest.raises(ExchangeError, match="no rejected rows"):
        desk.exchange.reissue(sent.batch.id, operator=CLERK)
    desk.take("bank-opening-return", desk.bank_answers(sent, failing=(2,)), "bank")
    again = desk.exchange.reissue(sent.batch.id, operator=CLERK)
    assert (again.batch.rows, again.batch.reissue_of) == (1, sent.batch.id)
    assert again.batch.number == "000003"
    with pytest.raises(ExchangeError, match="reissued already"):
        desk.exchange.reissue(sent.batch.id, operator=CLERK)


def test_a_bank_card_number_of_somebody_else_or_with_a_wrong_check_digit_fails(desk: Desk) -> None:
    first = desk.send("bank-opening", "bank", limit=1)
    desk.take("bank-opening-return", desk.bank_answers(first), "bank")
    second = desk.send("bank-opening", "bank")
    answer = desk.bank_answers(second).replace(bank_card(2).encode(), bank_card(3).encode())
    wrong = bank_card(4)[:-1] + str((int(bank_card(4)[-1]) + 1) % 10)
    receipt = desk.take(
        "bank-opening-return", answer.replace(bank_card(4).encode(), wrong.encode()), "bank"
    )
    # 1 is taken, 2 and 3 are the same number, 4 has a wrong check digit
    assert (receipt.batch.done, receipt.batch.failed) == (1, 3)
    reasons = [
        line.rsplit("|", 1)[1]
        for line in desk.file(receipt, "failure").decode("gb18030").splitlines()[1:]
    ]
    assert reasons == ["重复", "重复", "bank_card_number 卡号校验位不对"]


# -- answers must fit their questions ---


@pytest.mark.parametrize("change", ["key", "row", "more"])
def test_an_answer_with_other_keys_is_refused_by_line(desk: Desk, change: str) -> None:
    sent = desk.send("bank-opening", "bank")
    lines = desk.bank_answers(sent).split(b"\r\n")
    if change == "key":
        lines[2] = lines[2].replace(b"|639900198", b"|639900199", 1)
        at = 3
    elif change == "row":
        del lines[3]
        lines = [lines[0].replace(b"|5", b"|4"), *lines[1:]]
        at = 4
    else:
        lines.insert(6, lines[5].replace(b"5|", b"6|", 1))
        lines[0] = lines[0].replace(b"|5", b"|6")
        at = 7
    before = desk.cards()
    with pytest.raises(FileFaultsError, match=f"^KK_R.txt: line {at}: ") as caught:
        desk.take("bank-opening-return", b"\r\n".join(lines), "bank", name="KK_R.txt")
    assert caught.value.faults[0].line == at
    assert desk.cards().equals(before)


def test_an_answer_to_nothing_or_a_second_answer_is_refused(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    answer = desk.bank_answers(sent)
    with pytest.raises(ExchangeError, match="no batch 000001"):
        desk.take("bank-opening-return", answer.replace(b"bank|", b"plant|", 1), "plant")
    first = desk.take("bank-opening-return", answer, "bank")
    same = desk.take("bank-opening-return", answer, "bank", name="again.txt")
    assert same.known
    assert same.batch == first.batch
    assert same.files == first.files
    other = answer.replace(DAY.encode(), b"20120502")
    with pytest.raises(ExchangeRefusedError, match="with another content"):
        desk.take("bank-opening-return", other, "bank")
    assert json.loads(desk.events("exchange-refused")[0])["reason"] == "other-content"


# -- factory ---


def test_a_factory_makes_cards(desk: Desk) -> None:
    sent = desk.send("factory-order", "plant")
    assert set(desk.cards()["state"]) == {"ordered"}
    receipt = desk.take("factory-return", desk.plant_answers(sent, failing=(2,)), "plant")
    assert (receipt.batch.done, receipt.batch.failed) == (4, 1)
    assert desk.cards()["state"].to_list() == ["issued", "failed", "issued", "issued", "issued"]
    assert_consistent(desk.registry)
    with desk.registry.books.store.reading() as connection:
        atrs = connection.execute(select(chips.c.atr)).scalars().all()
    assert all(len(atr) == 17 for atr in atrs)
    again = desk.exchange.reissue(sent.batch.id, operator=CLERK)
    assert again.batch.rows == 1
    desk.take("factory-return", desk.plant_answers(again), "plant")
    assert set(desk.cards()["state"]) == {"issued"}


def test_a_chip_with_another_id_code_than_ordered_is_not_issued(desk: Desk) -> None:
    sent = desk.send("factory-order", "plant")
    answer = desk.plant_answers(sent).replace(b"00000003CAFEBABE", b"00000033CAFEBABE")
    receipt = desk.take("factory-return", answer, "plant")
    assert receipt.batch.failed == 1
    assert desk.cards()["state"].to_list()[2] == "failed"
    assert desk.cards()["reason"].to_list()[2] == "mismatch"


# -- inquiry ---


def inquiry(rows: Sequence[tuple[str, str]], number: str = "7") -> bytes:
    frame = pl.DataFrame(rows, schema=["citizen_number", "name"], orient="row")
    return write(LAYOUTS["state-inquiry"], frame, {"batch": number, "date": DAY})


def test_a_batch_inquiry_answers_every_row_and_nothing_to_a_wrong_name(desk: Desk) -> None:
    known, other = applicant(0), applicant(1)
    asked = inquiry(
        [
            (known.citizen_number, known.name),
            (other.citizen_number, "别人"),
            (applicant(99).citizen_number, "无名"),
            ("63990019810101001", "少一位"),
            (known.citizen_number, known.name),
        ]
    )
    receipt = desk.take("state-inquiry", asked, "agency")
    answer = desk.content(receipt, "reply", "state-answer")
    assert answer.rows["result"].to_list() == ["00", "02", "01", "03", "00"]
    assert answer.rows["state"].to_list() == ["planned", "", "", "", "planned"]
    assert answer.rows["card_number"].to_list()[1:4] == ["", "", ""]
    assert answer.header["instant"].startswith("2012-05-01T")


# -- loss ---


def loss(rows: Sequence[tuple[str, str, str]], number: str) -> bytes:
    names = ["citizen_number", "bank_card_number", "kind"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    frame = frame.with_columns(pl.lit("20120501080000").alias("reported_at"))
    return write(LAYOUTS["loss-report"], frame, {"batch": number, "date": DAY})


def test_loss_reports_move_the_bank_side_and_show_both(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank", limit=3)
    desk.take("bank-opening-return", desk.bank_answers(sent), "bank")
    numbers = [person.citizen_number for person in crowd(PEOPLE)]
    report = loss(
        [
            (numbers[0], bank_card(1), "1"),
            (numbers[1], bank_card(2), "2"),
            (numbers[2], bank_card(3), "3"),  # found, and never reported as lost
            (numbers[3], bank_card(4), "2"),  # has no account
            (applicant(77).citizen_number, bank_card(5), "2"),
        ],
        "1",
    )
    receipt = desk.take("loss-report", report, "bank")
    answer = desk.content(receipt, "reply", "loss-answer").rows
    assert answer["result"].to_list() == ["00", "00", "04", "02", "01"]
    assert answer["bank_state"].to_list() == ["temporarily_lost", "lost", "opened", "", ""]
    assert answer["state"].to_list() == ["planned", "planned", "planned", "", ""]
    assert desk.cards()["bank_state"].to_list()[:3] == ["temporarily_lost", "lost", "opened"]
    found = desk.take("loss-report", loss([(numbers[1], bank_card(2), "3")], "2"), "bank")
    assert found.batch.done == 1
    assert desk.cards()["bank_state"].to_list()[1] == "opened"


def test_several_reports_about_one_card_are_taken_in_their_order(desk: Desk) -> None:
    """By phone in the morning, with papers at noon, found in the evening: one file at night."""
    desk.take(
        "bank-opening-return", desk.bank_answers(desk.send("bank-opening", "bank", limit=3)), "bank"
    )
    numbers = [person.citizen_number for person in crowd(PEOPLE)]
    first, second, third = ((numbers[at], bank_card(at + 1)) for at in range(3))
    report = loss(
        [
            (*first, "1"),
            (*first, "2"),
            (*second, "2"),
            (*first, "3"),
            (*second, "2"),  # the same once more
            (*third, "1"),
            (*third, "3"),
            (*third, "3"),
        ],
        "1",
    )
    receipt = desk.take("loss-report", report, "bank")
    answer = desk.content(receipt, "reply", "loss-answer").rows
    assert answer["result"].to_list() == ["00", "00", "00", "00", "05", "00", "00", "05"]
    assert desk.cards()["bank_state"].to_list()[:3] == ["opened", "lost", "opened"]
    with desk.registry.books.store.reading() as connection:
        told = connection.execute(
            select(exchange_rows.c.value).where(exchange_rows.c.batch == receipt.batch.id)
        )
        assert set(told.scalars()) == {"20120501080000"}  # when the holder told the bank


def test_a_row_that_failed_by_itself_does_not_take_the_place_of_a_good_report(desk: Desk) -> None:
    desk.take(
        "bank-opening-return", desk.bank_answers(desk.send("bank-opening", "bank", limit=2)), "bank"
    )
    numbers = [person.citizen_number for person in crowd(PEOPLE)]
    report = loss(
        [
            (numbers[0], bank_card(2), "2"),  # somebody else's card
            (numbers[0], bank_card(1), "7"),  # no such kind
            (numbers[0], bank_card(1), "2"),
        ],
        "1",
    ).replace(b"|7|20120501080000", b"|1|20120231080000")
    receipt = desk.take("loss-report", report, "bank")
    answer = desk.content(receipt, "reply", "loss-answer").rows
    assert answer["result"].to_list() == ["02", "03", "00"]
    assert answer["text"][1] == "reported_at 报失时间日期不对"
    assert desk.cards()["bank_state"][0] == "lost"


def days_later(desk: Desk, days: int) -> None:
    clock = desk.registry.books.store._clock
    assert isinstance(clock, SetClock)
    clock.now += dt.timedelta(days=days)


def bank_states(desk: Desk, number: str) -> list[str]:
    """What a batch inquiry is told about the first people."""
    crew = crowd(3)
    columns = {"citizen_number": [p.citizen_number for p in crew], "name": [p.name for p in crew]}
    asked = write(LAYOUTS["state-inquiry"], pl.DataFrame(columns), {"batch": number, "date": DAY})
    receipt = desk.take("state-inquiry", asked, "bank")
    return desk.content(receipt, "reply", "state-answer").rows["bank_state"].to_list()


def test_a_report_by_phone_lapses_counted_from_when_the_bank_was_told(desk: Desk) -> None:
    """The rules say ten days; the file comes three days after the first report."""
    desk.take(
        "bank-opening-return", desk.bank_answers(desk.send("bank-opening", "bank", limit=3)), "bank"
    )
    days_later(desk, 11)
    crew = crowd(3)
    told = ["20120509120000", "20120501120000", "20120601120000"]  # the last one: a clock ahead
    rows = pl.DataFrame(
        {
            "citizen_number": [p.citizen_number for p in crew],
            "bank_card_number": [bank_card(at) for at in (1, 2, 3)],
            "kind": ["1"] * 3,
            "reported_at": told,
        }
    )
    data = write(LAYOUTS["loss-report"], rows, {"batch": "1", "date": DAY})
    answer = desk.content(desk.take("loss-report", data, "bank"), "reply", "loss-answer").rows
    assert answer["result"].to_list() == ["00"] * 3
    assert answer["bank_state"].to_list() == ["temporarily_lost", "opened", "temporarily_lost"]
    assert bank_states(desk, "1") == ["temporarily_lost", "opened", "temporarily_lost"]
    days_later(desk, 8)  # 20 May: nobody wrote the lapse down
    assert bank_states(desk, "2") == ["opened", "opened", "temporarily_lost"]
    assert desk.cards()["bank_state"].to_list()[0] == "temporarily_lost"
    days_later(desk, 3)
    assert bank_states(desk, "3") == ["opened"] * 3


# -- card numbers, blacklist ---


def test_a_loss_that_lapsed_leaves_the_blacklist_one_that_is_being_cancelled_does_not(
    desk: Desk,
) -> None:
    desk.take("factory-return", desk.plant_answers(desk.send("factory-order", "plant")), "plant")
    given = desk.approval("hand-out", 1, WINDOW, OTHER_WINDOW)
    holder = Appearance(Appears.HOLDER, frozenset({"id", "proof-of-end"}))
    desk.life.perform(Request("hand-out", 1, WINDOW, holder, given))
    desk.life.perform(Request("report-loss-temporary", 1, WINDOW, holder))
    put_state(desk, 2, "lost")

    def listed() -> list[tuple[str, ...]]:
        sent = desk.send("blacklist-full", "bank")
        rows = desk.content(sent, "original", "blacklist-full").rows
        return list(rows.select("card_number", "reason").iter_rows())

    first, second = desk.cards()["card_number"].to_list()[:2]
    assert listed() == [(first, "03"), (second, "02")]
    put_state(desk, 2, "cancelling")
    days_later(desk, 11)
    assert desk.cards()["state"][0] == "temporarily_lost"  # nobody wrote the lapse down
    assert listed() == [(second, "05")]


def test_the_blacklist_has_versions_and_deltas(desk: Desk) -> None:
    sent = desk.send("factory-order", "plant")
    desk.take("factory-return", desk.plant_answers(sent), "plant")
    put_state(desk, 1, "frozen")
    put_state(desk, 2, "lost")
    full = desk.content(desk.send("blacklist-full", "bank"), "original", "blacklist-full")
    assert full.header["list_version"] == "1"
    assert full.rows["reason"].to_list() == ["01", "02"]
    put_state(desk, 1, "issued")
    put_state(desk, 3, "frozen")
    delta = desk.content(desk.send("blacklist-delta", "bank"), "original", "blacklist-delta")
    assert (delta.header["base_version"], delta.header["list_version"]) == ("1", "2")
    assert list(delta.rows.select("change", "reason").iter_rows()) == [("-", ""), ("+", "01")]
    again = desk.content(desk.send("blacklist-delta", "bank"), "original", "blacklist-delta")
    assert (again.header["base_version"], again.rows.height) == ("2", 0)
    other = desk.content(desk.send("blacklist-delta", "agency"), "original", "blacklist-delta")
    assert other.header["base_version"] == "0"
    assert set(other.rows["change"]) == {"+"}
    assert other.rows.height == 2


def test_what_is_on_the_list_is_no_longer_to_be_done(desk: Desk) -> None:
    """Windows are reminded of chips; the blacklist itself is done when it goes out."""
    sent = desk.send("factory-order", "plant")
    desk.take("factory-return", desk.plant_answers(sent), "plant")
    desk.replace(2)
    window = desk.life.people.all()[0].operator
    before = desk.life.chips.pending(operator=window)
    assert {work.chip for work in before} == {"blacklist", "dead"}
    desk.send("blacklist-full", "bank")
    assert [work.chip for work in desk.life.chips.pending(operator=window)] == ["dead"]


def test_partners_are_told_once_which_number_took_the_place_of_which(desk: Desk) -> None:
    """The whole way: cards are made and lost, new ones are planned, the delta table goes out."""
    with pytest.raises(ExchangeError, match="nothing to send"):
        desk.send("card-number-delta", "bank")
    sent = desk.send("factory-order", "plant")
    desk.take("factory-return", desk.plant_answers(sent), "plant")
    desk.replace(2)
    desk.replace(4)
    with desk.registry.books.store.reading() as connection:
        pairs = connection.execute(select(successions.c.old_card, successions.c.new_card)).all()
    numbers = dict(desk.cards().select("id", "card_number").iter_rows())
    found = desk.content(desk.send("card-number-delta", "bank"), "original", "card-number-delta")
    assert found.header["count"] == "2"
    crew = crowd(PEOPLE)
    assert list(
        found.rows.select(
            "serial", "card_number", "insurance_number", "old_card_number", "changed_on"
        ).iter_rows()
    ) == [
        (str(at), numbers[new], crew[old - 1].insurance_number, numbers[old], DAY)
        for at, (old, new) in enumerate(pairs, 1)
    ]
    with pytest.raises(ExchangeError, match="nothing to send"):
        desk.send("card-number-delta", "bank")
    assert desk.send("card-number-delta", "agency").batch.rows == 2
    desk.replace(5)
    assert desk.send("card-number-delta", "bank").batch.rows == 1


# -- comparison ---


def test_a_comparison_names_every_difference_and_proposes_corrections(desk: Desk) -> None:
    crew = crowd(PEOPLE)
    listed = [(p.citizen_number, p.name, p.sex, p.nation, p.birth_date) for p in crew[1:]]
    listed[0] = (listed[0][0], "张更正", listed[0][2], "", listed[0][4])
    listed.append((applicant(50).citizen_number, "李新", "1", "01", "19800101"))
    names = ["citizen_number", "name", "sex", "nation", "birth_date"]
    frame = pl.DataFrame(listed, schema=names, orient="row")
    data = write(LAYOUTS["comparison-police"], frame, {"batch": "1", "date": DAY})
    receipt = desk.take("comparison-police", data, "agency")
    found = desk.content(receipt, "reply", "difference").rows
    assert list(found.select("kind", "field", "ours", "theirs", "wins").iter_rows()) == [
        ("differs", "name", crew[1].name, "张更正", "theirs"),
        ("unknown", "", "", "", ""),
        ("absent", "", "", "", ""),
    ]
    assert found["citizen_number"][2] == crew[0].citizen_number
    with desk.registry.books.store.reading() as connection:
        row = connection.execute(select(proposals)).mappings().one()
    assert (row["person"], row["field"], row["state"]) == (2, "name", "open")
    assert str(row["id"]) == found["proposal"][0]


# -- layouts of a place ---


def placed(desk: Desk, name: str, **changes: Any) -> Desk:
    """The same registry, whose place declares a layout of its own after a shipped one."""
    ours = dataclasses.replace(LAYOUTS[name], name="ours", **changes)
    desk.exchange = Exchange(desk.registry.books, layouts={**LAYOUTS, "ours": ours}, life=desk.life)
    desk.exchange.partners.set("bank", layouts=["ours", *LAYOUTS])
    return desk


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"encoding": "gbk"}, "name:character"),
        ({"encoding": "gbk", "separator": "", "line_end": b"\n"}, "name:character"),
        ({"separator": "·"}, "name:sign"),
        (
            {"separator": "", "encoding": "gbk", "xml": LAYOUTS["bank-opening-xml"].xml},
            "name:character",
        ),
    ],
    ids=["a character", "a character in a column", "a separator", "a character in XML"],
)
def test_a_card_whose_data_do_not_fit_is_left_out_and_named(
    url: str, changes: dict[str, Any], problem: str
) -> None:
    crew = crowd(PEOPLE)
    crew[1] = applicant(1, name="㛃·㛃")
    with open_at(url) as registry:
        enrol(registry, crew)
        desk = placed(Desk(registry), "bank-opening", **changes)
        sent = desk.send("ours", "bank", limit=3)
        assert sent.left_out == ((2, problem),)
        assert (sent.batch.rows, sent.batch.failed) == (2, 1)
        assert desk.send("ours", "bank").batch.rows == PEOPLE - 3
        with pytest.raises(ExchangeError, match=r"1 cards do not fit.* record 2 \(name"):
            desk.send("ours", "bank")
        put_right = update(people).where(people.c.id == 2).values(name="张")
        with registry.books.store.writing() as connection:
            connection.execute(put_right)
        assert desk.send("ours", "bank").batch.rows == 1


def test_a_layout_says_whose_data_win_and_whether_a_blacklist_is_a_delta(desk: Desk) -> None:
    placed(desk, "comparison-police")
    rows = pl.DataFrame({"citizen_number": [crowd(1)[0].citizen_number], "name": ["张更正"]})
    data = write(LAYOUTS["comparison-police"], rows, {"batch": "1", "date": DAY})
    found = desk.content(desk.take("ours", data, "bank"), "reply", "difference").rows
    assert found["wins"][0] == "theirs"
    placed(desk, "blacklist-full")
    assert desk.send("ours", "bank").batch.rows == 0


def test_a_batch_number_that_is_a_number_may_lose_its_zeros_on_the_way(desk: Desk) -> None:
    header = tuple(
        dataclasses.replace(one, kind="number") if one.holds == "batch" else one
        for one in LAYOUTS["bank-opening-return"].header
    )
    sent = desk.send("bank-opening", "bank")
    answer = desk.bank_answers(sent).replace(b"|000001|", b"|1|", 1)
    with pytest.raises(ExchangeError, match="no batch 1 "):
        desk.take("bank-opening-return", answer, "bank")
    placed(desk, "bank-opening-return", header=header)
    assert desk.take("ours", answer, "bank").batch.number == "000001"


def compared(desk: Desk, source: str = "police") -> None:
    """The list has other names for the first two people."""
    crew = crowd(PEOPLE)
    names = ["张更正", "李更正", *(p.name for p in crew[2:])]
    rows = pl.DataFrame({"citizen_number": [p.citizen_number for p in crew], "name": names})
    data = write(LAYOUTS[f"comparison-{source}"], rows, {"batch": "1", "date": DAY})
    desk.take(f"comparison-{source}", data, "agency")


def test_an_accepted_proposal_changes_the_record_and_keeps_what_it_corrects(desk: Desk) -> None:
    compared(desk)
    first, second = desk.proposals.all("open")
    with pytest.raises(NotAllowedError, match="second person"):
        desk.proposals.accept(first.id, life=desk.life, operator=CLERK, approval=None)
    approval = desk.approval("change-data", first.card or 0, CLERK, COLLEAGUE)
    act = desk.proposals.accept(first.id, life=desk.life, operator=CLERK, approval=approval)
    with desk.registry.books.store.reading() as connection:
        names = connection.execute(select(people.c.name).order_by(people.c.id)).scalars().all()
        kept = connection.execute(select(corrections)).mappings().one()
    assert names[:2] == ["张更正", crowd(PEOPLE)[1].name]
    assert (kept["before"], kept["after"], kept["act"]) == (first.ours, "张更正", act.act_id)
    (accepted,) = desk.proposals.all("accepted")
    assert (accepted.id, accepted.decided_by) == (first.id, "li")
    assert json.loads(desk.events("proposal-accepted")[0])["act"] == act.act_id
    assert desk.proposals.all("open") == [second]
    with pytest.raises(ExchangeError, match="was accepted by li"):
        desk.proposals.decline(first.id, why="ours-right", operator=CLERK)


def test_what_follows_from_the_citizen_number_is_no_data_to_change(desk: Desk) -> None:
    person = crowd(1)[0]
    rows = pl.DataFrame(
        {
            "citizen_number": [person.citizen_number],
            "name": [person.name],
            "birth_date": ["19990101"],
        }
    )
    data = write(LAYOUTS["comparison-police"], rows, {"batch": "1", "date": DAY})
    desk.take("comparison-police", data, "agency")
    with pytest.raises(ExchangeError, match="nobody change the birth_date"):
        desk.proposals.accept(1, life=desk.life, operator=CLERK, approval=None)
    desk.proposals.decline(1, why="ours-right", operator=CLERK)


def test_a_declined_proposal_keeps_who_and_why(desk: Desk) -> None:
    compared(desk, "agency")
    (number, _) = (one.id for one in desk.proposals.all("open"))
    with pytest.raises(ExchangeRefusedError, match="no right"):
        desk.proposals.decline(number, why="ours-right", operator=WINDOW)
    desk.proposals.decline(number, why="other-person", operator=CLERK)
    (declined,) = desk.proposals.all("declined")
    assert (declined.decided_by, declined.why) == ("li", "other-person")
    assert declined.decided_at.startswith("2012-05-01T")
    assert json.loads(desk.events("proposal-declined")[0])["why"] == "other-person"
    approval = desk.approval("change-data", 1, CLERK, COLLEAGUE)
    with pytest.raises(ExchangeError, match="was declined by li"):
        desk.proposals.accept(number, life=desk.life, operator=CLERK, approval=approval)


def test_a_record_that_was_changed_since_the_comparison_is_not_corrected(desk: Desk) -> None:
    compared(desk)
    first = desk.proposals.all("open")[0]
    with desk.registry.books.store.writing() as connection:
        connection.execute(update(people).where(people.c.id == first.person).values(name="张已改"))
    approval = desk.approval("change-data", 1, CLERK, COLLEAGUE)
    with pytest.raises(ExchangeError, match="changed since the comparison"):
        desk.proposals.accept(first.id, life=desk.life, operator=CLERK, approval=approval)
    assert len(desk.proposals.all("open")) == 2


# -- rights ---


def test_only_the_county_agency_exchanges_files_and_only_what_was_agreed(desk: Desk) -> None:
    with pytest.raises(ExchangeRefusedError, match="no right"):
        desk.exchange.send("bank-opening", partner="bank", operator=WINDOW)
    assert json.loads(desk.events("exchange-refused")[0])["reason"] == "role"
    desk.exchange.partners.set("bank", layouts=["blacklist-full"])
    with pytest.raises(ExchangeRefusedError, match="not agreed"):
        desk.send("bank-opening", "bank")
    assert desk.refusals() == ["role", "layout"]
    with pytest.raises(ExchangeRefusedError, match="not agreed"):
        desk.take("loss-report", loss([], "1"), "bank")
    with pytest.raises(ExchangeRefusedError, match="only an administrator"):
        desk.exchange.partners.agree("bank", operator=CLERK)
    assert desk.refusals() == ["role", "layout", "layout", "partner"]
    with pytest.raises(ExchangeError, match="no partner"):
        desk.send("bank-opening", "nobody")


def test_no_personal_data_in_the_history(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    desk.take("bank-opening-return", desk.bank_answers(sent, failing=(1,)), "bank")
    actions = ("exchange-out", "exchange-in", "bank-open")
    told = "".join(detail for action in actions for detail in desk.events(action))
    for person in crowd(PEOPLE):
        assert person.name not in told
        assert person.citizen_number not in told
    assert bank_card(2) not in told


def test_a_registry_opened_again_knows_its_batches(url: str, desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    with open_at(url) as again:
        assert Desk(again).exchange.batches() == [sent.batch]


@given(st.lists(st.text("0123456789x", max_size=21), min_size=1, max_size=30))
def test_bank_card_numbers_are_checked_in_bulk_as_one_by_one(numbers: list[str]) -> None:
    numbers += [bank_card(len(number)) for number in numbers]
    found = bank_card_numbers(pl.Series(numbers)).to_list()
    assert found == [is_bank_card_number(number) for number in numbers]
