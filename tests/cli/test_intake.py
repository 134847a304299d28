"""``cardkit intake``: from a roster and photos to printed faces, by four people."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from cardkit.cli import common
from cardkit.registry.operators import Operators, Role, Sessions
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.registry import Registry
from cardkit.registry.schema.cards import history
from tests.cli.conftest import Result, Run
from tests.registry.intake import portraits

PASSWORD = "Tea-at-five-1"
CREW = {"zhao": Role.WINDOW, "ma": Role.TOWNSHIP, "li": Role.COUNTY, "sun": Role.INSPECTOR}


@pytest.fixture
def place(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two people with photos, and a crew that is signed in."""
    from cardkit.cli import desk  # noqa: PLC0415

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CARDKIT_REGISTRY", str(tmp_path / "registry.db"))
    monkeypatch.setenv("CARDKIT_PROFILE", "test")
    roster = tmp_path / "roster.csv"
    assert run("roster", "sample", 2, "--seed", 5, "--encoding", "utf-8", "--out", roster).code == 0
    (tmp_path / "photos").mkdir()
    with roster.open(encoding="utf-8-sig", newline="") as file:
        for index, row in enumerate(csv.DictReader(file)):
            photo = tmp_path / "photos" / f"{row['身份证号码']}.jpg"
            photo.write_bytes(portraits.good(index))
    with common.open_registry(str(tmp_path / "registry.db"), begins=True) as opened:
        _sign_in(opened, desk.keep_token)
    return tmp_path


def _sign_in(opened: Registry, keep: Callable[[Registry, str, str], None]) -> None:
    operators = Operators(opened.books, cost=Cost(passes=1, lanes=1, kibibytes=64))
    root = operators.init("root", "管理员", PASSWORD)
    for login, role in CREW.items():
        operators.add(login, f"测试{login}", [role], PASSWORD, by=root)
        token = Sessions(opened.books, operators).sign_in(login, PASSWORD)
        keep(opened, login, token)


def apply(run: Run, place: Path, *more: str, by: str = "zhao") -> Result:
    return run(
        "intake", "apply", place / "roster.csv", "--photos", place / "photos", "--operator", by,
        "--json", *more,
    )  # fmt: skip


def test_the_whole_road(run: Run, place: Path) -> None:
    applied = apply(run, place).document
    assert (applied["taken"], applied["rejected"]) == (2, 0)
    listed = run("intake", "list", "--operator", "zhao", "--json").document
    assert [one["state"] for one in listed] == ["applied", "applied"]
    shown = run("intake", "list").out + run("intake", "show", 1).out
    assert not any(one["citizen_number"] in shown or one["name"] in shown for one in listed)
    lines = {
        line.split()[0]: line.split()[1:] for line in run("intake", "show", 1).out.splitlines()
    }
    assert lines["birth_date"] == lines["sex"] == ["***"]
    assert lines["agent"] == lines["bank_card_number"] == ["-"]  # nothing there to hide

    asked = run("intake", "identity", "--system", "virtual", "--operator", "zhao", "--json")
    assert asked.document["counts"]["match"] == 2
    assert run("intake", "check", 1, 2, "--operator", "ma").code == 0
    confirmed = run("intake", "confirm", 1, 9, "--operator", "li", "--json")
    assert confirmed.code == 1
    assert [one["ok"] for one in confirmed.document["results"]] == [True, False]
    refused = run("intake", "refuse", 2, "--reason", "duplicate", "--operator", "li", "--json")
    assert refused.document["act"]["to_state"] == "refused"

    printer = f"virtual:{place / 'printer'}"
    out = place / "face.png"
    assert (
        run("intake", "face", 1, "--out", out, "--operator", "sun", "--json").document["width"]
        == 1013
    )
    assert out.stat().st_mode & 0o077 == 0
    printed = run("intake", "print", 1, "--printer", printer, "--operator", "zhao", "--json")
    assert printed.document["state"] == "printed"
    number = run("registry", "show", 1, "--operator", "zhao", "--json").document["card_number"]
    assert run("intake", "match", number, "--json").document["card_id"] == 1
    gone = run("intake", "spoil-face", 1, "--reason", "jam", "--operator", "zhao")
    assert gone.code == 0
    assert run("intake", "match", number).code == 4


def test_a_card_is_made_while_its_holder_waits(run: Run, place: Path) -> None:
    """Instant issue 即时制卡 [D7]: confirmed, then made by its record; nobody else's card is."""
    apply(run, place)
    run("intake", "identity", "--system", "virtual", "--operator", "zhao")
    run("intake", "check", 1, 2, "--operator", "ma")
    assert run("intake", "confirm", 1, 2, "--operator", "li").code == 0

    made = run("issue", "--waiting", "--card", 2, "--reader", "virtual", "--operator", "zhao",
               "--json")  # fmt: skip

    assert (made.code, made.document["issued"]) == (0, 1)
    listed = run("registry", "list", "--operator", "zhao", "--json").document
    assert [record["state"] for record in listed] == ["planned", "issued"]
    (image,) = (place / "waiting.issued" / "virtual-cards").glob("*.card")
    assert run("card", "verify", "--image", image).code == 0
    refused = run("issue", "--waiting", "--reader", "virtual", "--operator", "sun")
    assert refused.code == 4, "an inspector makes no cards"


def test_photos_are_found_by_the_names_that_an_import_takes(run: Run, place: Path) -> None:
    one, other = sorted((place / "photos").iterdir())
    one.rename(one.with_name(f"{one.stem.lower()}.JPG"))  # as cameras write it
    other.unlink()
    told = run("intake", "apply", place / "roster.csv", "--photos", place / "photos",
               "--operator", "zhao")  # fmt: skip
    assert told.out.count("no photo 无照片") == 1
    listed = run("intake", "list", "--operator", "zhao", "--json").document
    assert sorted(application["photo"] for application in listed) == [False, True]


def test_whose_photo_it_is_has_to_be_certain(run: Run, place: Path) -> None:
    one, other = sorted((place / "photos").iterdir())
    (one.parent / f"{one.stem}_2.png").write_bytes(b"")
    other.rename(other.with_name(f"别人_{other.name}"))
    refused = apply(run, place)
    reasons = sorted(row["reason"] for row in refused.document["rows"])
    assert refused.code == 1
    assert reasons == [
        "照片不合格：同一人有多张照片，请只保留一张",
        "照片不合格：文件名中的姓名与申请不符",
    ]


def test_a_file_that_is_no_photo_is_not_read(run: Run, place: Path) -> None:
    huge, pipe = place / "huge.jpg", place / "pipe.jpg"
    huge.touch()
    os.truncate(huge, 3 << 30)  # without a byte on the disk
    assert "file_large" in run("intake", "photo", "check", huge).out
    os.mkfifo(pipe)
    assert run("intake", "photo", "check", pipe).code == 2


def test_rows_that_are_not_taken_are_told_by_row(run: Run, place: Path) -> None:
    apply(run, place)
    again = apply(run, place)
    assert again.code == 1
    codes = {one["code"] for one in again.document["rows"]}
    assert codes == {"has_application"}


def test_whoever_only_looks_takes_nothing(run: Run, place: Path) -> None:
    assert apply(run, place, by="sun").code == 4
    assert run("intake", "list", "--operator", "zhao", "--json").document == []


def test_an_identity_system_that_knows_nobody(run: Run, place: Path) -> None:
    apply(run, place)
    file = place / "people.csv"
    file.write_text("citizen_number,name,status\n", "utf-8")
    file.write_text("citizen_number,name,status\n639900190001010010,nobody,\n", "utf-8")
    asked = run("intake", "identity", "--system", f"virtual:{file}", "--operator", "zhao")
    assert asked.code == 1
    assert "查无此号" in asked.out


def test_photos_are_checked_and_imported(run: Run, place: Path) -> None:
    dark = place / "dark.jpg"
    dark.write_bytes(portraits.REJECTED["dark"]())
    checked = run("intake", "photo", "check", dark, *(place / "photos").iterdir(), "--json")
    assert checked.code == 1
    assert [one["ok"] for one in checked.document] == [False, True, True]
    assert "过暗" in run("intake", "photo", "check", dark).out
    report = place / "report.csv"
    imported = run(
        "intake", "import-photos", place / "photos", "--report", report, "--operator", "zhao",
        "--json",
    )  # fmt: skip
    assert imported.code == 1
    assert imported.document["counts"] == {"unknown": 2}
    assert "登记库中没有此人" in report.read_text("utf-8-sig")
    assert report.stat().st_mode & 0o077 == 0


def test_a_printer_or_system_that_is_not_known_is_wrong_usage(run: Run, place: Path) -> None:
    assert run("intake", "print", 1, "--printer", "zebra:1", "--operator", "zhao").code == 2
    assert run("intake", "identity", "--system", "police", "--operator", "zhao").code == 2
    assert run("intake", "duplicates", "--operator", "sun", "--json").document == {"groups": []}
    assert place.is_dir()


def _refused(place: Path) -> list[tuple[str, str]]:
    with common.open_registry(str(place / "registry.db")) as opened:
        books = opened.books
        with books.store.reading() as connection:
            query = select(history.c.actor, history.c.detail).where(history.c.action == "refused")
            return [(row[0], json.loads(row[1])["for"]) for row in connection.execute(query)]


def test_names_in_full_are_for_people_who_are_signed_in(run: Run, place: Path) -> None:
    apply(run, place)
    for words in (
        ("intake", "list", "--full"),
        ("intake", "show", 1, "--full"),
        ("intake", "list", "--json"),
        ("intake", "show", 1, "--json"),
        ("intake", "duplicates"),
        ("intake", "face", 1, "--out", place / "face.png"),
    ):
        nobody = run(*words, "--operator", "stranger")
        assert (nobody.code, "cardkit operator sign-in" in nobody.err) == (4, True), words
    assert run("intake", "list", "--full", "--operator", "sun").code == 0
    assert run("intake", "list").code == 0  # masked


def test_a_refused_print_or_issue_is_in_the_history(run: Run, place: Path) -> None:
    printer = f"virtual:{place / 'printer'}"
    assert run("intake", "print", 1, "--printer", printer, "--operator", "sun").code == 4
    made = run("issue", place / "roster.csv", "--reader", "virtual", "--operator", "ma")
    assert made.code == 4
    assert _refused(place) == [("sun", "print-face"), ("ma", "issue-cards")]


def test_a_roster_with_applications_on_their_way_makes_no_card(run: Run, place: Path) -> None:
    apply(run, place)
    made = run("issue", place / "roster.csv", "--reader", "virtual", "--operator", "zhao", "--json")
    assert (made.code, made.document["issued"], made.document["rejected"]) == (1, 0, 2)
    assert "申请尚未复核" in Path(made.document["rejects"]).read_text("utf-8-sig")


def test_a_correction_gets_out_of_a_wrong_verdict(run: Run, place: Path) -> None:
    apply(run, place)
    known = run("intake", "list", "--operator", "zhao", "--json").document[0]
    file = place / "people.csv"
    file.write_text(f"citizen_number,name\n{known['citizen_number']},张对\n", "utf-8")
    by = ("--operator", "zhao")
    system = ("--system", f"virtual:{file}")
    assert run("intake", "identity", *system, *by).code == 1
    done = run("intake", "correct", 1, "--details-stdin", *by, "--json", stdin='{"name": "张对"}')
    assert done.document == {"application": 1, "changed": ["name"]}
    again = run("intake", "identity", "--again", 1, *system, *by, "--json")
    assert again.document["verdicts"] == {"1": "match"}
    assert run("intake", "identity", "--again", 9, *system, *by).code != 0
    assert run("intake", "correct", 1, "--details-stdin", *by, stdin="nonsense").code == 2


def test_small_words_at_the_window(run: Run, place: Path) -> None:
    apply(run, place, "--papers", "id")
    by = ("--operator", "zhao")
    for line in ("nonsense", "123,x,19810101", ",张测试,1981", "a,b,c,d"):
        wrong = run("intake", "duplicates", "--person", *by, stdin=line)
        assert (wrong.code, line in wrong.err) == (2, False)
    lost = run("intake", "identity", "--system", "virtual:nofile.csv", *by)
    assert (lost.code, "nofile.csv" in lost.err) == (2, True)
    shown = run("intake", "show", 1, "--operator", "zhao", "--json").document
    assert (shown["appeared"], shown["papers"], shown["agent"]) == ("holder", ["id"], "")
    folder = place / "new" / "chips"
    photo = next((place / "photos").iterdir())
    assert run("intake", "photo", "check", photo, "--chip-out", folder).code == 0
    assert len(list(folder.iterdir())) == 1
