"""Who exists, who is there already, and photos of many at once."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cardkit.errors import UsageError
from cardkit.registry.intake import importing
from cardkit.registry.intake.duplicates import Duplicates, Likeness, both_forms
from cardkit.registry.intake.identity import Asked, IdentityUnavailableError, Verdict
from cardkit.registry.intake.photo import PhotoVerdict, check_photo
from cardkit.virtual.identity import VirtualIdentitySystem
from tests.registry.intake import portraits
from tests.registry.intake.support import RULES, Window, person
from tests.registry.support import applicant, crowd, enrol

# -- identity -----------------------------------------------------------------------------------


def test_verdicts_are_kept_and_the_rest_waits_when_the_line_breaks(window: Window) -> None:
    numbers = [window.apply(person(index)) for index in range(3)]
    known = {person(0).citizen_number: (person(0).name, Verdict.DEAD)}
    window.system.people = known | {person(1).citizen_number: ("别名", Verdict.MATCH)}
    window.system.offline = True
    run = window.identities.check_waiting(window.system)
    assert (run.verdicts, run.waiting) == ({}, 3)
    assert "does not answer" in run.problem
    assert "没有应答" in run.problem_zh
    window.system.offline = False
    run = window.identities.check_waiting(window.system)
    assert [run.verdicts[n] for n in numbers] == [
        Verdict.DEAD,
        Verdict.NAME_DIFFERS,
        Verdict.NUMBER_UNKNOWN,
    ]
    assert window.identities.check_waiting(window.system).verdicts == {}


def test_an_answer_that_lacks_people_is_no_answer(window: Window) -> None:
    number = window.apply(person(1))
    window.system.short = True
    with pytest.raises(IdentityUnavailableError):
        window.identities.check(number, window.system)
    assert window.room("li").get(number).verdict is None


def test_a_broken_line_in_the_middle_of_a_run_keeps_whole_chunks(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardkit.registry.intake.identity.CHUNK", 2)
    for index in range(5):
        window.apply(person(index))
    window.system.answers = 2
    run = window.identities.check_waiting(window.system)
    assert (len(run.verdicts), run.waiting) == (2, 3)
    window.system.answers = None
    assert len(window.identities.check_waiting(window.system).verdicts) == 3


def test_the_virtual_system_knows_the_people_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    one, other = applicant(1), applicant(2)
    file.write_text(
        "citizen_number,name,status\n"
        f"{one.citizen_number},{one.name},\n{other.citizen_number},{other.name},cancelled\n",
        "utf-8",
    )
    system = VirtualIdentitySystem.read(file)
    asked = [
        Asked(one.name, one.citizen_number),
        Asked("别人", one.citizen_number),
        Asked(other.name, other.citizen_number),
        Asked("无人", applicant(3).citizen_number),
    ]
    assert [verdict.value for verdict in system.check_many(asked)] == [
        "match",
        "name_differs",
        "number_cancelled",
        "number_unknown",
    ]
    assert one.name not in repr(asked) + repr(system)
    file.write_text("citizen_number,name,status\nx,y,undead\n", "utf-8")
    with pytest.raises(UsageError, match="line 2"):
        VirtualIdentitySystem.read(file)


# -- duplicates -----------------------------------------------------------------------------------


def test_the_same_person_is_found_by_every_form_of_the_number(window: Window) -> None:
    enrol(window.registry, crowd(3))
    one = applicant(1)
    search = Duplicates(window.registry.books)
    old = one.citizen_number[:6] + one.citizen_number[8:17]
    for number in (one.citizen_number, old, one.citizen_number.lower(), f" {old} "):
        (found,) = search.find(number)
        assert (found.likeness, found.person_id, found.card_id) == (Likeness.NUMBER, 2, 2)
    assert search.find(applicant(9).citizen_number) == []


def test_a_name_written_in_another_way_and_one_that_is_almost_the_same(window: Window) -> None:
    other = applicant(21, name="买买提·艾力")
    enrol(window.registry, [applicant(1), other])
    search = Duplicates(window.registry.books)
    born = other.birth_date
    assert applicant(1).birth_date == other.birth_date
    assert [c.likeness for c in search.find("", name="买买提．艾 力", birth_date=born)] == [
        Likeness.NAME
    ]
    similar = search.find("", name="买买堤・艾力", sex=other.sex, birth_date=born)
    assert [(c.likeness, c.person_id) for c in similar] == [(Likeness.SIMILAR_NAME, 2)]
    assert (
        search.find("", name="买买堤·艾力", sex="2" if other.sex == "1" else "1", birth_date=born)
        == []
    )
    assert search.find("", name="买买提·艾力", birth_date="19700101") == []


def test_somebody_else_with_the_insurance_number_is_found(window: Window) -> None:
    enrol(window.registry, [applicant(1, insurance_number="8800001"), applicant(2)])
    search = Duplicates(window.registry.books)
    (found,) = search.find(applicant(5).citizen_number, insurance_number="8800001")
    assert (found.likeness, found.person_id) == (Likeness.INSURANCE_NUMBER, 1)
    (found,) = search.find("", insurance_number=applicant(2).citizen_number)
    assert found.person_id == 2


def test_groups_of_the_whole_registry(window: Window) -> None:
    twins = [applicant(1, name="张 测试"), applicant(21, name="张测试"), applicant(2)]
    enrol(window.registry, twins)
    assert list(Duplicates(window.registry.books).groups()) == [[1, 2]]


def test_every_question_is_answered_by_an_index(window: Window) -> None:
    questions = [
        (
            "SELECT id FROM people WHERE citizen_number IN ('a', 'b') OR insurance_number IN ('a') "
            "AND insurance_number != citizen_number"
        ),
        "SELECT id FROM people WHERE birth_date = '19810101'",
        "SELECT id FROM applications WHERE citizen_number IN ('a') AND state IN ('applied')",
        "SELECT id FROM applications WHERE birth_date = 'a' AND state IN ('applied')",
        "SELECT id FROM photos WHERE original_digest = 'a' AND current = 1",
    ]
    with window.registry.books.store.reading() as connection:
        for question in questions:
            plan = connection.execute(text("EXPLAIN QUERY PLAN " + question)).all()
            assert all("SCAN" not in row[3] for row in plan), (question, plan)


@given(st.integers(0, 999), st.integers(1900, 1999))
def test_both_forms_lead_back_to_the_number(sequence: int, year: int) -> None:
    from cardkit.codec.numbers import citizen_check  # noqa: PLC0415

    body = f"639900{year}0101{sequence:03d}"
    number = body + citizen_check(body)
    (_, old) = both_forms(number)
    assert number in both_forms(old)


# -- many photos ----------------------------------------------------------------------------------


def check(data: bytes) -> PhotoVerdict:
    return check_photo(data, RULES)


def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    number = [applicant(index).citizen_number for index in range(9)]
    files = {
        f"{number[0]}.jpg": portraits.good(0),
        f"张测试1_{number[1]}.JPG": portraits.good(1),
        f"李四 {number[2]}.jpg": portraits.good(2),
        f"{number[3]}.jpg": portraits.REJECTED["dark"](),
        f"{number[4]}.jpg": portraits.good(1),  # the same as that of the second
        f"{number[8]}.jpg": portraits.good(4),  # nobody of this registry
        f"{number[0]}(2).jpg": portraits.good(5),
        "group photo.jpg": portraits.good(6),
        "639900198101010010.jpg": portraits.good(6),
        f"{number[5]}.png": portraits.REJECTED["format"](),
        "readme.txt": b"",
    }
    for name, data in files.items():
        (photos / name).write_bytes(data)
    return photos


def test_a_folder_is_taken_over_and_every_file_accounted_for(
    window: Window, tmp_path: Path
) -> None:
    enrol(window.registry, crowd(6))
    room = importing.PhotoImport(window.registry.books, check)
    files = importing.of_folder(folder(tmp_path))
    report = room.run(files)
    assert report.counts() == {
        "taken": 1, "name_differs": 1, "dark": 1, "foreign": 1, "unknown": 1, "twice": 2,
        "no_number": 1, "bad_number": 1, "format": 1,
    }  # fmt: skip
    assert (report.taken, report.rejected, len(files)) == (1, 9, 10)
    assert room.photos.missing() == 5
    again = room.run(files)
    assert (again.taken, again.same) == (0, 1)


def test_the_report_opens_in_a_spreadsheet_and_no_name_is_a_formula(
    window: Window, tmp_path: Path
) -> None:
    photos = folder(tmp_path)
    (photos / "=1+1.jpg").write_bytes(portraits.good(3))
    report = importing.PhotoImport(window.registry.books, check).run(importing.of_folder(photos))
    raw = report.csv()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0] == ["文件", "结果", "原因代码", "原因"]
    assert len(rows) == 1 + len(report.lines)
    assert not any(row[0].startswith("=") for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_manifest_says_whose_photo_a_file_is(
    window: Window, tmp_path: Path, encoding: str
) -> None:
    enrol(window.registry, crowd(2))
    (tmp_path / "DSC1.jpg").write_bytes(portraits.good(0))
    lines = "citizen_number,name,file\r\n" + "".join(
        f"{applicant(index).citizen_number},{applicant(index).name},{file}\r\n"
        for index, file in ((0, "DSC1.jpg"), (1, "gone.jpg"))
    )
    manifest = tmp_path / "photos.csv"
    manifest.write_bytes(lines.encode(encoding))
    room = importing.PhotoImport(window.registry.books, check)
    assert room.run(importing.of_manifest(manifest)).counts() == {"taken": 1, "unreadable": 1}
    manifest.write_text("a,b\n", "utf-8")
    with pytest.raises(UsageError, match="headings"):
        importing.of_manifest(manifest)


def test_what_is_no_photo_is_not_read_into_memory(window: Window, tmp_path: Path) -> None:
    enrol(window.registry, crowd(2))
    huge, pipe = (tmp_path / f"{applicant(index).citizen_number}.jpg" for index in (0, 1))
    huge.touch()
    os.truncate(huge, 3 << 30)  # without a byte on the disk
    os.mkfifo(pipe)  # nobody will ever write into it
    room = importing.PhotoImport(window.registry.books, check)
    assert room.run(importing.of_folder(tmp_path)).counts() == {"file_large": 1, "unreadable": 1}


def test_an_import_that_stops_keeps_its_chunks_and_goes_on(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    enrol(window.registry, crowd(5))
    for index in range(5):
        (tmp_path / f"{applicant(index).citizen_number}.jpg").write_bytes(portraits.good(index))
    room = importing.PhotoImport(window.registry.books, check)
    files = importing.of_folder(tmp_path)

    def stop(done: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        room.run(files, stop)
    assert room.photos.missing() == 1
    assert room.run(files).counts() == {"same": 4, "taken": 1}
