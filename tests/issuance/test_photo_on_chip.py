"""The photo of the registry gets into the chip, and nothing changes for people without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cardkit.apdu.link import LinkLostError, chain
from cardkit.card.card import Card
from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import BinaryFile
from cardkit.card.procedure import run
from cardkit.card.procedures.photo import write_photo
from cardkit.issuance.writer import Issued
from cardkit.keys import CardKeySet
from cardkit.keys.open_store import factors_above
from cardkit.registry.intake.photo import Prepared
from cardkit.registry.intake.photos import Photos
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.workshop import Workshop, applicant

SERIAL = bytes.fromhex("40000001")
CHIP_PHOTO = b"\xff\xd8" + bytes(range(256)) * 15 + b"\xff\xd9"
PHOTO = Prepared("0" * 64, 1, 358, 441, b"print", CHIP_PHOTO)
SSSE = GENERATION_2.directory("SSSE")
UPDATE_BINARY, READ_BINARY = 0xD6, 0xB0


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    found = Workshop(tmp_path, [applicant(2), applicant(3)])
    with found.registry() as registry:
        Photos(registry.books).take(1, PHOTO)
    return found


def photo_in(shop: Workshop, chip: VirtualCard) -> bytes:
    link = chain(VirtualLink(chip))
    card = Card(GENERATION_2, link.atr)
    keys = CardKeySet.on_demand(shop.store, factors_above(shop.profile), card.factor)
    file = next(f for f in SSSE.files if f.label == "EF08")
    assert isinstance(file, BinaryFile)
    run(card.open_for(file.read, SSSE), link, keys)
    found = run(card.read_binary(SSSE, file), link, keys)
    chip.power_off()
    return found


@pytest.mark.parametrize("kind", ["premade", "blank"])
def test_the_photo_is_written_and_read_back(shop: Workshop, kind: str) -> None:
    chip = shop.factory.premade(SERIAL) if kind == "premade" else shop.factory.blank(SERIAL)
    assert isinstance(shop.process(chip), Issued)
    assert photo_in(shop, chip) == CHIP_PHOTO.ljust(4096, b"\0")


def test_a_person_without_a_photo_costs_no_command(shop: Workshop) -> None:
    assert isinstance(shop.process(shop.factory.premade(SERIAL)), Issued)
    second = shop.factory.premade(bytes.fromhex("40000002"))
    seen: list[int] = []
    second.on_exchange.append(lambda command, _: seen.append(command[1]))
    assert isinstance(shop.process(second), Issued)
    assert UPDATE_BINARY not in seen
    assert READ_BINARY not in seen


def test_a_place_may_leave_the_photo_out(shop: Workshop) -> None:
    shop.profile = dataclasses.replace(
        shop.profile, photo=dataclasses.replace(shop.profile.photo, on_chip=False)
    )
    chip = shop.factory.premade(SERIAL)
    assert isinstance(shop.process(chip), Issued)
    assert photo_in(shop, chip) == bytes(4096)


def test_power_lost_in_the_photo_is_mended_on_the_same_card(shop: Workshop) -> None:
    chip = shop.factory.premade(SERIAL)
    left = 7

    def cut(command: bytes, _: bytes) -> None:
        nonlocal left
        left -= command[1] == UPDATE_BINARY
        if left == 0:
            left = -1
            raise LinkLostError("pulled out")

    chip.on_exchange.append(cut)
    with pytest.raises(LinkLostError):
        shop.process(chip)
    chip.on_exchange.clear()
    chip.power_off()
    assert isinstance(shop.process(chip), Issued)
    assert photo_in(shop, chip) == CHIP_PHOTO.ljust(4096, b"\0")
    with shop.registry() as registry:
        assert registry.get(1).state == "issued"
        assert registry.verify_history().intact


def test_a_photo_that_is_too_long_is_refused() -> None:
    card = Card(GENERATION_2, bytes.fromhex("3B6D00000087BF10028649639940000001"))
    with pytest.raises(ValueError, match="does not fit"):
        next(write_photo(card, bytes(4097)))


def test_a_worn_photo_file_spoils_the_chip(shop: Workshop) -> None:
    chip = shop.factory.premade(SERIAL)
    chip.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF08))
    assert not isinstance(shop.process(chip), Issued)
