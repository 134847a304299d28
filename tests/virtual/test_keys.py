"""WRITE KEY in its four forms, before and after the end of pre-issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.crypto.des import encrypt_ecb
from cardkit.virtual.card.keys import Key
from cardkit.virtual.card.messaging import Channel, Derivation, decrypt_field

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
DF01 = "D15600000500"
NEW = bytes(range(0x50, 0x60))
HEADER = bytes.fromhex("0D86 01 EF 33 00 86 10")


def test_a_key_loaded_with_class_84_works(building: Workbench) -> None:
    building.made(building.write_key(building.key("DF01"), HEADER + NEW))
    building.open(0x86, NEW)


def test_a_key_loaded_with_class_04_works(building: Workbench) -> None:
    command = building.secured("04D40000", building.key("DF01"), HEADER + NEW, process=False)
    assert command[4] == 0x1C
    building.made(building.send(command))
    building.open(0x86, NEW)


def test_a_key_loaded_with_class_80_works(building: Workbench) -> None:
    field = b"\x18" + HEADER + NEW + b"\x80" + bytes(6)
    building.ok(bytes.fromhex("80D4000020") + encrypt_ecb(building.key("DF01"), field))
    building.open(0x86, NEW)


def test_class_80_has_no_mac_so_it_wants_a_builder(building: Workbench) -> None:
    field = b"\x18" + HEADER + NEW + b"\x80" + bytes(6)
    command = bytes.fromhex("80D4000020") + encrypt_ecb(building.key("DF01"), field)
    building.card.reset()
    building.ok(f"00A4040006{DF01}")
    assert building.send(command) == "6982"
    building.open(0x00, building.key("DF01"))
    building.ok(command)


def test_a_plain_key_wants_the_master_key_presented(building: Workbench) -> None:
    command = bytes.fromhex("00D4000018") + HEADER + NEW
    building.ok(f"00A4040006{DF01}")
    assert building.send(command) == "6982"
    building.open(0x00, building.key("DF01"))
    building.ok(command)
    building.open(0x86, NEW)


def test_a_second_master_key_in_plain_wants_the_first(building: Workbench) -> None:
    command = bytes.fromhex("00D4010018 0000 01 EF 33 00 FF 10") + NEW
    building.ok(f"00A4040006{DF01}")
    assert building.send(command) == "6982"
    building.open(0x00, building.key("DF01"))
    building.ok(command)
    building.open(0x00, NEW)


def test_the_first_master_key_wants_a_builder(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    building.made(building.create_directory("DF02", "02", "D15600000501"))
    building.ok("00A4000002DF02")
    building.made(building.create("EF80", "C3", "80", 28, "18", "EFEF", "EFFF"))
    building.card.reset()
    building.ok("00A4040006D15600000501")
    command = bytes.fromhex("00D4010018 0000 01 EF 33 00 FF 10") + NEW
    assert building.send(command) == "6982"
    building.transport()
    building.ok(command)
    building.open(0x00, NEW)
    full = building.write_key(NEW, HEADER + NEW)
    assert full == "6A84", "the key file was declared for one key"


def test_other_keys_wait_for_the_master_key(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    building.made(building.create_directory("DF02", "02", "D15600000501"))
    building.ok("00A4000002DF02")
    assert building.write_key(NEW, HEADER + NEW) == "6A82", "no key file"
    building.made(building.create("EF80", "C3", "80", 54, "18", "EFEF", "EFFF"))
    assert building.write_key(NEW, HEADER + NEW) == "6A88"
    assert building.send(bytes.fromhex("00D4000018") + HEADER + NEW) == "6982"


def test_a_wrong_mac_costs_a_try_of_the_master_key(building: Workbench) -> None:
    master = building.key("DF01")
    answers = [building.write_key(NEW, HEADER + NEW) for _ in range(4)]
    assert answers == ["6988", "6988", "6988", "6983"]
    assert building.write_key(master, HEADER + NEW) == "6983"
    assert building.external(0x00, master) == "6983"


def test_the_right_mac_gives_the_tries_back(building: Workbench) -> None:
    assert building.write_key(NEW, HEADER + NEW) == "6988"
    building.made(building.write_key(building.key("DF01"), HEADER + NEW))
    assert [building.write_key(NEW, HEADER + NEW) for _ in range(2)] == ["6988", "6988"]


def test_a_mac_wants_a_challenge_and_uses_it_up(building: Workbench) -> None:
    command = building.secured(
        "84D40000", building.key("DF01"), HEADER + NEW, encrypt=True, process=False
    )
    building.made(building.send(command))
    assert building.send(command) == "6984"


@pytest.mark.parametrize(
    "header",
    [
        "05 86 01 EF 33 00 86 10",  # no such type
        "0D 86 01 EF 23 00 86 10",  # more tries left than there are
        "0D 86 01 EF 33 02 86 10",  # no such algorithm
        "0D 86 01 EF 33 00 86 08",  # a 3DES key has 16 bytes
        "0D 86 01 EF 33 01 86 10",  # a DES key has 8
        "00 00 01 EF 33 00 FF 10",  # a master key with P1 00
        "01 00 01 EF 33 06 01 10",  # a PIN that is none
    ],
)
def test_key_headers_that_cannot_be(building: Workbench, header: str) -> None:
    before = building.card.snapshot()
    record = bytes.fromhex(header) + NEW
    assert building.write_key(building.key("DF01"), record) == "6A80"
    assert building.card.snapshot() == before


def test_a_single_des_key_uses_its_first_eight_bytes(building: Workbench) -> None:
    record = bytes.fromhex("0D 86 01 EF 33 01 86 08") + NEW[:8] + b"\xff" * 8
    building.made(building.write_key(building.key("DF01"), record))
    building.open(0x86, NEW[:8])


def test_a_field_that_does_not_decrypt_to_a_key(building: Workbench) -> None:
    master = building.key("DF01")
    assert building.send(bytes.fromhex("80D4000020") + encrypt_ecb(master, bytes(32))) == "6A80"
    short = encrypt_ecb(master, b"\x17" + HEADER + NEW[:15] + b"\x80" + bytes(7))
    assert building.send(bytes.fromhex("80D4000020") + short) == "6A80"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00D4000017" + "00" * 0x17, "6700"),
        ("80D4000018" + "00" * 0x18, "6700"),
        ("84D4000020" + "00" * 0x20, "6700"),
        ("04D4000018" + "00" * 0x18, "6700"),
        ("00D4020018" + "00" * 0x18, "6A86"),
        ("00D4000118" + "00" * 0x18, "6A86"),
    ],
)
def test_each_form_has_its_length(building: Workbench, command: str, sw: str) -> None:
    assert building.send(command) == sw


def test_in_pre_issue_a_key_is_replaced_counter_and_all(building: Workbench) -> None:
    building.external(0x85, NEW)
    building.made(building.write_key(building.key("DF01"), b"\x0d\x85" + HEADER[2:] + NEW))
    building.open(0x85, NEW)


@pytest.mark.parametrize(("change", "sw"), [("EF", "6982"), ("FF", "9000"), ("00", "9000")])
def test_later_a_key_is_replaced_as_its_change_level_says(
    building: Workbench, change: str, sw: str
) -> None:
    master = building.key("DF01")
    header = bytes.fromhex(f"0D 86 01 {change} 33 00 86 10")
    building.made(building.write_key(master, header + NEW))
    building.ok("80E0020000")
    assert building.write_key(master, header + NEW[::-1]) == sw


def test_a_change_level_of_another_key(building: Workbench) -> None:
    master = building.key("DF01")
    header = bytes.fromhex("0D 86 01 83 33 00 86 10")
    building.made(building.write_key(master, header + NEW))
    building.ok("80E0020000")
    assert building.write_key(master, header + NEW[::-1]) == "6982"
    building.open(0x83, building.key("DF01 0D83"))
    building.made(building.write_key(master, header + NEW[::-1]))


def test_later_only_class_84_loads_keys(df01: Workbench) -> None:
    master = df01.key("DF01")
    df01.open(0x00, master)
    assert df01.send(bytes.fromhex("00D4000018") + HEADER + NEW) == "6985"
    assert df01.send(df01.secured("04D40000", master, HEADER + NEW, process=False)) == "6985"
    field = encrypt_ecb(master, b"\x18" + HEADER + NEW + b"\x80" + bytes(6))
    assert df01.send(bytes.fromhex("80D4000020") + field) == "6985"
    df01.made(df01.write_key(master, HEADER + NEW))


def test_published_key_load_vector() -> None:
    # card.txt D, "PSAM key load under 00112233...": ECB of 13 ‖ data, MAC under a 4-byte challenge
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    cipher = bytes.fromhex("DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD")
    master = Key.parse(bytes.fromhex("0000 01 EF 33 00 FF 10") + key)
    assert decrypt_field(master, cipher) == bytes.fromhex("220000") + key
    channel = Channel(master, Derivation.DIRECT)
    channel._iv = bytes.fromhex("5D72B3FD00000000")
    assert channel.mac(bytes.fromhex("84D400001C") + cipher).hex() == "8a9d4adb"


def test_a_key_never_shows_in_a_repr() -> None:
    record = HEADER + NEW
    shown = repr(Key.parse(record))
    assert NEW.hex() not in shown
    assert repr(NEW) not in shown
