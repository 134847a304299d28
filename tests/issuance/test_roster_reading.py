"""Every way a roster can be written down is read to the same people."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import Template
from cardkit.errors import UsageError
from cardkit.issuance import roster
from tests.issuance.roster_samples import (
    D1,
    LI,
    TODAY,
    WANG,
    ZHANG,
    citizen,
    codes,
    read,
    read_or_refuse,
    save,
)

TWO_PEOPLE = f"{D1}\n0001,张三,{ZHANG},幸福村1号,12900000001\n0002,李䶮,{LI},幸福村2号,\n"


def summary(found: roster.Roster) -> list[tuple[int, str, str, str, str, str]]:
    return [
        (a.row, a.insurance_number, a.name, a.citizen_number, a.address, a.phone)
        for a in found.applicants
    ]


EXPECTED = [
    (2, "0001", "张三", ZHANG, "幸福村1号", "12900000001"),
    (3, "0002", "李䶮", LI, "幸福村2号", ""),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_end_are_recognised(
    tmp_path: Path, encoding: str, delimiter: str, line_end: str
) -> None:
    text = TWO_PEOPLE.replace(",", delimiter).replace("\n", line_end)
    found = read(tmp_path, text, encoding=encoding)
    assert summary(found) == EXPECTED
    assert (found.format.encoding, found.format.delimiter) == (encoding, delimiter)
    assert not found.rejects


def test_what_no_column_says_comes_from_the_citizen_number(tmp_path: Path) -> None:
    man, woman = read(tmp_path, TWO_PEOPLE).applicants
    assert (man.sex, man.birth_date, man.birthplace, man.nation) == ("1", "19900101", "639900", "")
    assert woman.sex == "2"
    assert (man.status, man.card_kind, man.bank_card_number, man.items) == ("", "", "", {})


def test_the_report_says_how_many_have_no_nation(tmp_path: Path) -> None:
    found = read(tmp_path, f"姓名,身份证号码,民族\n张三,{ZHANG},汉\n李四,{LI},\n王五,{WANG},\n")
    assert [remark.text() for remark in found.remarks] == ["2人没有民族，卡上该项留空"]
    assert found.remarks[0].text("en").startswith("2 people have no nation")


def test_every_optional_column_is_read(tmp_path: Path) -> None:
    text = (
        "姓名,公民身份号码,性别,民族,出生日期,出生地,状态,卡种,银行卡号\n"
        f"张三,{ZHANG},男,维吾尔族,1990-01-01,110105,在职,学籍卡,6200 0000 0000 0005\n"
    )
    (person,) = read(tmp_path, text).applicants
    assert person.sex == "1"
    assert person.nation == "05"
    assert person.birth_date == "19900101"
    assert person.birthplace == "110105"
    assert person.status == "在职"
    assert person.card_kind == "student"
    assert person.bank_card_number == "6200000000000005"


def test_english_headings_are_read_whatever_their_case(tmp_path: Path) -> None:
    text = f"Insurance Number,NAME,citizen_number,Address,Phone\n0001,张三,{ZHANG},幸福村1号,129\n"
    assert summary(read(tmp_path, text)) == [(2, "0001", "张三", ZHANG, "幸福村1号", "129")]


def test_a_quoted_cell_may_contain_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    text = f'{D1}\r\n1,"张,三",{ZHANG},"幸福村\r\n""一号""院",129\r\n2,李四,{LI},,\r\n'
    found = read(tmp_path, text)
    first, second = found.applicants
    assert first.name == "张,三"
    assert first.address == '幸福村 "一号"院'
    assert (first.row, second.row) == (2, 3)  # as a spreadsheet program counts them


def test_blank_rows_are_left_out_and_still_counted(tmp_path: Path) -> None:
    text = f"{D1}\n\n1,张三,{ZHANG},,\n , ,\t, ,\u3000\n,,,,\n2,李四,{LI},,\n\n\n,,,,\n\x1a"
    found = read(tmp_path, text)
    assert [a.row for a in found.applicants] == [3, 6]
    assert not found.rejects
    assert found.count == 2


def test_blanks_around_a_cell_and_full_width_digits_are_tidied(tmp_path: Path) -> None:
    number = citizen(8)
    assert number.endswith("X")
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number.lower())
    text = f"{D1}\n ０００１ , 张三\u3000,\t{wide} , 幸福村１号 ,１２９\n"
    (person,) = read(tmp_path, text).applicants
    assert (person.insurance_number, person.name, person.citizen_number) == ("0001", "张三", number)
    assert person.address == "幸福村１号"  # text stays as it was written


def test_titles_above_the_heading_are_skipped_and_reported(tmp_path: Path) -> None:
    found = read(tmp_path, f"某县参保人员名单,,\n,,\n姓名,身份证号码,民族\n张三,{ZHANG},汉\n")
    assert [a.row for a in found.applicants] == [4]
    assert [remark.code for remark in found.remarks] == ["heading_row"]


def test_an_unknown_column_is_reported_and_otherwise_ignored(tmp_path: Path) -> None:
    found = read(tmp_path, f"姓名,备注,身份证号码,民族\n张三,急,{ZHANG},汉\n")
    assert [r.text() for r in found.remarks] == ["第2列“备注”不认识，已忽略"]
    assert found.original(2) == ["张三", "急", ZHANG, "汉"]


def test_the_same_roster_has_the_same_digest(tmp_path: Path) -> None:
    first, again = read(tmp_path, TWO_PEOPLE), read(tmp_path, TWO_PEOPLE)
    assert first.digest == again.digest
    assert first.digest != read(tmp_path, TWO_PEOPLE + "\n").digest
    assert len(first.digest) == 64


def test_personal_data_are_not_in_the_repr(tmp_path: Path) -> None:
    found = read(tmp_path, TWO_PEOPLE + f"3,赵㐂,{WANG},幸福村3号,\n")
    shown = repr(found) + repr(found.applicants) + repr(found.rejects)
    for secret in ("张三", "赵", "㐂", "幸福村", ZHANG, WANG, "12900000001"):
        assert secret not in shown


# Item columns --------------------------------------------------------------------------------


def test_an_item_is_supplied_by_address_or_by_name(tmp_path: Path) -> None:
    text = (
        "姓名,身份证号码,民族,DF01.EF05.20,df01.ef15.40.1.57,婚姻状况,household_address\n"
        f"张三,{ZHANG},汉,10,123,2,幸福村1号\n李四,{LI},汉,,,,\n"
    )
    found = read(tmp_path, text)
    assert not found.remarks
    assert found.applicants[0].items == {
        "DF01.EF05.20": "10",
        "DF01.EF15.40.1.57": "123",
        "DF01.EF08.2B": "2",
        "DF01.EF05.21": "幸福村1号",
    }
    assert found.applicants[1].items == {}


def test_every_item_of_the_application_directories_can_be_a_column(tmp_path: Path) -> None:
    wanted = [
        address
        for address in GENERATION_2.addresses
        if address.startswith(("DF01", "DF02", "DF03", "DF04"))
        and not isinstance(GENERATION_2.find(address).target, Template)
    ]
    rows = [["姓名", "身份证号码", "民族", *wanted]]
    for at in range(len(wanted)):
        cells = ["1" if other == at else "" for other in range(len(wanted))]
        rows.append(["张三", citizen(at + 1), "汉", *cells])
    found = read(tmp_path, "\n".join(map(",".join, rows)))
    assert not found.remarks
    # Each row fills one item: it reaches the applicant, or is rejected where 1 is no such value.
    supplied = {a.row: list(a.items) for a in found.applicants}
    supplied |= {r.row: [p.field for p in r.problems] for r in found.rejects}
    assert [supplied[row] for row in sorted(supplied)] == [[address] for address in wanted]
    assert len(wanted) > 100


def test_a_value_that_does_not_fit_its_item_is_rejected(tmp_path: Path) -> None:
    text = (
        "姓名,身份证号码,DF01.EF05.20,DF01.EF05.0E,DF01.EF05.21\n"
        f"张三,{ZHANG},100,639900,\n"
        f"李四,{LI},10,63990012,\n"
        f"王五,{WANG},10,六三九九,㐂\n"
    )
    found = read(tmp_path, text)
    assert codes(found) == [
        (2, "DF01.EF05.20", "too_long"),
        (3, "DF01.EF05.0E", "item"),
        (4, "DF01.EF05.0E", "item"),
        (4, "DF01.EF05.21", "character"),
    ]
    assert found.rejects[0].reason() == "内容需要3字节，最多2字节"


@pytest.mark.parametrize(
    "heading", ["DF01.EF05.99", "DF01.EF15.40.1", "SSSE.EF06.09", "DF05.EF05.A0"]
)
def test_what_is_no_item_of_df01_to_df04_is_an_unknown_column(tmp_path: Path, heading: str) -> None:
    found = read(tmp_path, f"姓名,身份证号码,民族,{heading}\n张三,{ZHANG},汉,1\n")
    assert [r.code for r in found.remarks] == ["unknown_column"]
    assert found.applicants[0].items == {}


# Files that cannot be used at all --------------------------------------------------------------


def refusal(folder: Path, content: bytes, name: str = "roster.csv") -> str:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        roster.read(path, today=TODAY)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith(name)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"  \r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1a"]
)
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "roster.csv, line 1, column 1: the file is empty"


def test_a_heading_without_rows_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, D1.encode()).startswith("roster.csv, line 2, column 1: no row below")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"姓名,地址\n张三,{ZHANG}\n".encode())
    assert message == "roster.csv, line 1, columns 1-2: no column for 身份证号码 (citizen number)"


def test_a_file_without_headings_does_not_show_its_first_person(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"0001,张三,{ZHANG},幸福村1号,129\n".encode())
    assert "姓名" in message
    assert "身份证号码" in message
    assert "张三" not in message
    assert ZHANG not in message


def test_a_profile_may_require_more_columns(tmp_path: Path) -> None:
    path = save(tmp_path, f"姓名,身份证号码\n张三,{ZHANG}\n")
    with pytest.raises(UsageError, match="no column for 养老保险号"):
        roster.read(path, today=TODAY, required=["insurance_number"])


def test_two_columns_for_one_thing_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"姓名,身份证号,社会保障号码\n张三,{ZHANG},{ZHANG}\n".encode())
    assert message == (
        "roster.csv, line 1, column 3: a second column for 身份证号码 (citizen number); "
        "the first is column 2"
    )


def test_two_columns_for_one_item_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"姓名,身份证号,婚姻状况,DF01.EF08.2B\n张三,{ZHANG},1,1\n".encode())
    assert "column 4: a second column for item DF01.EF08.2B; the first is column 3" in message


def test_a_bad_byte_in_utf8_is_pointed_at(tmp_path: Path) -> None:
    good, bad = f"{D1}\n1,张三,{ZHANG},幸福村,\n".encode(), "2,李".encode() + b"\xff,x,,\n"
    message = refusal(tmp_path, good + bad)
    assert message == "roster.csv, line 3, column 4: not valid UTF-8"


def test_a_bad_byte_in_gb18030_is_pointed_at(tmp_path: Path) -> None:
    good, bad = f"{D1}\r\n1,张三,{ZHANG},幸福村,\r\n".encode("gb18030"), b"2,\xff,x,,\r\n"
    message = refusal(tmp_path, good + bad)
    assert message == "roster.csv, line 3, column 3: neither UTF-8 nor GB18030"


def test_a_bad_byte_far_into_the_file_is_pointed_at(tmp_path: Path) -> None:
    rows = "".join(f"{n},张三,{ZHANG},幸福村,\n" for n in range(20_000))
    message = refusal(tmp_path, f"{D1}\n{rows}1,张".encode() + b"\xe5\xbc")
    assert message == "roster.csv, line 20002, column 4: not valid UTF-8"


def test_utf16_that_ends_in_the_middle_of_a_character_is_refused(tmp_path: Path) -> None:
    assert "not valid UTF-16" in refusal(tmp_path, f"{D1}\n1,张三\n".encode("utf-16")[:-1])


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 8,
        b"\x7fELF\x02\x01\x01\x00\x00\x00",
        f"{D1}\n1,张三".encode("utf-16-le"),
        f"{D1}\n1,张三".encode("utf-32"),
    ],
)
def test_binary_data_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "binary data, this is no roster" in refusal(tmp_path, content)


def test_a_zero_byte_is_pointed_at(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"name,citizen number\nA,{ZHANG}\nB,\0".encode())
    assert message.startswith("roster.csv, line 3, column 3: binary data")


@pytest.mark.parametrize(
    ("row", "column"),
    [('1,"张三,x,,\n2,李四,y,,\n', 3), ('1,"张"三",x,,\n', 3), ('1,a,b,"x\ny"z,\n', 7)],
)
def test_a_quotation_mark_without_partner_is_pointed_at(
    tmp_path: Path, row: str, column: int
) -> None:
    message = refusal(tmp_path, f"{D1}\n0,赵六,x,,\n{row}".encode())
    assert message == f"roster.csv, line 3, column {column}: a quotation mark without its partner"


def test_a_cell_without_end_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"{D1}\n1,{'张' * 200_000},x,,\n".encode())
    assert message == "roster.csv, line 2, column 1: a field of more than 131,072 characters"


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv: No such file"):
        roster.read(tmp_path / "none.csv", today=TODAY)
    with pytest.raises(UsageError, match="Is a directory"):
        roster.read(tmp_path, today=TODAY)


# Properties ------------------------------------------------------------------------------------

CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["", " ", "张三", ZHANG, '"', ",", "\r\n", "|", "'"])


@settings(max_examples=60)
@given(
    records=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from(",\t|;"),
)
def test_every_row_is_an_applicant_or_a_reject_and_keeps_its_cells(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[list[str]],
    encoding: str,
    delimiter: str,
) -> None:
    buffer = io.StringIO()
    rows = [["姓名", "身份证号码", "备注"], *records, ["张三", ZHANG, ""]]
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    found = read(tmp_path_factory.mktemp("r"), buffer.getvalue(), encoding=encoding)
    filled = {
        number: record
        for number, record in enumerate(rows[1:], start=2)
        if "".join(record).strip(" \t\u3000\x1a\xa0")
    }
    assert {number: found.original(number) for number in filled} == filled
    seen = sorted([a.row for a in found.applicants] + [r.row for r in found.rejects])
    assert seen == sorted(filled)


@settings(max_examples=150)
@given(st.binary(max_size=400), st.sampled_from([b"", D1.encode(), b"PK\x03\x04", b"\xff\xfe"]))
def test_random_bytes_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, begin: bytes
) -> None:
    path = tmp_path_factory.mktemp("f") / "roster.csv"
    path.write_bytes(begin + content)
    found = read_or_refuse(path)
    assert isinstance(found, roster.Roster) or found.message.startswith("roster.csv")


@settings(max_examples=150)
@given(st.data())
def test_a_roster_with_some_bytes_changed_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    encoding = data.draw(st.sampled_from(["utf-8", "gb18030", "utf-16"]))
    content = bytearray(TWO_PEOPLE.encode(encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("f") / "roster.csv"
    path.write_bytes(bytes(content))
    found = read_or_refuse(path)
    if isinstance(found, UsageError):
        assert "\n" not in found.message
        return
    for row in [a.row for a in found.applicants] + [r.row for r in found.rejects]:
        assert found.original(row)
