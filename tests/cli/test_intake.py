"""``cardkit intake``: from a roster and photos to printed faces, by four people."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from cardkit.cli import common
from cardkit.registry.operators import Operators, Role, Sessions
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.registry import Registry
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
    with common.open_registry(str(tmp_path / "registry.db")) as opened:
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
    listed = run("intake", "list", "--json").document
    assert [one["state"] for one in listed] == ["applied", "applied"]
    shown = run("intake", "list").out + run("intake", "show", 1).out
    assert not any(one["citizen_number"] in shown or one["name"] in shown for one in listed)

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
    assert run("intake", "face", 1, "--out", out, "--json").document["width"] == 1013
    assert out.stat().st_mode & 0o077 == 0
    printed = run("intake", "print", 1, "--printer", printer, "--operator", "zhao", "--json")
    assert printed.document["state"] == "printed"
    number = run("registry", "show", 1, "--json").document["card_number"]
    assert run("intake", "match", number, "--json").document["card_id"] == 1
    gone = run("intake", "spoil-face", 1, "--reason", "jam", "--operator", "zhao")
    assert gone.code == 0
    assert run("intake", "match", number).code == 4


def test_rows_that_are_not_taken_are_told_by_row(run: Run, place: Path) -> None:
    apply(run, place)
    again = apply(run, place)
    assert again.code == 1
    codes = {one["code"] for one in again.document["rows"]}
    assert codes == {"has_application"}


def test_whoever_only_looks_takes_nothing(run: Run, place: Path) -> None:
    assert apply(run, place, by="sun").code == 4
    assert run("intake", "list", "--json").document == []


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
    assert run("intake", "duplicates", "--json").document == {"groups": []}
    assert place.is_dir()
