"""A file is from its sender and of its layout; what came of it keeps its name and tells why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cardkit.registry.exchange import layout as declared
from cardkit.registry.exchange.errors import FileFaultsError, LayoutError
from cardkit.registry.exchange.reading import PROBLEM, read
from cardkit.registry.exchange.writing import write
from cardkit.registry.registry import Registry
from tests.registry.exchange.desk import CLERK, DAY, LAYOUTS, Desk, bank_card
from tests.registry.exchange.test_layouts import GOOD
from tests.registry.support import crowd, enrol

PEOPLE = 4


@pytest.fixture
def desk(registry: Registry) -> Desk:
    enrol(registry, crowd(PEOPLE))
    return Desk(registry)


def police_list(people: int = PEOPLE) -> bytes:
    names = ["citizen_number", "name", "sex", "nation", "birth_date"]
    listed = [tuple(getattr(p, name) for name in names) for p in crowd(people)]
    rows = pl.DataFrame(listed, schema=names, orient="row")
    return write(LAYOUTS["comparison-police"], rows, {"batch": "1", "date": DAY})


# -- whose file it is ---


def test_an_answer_with_another_agency_in_its_header_does_not_use_up_the_answer(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    answer = desk.bank_answers(sent)
    with pytest.raises(FileFaultsError, match="line 1: agency is not bank") as caught:
        desk.take("bank-opening-return", answer.replace(b"bank|", b"other|", 1), "bank")
    assert caught.value.faults[0][:2] == (1, "partner")
    assert "other" not in caught.value.message + caught.value.zh
    assert len(desk.exchange.batches()) == 1
    assert desk.take("bank-opening-return", answer, "bank").batch.done == PEOPLE


@pytest.mark.parametrize("word", [{"must_be": "partner"}, {"must_be": "me"}, {"check": "some"}])
def test_what_a_field_must_be_is_declared_where_it_can_be_checked(word: dict[str, Any]) -> None:
    with pytest.raises(LayoutError, match="must_be"):
        declared.parse(GOOD | {"fields": [{"name": "a", "width": 3, **word}]})


# -- of which layout it is ---


def test_a_list_of_the_police_is_not_taken_for_one_of_the_agency(desk: Desk) -> None:
    with pytest.raises(FileFaultsError, match="not of layout comparison-agency") as caught:
        desk.take("comparison-agency", police_list(), "agency")
    assert [fault.line for fault in caught.value.faults] == [0, 2, 3, 4, 5]
    assert desk.exchange.batches() == []
    assert crowd(1)[0].name not in str(caught.value.details())
    assert desk.take("comparison-police", police_list(), "agency").batch.failed == 0


def test_one_bad_line_among_good_ones_stays_one_bad_line(desk: Desk) -> None:
    data = police_list().replace(crowd(1)[0].birth_date.encode() + b"\n", b"19810230\n", 1)
    receipt = desk.take("comparison-police", data, "agency")
    assert (receipt.batch.done, receipt.batch.failed) == (PEOPLE - 1, 1)


@pytest.mark.parametrize(
    ("number", "problem"), [("X00000019", ""), ("X00000018", "card_number:check"), ("", "")]
)
def test_a_card_number_has_its_check_character(number: str, problem: str) -> None:
    rows = pl.DataFrame({"citizen_number": ["1" * 18], "name": ["x"], "card_number": [number]})
    data = write(LAYOUTS["comparison-agency"], rows, {"batch": "1", "date": DAY})
    assert read(LAYOUTS["comparison-agency"], data).rows[PROBLEM].to_list() == [problem]


# -- which field it was ---


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card[:-1] + str((int(card[-1]) + 1) % 10), "卡号校验位不对"),
        (lambda card: card[:12], "卡号格式不对"),
        (lambda _card: "", "卡号不能为空"),
    ],
    ids=["check digit", "too short", "nothing"],
)
def test_a_bad_bank_card_number_is_named_with_its_field(desk: Desk, change: Any, said: str) -> None:
    answer = desk.bank_answers(desk.send("bank-opening", "bank"))
    card = bank_card(2)
    spoilt = answer.replace(card.encode(), change(card).encode())
    receipt = desk.take("bank-opening-return", spoilt, "bank")
    (line,) = desk.file(receipt, "failure").decode("gb18030").splitlines()[1:]
    assert line.endswith(f"|bank_card_number {said}")


def test_the_answer_names_the_field_too(desk: Desk) -> None:
    asked = f"1|{DAY}|1\n1|63990|某\n".encode("gb18030")
    answer = desk.content(desk.take("state-inquiry", asked, "bank"), "reply", "state-answer").rows
    assert answer.select("result", "text").row(0) == ("03", "citizen_number 身份证号码格式不对")


# -- no file takes the place of another ---


def test_two_comparisons_of_one_file_name_leave_files_of_their_own(desk: Desk) -> None:
    names = []
    for source in ("police", "agency"):
        people = crowd(PEOPLE)
        rows = pl.DataFrame(
            {"citizen_number": [p.citizen_number for p in people], "name": [p.name for p in people]}
        )
        data = write(LAYOUTS[f"comparison-{source}"], rows, {"batch": "1", "date": DAY})
        receipt = desk.take(f"comparison-{source}", data, "agency", name="cmp.txt")
        names += [file.name for file in receipt.files if file.role != "original"]
    assert names == [
        "cmp.comparison-police.success.txt",
        "CY_agency_1_comparison-police.txt",
        "cmp.comparison-agency.success.txt",
        "CY_agency_1_comparison-agency.txt",
    ]


def test_the_same_file_once_more_gets_a_number(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    first, second = (
        desk.custody.hand_over(sent.batch.id, "original", tmp_path, carrier="li", operator=CLERK)
        for _ in range(2)
    )
    assert first.name == "KK_bank_000001.li.txt.age"
    assert second.name == "KK_bank_000001.li-2.txt.age"
    assert first.read_bytes() != second.read_bytes()  # sealed anew; the first is as it was
    assert f'"file":"{second.name}"' in desk.events("exchange-custody")[1]
