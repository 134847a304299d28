"""``cardkit registry``."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from cardkit.cli.common import open_registry
from cardkit.cli.registry_cards import STATES
from cardkit.cli.registry_text import masked_name, masked_number
from cardkit.registry.states import State
from tests.cli.conftest import NAME, NUMBER, PEOPLE, Run

PROMISED = {
    "citizen_number", "name", "insurance_number", "card_number", "card_id_code", "state",
}  # fmt: skip


def test_the_list_masks_people_unless_all_of_it_is_asked_for(run: Run, registry: Path) -> None:
    shown = run("registry", "list", "--registry", registry)

    assert shown.code == 0
    assert len(shown.out.splitlines()) == 1 + len(PEOPLE)
    for person in PEOPLE:
        assert person.name not in shown.out
        assert person.citizen_number not in shown.out
        assert masked_name(person.name) in shown.out
        assert masked_number(person.citizen_number) in shown.out
    full = run("registry", "list", "--full", "--registry", registry).out
    assert all(person.name in full and person.citizen_number in full for person in PEOPLE)


def test_the_json_list_has_what_is_promised(run: Run, registry: Path) -> None:
    records = run("registry", "list", "--json", "--registry", registry).document

    assert [record["name"] for record in records] == [person.name for person in PEOPLE]
    assert all(set(record) >= PROMISED for record in records)
    assert records[0]["citizen_number"] == NUMBER
    assert records[0]["state"] == "issued"
    assert len(records[0]["card_id_code"]) == 32
    assert len(records[0]["card_number"]) == 9


def test_the_list_can_be_narrowed(run: Run, registry: Path) -> None:
    planned = run("registry", "list", "--json", "--state", "planned", "--registry", registry)
    two = run("registry", "list", "--json", "--limit", "2", "--registry", registry)

    assert [record["card_id"] for record in planned.document] == [2, 3]
    assert len(two.document) == 2


def test_the_states_to_choose_from_are_those_a_record_can_stay_in() -> None:
    passed_through = {State.WRITTEN, State.VERIFIED}  # the result is one commit
    assert list(STATES) == [state.value for state in State if state not in passed_through]


@pytest.mark.parametrize("which", ["1", "T0000001X", "t0000001x"])
def test_a_record_is_shown_with_its_history(run: Run, registry: Path, which: str) -> None:
    shown = run("registry", "show", which, "--registry", registry)

    assert shown.code == 0
    assert NAME not in shown.out
    assert "planned → writing" in shown.out
    assert "reader A" in shown.out


def test_a_record_is_found_by_its_id_code(run: Run, registry: Path) -> None:
    first, planned = run("registry", "list", "--json", "--registry", registry).document[:2]

    for record in (first, planned):
        code = record["card_id_code"]
        for which in (code, code[:24], code.lower()):
            found = run("registry", "show", which, "--json", "--registry", registry).document
            assert found["card_id"] == record["card_id"]


def test_a_citizen_number_is_read_from_standard_input_only(run: Run, registry: Path) -> None:
    piped = run("registry", "show", "-", "--json", "--registry", registry, stdin=NUMBER + "\n")
    typed = run("registry", "show", NUMBER, "--registry", registry)

    assert piped.document["card_id"] == 1
    assert [entry["action"] for entry in piped.document["history"]][-1] == "issue"
    assert typed.code == 2
    assert NUMBER not in typed.err


@pytest.mark.parametrize("which", ["99", "A00000011", "zz", "00" * 12, "-"])
def test_a_card_nobody_knows_is_2(run: Run, registry: Path, which: str) -> None:
    assert run("registry", "show", which, "--registry", registry).code == 2


def test_looking_makes_no_registry(run: Run, tmp_path: Path) -> None:
    result = run("registry", "list")

    assert result.code == 2
    assert "no registry" in result.err
    assert not list((tmp_path / "home").rglob("*.db"))


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_is_complete_and_private(
    run: Run, registry: Path, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"cards.{form}"

    assert run("registry", "export", path, "--registry", registry).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines())) if form == "csv" else json.loads(text)
    assert [row["name"] for row in rows] == [person.name for person in PEOPLE]


def test_the_number_of_the_pension_insurance_is_called_so(run: Run, registry: Path) -> None:
    """社会保障号码 on the card is the citizen number, not this one."""
    shown = run("registry", "show", 2, "--full", "--registry", registry).out

    assert re.search(r"^insurance_number +养老保险号 +63$", shown, re.MULTILINE)
    assert "社会保障号码" not in shown


def test_an_export_of_no_known_kind_is_2(run: Run, registry: Path) -> None:
    assert run("registry", "export", "cards.ods", "--registry", registry).code == 2


def test_an_audit_finds_the_history_intact(run: Run, registry: Path) -> None:
    found = run("registry", "audit", "--verify", "--json", "--registry", registry)

    assert found.code == 0
    assert found.document["intact"] is True
    assert found.document["records"]["issued"] == 1
    assert len(found.document["digest"]) == 64


def test_an_audit_shows_the_last_digest_in_any_case(run: Run, registry: Path) -> None:
    """It is to be noted down; without --verify nobody has checked what it stands for."""
    checked = run("registry", "audit", "--verify", "--json", "--registry", registry).document
    plain = run("registry", "audit", "--json", "--registry", registry).document
    shown = run("registry", "audit", "--registry", registry).out

    assert plain["digest"] == checked["digest"]
    assert plain["entries"] == checked["entries"]
    assert "intact" not in plain
    assert f"last entry {checked['entries']}, digest {checked['digest']}" in shown
    assert "未校验" in shown


def test_an_audit_tells_that_somebody_changed_the_history(run: Run, registry: Path) -> None:
    with sqlite3.connect(registry) as database:
        database.execute("UPDATE history SET actor = 'somebody else' WHERE sequence = 2")

    found = run("registry", "audit", "--verify", "--registry", registry)

    assert found.code == 1
    assert "entry 2 was changed" in found.out


CHIP = "639900D15600000500BB0001"


@pytest.fixture
def begun(registry: Path) -> Path:
    """A registry whose record 2 is being written, on the chip `CHIP`."""
    with open_registry(str(registry)) as opened:
        opened.intent(
            2, id_code=bytes.fromhex(CHIP), atr=bytes(17), factory_atr=None, reader="A",
            chip_kind="premade",
        )  # fmt: skip
    return registry


def test_a_spoilt_chip_is_retired_and_its_record_gets_another(run: Run, begun: Path) -> None:
    result = run("registry", "spoil", CHIP, "--reason", "burnt", "--json", "--registry", begun)

    assert result.document["retired"] == CHIP
    assert result.document["state"] == "planned"
    assert result.document["card_id_code"] != CHIP
    assert run("registry", "show", CHIP, "--json", "--registry", begun).document["card_id"] == 2


def test_a_chip_in_the_reader_of_another_window_is_not_spoilt(run: Run, begun: Path) -> None:
    with sqlite3.connect(begun) as database:
        database.execute(
            "UPDATE cards SET claimed_by = 'window 7', claimed_until = '9' WHERE id = 2"
        )
    refused = run("registry", "spoil", CHIP, "--reason", "burnt", "--json", "--registry", begun)

    assert refused.code == 4
    assert "window 7" in refused.document["error"]["message"]


def test_an_issued_card_cannot_be_spoilt(run: Run, registry: Path) -> None:
    result = run("registry", "spoil", "1", "--reason", "why", "--json", "--registry", registry)

    assert result.code == 2
    assert result.document["error"]["type"] == "IllegalMoveError"


def test_the_history_names_who_did_it(
    run: Run, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDKIT_OPERATOR", "window 3")
    run("registry", "spoil", "2", "--reason", "burnt", "--registry", begun)

    history = run("registry", "show", "2", "--json", "--registry", begun).document["history"]
    assert [e["actor"] for e in history if e["action"] == "spoil"] == ["window 3"]


def test_what_is_no_registry_is_refused_and_left_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear all", encoding="utf-8")

    assert run("registry", "list", "--registry", path).code == 2
    assert path.read_text(encoding="utf-8") == "dear all"
