"""Rosters in Excel workbooks, with everything Excel does to numbers."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.errors import UsageError
from cardkit.issuance import roster
from cardkit.issuance.roster import IssuedCard, sample
from tests.issuance.roster_samples import LI, TODAY, WANG, ZHANG, citizen, codes, read_or_refuse

HEADINGS = ["养老保险号", "姓名", "身份证号码", "地址", "联系电话", "民族", "出生日期"]


def workbook(path: Path, fill: Callable[[Any, Any], None], *more: str) -> Path:
    """Write a workbook whose first sheet is filled by a function of book and sheet."""
    book = xlsxwriter.Workbook(str(path))
    fill(book, book.add_worksheet("名单"))
    for name in more:
        book.add_worksheet(name)
    book.close()
    return path


def simple(path: Path, rows: list[list[object]], first_row: int = 0, first_column: int = 0) -> Path:
    def fill(_: Any, sheet: Any) -> None:
        for at, row in enumerate(rows, start=first_row):
            sheet.write_row(at, first_column, row)

    return workbook(path, fill)


def test_cells_of_every_type_become_text(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, [17, "张三", ZHANG, "幸福村", 12900000001, 1])
        day = dt.datetime(1990, 1, 1)  # noqa: DTZ001 - a cell has no zone
        sheet.write_datetime(1, 6, day, book.add_format({"num_format": "y-m-d"}))

    (person,) = roster.read(workbook(tmp_path / "r.xlsx", fill), today=TODAY).applicants
    assert person.insurance_number == "17"
    assert person.phone == "12900000001"
    assert (person.nation, person.birth_date) == ("01", "19900101")


def test_a_citizen_number_kept_as_a_number_is_rejected_even_when_its_check_digit_fits(
    tmp_path: Path,
) -> None:
    # Excel keeps fifteen digits: a number ending in 000 is the same before and after.
    zeros = next(n for n in map(citizen, range(100, 1000, 100)) if n.endswith("00"))
    rows: list[list[object]] = [
        ["姓名", "身份证号码"],
        ["张三", float(citizen(3))],
        ["李四", LI],
        ["王五", float(zeros)],
    ]
    found = roster.read(simple(tmp_path / "r.xlsx", rows), today=TODAY)
    assert [a.name for a in found.applicants] == ["李四"]
    assert codes(found) == [
        (2, "citizen_number", "excel_number"),
        (4, "citizen_number", "excel_number"),
    ]


def test_the_same_digits_as_text_are_a_citizen_number(tmp_path: Path) -> None:
    zeros = next(n for n in map(citizen, range(100, 1000, 100)) if n.endswith("00"))
    rows: list[list[object]] = [
        ["姓名", "身份证号码", "银行卡号"],
        ["张三", zeros, float("62" * 8)],
    ]
    found = roster.read(simple(tmp_path / "r.xlsx", rows), today=TODAY)
    assert codes(found) == [(2, "bank_card_number", "excel_number")]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (4, 0), (0, 3), (7, 5)])
def test_a_roster_may_stand_anywhere_in_its_sheet(tmp_path: Path, row: int, column: int) -> None:
    rows: list[list[object]] = [
        ["姓名", "身份证号码"],
        ["张三", ZHANG],
        [],
        ["李四", float(LI[:-1] + "0")],
    ]
    found = roster.read(simple(tmp_path / "r.xlsx", rows, row, column), today=TODAY)
    assert [a.row for a in found.applicants] == [row + 2]
    assert codes(found) == [(row + 4, "citizen_number", "excel_number")]


def test_the_sheet_with_the_headings_is_found_and_the_others_are_reported(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "r.xlsx"))
    book.add_worksheet("说明").write(0, 0, "填表说明")
    book.add_worksheet("空")
    page = book.add_worksheet("名单")
    page.write_row(0, 0, ["姓名", "身份证号码", "民族"])
    page.write_row(1, 0, ["张三", ZHANG, "汉"])
    book.close()
    found = roster.read(tmp_path / "r.xlsx", today=TODAY)
    assert [a.name for a in found.applicants] == ["张三"]
    assert [r.text() for r in found.remarks] == ["只读取了工作表“名单”，另有2个工作表未读"]
    assert found.format.sheet == "名单"
    with pytest.raises(UsageError, match="no column for 姓名"):
        roster.read(tmp_path / "r.xlsx", today=TODAY, sheet="说明")
    with pytest.raises(UsageError, match="no sheet 别的"):
        roster.read(tmp_path / "r.xlsx", today=TODAY, sheet="别的")


def test_rejects_and_return_list_are_workbooks_whose_numbers_stay_whole(tmp_path: Path) -> None:
    rows: list[list[object]] = [["姓名", "身份证号码"], ["张三", ZHANG], ["", LI], ["王五", WANG]]
    found = roster.read(simple(tmp_path / "r.xlsx", rows), today=TODAY)
    assert found.format.suffix == ".xlsx"
    found.write_rejects(tmp_path / "rejects.xlsx")
    again = roster.read(tmp_path / "rejects.xlsx", today=TODAY)
    assert again.headings == ("姓名", "身份证号码", "行号", "字段", "原因")
    assert again.original(2) == ["", LI, "3", "姓名", "未填写"]
    found.write_return(tmp_path / "return.xlsx", {4: IssuedCard("X00000019")})
    back = roster.read(tmp_path / "return.xlsx", today=TODAY)
    assert back.original(2) == ["王五", WANG, "X00000019"]


# Files that cannot be used -----------------------------------------------------------------------


def test_a_stray_cell_far_outside_is_refused_before_memory_is_reserved_for_it(
    tmp_path: Path,
) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["姓名", "身份证号码"])
        sheet.write_row(1, 0, ["张三", ZHANG])
        sheet.write(900_000, 700, "x")

    path = workbook(tmp_path / "r.xlsx", fill)
    with pytest.raises(UsageError, match="as far out as row 900001 and column 701"):
        roster.read(path, today=TODAY)


def test_an_empty_cell_far_outside_is_no_problem(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["姓名", "身份证号码"])
        sheet.write_row(1, 0, ["张三", ZHANG])
        sheet.write_blank(900_000, 700, None, book.add_format({"bold": True}))

    assert len(roster.read(workbook(tmp_path / "r.xlsx", fill), today=TODAY).applicants) == 1


def test_an_old_or_encrypted_workbook_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "r.xls"
    path.write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600))
    with pytest.raises(UsageError, match=r"old kind \(\.xls\), or one with a password") as caught:
        roster.read(path, today=TODAY)
    assert ".xlsx" in caught.value.hint


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(UsageError, match="not an Excel workbook"):
        roster.read(tmp_path / "r.xlsx", today=TODAY)


def test_a_workbook_with_an_xml_document_type_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.xlsx", "w") as archive:
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
        archive.writestr("xl/_rels/workbook.xml.rels", bomb)
        archive.writestr("xl/workbook.xml", bomb)
    with pytest.raises(UsageError, match="not an Excel workbook"):
        roster.read(tmp_path / "r.xlsx", today=TODAY)


def good_workbook(folder: Path) -> bytes:
    sample.write(folder / "good.xlsx", 5, seed=1)
    return (folder / "good.xlsx").read_bytes()


def test_a_sample_workbook_is_the_same_at_any_time(tmp_path: Path) -> None:
    assert good_workbook(tmp_path) == good_workbook(tmp_path)
    with zipfile.ZipFile(tmp_path / "good.xlsx") as book:
        assert b"2000-01-01T00:00:00Z" in book.read("docProps/core.xml")


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_workbook_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("x")
    content = bytearray(good_workbook(folder))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(content), len(content) // 2, len(content) - 30]))
    (folder / "r.xlsx").write_bytes(bytes(content[:end]))
    found = read_or_refuse(folder / "r.xlsx")
    assert "\n" not in found.message if isinstance(found, UsageError) else found.count <= 5


@settings(max_examples=60)
@given(st.data())
def test_a_workbook_with_damaged_xml_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("x")
    good_workbook(folder)
    with (
        zipfile.ZipFile(folder / "good.xlsx") as good,
        zipfile.ZipFile(folder / "r.xlsx", "w") as bad,
    ):
        names = good.namelist()
        spoilt = data.draw(st.sampled_from(names))
        for name in names:
            content = bytearray(good.read(name))
            if name == spoilt:
                for _ in range(data.draw(st.integers(1, 5))):
                    at = data.draw(st.integers(0, len(content) - 1))
                    content[at] = data.draw(st.sampled_from(b"<>/\"'0A=z&"))
            bad.writestr(name, bytes(content))
    found = read_or_refuse(folder / "r.xlsx")
    assert "\n" not in found.message if isinstance(found, UsageError) else found.count <= 10
