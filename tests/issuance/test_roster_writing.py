"""Reject file and return list open in the program the roster came from."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.issuance import roster
from cardkit.issuance.roster import IssuedCard
from tests.issuance.roster_samples import D1, LI, TODAY, WANG, ZHANG, codes, read, save

ROSTER = f"{D1},备注\n1,张三,{ZHANG},幸福村,,急\n2,,{LI},幸福村,129,\n3,王㐂,{WANG},,,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(("delimiter", "line_end"), [(",", "\n"), ("|", "\r\n"), ("\t", "\r\n")])
def test_the_reject_file_is_written_as_the_roster_is(
    tmp_path: Path, encoding: str, delimiter: str, line_end: str
) -> None:
    text = ROSTER.replace(",", delimiter).replace("\n", line_end)
    found = read(tmp_path, text, encoding=encoding)
    found.write_rejects(tmp_path / "rejects.csv")
    expected = (
        f"{D1},备注,行号,字段,原因\n"
        f"2,,{LI},幸福村,129,,3,姓名,未填写\n"
        f"3,王㐂,{WANG},,,,4,姓名,“㐂”（U+3402）卡片无法存储\n"
    )
    expected = expected.replace(",", delimiter).replace("\n", line_end)
    assert (tmp_path / "rejects.csv").read_bytes() == expected.encode(encoding)


def test_the_reject_file_speaks_english_on_request(tmp_path: Path) -> None:
    found = read(tmp_path, ROSTER)
    found.write_rejects(tmp_path / "rejects.csv", lang="en")
    lines = (tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(",row,field,reason")
    assert lines[1].endswith(",3,姓名,missing")  # a column keeps the name it has in the file


def test_a_corrected_reject_file_is_a_roster_again(tmp_path: Path) -> None:
    read(tmp_path, ROSTER).write_rejects(tmp_path / "rejects.csv")
    text = (tmp_path / "rejects.csv").read_text(encoding="utf-8")
    again = read(tmp_path, text.replace(f"2,,{LI}", f"2,李四,{LI}"))
    assert [a.name for a in again.applicants] == ["李四"]
    assert [r.code for r in again.remarks] == ["unknown_column", "no_nation"]  # 备注, not 行号
    again.write_rejects(tmp_path / "rejects2.csv")
    assert (tmp_path / "rejects2.csv").read_text(encoding="utf-8") == (
        f"{D1},备注,行号,字段,原因\n3,王㐂,{WANG},,,,3,姓名,“㐂”（U+3402）卡片无法存储\n"
    )


@pytest.mark.parametrize("cells", [f"1,张三,{ZHANG}", f"1,张三,{ZHANG},幸福村,1号,129"])
def test_a_row_of_the_wrong_width_is_not_issued_from_the_reject_file_either(
    tmp_path: Path, cells: str
) -> None:
    found = read(tmp_path, f"{D1}\n{cells}\n")
    found.write_rejects(tmp_path / "rejects.csv")
    again = roster.read(tmp_path / "rejects.csv", today=TODAY)
    assert again.applicants == []
    assert again.original(2)[0] == cells
    assert len(again.original(2)) == 5 + 3


def test_a_roster_without_rejects_gives_a_heading_only(tmp_path: Path) -> None:
    found = read(tmp_path, f"{D1}\n1,张三,{ZHANG},,\n")
    found.write_rejects(tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8") == f"{D1},行号,字段,原因\n"


def test_the_return_list_adds_card_numbers_to_the_original_rows(tmp_path: Path) -> None:
    found = read(tmp_path, f"{D1}\n1, 张三 ,{ZHANG},幸福村,\n2,李四,{LI},,\n")
    found.write_return(tmp_path / "return.csv", {3: IssuedCard("X00000019")})
    assert (tmp_path / "return.csv").read_text(encoding="utf-8") == (
        f"{D1},卡号\n2,李四,{LI},,,X00000019\n"
    )
    found.write_return(
        tmp_path / "return.csv",
        {3: IssuedCard("X00000019", "AB" * 16), 2: IssuedCard("X00000027", "CD" * 16)},
        id_codes=True,
    )
    assert (tmp_path / "return.csv").read_text(encoding="utf-8") == (
        f"{D1},卡号,卡识别码\n"
        f"1, 张三 ,{ZHANG},幸福村,,X00000027,{'CD' * 16}\n"
        f"2,李四,{LI},,,X00000019,{'AB' * 16}\n"
    )


def test_a_return_list_used_as_roster_does_not_get_a_second_column(tmp_path: Path) -> None:
    found = read(tmp_path, f"姓名,卡号,身份证号码,原因\n张三,OLD,{ZHANG},x\n")
    assert [r.code for r in found.remarks] == ["unknown_column", "no_nation"]
    found.write_return(tmp_path / "return.csv", {2: IssuedCard("X00000019")})
    assert (tmp_path / "return.csv").read_text(encoding="utf-8") == (
        f"姓名,身份证号码,卡号\n张三,{ZHANG},X00000019\n"
    )


def test_a_row_that_is_not_in_the_roster_is_an_error(tmp_path: Path) -> None:
    found = read(tmp_path, f"{D1}\n1,张三,{ZHANG},,\n")
    with pytest.raises(KeyError):
        found.write_return(tmp_path / "return.csv", {7: IssuedCard("X00000019")})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["roster.csv"]


def test_files_with_personal_data_are_their_owners_only(tmp_path: Path) -> None:
    found = read(tmp_path, ROSTER)
    before = os.umask(0)
    try:
        found.write_rejects(tmp_path / "rejects.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "rejects.csv").stat().st_mode) == 0o600


def test_a_folder_that_is_missing_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    found = read(tmp_path, ROSTER)
    with pytest.raises(UsageError, match=r"rejects\.csv cannot be written: No such file"):
        found.write_rejects(tmp_path / "none" / "rejects.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["roster.csv"]


def test_the_same_problems_are_found_in_the_reject_file(tmp_path: Path) -> None:
    found = read(tmp_path, ROSTER, encoding="gb18030")
    found.write_rejects(tmp_path / "rejects.csv")
    again = roster.read(tmp_path / "rejects.csv", today=TODAY)
    assert [(f, c) for _, f, c in codes(again)] == [(f, c) for _, f, c in codes(found)]
    assert save(tmp_path, ROSTER).exists()
