"""What files take of the chip, and records of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.virtual.card import VirtualCard

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench


def test_a_chip_has_32_kib(blank: Workbench) -> None:
    assert blank.card.chip.memory.free == 32 * 1024


def test_a_file_that_does_not_fit_the_chip(building: Workbench) -> None:
    memory = building.card.chip.memory
    most = memory.free - 16
    assert building.create("EF0A", "C4", "0A", most + 1, "00", "0000", "EF85") == "6A84"
    building.made(building.create("EF0A", "C4", "0A", most, "00", "0000", "EF85"))
    assert memory.free == 0
    building.ok("00A4000002DDF1")
    assert building.create_directory("DF02", "02", "D15600000501") == "6A84"


def test_small_chips_can_be_had() -> None:
    card = VirtualCard.blank(transport_key=bytes(8), capacity=29)
    card.power_on()
    card.transmit(bytes.fromhex("80E0030008") + bytes(8))
    mf = "80E001001E 00EF00FF013F000100012300008000 81 315041592E5359532E4444463031"
    assert card.transmit(bytes.fromhex(mf)).hex() == "6a84", "16 and a name of 14 make 30"


@pytest.mark.parametrize(("reserve", "sw"), [(0, "6A84"), (3, "9000")])
def test_the_space_rule_of_a_variable_file(building: Workbench, reserve: int, sw: str) -> None:
    # values of 10h, 01h and 04h: 16 + 1 + 4, 2 a record, 2 for the file
    space = 0x10 + 0x01 + 0x04 + 3 * 2 + reserve + 2
    building.made(building.create("EF0A", "C6", "0A", space, "FF", "0000", "EF85"))
    building.ok("00DC015412 0110" + "00" * 16)
    building.ok("00DC025403 020133")
    building.ok("00DC035406 0304322E3030")
    assert building.send("00DC045403 040130") == sw


def test_the_space_rule_of_a_cyclic_file(building: Workbench) -> None:
    building.made(building.create("EF0A", "C7", "0A", 4 * 0x55 + 2, "55", "0000", "EF85"))
    for number in range(1, 5):
        building.ok(f"00DC0{number}5455" + "00" * 0x55)
    assert building.send("00DC055455" + "00" * 0x55) == "6A84"


def test_the_key_file_has_one_record_a_key(building: Workbench) -> None:
    # 8 records declared, 5 keys there
    master = building.key("DF01")
    answers = [
        building.write_key(master, bytes((0x0D, kid, 1, 0xEF, 0x33, 0, kid, 0x10)) + bytes(16))
        for kid in range(0x90, 0x94)
    ]
    assert answers == ["9000", "9000", "9000", "6A84"]
