"""What is wrong with a row, said in Chinese and in English; the other rows are not touched."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.codec import numbers
from cardkit.codec.text import FOUR_BYTES, TextError, check_text
from cardkit.issuance import roster
from cardkit.issuance.roster import vector
from cardkit.issuance.roster.reasons import REASONS
from tests.issuance.roster_samples import D1, LI, TODAY, WANG, ZHANG, citizen, codes, read

BAD_CHECK = ZHANG[:17] + ("0" if ZHANG[17] != "0" else "1")


@pytest.mark.parametrize(
    ("name", "number", "problem", "reason"),
    [
        ("张三", BAD_CHECK, "citizen_number check_digit", "校验码错误"),
        ("张三", citizen(1, "19990229"), "citizen_number birth_date",
         "其中的出生日期不存在或过早"),
        ("张三", citizen(1, "20140602"), "citizen_number birth_date_future",
         "其中的出生日期晚于今天"),
        ("张三", "", "citizen_number missing", "未填写"),
        ("张三", "639900900101001", "citizen_number old_number",
         "是15位旧号码，请填写18位公民身份号码"),
        ("张三", "63990019900101", "citizen_number form", "应为17位数字加1位校验码"),
        ("张三", "6.39E+17", "citizen_number excel_number",
         REASONS["excel_number"].chinese),
        ("张三", "6.39900199001011e17", "citizen_number excel_number",
         REASONS["excel_number"].chinese),
        ("张三", "'" + ZHANG, "citizen_number apostrophe",
         "号码前有电子表格留下的撇号（'），请删去"),
        ("", ZHANG, "name missing", "未填写"),
        ("张㐂", ZHANG, "name character", "“㐂”（U+3402）卡片无法存储"),
        ("张\u200b三", ZHANG, "name character", "…（U+200B）卡片无法存储"),
        ("阿" * 26, ZHANG, "name too_long", "内容需要52字节，最多50字节"),
    ],
)  # fmt: skip
def test_reasons(tmp_path: Path, name: str, number: str, problem: str, reason: str) -> None:
    found = read(tmp_path, f"{D1}\n1,{name},{number},,\n2,李四,{LI},,\n")
    (reject,) = found.rejects
    assert reject.row == 2
    assert f"{reject.field} {reject.code}" == problem
    assert reject.reason() == reason
    assert reject.reason("en").strip("“㐂”… ()").isascii()
    assert [a.name for a in found.applicants] == ["李四"]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("性别", "女", "sex_differs"),
        ("性别", "不详", "sex_unknown"),
        ("性别", "9", "sex_unknown"),
        ("出生日期", "19900102", "birth_date_differs"),
        ("出生日期", "1990", "birth_date_form"),
        ("出生日期", "19900230", "birth_date_form"),
        ("民族", "汗", "nation_unknown"),
        ("民族", "57", "nation_unknown"),
        ("出生地", "北京", "birthplace"),
        ("卡类别", "金卡", "card_kind_unknown"),
        ("银行卡号", "6200000000000004", "bank_card"),
        ("银行卡号", "123", "bank_card"),
        ("银行卡号", "6.2E+15", "excel_number"),
        ("养老保险号", "6.4E+17", "excel_number"),
        ("养老保险号", "1" * 41, "too_long"),
        ("地址", "村" * 201, "too_long"),
        ("地址", "村\ue000", "character"),
        ("联系电话", "1\x01", "character"),
        ("状态", "退" * 21, "too_long"),
    ],
)
def test_optional_columns_that_are_wrong(tmp_path: Path, column: str, cell: str, code: str) -> None:
    text = f"姓名,身份证号码,{column}\n张三,{ZHANG},{cell}\n李四,{LI},\n"
    found = read(tmp_path, text)
    assert [(r.row, r.code) for r in found.rejects] == [(2, code)]
    assert cell not in found.rejects[0].reason() + found.rejects[0].reason("en") or len(cell) < 3


@pytest.mark.parametrize("column", ["性别", "出生日期", "民族", "出生地", "卡类别", "银行卡号"])
def test_an_empty_cell_of_an_optional_column_is_no_problem(tmp_path: Path, column: str) -> None:
    found = read(tmp_path, f"姓名,身份证号码,{column}\n张三,{ZHANG},\n")
    assert not found.rejects
    assert (found.applicants[0].sex, found.applicants[0].birth_date) == ("1", "19900101")


def test_the_later_of_two_equal_numbers_is_rejected_and_names_the_first(tmp_path: Path) -> None:
    number = citizen(8)
    text = f"{D1}\n1,张三,{number},,\n2,李四,{LI},,\n3,张三,{number.lower()},,\n4,张四,{number},,\n"
    found = read(tmp_path, text)
    assert [a.row for a in found.applicants] == [2, 3]
    assert [(r.row, r.reason()) for r in found.rejects] == [
        (4, "与第2行重复"),
        (5, "与第2行重复"),
    ]


def test_the_first_of_two_equal_numbers_stays_first_when_it_is_rejected_itself(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, f"{D1}\n1,,{ZHANG},,\n2,张三,{ZHANG},,\n")
    assert codes(found) == [(2, "name", "missing"), (3, "citizen_number", "duplicate")]


def test_equal_numbers_that_are_wrong_are_not_called_duplicates(tmp_path: Path) -> None:
    bad = f",张三,{BAD_CHECK},,\n"
    found = read(tmp_path, f"{D1}\n{bad}{bad}3,李四,,,\n4,王五,,,\n")
    assert {code for _, _, code in codes(found)} == {"check_digit", "missing"}


def test_one_bank_card_cannot_be_two_peoples(tmp_path: Path) -> None:
    card = "6200000000000005"
    rows = f"张三,{ZHANG},{card}\n李四,{LI},{card}\n王五,{WANG},\n"
    found = read(tmp_path, f"姓名,身份证号码,银行卡号\n{rows}")
    assert codes(found) == [(3, "bank_card_number", "duplicate")]


def test_two_people_cannot_have_one_insurance_number(tmp_path: Path) -> None:
    # The table of card numbers and insurance numbers would have two cards for one person.
    rows = f"1,张三,{ZHANG},,\n1,李四,{LI},,\n,王五,{WANG},,\n,赵六,{citizen(4)},,\n"
    found = read(tmp_path, f"{D1}\n{rows}")
    assert codes(found) == [(3, "insurance_number", "duplicate")]


def test_blanks_between_the_characters_of_a_name_are_taken_out(tmp_path: Path) -> None:
    text = f"姓名,身份证号码,民族\n张\u3000三,{ZHANG},汉\nAnna Li,{LI},汉\n欧阳 三,{WANG},汉\n"
    found = read(tmp_path, text)
    assert [a.name for a in found.applicants] == ["张三", "Anna Li", "欧阳三"]
    assert [r.text() for r in found.remarks] == ["2人的姓名中间有空格，已去掉"]


def test_everything_wrong_with_a_row_is_said_at_once(tmp_path: Path) -> None:
    found = read(tmp_path, f"姓名,身份证号码,民族\n,{BAD_CHECK},汗\n")
    (reject,) = found.rejects
    assert reject.fields() == "姓名；身份证号码；民族"
    assert reject.reason() == (
        "姓名：未填写；身份证号码：校验码错误；民族：不是56个民族之一（名称或01-56）"
    )
    assert reject.reason("en").startswith("name: missing; citizen number: wrong check digit; ")


@pytest.mark.parametrize(
    ("cells", "found_cells"),
    [(f"1,张三,{ZHANG},幸福村", 4), (f"1,张三,{ZHANG},幸福村,一号,129", 6), ("1", 1)],
)
def test_a_row_of_the_wrong_width_is_not_guessed_at(
    tmp_path: Path, cells: str, found_cells: int
) -> None:
    found = read(tmp_path, f"{D1}\n{cells}\n2,李四,{LI},,\n")
    assert codes(found) == [(2, "", "columns")]
    assert found.rejects[0].reason() == f"该行有{found_cells}列，表头有5列"
    assert found.original(2) == cells.split(",")
    assert [a.name for a in found.applicants] == ["李四"]


def test_empty_cells_too_many_are_no_problem(tmp_path: Path) -> None:
    found = read(tmp_path, f"{D1},,\n1,张三,{ZHANG},,,,,\n2,李四,{LI},,\n")
    assert not found.rejects
    assert found.headings == tuple(D1.split(","))


def test_a_profile_may_allow_characters_of_four_bytes(tmp_path: Path) -> None:
    text = f"姓名,身份证号码,DF01.EF05.21\n张㐂,{ZHANG},㐂村\n"
    assert codes(read(tmp_path, text)) == [
        (2, "name", "character"),
        (2, "DF01.EF05.21", "character"),
    ]
    found = read(tmp_path, text, text_rules=FOUR_BYTES)
    assert found.applicants[0].name == "张㐂"


def test_the_registry_keeps_addresses_the_card_could_not_carry(tmp_path: Path) -> None:
    (person,) = read(tmp_path, f"{D1}\n1,张三,{ZHANG},㐂村,\n").applicants
    assert person.address == "㐂村"


def test_the_registry_can_refuse_applicants_later(tmp_path: Path) -> None:
    found = read(tmp_path, f"{D1}\n1,张三,{ZHANG},,\n2,李四,{LI},,\n3,,{WANG},,\n")
    assert found.citizen_numbers == [ZHANG, LI]
    problem = roster.Problem("citizen_number", "registry")
    words = {"chinese": "登记库中已有不同的姓名", "english": "the registry has another name"}
    found.refuse({3: roster.Problem("name", "registry_says", words), 4: problem})
    assert found.rejects[0].reason() == "登记库中已有不同的姓名"
    assert [a.row for a in found.applicants] == [2]
    assert codes(found) == [
        (3, "name", "registry_says"),
        (4, "name", "missing"),
        (4, "citizen_number", "registry"),
    ]
    with pytest.raises(KeyError):
        found.refuse({99: problem})


# The vectorised rules are the scalar ones ------------------------------------------------------

DIGITS = "0123456789"
NUMBERS = st.one_of(
    st.text(DIGITS, min_size=17, max_size=17).map(lambda d: d + numbers.citizen_check(d)),
    st.builds(
        lambda day, seq: citizen(seq, f"{day.year:04}{day:%m%d}"),
        st.dates(dt.date(1870, 1, 1), dt.date(2030, 1, 1)),
        st.integers(0, 999),
    ),
    st.from_regex(r"\A639900(19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9X]\Z"),
    st.text(max_size=20),
)


def accepted(number: str) -> bool:
    try:
        numbers.parse_citizen_number(number, TODAY)
    except numbers.NumberError:
        return False
    return True


@settings(max_examples=300)
@given(st.lists(NUMBERS, max_size=20))
def test_citizen_numbers_in_bulk(texts: list[str]) -> None:
    right = vector.citizen_numbers_are_right(texts, TODAY)
    assert right.tolist() == [accepted(text) for text in texts]


@given(
    st.lists(
        st.one_of(
            st.text(DIGITS, min_size=15, max_size=18).map(lambda d: d + numbers.luhn_check(d)),
            st.text(DIGITS, max_size=21),
            st.text(max_size=20),
        ),
        max_size=20,
    )
)
def test_bank_card_numbers_in_bulk(texts: list[str]) -> None:
    right = vector.bank_card_numbers_are_right(texts)
    assert right.tolist() == [numbers.is_bank_card_number(text) for text in texts]


def short(text: str, limit: int) -> bool:
    try:
        return check_text(text) <= limit
    except TextError:
        return False


@given(st.lists(st.text() | st.text("张三䶮㐂AB \n\ue000"), max_size=30), st.integers(0, 40))
def test_text_in_bulk(texts: list[str], limit: int) -> None:
    assert vector.short_texts(texts, limit).tolist() == [short(text, limit) for text in texts]


def test_text_in_bulk_over_several_blocks() -> None:
    texts = ["张三"] * 40_000
    texts[39_999] = "㐂"
    assert (~vector.short_texts(texts, 4)).nonzero()[0].tolist() == [39_999]
