"""``cardkit virtual``: what can be tried without a PC/SC service; the rest is in test_pcsc.py."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cardkit.apdu.link import chain
from cardkit.card.card import Card
from cardkit.card.files import GENERATION_2
from cardkit.card.procedure import run as run_procedure
from cardkit.cli.output import Output
from cardkit.cli.session import NoKeys
from cardkit.cli.virtual import _report
from cardkit.cli.virtual_cards import ImageCard, Stack
from cardkit.errors import RefusedError
from cardkit.profile import load
from cardkit.virtual import service
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.cli.conftest import Run


def stack(state: str, count: int = 1, image: Path | None = None) -> Stack:
    return Stack(load("test"), state, 0x00A00001, count, image)


def holder(card: VirtualCard) -> object:
    link = chain(VirtualLink(card))
    read = Card(GENERATION_2, link.atr).read(GENERATION_2.find("SSSE.EF06.08"))
    return run_procedure(read, link, NoKeys())


def test_every_card_of_a_stack_has_a_serial_of_its_own() -> None:
    atrs = [made.card.chip.atr[-4:].hex() for made in stack("blank", 3)]

    assert atrs == ["00a00001", "00a00002", "00a00003"]


def test_issued_cards_belong_to_different_people_and_are_right(run: Run, tmp_path: Path) -> None:
    cards = [made.card for made in stack("issued", 3)]

    assert len({holder(card) for card in cards}) == 3
    for card in cards:
        card.save(tmp_path / "one.card")
        verified = run("card", "verify", "--image", tmp_path / "one.card", "--profile", "test")
        assert verified.code == 0, verified.out


def test_an_image_is_made_at_once_private_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "my.card"

    (first,) = stack("premade", image=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (again,) = stack("blank", image=path)  # it is there: its state does not change
    assert again.card.snapshot() == first.card.snapshot()


def test_no_virtual_card_is_made_with_the_keys_of_real_cards(run: Run, tmp_path: Path) -> None:
    """Its image would hold them in clear, and the registry a card that does not exist."""
    profile, folder = tmp_path / "county.toml", tmp_path / "people.issued"
    profile.write_text(
        '[region]\nprovince = "63"\ncity = "639900"\n[keys]\nstore = "soft:keys.store"\n'
    )
    run("roster", "sample", 1, "--out", tmp_path / "people.csv")

    with pytest.raises(RefusedError, match="not marked as a test"):
        next(iter(Stack(load(str(profile)), "premade", 1, 1, None)))
    result = run("issue", tmp_path / "people.csv", "--profile", profile, "--reader", "virtual",
                 "--registry", tmp_path / "r.db")  # fmt: skip

    assert result.code == 4
    assert "不是测试配置" in result.err
    assert not (tmp_path / "r.db").exists()
    assert not list(folder.glob("*/*"))


def test_an_image_is_saved_when_the_card_loses_its_power(tmp_path: Path) -> None:
    path = tmp_path / "my.card"
    (made,) = stack("issued", image=path)
    made.power_on()
    made.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
    assert made.transmit(bytes.fromhex("0020000003999999")).hex() == "63c2"

    assert VirtualCard.load(path).snapshot() != made.card.snapshot()
    made.power_off()
    assert VirtualCard.load(path).snapshot() == made.card.snapshot()


@pytest.mark.parametrize(
    ("state", "finished"), [("blank", False), ("premade", False), ("issued", True)]
)
def test_the_next_card_comes_when_one_has_a_holder(state: str, *, finished: bool) -> None:
    cards = stack(state)
    (made,) = cards

    assert cards.has_holder(made) is finished
    assert not made.card.powered


def test_an_image_is_no_stack(run: Run) -> None:
    assert run("virtual", "card", "--image", "x.card", "--count", "2").code == 2


@pytest.mark.parametrize("serial", ["1", "0000001", "000000001", "0000000g", ""])
def test_a_serial_has_four_bytes(run: Run, serial: str) -> None:
    assert run("virtual", "card", "--serial", serial).code == 2


def test_without_virtual_readers_a_card_says_how_to_start_them(run: Run, tmp_path: Path) -> None:
    result = run("virtual", "card", "--runtime-dir", tmp_path)

    assert result.code == 3
    assert "cardkit virtual readers" in result.err


def test_the_service_tells_its_readers_and_what_programs_need(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = SimpleNamespace(
        readers=("Reader 0", "Reader 1"),
        environment={"PCSCLITE_CSOCK_NAME": "/run/x"},
        mode=service.Mode.PRIVATE,
    )

    def instead(
        count: int,
        runtime_dir: Path | None,
        *,
        report: Callable[[object], None],
        stop: threading.Event,
    ) -> None:
        assert (count, runtime_dir, stop.is_set()) == (2, None, False)
        report(running)

    monkeypatch.setattr(service, "run_service", instead)

    shown = run("virtual", "readers", "--count", "2").out
    assert "export PCSCLITE_CSOCK_NAME=/run/x" in shown
    assert "spare" not in shown
    document = run("virtual", "readers", "--count", "2", "--json").document
    assert document["readers"] == ["Reader 0", "Reader 1"]


def test_a_spare_reader_is_told_beforehand(capsys: pytest.CaptureFixture[str]) -> None:
    """The driver always has two slots."""
    running = SimpleNamespace(readers=("Reader 0",), environment={}, mode=service.Mode.PRIVATE)

    _report(running, Output())  # type: ignore[arg-type]

    assert "a spare reader" in capsys.readouterr().out


@pytest.mark.parametrize("count", [0, 17])
def test_there_can_be_1_to_16_readers(run: Run, count: int) -> None:
    assert run("virtual", "readers", "--count", count).code == 2


def test_what_keeps_an_image_is_a_card_to_a_reader() -> None:
    card = ImageCard(VirtualCard.blank(transport_key=bytes(8)), None)

    assert card.power_on() == card.reset()
    assert card.transmit(bytes.fromhex("00A40000023F00")).hex() == "6a81"
