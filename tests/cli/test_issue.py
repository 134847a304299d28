"""``cardkit issue`` as an operator and as a program use it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from cardkit.cli import common
from cardkit.codec.numbers import is_card_number
from cardkit.issuance import job as jobs
from cardkit.profile import load
from cardkit.registry.worklist import Worklist
from cardkit.virtual.factory import CardFactory
from tests.bench import Insert, Inserted
from tests.cli.conftest import Run
from tests.registry.support import leave_in, open_at

PEOPLE = 4


@pytest.fixture
def roster(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    assert run("roster", "sample", PEOPLE, "--seed", 5, "--out", path).code == 0
    return path


def issue(run: Run, roster: Path, *more: object) -> Any:
    done = run("issue", roster, "--profile", "test", "--reader", "virtual", "--json", *more)
    return done.code, done.document


@pytest.mark.parametrize("chips", ["premade", "blank"])
def test_a_roster_goes_in_and_cards_come_out(
    run: Run, roster: Path, tmp_path: Path, chips: str
) -> None:
    code, document = issue(run, roster, "--chips", chips, "--out", tmp_path / "out")
    assert code == 0
    assert (document["issued"], document["rejected"], document["failed"]) == (PEOPLE, 0, 0)
    assert document["rejects"] is None
    assert document["cards_per_hour"] > 0
    assert "本次制卡" in Path(document["report"]).read_text()
    with Path(document["return_list"]).open(newline="") as file:
        returned = list(csv.DictReader(file))
    assert len(returned) == PEOPLE
    assert all(is_card_number(row["卡号"]) for row in returned)
    listed = run("registry", "list", "--json").document
    assert [row["card_number"] for row in listed] == [row["卡号"] for row in returned]
    assert {row["state"] for row in listed} == {"issued"}
    (card, *_) = sorted((tmp_path / "out" / "virtual-cards").iterdir())
    assert run("card", "verify", "--image", card, "--profile", "test").code == 0


def test_the_same_roster_again_makes_nothing_new(run: Run, roster: Path) -> None:
    issue(run, roster)
    code, document = issue(run, roster)
    assert code == 0
    assert (document["issued"], document["existing"], document["open"]) == (0, PEOPLE, 0)
    assert document["elsewhere"] == 0


def test_a_card_in_use_counts_as_made(run: Run, roster: Path, tmp_path: Path) -> None:
    """It stays in the return list, `roster check` knows it, and its chip is refused as issued."""
    registry, out = tmp_path / "r.db", tmp_path / "out"
    issue(run, roster, "--registry", registry, "--out", out)
    with open_at(registry, clock=common.now) as opened:
        leave_in(opened, 1, "active")
        leave_in(opened, 2, "lost")

    again = issue(run, roster, "--registry", registry, "--out", out)[1]
    known = run("roster", "check", roster, "--profile", "test", "--registry", registry, "--json")

    assert again["existing"] == PEOPLE
    with Path(again["return_list"]).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == PEOPLE
    assert known.document["registry"] == {"issued": PEOPLE, "waiting": 0, "new": 0}

    card = min((out / "virtual-cards").iterdir())
    card.rename(card.with_suffix(".in-reader"))
    assert run("roster", "sample", 1, "--seed", 6, "--out", roster).code == 0
    more = run("issue", roster, "--profile", "test", "--reader", "virtual", "--registry", registry,
               "--out", out)  # fmt: skip
    assert "此卡已制（记录1）：请取出换新卡" in more.err
    assert not list((out / "virtual-cards").glob("*.in-reader"))


def test_the_row_that_is_shown_is_that_of_this_roster(
    run: Run, roster: Path, tmp_path: Path
) -> None:
    """People who were enrolled by another roster: the operator looks them up in the one in hand."""
    heading, first, second, *_ = roster.read_text().splitlines()
    with open_at(tmp_path / "r.db", clock=common.now) as opened:
        enrolled = jobs.read_roster(load("test"), roster, dt.date(2026, 11, 30))
        jobs.enrol(load("test"), opened, enrolled)
    roster.write_text("\n".join([heading, second, first]) + "\n")

    done = run("issue", roster, "--profile", "test", "--reader", "virtual",
               "--registry", tmp_path / "r.db")  # fmt: skip

    cards = run("registry", "list", "--registry", tmp_path / "r.db", "--json").document
    told = [line for line in done.err.splitlines() if "已制卡" in line]
    made = sorted((c for c in cards if c["state"] == "issued"), key=lambda c: c["issued_at"])
    rows = [2 if card["citizen_number"] in second else 3 for card in made]
    assert [f"第{row}行" in line for row, line in zip(rows, told, strict=True)] == [True, True]


def test_what_another_window_made_is_not_open(
    run: Run, roster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes its cards between this window's enrolment and its first card."""
    before = jobs.worklist
    sheets = tmp_path / "other"

    def others_first(*arguments: Any, **more: Any) -> Worklist:
        monkeypatch.setattr(jobs, "worklist", before)
        done = run("issue", roster, "--profile", "test", "--reader", "virtual", "--window", "2",
                   "--out", sheets)  # fmt: skip
        assert done.code == 0
        return before(*arguments, **more)

    monkeypatch.setattr(jobs, "worklist", others_first)
    done = run("issue", roster, "--profile", "test", "--reader", "virtual", "--window", "1",
               "--lang", "en", "--out", tmp_path / "out")  # fmt: skip
    assert done.code == 0
    assert f"done: 0 issued here, {PEOPLE} at other windows" in done.out
    assert "0 open" in done.out
    (report,) = (tmp_path / "out").glob("report-*.txt")
    assert f"{PEOPLE}  made at other windows meanwhile" in report.read_text()


def test_bad_rows_are_rejected_in_chinese_and_the_others_are_issued(run: Run, roster: Path) -> None:
    lines = roster.read_text().splitlines()
    number = lines[2].split(",")[2]
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    roster.write_text("\n".join(lines).replace(number, wrong) + "\n")
    code, document = issue(run, roster)
    assert code == 1
    assert (document["issued"], document["rejected"]) == (PEOPLE - 1, 1)
    with Path(document["rejects"]).open(newline="") as file:
        (rejected,) = csv.DictReader(file)
    assert rejected["行号"] == "3"
    assert rejected["字段"] == "身份证号码"
    assert rejected["原因"] == "校验码错误"


def test_people_read_progress_and_result_in_chinese_or_english(run: Run, roster: Path) -> None:
    done = run("issue", roster, "--profile", "test", "--reader", "virtual")
    assert "已制卡" in done.err
    assert f"完成：制卡 {PEOPLE}" in done.out
    again = run("issue", roster, "--profile", "test", "--reader", "virtual", "--lang", "en")
    assert "no card is waiting to be made" in again.err
    assert "done: 0 issued" in again.out


def test_dry_run_shows_commands_and_seconds_and_touches_nothing(
    run: Run, roster: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    document = run("issue", roster, "--profile", "test", "--dry-run", "--json").document
    assert document["commands"] == 30  # a short name: no extension; the id code gets its MAC
    assert set(document["seconds"]) == {"9600", "38400", "115200"}
    assert document["offered"] == [9600]
    shown = run("issue", roster, "--profile", "test", "--dry-run").out
    assert "> 00A40400 0F 7378312E73682EC9E7BBE1B1A3D5CF" in shown
    name = roster.read_text().splitlines()[1].split(",")[1]
    assert name not in shown
    assert name.encode("gb18030").hex().upper() not in shown
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("chips", ["premade", "complete", "blank"])
def test_dry_run_of_every_kind_of_chip(run: Run, roster: Path, chips: str) -> None:
    shown = run("issue", roster, "--profile", "test", "--dry-run", "--chips", chips)
    assert (shown.code, shown.err) == (0, "")
    assert {"premade": "预制卡", "complete": "完整预制卡", "blank": "空白卡"}[chips] in shown.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--profile", "nowhere"), 2, "no profile nowhere"),
        (("--profile", "test", "--out", "file/below"), 2, "nothing can be written to"),
        (("--profile", "real.toml"), 4, "not marked as a test"),
        (("--profile", "test", "--registry", "file"), 2, "registry"),
    ],
)
def test_what_is_wrong_is_found_before_anybody_is_enrolled(
    run: Run, roster: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "real.toml").write_text('[region]\nprovince = "63"\ncity = "639900"\n')
    done = run("issue", roster, "--reader", "virtual", "--lang", "en", *arguments)
    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err
    assert run("registry", "list").code == 2, "no registry was made"


def test_over_pcsc_with_two_readers(run: Run, roster: Path, insert: Insert) -> None:
    """Pre-made card in one reader, blank chip in the other; each is left in and used once."""
    factory = CardFactory(load("test"))
    here: list[Inserted] = [
        insert(factory.premade(bytes.fromhex("40000001"))),
        insert(factory.blank(bytes.fromhex("50000001"))),
    ]
    readers = [word for each in here for word in ("--reader", each.reader)]
    done = run("issue", roster, "--profile", "test", "--json", "--idle", 1, *readers)
    assert done.code == 1  # two of four people
    assert done.document["issued"] == 2
    assert done.document["open"] == 2
    for each in here:  # which of the readers is meant is said
        assert f"等待：{each.reader} 中的卡片已处理完：请取出，放入下一张" in done.err
    kinds = {r["chip_kind"] for r in run("registry", "list", "--json").document}
    assert {"premade", "blank"} <= kinds
    for each in here:
        read = run("card", "read", "--reader", each.reader, "--json")
        assert read.code == 0
        assert json.loads(read.out)["SSSE"]["EF06"]["citizen_number"].startswith("6399")
