"""``cardkit issue --waiting``: cards the registry has planned already, without a list of people."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cardkit.cli import common
from cardkit.issuance import job as jobs
from cardkit.profile import load
from cardkit.registry.intake.photo import Prepared
from cardkit.registry.intake.photos import Photos
from cardkit.registry.operators import Operators
from cardkit.registry.places import PlaceRow, Places, Residence
from cardkit.registry.registry import Registry
from cardkit.registry.worklist import Worklist
from cardkit.virtual.factory import CardFactory
from tests.bench import Insert
from tests.cli.conftest import Result, Run
from tests.cli.staff import PASSWORD, cheap, done, sign_in
from tests.registry.support import begin, open_at

PEOPLE = 4
SHIPPED = (files("cardkit.profile") / "shipped" / "test.toml").read_text()


@pytest.fixture
def registry(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry in which the records 1 to 4 wait; the list they came from is gone."""
    path, roster = tmp_path / "r.db", tmp_path / "people.csv"
    monkeypatch.setenv("CARDKIT_PROFILE", "test")
    monkeypatch.setenv("CARDKIT_REGISTRY", str(path))
    done(run("roster", "sample", PEOPLE, "--seed", 5, "--out", roster))
    done(run("roster", "enrol", roster))
    roster.unlink()
    return path


def issue(run: Run, *more: object) -> Result:
    return run("issue", "--waiting", "--reader", "virtual", *more)


def states(run: Run) -> list[str]:
    return [record["state"] for record in run("registry", "list", "--json").document]


@pytest.mark.usefixtures("registry")
def test_what_is_planned_is_made_without_a_list(run: Run) -> None:
    made = issue(run, "--json")
    assert (made.code, made.document["issued"], made.document["rejects"]) == (0, PEOPLE, None)
    assert states(run) == ["issued"] * PEOPLE

    with Path(made.document["return_list"]).open(encoding="utf-8-sig", newline="") as file:
        returned = list(csv.DictReader(file))
    assert list(returned[0]) == ["养老保险号", "姓名", "身份证号码", "地址", "联系电话", "卡号"]
    known = run("registry", "list", "--json").document
    assert [row["卡号"] for row in returned] == [record["card_number"] for record in known]

    again = issue(run, "--lang", "en")
    assert (again.code, "no card is waiting to be made" in again.err) == (0, True)


@pytest.mark.usefixtures("registry")
def test_records_are_told_by_their_number(run: Run) -> None:
    """No row of any roster: nobody at the window has one."""
    made = issue(run, "--card", 3)
    report = next(Path("waiting.issued").glob("report-*.txt")).read_text()
    assert "[1/1] virtual　记录3　已制卡" in made.err
    assert "1  待制记录" in report
    for word in ("花名册", "退回", "行"):
        assert word not in report
        assert word not in made.err


@pytest.mark.usefixtures("registry")
def test_only_the_records_that_are_named(run: Run) -> None:
    assert issue(run, "--card", 3, "--card", 1, "--card", 3, "--json").document["issued"] == 2
    assert states(run) == ["issued", "planned", "issued", "planned"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--waiting", "people.csv"), "exclude each other"),
        ((), "neither a roster FILE nor --waiting"),
        (("people.csv", "--card", "1"), "--card goes with --waiting"),
        (("--waiting", "--card", "9"), "no card record 9"),
        (("--waiting", "--card", "1", "--card", "2"), "card record 2 is issued"),
        (("--waiting", "--registry", "nowhere.db"), "nowhere.db"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_what_is_wrong_is_said_and_no_card_made(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    issue(run, "--card", 2)
    refused = run("issue", "--reader", "virtual", "--lang", "en", *arguments)
    assert (refused.code, words in refused.err) == (2, True), refused.err
    assert states(run) == ["planned", "issued", "planned", "planned"]


def test_a_failed_record_gets_another_chance_when_it_is_named(run: Run, registry: Path) -> None:
    """Somebody has to look at it first: a run over all of them leaves it alone."""
    with open_at(registry, clock=common.now) as opened:
        opened.fail(2, "the name does not fit")

    assert issue(run, "--json").document["issued"] == PEOPLE - 1
    assert states(run)[1] == "failed"

    assert issue(run, "--card", 2, "--json").document["issued"] == 1


def test_a_card_that_was_begun_is_still_wanted(run: Run, registry: Path) -> None:
    """Until it is put back or spoilt the run is not complete, and its report says which it is."""
    with open_at(registry, clock=common.now) as opened:
        begin(opened, opened.get(2))
        code = opened.get(2).id_code.hex().upper()

    made = issue(run, "--json")

    assert (made.code, made.document["issued"], made.document["open"]) == (1, PEOPLE - 1, 1)
    assert f"记录2　卡识别码 {code}" in Path(made.document["report"]).read_text()


@pytest.mark.usefixtures("registry")
def test_over_pcsc_a_card_is_made_and_the_others_wait(run: Run, insert: Insert) -> None:
    here = insert(CardFactory(load("test")).premade(bytes.fromhex("40000001")))
    made = run("issue", "--waiting", "--reader", here.reader, "--idle", 1, "--json")
    assert (made.code, made.document["issued"], made.document["open"]) == (1, 1, PEOPLE - 1)
    assert "记录1　已制卡" in made.err


@pytest.mark.usefixtures("registry")
def test_two_windows_share_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one makes all between this window's look and its first card."""
    before = jobs.worklist

    def others_first(*arguments: Any, **more: Any) -> Worklist:
        monkeypatch.setattr(jobs, "worklist", before)
        done(issue(run, "--window", "2", "--out", tmp_path / "other"))
        return before(*arguments, **more)

    monkeypatch.setattr(jobs, "worklist", others_first)
    made = issue(run, "--window", "1", "--lang", "en")
    assert made.code == 0
    assert f"done: 0 issued here, {PEOPLE} at other windows" in made.out


def test_a_rehearsal_shows_the_first_and_changes_nothing(run: Run, registry: Path) -> None:
    before, there = registry.read_bytes(), sorted(registry.parent.iterdir())
    document = run("issue", "--waiting", "--card", 3, "--dry-run", "--json").document
    assert (document["cards"], document["commands"]) == (1, 30)
    assert (registry.read_bytes(), sorted(registry.parent.iterdir())) == (before, there)

    done(issue(run))
    nobody = run("issue", "--waiting", "--dry-run", "--lang", "en")
    assert (nobody.code, "no record of the registry waits" in nobody.err) == (2, True)


def test_a_rehearsal_takes_as_long_as_the_card_with_its_photo(run: Run, registry: Path) -> None:
    """Of an application: the photo goes into the chip too, and is most of it."""
    with open_at(registry, clock=common.now) as opened:
        photo = Prepared("0" * 64, 1, 358, 441, b"print", b"\xff\xd8 of the holder")
        Photos(opened.books).take(2, photo)

    def rehearsed(card: int) -> Any:
        return run("issue", "--waiting", "--card", card, "--dry-run", "--json").document

    assert (rehearsed(1)["commands"], rehearsed(2)["commands"]) == (30, 96)
    assert rehearsed(2)["seconds"]["9600"] > 10 * rehearsed(1)["seconds"]["9600"]


def test_a_window_that_is_bound_to_its_place_makes_the_cards_of_its_people(
    run: Run, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap(monkeypatch)
    profile = tmp_path / "bound.toml"
    profile.write_text(SHIPPED + '[lifecycle.settings]\nbound_to_place = ["window"]\n')
    monkeypatch.setenv("CARDKIT_PROFILE", str(profile))
    done(run("operator", "init", "boss", "--name", "管理员", stdin=PASSWORD))
    sign_in(run, "boss")
    with open_at(registry, clock=common.now) as opened:
        boss = Operators(opened.books).get("boss")
        rows = [PlaceRow(code, "village", code, "", "") for code in ("V1", "V2")]
        Places(opened.books).load(rows, operator=boss)
        homes = [("card_id", str(n), "V1" if n < PEOPLE else "V2") for n in range(1, PEOPLE + 1)]
        Residence(opened.books).assign(homes, operator=boss)
    for login in ("wang", "zhao"):
        done(run("operator", "add", login, "--name", "某人", "--role", "window", "--place", "V1",
                 stdin=PASSWORD))  # fmt: skip
    run("operator", "sign-off")
    assert issue(run).code == 4, "nobody is signed in"
    sign_in(run, "wang")

    other = issue(run, "--card", PEOPLE, "--lang", "en")
    assert (other.code, "another place than yours" in other.err) == (4, True)
    with open_at(registry, clock=common.now) as opened:
        assert tried(opened) == [("wang", '{"for":"issue-cards","why":"place"}')]
    assert issue(run, "--json").document["issued"] == PEOPLE - 1
    assert states(run)[-1] == "planned"


def tried(registry: Registry) -> list[tuple[str, str]]:
    """Who was refused, from the history."""
    with registry.books.store.reading() as connection:
        query = text("SELECT actor, detail FROM history WHERE action = 'refused'")
        return [(row[0], row[1]) for row in connection.execute(query)]
