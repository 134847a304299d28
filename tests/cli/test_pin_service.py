"""The PIN unlocked and reset at the window: the rules, the act, the chip - whoever has the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cardkit.issuance import pin_service
from cardkit.profile import load
from cardkit.virtual.psam_factory import make_psam
from tests.cli.conftest import Result, Run
from tests.cli.staff import PASSWORD, done, staff

PAPERS = ("--paper", "id", "--paper", "card")
WANG = ("--operator", "wang", "--json")


@pytest.fixture
def card(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The image of the card of record 1, which is in its holder's hands."""
    staff(run, registry, monkeypatch)
    done(
        run("lifecycle", "hand-out", 1, "--paper", "id", "--second", "zhao", *WANG, stdin=PASSWORD)
    )
    return registry.parent / "first.card"


@pytest.fixture(params=["key store", "PSAM"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[object, ...]:
    """Options that say which device has the keys."""
    if request.param == "key store":
        return ()
    make_psam(load("test")).save(tmp_path / "some.psam")
    return ("--psam-image", tmp_path / "some.psam")


def verify(run: Run, card: Path, pin: str) -> int:
    return run("pin", "verify", "--image", card, "--pin-stdin", stdin=pin).code


def lock(run: Run, card: Path) -> None:
    for _ in range(3):
        assert verify(run, card, "999999") == 4
    assert verify(run, card, "123456") == 4


def pending(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(run("lifecycle", "chip", "pending", *WANG)).document
    return found


def actions(run: Run) -> list[str]:
    history = done(run("registry", "show", 1, *WANG)).document["history"]
    return [entry["action"] for entry in history]


def reset(run: Run, card: Path, *more: object, stdin: str = PASSWORD) -> Result:
    words = ("lifecycle", "reset-pin", 1, "--image", card, *PAPERS, *WANG, "--second", "zhao")
    return run(*words, *more, stdin=stdin)


def test_a_locked_pin_is_unlocked_and_stays_what_it_was(
    run: Run, card: Path, keys: tuple[object, ...]
) -> None:
    lock(run, card)
    words = ("lifecycle", "unlock-pin", 1, "--image", card, *keys, *PAPERS, *WANG)
    served = done(run(*words)).document
    assert (served["action"], served["taken_up"], served["chip_done"]) == (
        "unlock-pin",
        False,
        True,
    )
    assert verify(run, card, "123456") == 0
    assert actions(run)[-2:] == ["unlock-pin", "chip-done"]
    assert pending(run) == []


def test_a_reset_pin_is_the_initial_one(run: Run, card: Path, keys: tuple[object, ...]) -> None:
    done(run("pin", "change", "--image", card, "--pin-stdin", stdin="123456\n876543\n"))
    lock(run, card)
    told = done(reset(run, card, *keys))
    assert verify(run, card, "123456") == 0
    assert "123456" not in told.out + told.err
    assert actions(run)[-2:] == ["reset-pin", "chip-done"]


def test_the_card_in_the_reader_says_whose_it_is(run: Run, card: Path) -> None:
    lock(run, card)
    served = done(run("pin", "unlock", "--image", card, *PAPERS, *WANG)).document
    assert served["card_id"] == 1
    words = ("pin", "reset", "--image", card, *PAPERS, *WANG, "--second", "zhao")
    assert done(run(*words, stdin=PASSWORD)).document["action"] == "reset-pin"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("unlock-pin", 1, "--who", "agent", *PAPERS, "--operator", "wang"), "须由本人办理"),
        (("unlock-pin", 1, "--operator", "wang"), "缺少材料"),
        (("unlock-pin", 1, *PAPERS, "--operator", "chen"), "您的角色不能办理"),
        (("reset-pin", 1, *PAPERS, "--operator", "wang"), "须双人办理"),
    ],
)
def test_without_the_rules_no_key_is_used(
    run: Run,
    card: Path,
    keys: tuple[object, ...],
    words: tuple[object, ...],
    said: str,
) -> None:
    lock(run, card)
    before = card.read_bytes()
    refused = run("lifecycle", *words, "--image", card, *keys)
    assert refused.code == 4
    assert said in refused.err
    assert card.read_bytes() == before
    assert pending(run) == []
    assert actions(run)[-1] == "refused"


def test_another_card_is_refused_before_anything(run: Run, card: Path, images: Path) -> None:
    assert card.exists()
    other = images / "issued.card"
    refused = run("lifecycle", "unlock-pin", 1, "--image", other, *PAPERS, "--operator", "wang")
    assert refused.code == 4
    assert "不是记录1的卡" in refused.err
    assert actions(run)[-1] == "hand-out"
    assert pending(run) == []


def test_what_broke_off_is_found_and_finished_without_a_second_act(
    run: Run, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(run, card)
    with monkeypatch.context() as patch:
        patch.setattr(pin_service, "reset_pin", _power_cut)
        assert reset(run, card).code != 0
    (left,) = pending(run)
    assert (left["action"], left["chip"], left["number"]) == ("reset-pin", "reset-pin", 1)
    assert verify(run, card, "123456") == 4
    again = reset(run, card, stdin="").document  # nobody is asked for a password again
    assert (again["act_id"], again["taken_up"]) == (left["act_id"], True)
    assert verify(run, card, "123456") == 0
    assert pending(run) == []
    assert actions(run).count("reset-pin") == 1


def test_what_was_done_and_not_noted_is_done_again(
    run: Run, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cardkit.registry.lifecycle.chips import ChipBook  # noqa: PLC0415

    lock(run, card)
    with monkeypatch.context() as patch:
        patch.setattr(ChipBook, "done", _power_cut)
        assert reset(run, card).code != 0
    assert len(pending(run)) == 1
    assert done(reset(run, card, stdin="")).document["taken_up"]
    assert pending(run) == []


def test_a_card_that_was_lost_meanwhile_is_not_finished(
    run: Run, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pin_service, "reset_pin", _power_cut)
        reset(run, card)
    done(run("lifecycle", "report-loss", 1, *PAPERS, *WANG))
    assert "不能办理密码重置" in reset(run, card, stdin="").err
    assert len(pending(run)) == 2  # the blacklist is told too


def test_an_act_without_a_reader_waits_until_somebody_says_that_it_is_done(
    run: Run, card: Path
) -> None:
    assert card.exists()
    act = done(run("lifecycle", "unlock-pin", 1, *PAPERS, *WANG)).document
    assert [one["act_id"] for one in pending(run)] == [act["act_id"]]
    done(run("lifecycle", "chip", "done", act["act_id"], *WANG))
    assert pending(run) == []
    assert run("lifecycle", "chip", "done", act["act_id"], *WANG).code == 2
    history = done(run("registry", "show", 1, *WANG)).document["history"]
    assert '"how":"told"' in str(history[-1]["detail"]).replace("'", '"').replace(": ", ":")


def test_the_bank_has_a_pin_of_its_own(run: Run, card: Path) -> None:
    refused = run("lifecycle", "unlock-pin", 1, "--bank", "--image", card, *WANG)
    assert refused.code == 2
    assert run("lifecycle", "unlock-pin", 1, "--bank", *PAPERS, *WANG).code == 2  # none is locked


def _power_cut(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt
