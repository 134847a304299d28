"""A temporary card at the reader: lent, come back, wiped and lent again under another number."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from cardkit.apdu import Command
from cardkit.apdu.link import chain
from cardkit.card.card import Card
from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import BinaryFile, CyclicFile, DirectoryFile
from cardkit.card.procedure import Procedure
from cardkit.card.procedure import run as run_procedure
from cardkit.card.procedures.wipe import NotWipedError
from cardkit.issuance import temporary_service
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import algorithm_of
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from tests.cli.conftest import NAME, NUMBER, Run
from tests.cli.staff import PASSWORD, done, staff

WANG = ("--operator", "wang", "--json")
HOLDER = ("--paper", "id")
PIN = "123456"
FACTORY = {f"SSSE.EF05.{tag}" for tag in ("01", "02", "03", "04", "07")}


@pytest.fixture
def pool(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two temporary cards in the pool, and their chips as files ``1.card`` and ``2.card``."""
    staff(run, registry, monkeypatch)
    done(run("lifecycle", "temporary", "add", "T001", "T002", *WANG))
    factory = CardFactory(load("test"))
    for number in (1, 2):
        factory.premade(bytes((0x70, 0, 0, number))).save(registry.parent / f"{number}.card")
    return registry.parent


def shipped(name: str) -> str:
    folder = resources.files("cardkit.profile").joinpath("shipped")
    return folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def act(run: Run, what: str, number: int, *more: object) -> dict[str, Any]:
    result = done(run("lifecycle", "temporary", what, number, *WANG, *more))
    document: dict[str, Any] = result.document
    return document


def lend(run: Run, chip: Path, number: int = 1, card: int = 1) -> dict[str, Any]:
    return act(run, "out", number, "--for", card, *HOLDER, "--image", chip)


def back(run: Run, number: int = 1) -> None:
    act(run, "back", number, "--paper", "deposit-receipt")


def on_chip(run: Run, chip: Path) -> dict[str, Any]:
    read = done(run("card", "read", "--image", chip, "--json")).document["SSSE"]
    return {**read["EF05"], **read["EF06"]}


def pending(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(run("lifecycle", "chip", "pending", *WANG)).document
    return found


def by_keys(chip: Path) -> tuple[VirtualCard, Card, Callable[[Procedure[Any]], Any]]:
    """The chip in the hands of somebody who has every key."""
    profile = load("test")
    virtual = VirtualCard.load(chip)
    link = chain(VirtualLink(virtual))
    card = Card(GENERATION_2, link.atr)
    keyring = Keyring(
        open_store(profile), factors_above(profile), GENERATION_2, algorithm_of(profile)
    )
    keys = keyring.for_card(card.factor)
    return virtual, card, lambda procedure: run_procedure(procedure, link, keys)


def use_everywhere(chip: Path) -> None:
    """A hospital and an agency leave something in every item and file that has a key."""
    virtual, card, carry_out = by_keys(chip)
    for field in GENERATION_2.fields:
        if field.inner is None and field.address not in FACTORY:
            carry_out(card.open_for(field.file.update, field.directory))
            left = field.item.record(None)[:2] + b"1" * field.item.length
            carry_out(card.update_record(field, left))
    for directory, file in files():
        carry_out(card.open_for(file.update, directory))
        carry_out(card.update_binary(directory, file, b"1" * file.size))
    virtual.save(chip)


def files() -> list[tuple[DirectoryFile, BinaryFile]]:
    return [(d, f) for d in GENERATION_2.directories for f in d.files if isinstance(f, BinaryFile)]


def left_on(chip: Path) -> set[str]:
    """Addresses that say something."""
    _, card, carry_out = by_keys(chip)
    found = set()
    for field in GENERATION_2.fields:
        if field.inner is None:
            carry_out(card.open_for(field.file.read, field.directory, PIN))
            if carry_out(card.read_record(field)) != field.item.record(None):
                found.add(field.address)
    for directory, file in files():
        carry_out(card.open_for(file.read, directory))
        if any(carry_out(card.read_binary(directory, file))):
            found.add(f"{directory.label}.{file.label}")
    return found


def test_the_borrower_and_the_number_of_the_loan_are_on_the_chip(run: Run, pool: Path) -> None:
    lent = lend(run, pool / "1.card")
    assert (lent["to_state"], lent["deposit"], lent["chip_done"]) == ("out", 2500, True)
    chip = on_chip(run, pool / "1.card")
    assert chip["name"] + chip["name_extension"] == NAME
    assert chip["citizen_number"] == NUMBER
    assert (chip["card_number"], chip["valid_until"]) == (
        "L00000011",
        lent["due"].replace("-", ""),
    )
    assert pending(run) == []


def test_a_lent_card_is_checked_like_any_other(run: Run, pool: Path, registry: Path) -> None:
    """Its number has a check character, and the registry knows whose it is for how long."""
    chip = pool / "1.card"

    def checked() -> tuple[int, dict[str, tuple[str, str]]]:
        said = run("card", "verify", "--image", chip, "--profile", "test", "--registry", registry,
                   "--json")  # fmt: skip
        found = {one["name"]: (one["outcome"], one["detail"]) for one in said.document["checks"]}
        return said.code, found

    due = lend(run, chip)["due"]
    code, found = checked()
    assert (code, found["card_number"][0], found["registry_data"][0]) == (0, "ok", "ok")
    assert found["registry_record"] == ("ok", f"temporary card 1 临时卡 (T001), due {due}")

    back(run)
    code, found = checked()
    assert (code, found["registry_record"][0]) == (1, "failed")
    assert "not lent under this number any more" in found["registry_record"][1]


def test_whoever_hands_the_formal_card_out_is_reminded_of_the_temporary_one(
    run: Run, pool: Path
) -> None:
    lend(run, pool / "1.card")
    given = done(run("lifecycle", "hand-out", 1, "--paper", "id", "--second", "zhao",
                     "--operator", "wang", stdin=PASSWORD))  # fmt: skip
    assert "持卡人借用的临时卡1（T001）尚未归还：请收回并退还押金" in given.err


def test_a_returned_card_is_wiped_and_its_number_never_comes_again(run: Run, pool: Path) -> None:
    chip = pool / "1.card"
    lend(run, chip)
    use_everywhere(chip)
    done(run("pin", "change", "--image", chip, "--pin-stdin", stdin=f"{PIN}\n654321\n"))
    back(run)
    assert [work["chip"] for work in pending(run)] == ["wipe"]
    wiped = act(run, "wipe", 1, "--image", chip)
    assert (wiped["to_state"], wiped["chip_done"], pending(run)) == ("pool", True, [])
    assert left_on(chip) == FACTORY
    assert run("pin", "verify", "--image", chip, "--pin-stdin", stdin=PIN).code == 0
    lend(run, chip, card=2)
    assert on_chip(run, chip)["card_number"] == "L0000002X"
    assert on_chip(run, chip)["name"] == "张三"


def test_a_wipe_protects_its_commands_as_the_profile_says(
    run: Run, pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chip that wants its commands protected with STK itself, not with a process key."""
    other = tmp_path / "other.toml"
    other.write_text(shipped("test") + '\n[messaging]\nkey = "direct"\n', encoding="utf-8")
    monkeypatch.setenv("CARDKIT_PROFILE", str(other))
    chip = pool / "1.card"
    CardFactory(load(str(other))).premade(bytes((0x70, 0, 0, 1))).save(chip)
    lend(run, chip)
    done(run("pin", "change", "--image", chip, "--pin-stdin", stdin=f"{PIN}\n654321\n"))
    back(run)
    act(run, "wipe", 1, "--image", chip)
    assert left_on(chip) == FACTORY
    assert run("pin", "verify", "--image", chip, "--pin-stdin", stdin=PIN).code == 0


def test_only_the_card_itself_is_wiped(run: Run, pool: Path) -> None:
    lend(run, pool / "1.card")
    lend(run, pool / "2.card", number=2, card=2)
    back(run)
    for other in ("2.card", "first.card"):  # another loan; somebody's formal card
        before = (pool / other).read_bytes()
        refused = run("lifecycle", "temporary", "wipe", 1, *WANG, "--image", pool / other)
        assert refused.code == 4
        assert (pool / other).read_bytes() == before
    (card,) = [c for c in done(run("lifecycle", "temporary", "list", *WANG)).document
               if c["number"] == 1]  # fmt: skip
    assert card["state"] == "returned"


def test_a_card_that_was_said_to_be_wiped_but_was_not_is_not_lent(run: Run, pool: Path) -> None:
    lend(run, pool / "1.card")
    back(run)
    act(run, "wipe", 1)  # somebody says so
    assert pending(run) == []
    again = run(
        "lifecycle", "temporary", "out", 1, "--for", 2, *HOLDER, *WANG, "--image", pool / "1.card"
    )
    assert again.code == 4
    assert "尚未清除" in again.err
    assert on_chip(run, pool / "1.card")["citizen_number"] == NUMBER


def test_records_that_only_the_chip_writes_keep_a_card_out_of_the_pool(
    run: Run, pool: Path
) -> None:
    chip = pool / "1.card"
    lend(run, chip)
    virtual, card, carry_out = by_keys(chip)
    directory = GENERATION_2.directory("DF02")
    log = next(f for f in directory.files if isinstance(f, CyclicFile))
    carry_out(card.open_for(log.update, directory))
    append = Command(0x00, 0xE2, 0x00, log.sfi << 3, b"1" * log.record_length)
    assert carry_out(one(append)).sw.ok
    virtual.save(chip)
    back(run)
    refused = run("lifecycle", "temporary", "wipe", 1, *WANG, "--image", chip)
    assert (refused.code, json.loads(refused.out)["error"]["type"]) == (4, NotWipedError.__name__)
    assert on_chip(run, chip)["citizen_number"] == NUMBER
    assert [work["chip"] for work in pending(run)] == ["wipe"]


def one(command: Command) -> Procedure[Any]:
    return (yield command)


def cut(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    """The power fails at a command of a procedure."""
    whole = getattr(temporary_service, name)

    def broken(*args: Any) -> Procedure[Any]:
        answer, procedure = None, whole(*args)
        for number in itertools.count():
            try:
                wanted = procedure.send(answer)
            except StopIteration as end:
                return end.value
            if number == at:
                raise KeyboardInterrupt
            answer = yield wanted

    monkeypatch.setattr(temporary_service, name, broken)


@pytest.mark.parametrize("at", [0, 3, 8])
def test_a_loan_that_broke_off_is_finished_without_a_second_one(
    run: Run, pool: Path, at: int
) -> None:
    words = ("lifecycle", "temporary", "out", 1, "--for", 1, *HOLDER, *WANG)
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "personalize", at)
        assert run(*words, "--image", pool / "1.card").code != 0
    assert [work["chip"] for work in pending(run)] == ["write"]
    again = done(run(*words, "--image", pool / "1.card")).document
    assert again["taken_up"]
    assert on_chip(run, pool / "1.card")["card_number"] == "L00000011"
    assert pending(run) == []


@pytest.mark.parametrize("at", [0, 5, 40, 150])
def test_a_wipe_that_broke_off_is_done_again(run: Run, pool: Path, at: int) -> None:
    chip = pool / "1.card"
    lend(run, chip)
    use_everywhere(chip)
    back(run)
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "wipe", at)
        assert run("lifecycle", "temporary", "wipe", 1, *WANG, "--image", chip).code != 0
    assert [work["chip"] for work in pending(run)] == ["wipe"]
    act(run, "wipe", 1, "--image", chip)
    assert left_on(chip) == FACTORY
