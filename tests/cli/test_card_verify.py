"""``cardkit card verify``: every check can fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from cardkit.card.files.codings import Value
from cardkit.card.procedures.verify import Outcome, agreement
from cardkit.cli import common
from cardkit.profile import load
from cardkit.virtual.factory import CardFactory
from tests.cli.conftest import NAME, NUMBER, VALUES, Run
from tests.registry.support import leave_in, open_at

TODAY = dt.date(2026, 11, 21)
GOOD: dict[str, Value] = {
    "SSSE.EF05.01": bytes.fromhex("639900D15600000500000003FFFFFFFF"),
    "SSSE.EF05.03": "2.00",
    "SSSE.EF05.05": dt.date(2020, 5, 1),
    "SSSE.EF05.06": dt.date(2030, 5, 1),
    "SSSE.EF05.07": "A00000011",
    "SSSE.EF06.08": NUMBER,
    "SSSE.EF06.09": NAME[:15],
    "SSSE.EF06.4E": NAME[15:],
    "SSSE.EF06.0A": "2",
    "SSSE.EF06.0B": "05",
    "SSSE.EF06.0C": "639900",
    "SSSE.EF06.0D": dt.date(1985, 3, 17),
}


def test_a_card_issued_today_in_china_is_not_of_the_future_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 22:00 UTC a card issued now carries tomorrow's date, with a profile or without."""
    late = dt.datetime(2026, 11, 21, 22, 0, tzinfo=dt.UTC)
    monkeypatch.setattr(common, "now", lambda: late)

    assert common.today() == dt.date(2026, 11, 22)
    assert common.today(load("test")) == dt.date(2026, 11, 22)


def failed(values: Mapping[str, Value]) -> list[str]:
    return [check.name for check in agreement(values, TODAY) if check.outcome is Outcome.FAILED]


def test_good_data_agree() -> None:
    assert failed(GOOD) == []


@pytest.mark.parametrize(
    ("address", "value", "name"),
    [
        ("EF05.01", None, "id_code"),
        ("EF05.01", bytes(16), "id_code"),
        ("EF05.03", "9.99", "version"),
        ("EF05.05", None, "dates"),
        ("EF05.05", dt.date(2026, 11, 22), "dates"),
        ("EF05.06", dt.date(2020, 5, 1), "dates"),
        ("EF05.06", dt.date(2026, 11, 20), "dates"),
        ("EF05.06", "99999999", "dates"),
        ("EF05.07", None, "card_number"),
        ("EF05.07", "A00000012", "card_number"),
        ("EF06.08", None, "citizen_number"),
        ("EF06.08", NUMBER[:-1] + "0", "citizen_number"),
        ("EF06.09", None, "name"),
        ("EF06.09", "买\ufffd", "name"),
        ("EF06.09", "买买提", "name"),  # short, and yet continued
        ("EF06.4E", "\x07", "name"),
        ("EF06.0A", "1", "sex"),
        ("EF06.0A", "9", "sex"),
        ("EF06.0A", None, "sex"),
        ("EF06.0D", dt.date(1985, 3, 18), "birth_date"),
        ("EF06.0D", None, "birth_date"),
        ("EF06.0B", "57", "nation"),
        ("EF06.0C", "6399", "birthplace"),
    ],
)
def test_one_wrong_item_fails_one_check(address: str, value: Value, name: str) -> None:
    assert failed(GOOD | {f"SSSE.{address}": value}) == [name]


def test_nation_and_birthplace_may_be_unfilled() -> None:
    assert failed(GOOD | {"SSSE.EF06.0B": None, "SSSE.EF06.0C": None}) == []


def test_no_detail_repeats_a_value() -> None:
    wrong = GOOD | {"SSSE.EF06.08": NUMBER[:-1] + "0", "SSSE.EF06.09": "买\ufffd"}
    details = " ".join(check.detail for check in agreement(wrong, TODAY))

    assert NUMBER[:-1] not in details
    assert "买" not in details


def checks(run: Run, *arguments: object) -> dict[str, str]:
    document = run("card", "verify", *arguments, "--json").document
    return {check["name"]: check["outcome"] for check in document["checks"]}


def test_a_right_card_passes_with_its_keys(run: Run, images: Path) -> None:
    result = run("card", "verify", "--image", images / "issued.card", "--profile", "test")

    assert result.code == 0
    assert "FAILED" not in result.out
    assert "skipped" not in result.out
    assert NAME[:3] not in result.out


def test_without_a_profile_the_keys_are_not_checked(run: Run, images: Path) -> None:
    found = checks(run, "--image", images / "issued.card")

    assert found["internal_authentication"] == found["id_code_mac"] == "skipped"
    assert set(found.values()) == {"ok", "skipped"}


def test_a_card_without_holder_fails(run: Run, images: Path) -> None:
    image = ("--image", images / "premade.card", "--profile", "test")

    found = checks(run, *image)
    assert run("card", "verify", *image).code == 1
    assert found["id_code_mac"] == found["citizen_number"] == "failed"
    assert found["internal_authentication"] == "ok"


def test_a_card_of_another_city_fails(run: Run, images: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    text = 'test = true\n[region]\nprovince = "63"\ncity = "639901"\n'
    other.write_text(text, encoding="utf-8")

    found = checks(run, "--image", images / "issued.card", "--profile", other)

    assert found["internal_authentication"] == "failed"
    assert found["id_code_mac"] == "failed"
    assert found["id_code"] == "failed"


def test_a_changed_mac_fails(run: Run, images: Path) -> None:
    path = images / "issued.card"
    code = run("card", "read", "--image", path, "--json").document["SSSE"]["EF05"]["card_id_code"]
    flipped = code[:-1] + ("0" if code[-1] != "0" else "1")
    path.write_text(path.read_text("ascii").replace(code.lower(), flipped.lower()), "ascii")

    assert checks(run, "--image", path, "--profile", "test")["id_code_mac"] == "failed"


def test_a_card_agrees_with_its_record(run: Run, registry: Path) -> None:
    found = checks(
        run, "--image", registry.with_name("first.card"), "--profile", "test",
        "--registry", registry,
    )  # fmt: skip

    assert found["registry_record"] == found["registry_data"] == "ok"


def test_a_card_that_the_registry_does_not_know_fails(
    run: Run, images: Path, registry: Path
) -> None:
    image = images / "issued.card"
    found = checks(run, "--image", image, "--profile", "test", "--registry", registry)

    assert found["registry_record"] == "failed"


def test_a_card_with_other_data_than_its_record_fails(
    run: Run, registry: Path, tmp_path: Path
) -> None:
    own = run("registry", "show", "1", "--json", "--registry", registry).document
    serial = bytes.fromhex(own["card_id_code"][16:24])
    values = VALUES | {"SSSE.EF05.07": own["card_number"], "SSSE.EF06.0B": "01"}
    CardFactory(load("test")).issued(serial, values).save(tmp_path / "other.card")

    result = run(
        "card", "verify", "--image", tmp_path / "other.card", "--profile", "test",
        "--registry", registry, "--json",
    )  # fmt: skip

    detail = {check["name"]: check["detail"] for check in result.document["checks"]}
    assert "SSSE.EF06.0B" in detail["registry_data"]
    assert result.code == 1


def test_a_registry_needs_a_profile(run: Run, images: Path, registry: Path) -> None:
    image = images / "issued.card"
    assert run("card", "verify", "--image", image, "--registry", registry).code == 2


def test_verifying_presents_nothing_and_writes_nothing(run: Run, images: Path) -> None:
    path = images / "issued.card"
    before = path.read_bytes()

    run("card", "verify", "--image", path, "--profile", "test")

    assert path.read_bytes() == before


def test_the_checks_have_a_name_in_both_languages() -> None:
    assert all(check.name and check.chinese for check in agreement(GOOD, TODAY))


@pytest.mark.parametrize("state", ["handed_out", "active", "cancelling"])
def test_a_card_in_use_agrees_with_its_record(run: Run, registry: Path, state: str) -> None:
    live(registry, state)
    found = checks(
        run, "--image", registry.with_name("first.card"), "--profile", "test",
        "--registry", registry,
    )  # fmt: skip

    assert found["registry_record"] == found["registry_data"] == "ok"


@pytest.mark.parametrize(
    ("state", "word"),
    [("lost", "已挂失"), ("frozen", "已冻结"), ("suspended", "已暂停"), ("replaced", "已补换")],
)
def test_a_card_that_must_not_be_accepted_fails_with_its_state(
    run: Run, registry: Path, state: str, word: str
) -> None:
    live(registry, state)
    result = run(
        "card", "verify", "--image", registry.with_name("first.card"), "--profile", "test",
        "--registry", registry,
    )  # fmt: skip

    assert result.code == 1
    assert f"is {state} {word}" in result.out


def live(registry: Path, state: str) -> None:
    with open_at(registry, clock=common.now) as opened:
        leave_in(opened, 1, state)
