"""From the factory to the end of pre-issue: transport key, serial, CREATE, DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.crypto.des import encrypt_ecb
from cardkit.virtual.card import VirtualCard

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
DF01 = "D15600000500"
TRANSPORT = "80E00300080011223344556677"
WRONG = "80E0030008FFFFFFFFFFFFFFFF"
MF_NAME = "315041592E5359532E4444463031"


def test_a_maker_diversifies_the_transport_key_with_the_serial() -> None:
    card = VirtualCard.blank(
        transport_key=bytes(range(16)),
        atr=bytes.fromhex("3B6D00000087BF10028649371700BF7C7A"),
    )
    card.power_on()
    assert card.transmit(bytes.fromhex("80E0030008 6DE85D31841C3200")).hex() == "9000"


@pytest.mark.parametrize(
    "arguments",
    [
        {"transport_key": bytes(7)},
        {"transport_key": bytes(8), "atr": b""},
        {"transport_key": bytes(8), "atr": bytes.fromhex("3B6D00")},
        {"transport_key": bytes(8), "atr": bytes.fromhex("3B020000")},
        {"transport_key": bytes(8), "messaging": "loud"},
    ],
)
def test_what_no_factory_makes(arguments: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"transport|reset|Derivation"):
        VirtualCard.blank(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command",
    ["00A40000023F00", "00B2010401", "0020000003123456", "80E100030 23F00", "80E0020000"],
)
def test_without_mf_nearly_everything_is_unsupported(blank: Workbench, command: str) -> None:
    blank.transport()
    assert blank.send(command.replace(" ", "")) == "6A81"


def test_the_transport_key_has_three_tries_for_ever(blank: Workbench) -> None:
    assert blank.send(WRONG) == "63C2"
    blank.card.reset()
    assert blank.send(WRONG) == "63C1"
    blank.ok(TRANSPORT)
    assert [blank.send(WRONG) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    blank.card.reset()
    assert blank.send(TRANSPORT) == "6983"


def test_a_wrong_transport_key_takes_the_right_away(blank: Workbench) -> None:
    blank.transport()
    blank.send(WRONG)
    assert blank.create_directory("3F00", "01", MF_NAME) == "6982"


def test_serial_and_atr_head_show_at_the_next_reset(blank: Workbench) -> None:
    blank.transport()
    blank.ok("80E0050008 0000 639900112233")
    blank.ok("001400000B 3B6D00000081544C978684")
    assert blank.card.atr.hex() == "3b6d00000087bf10028649639900000001"
    assert blank.card.reset().hex() == "3b6d00000081544c978684639900112233"


def test_the_transport_key_stays_when_the_serial_changes() -> None:
    card = VirtualCard.blank(transport_key=bytes(range(16)))
    card.power_on()
    master = bytes(range(16))
    key = encrypt_ecb(master, bytes(2) + card.atr[-6:])
    card.transmit(b"\x80\xe0\x03\x00\x08" + key)
    assert card.transmit(bytes.fromhex("80E00500080000639900112233")).hex() == "9000"
    card.reset()
    assert card.transmit(b"\x80\xe0\x03\x00\x08" + key).hex() == "9000"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80E0050008 0001 639900112233", "6A80"),
        ("80E0050006 639900112233", "6700"),
        ("001400000B 3B6E00000081544C978684", "6A80"),  # T0 and length would not agree
        ("001400000B 406D00000081544C978684", "6A80"),
        ("001400000A 3B6D00000081544C9786", "6700"),
        ("001401000B 3B6D00000081544C978684", "6A86"),
        ("80E0050108 0000639900112233", "6A86"),
        ("80E0030108 0011223344556677", "6A86"),
        ("80E0030007 00112233445566", "6700"),
        ("80E0040000", "6A86"),
        ("00E0040000", "6E00"),
    ],
)
def test_manufacture_commands_that_are_refused(blank: Workbench, command: str, sw: str) -> None:
    blank.transport()
    assert blank.send(command) == sw


def test_manufacture_wants_the_transport_key(blank: Workbench) -> None:
    assert blank.send("80E00500080000639900112233") == "6982"
    assert blank.send("001400000B3B6D00000081544C978684") == "6982"
    assert blank.create_directory("3F00", "01", MF_NAME) == "6982"


def test_a_chip_with_faster_interface_keeps_its_length() -> None:
    card = VirtualCard.blank(
        transport_key=bytes(8), atr=bytes.fromhex("3B7D180000008154 4C978684639900000001")
    )
    card.power_on()
    card.transmit(bytes.fromhex("80E0030008") + bytes(8))
    card.transmit(bytes.fromhex("80E00500080000639900112233"))
    card.transmit(bytes.fromhex("001400000B3B7D1300000087BF100286"))
    assert card.reset().hex() == "3b7d1300000087bf100286" + "84" + "639900112233"


def test_the_mf_comes_first_and_once(blank: Workbench) -> None:
    blank.transport()
    assert blank.create_directory("DDF1", "01", SSSE) == "6A81"
    assert blank.create_directory("3F00", "02", MF_NAME) == "6A80", "the MF is no ADF"
    blank.made(blank.create_directory("3F00", "01", MF_NAME))
    assert blank.create_directory("3F00", "01", MF_NAME) == "6A86"
    assert blank.create_directory("3F00", "01", "AABBCCDDEE") == "6A86"


@pytest.mark.parametrize(
    ("fid", "kind", "name", "sw"),
    [
        ("DF02", "02", DF01, "6A86"),  # the name is taken
        ("DF01", "02", "D15600000501", "6A86"),  # the FID is taken
        ("EF05", "02", "D15600000501", "6A86"),  # by an EF
        ("DF02", "03", "D15600000501", "6A80"),
        ("DF02", "02", "D1560000", "6700"),
        ("DF02", "02", "D1" * 17, "6700"),
        ("DF02", "02", "D15600000501", "9000"),
    ],
)
def test_creating_directory_files(
    building: Workbench, fid: str, kind: str, name: str, sw: str
) -> None:
    building.ok(f"00A404000F{SSSE}")
    assert building.create_directory(fid, kind, name) == sw


def test_nothing_lies_below_an_adf(building: Workbench) -> None:
    assert building.create_directory("DF02", "02", "D15600000501") == "6985"


@pytest.mark.parametrize(
    "data",
    [
        "01 EF 00FF 01 DF02 02 00 00 2300008000 81 D15600000501",
        "00 EF 01FF 01 DF02 02 00 00 2300008000 81 D15600000501",
        "00 EF 00FF 02 DF02 02 00 00 2300008000 81 D15600000501",
        "00 EF 00FF 01 DF02 02 01 00 2300008000 81 D15600000501",
        "00 EF 00FF 01 DF02 02 00 01 2300008000 81 D15600000501",
        "00 EF 00FF 01 DF02 02 00 00 2400008000 81 D15600000501",
    ],
)
def test_constant_bytes_of_a_directory_file_are_checked(building: Workbench, data: str) -> None:
    building.ok(f"00A404000F{SSSE}")
    assert building.send(f"80E0010016{data}") == "6A80"


@pytest.mark.parametrize(
    ("arguments", "sw"),
    [
        (("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF"), "9000"),
        (("EF05", "C6", "0A", 20, "FF", "0000", "EFFF"), "6A86"),  # FID taken
        (("EF0A", "C6", "05", 20, "FF", "0000", "EFFF"), "6A86"),  # SFI taken
        (("EF0A", "C8", "0A", 20, "FF", "0000", "EFFF"), "6A80"),  # no such type
        (("EF0A", "C6", "1E", 20, "FF", "0000", "EFFF"), "6A80"),  # that is DIR's SFI
        (("EF0A", "C6", "00", 20, "FF", "0000", "EFFF"), "6A80"),
        (("EF0A", "D6", "0A", 20, "FF", "0000", "EFFF"), "6A80"),
        (("EF0A", "C6", "0A", 20, "10", "0000", "EFFF"), "6A80"),  # variable is FF
        (("EF0A", "C4", "0A", 20, "00", "0000", "EFFF"), "9000"),
        (("EF0A", "C4", "0A", 20, "01", "0000", "EFFF"), "6A80"),
        (("EF0A", "C4", "0A", 0, "00", "0000", "EFFF"), "6A80"),
        (("EF0A", "C7", "0A", 7, "05", "0000", "EFFF"), "9000"),
        (("EF0A", "C7", "0A", 6, "05", "0000", "EFFF"), "6A80"),  # not one record
        (("EF0A", "C5", "0A", 20, "00", "0000", "EFFF"), "6A80"),
        (("EF82", "C3", "82", 20, "FF", "0000", "EFFF"), "6A80"),  # no such internal file
        (("EF90", "C3", "80", 20, "10", "0000", "EFFF"), "6A86"),  # there is one
        (("EF23", "C3", "23", 20, "FF", "0000", "EFFF"), "9000"),
    ],
)
def test_creating_elementary_files(
    building: Workbench, arguments: tuple[str, str, str, int, str, str, str], sw: str
) -> None:
    if arguments[2] == "80":
        building.ok("80E1000102EF80")
        assert building.create(*arguments) == "6A80", "a key record has 18 hex bytes"
        return
    assert building.create(*arguments) == sw


def test_the_access_byte_knows_only_0_and_4(building: Workbench) -> None:
    answer = building.create("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF", scw="01")
    assert answer == "6A80"


def test_creation_data_have_sixteen_bytes(building: Workbench) -> None:
    assert building.send("80E001000F 000000 0014 EF0A C6 00 0A 00 FF 0000 EF") == "6700"
    assert building.send("80E0010011 000000 0014 EF0A C6 00 0A 00 FF 0000 EFFF 00") == "6700"
    assert building.send("80E0010000") == "6700"
    assert building.send("80E0010110 000000 0014 EF0A C6 00 0A 00 FF 0000 EFFF") == "6A86"


def test_building_wants_transport_key_or_master_key(building: Workbench) -> None:
    building.card.reset()
    building.ok(f"00A4040006{DF01}")
    attempt = ("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF")
    assert building.create(*attempt) == "6982"
    building.open(0x00, building.key("DF01"))
    building.made(building.create(*attempt))


def test_the_master_key_of_the_parent_builds_too(building: Workbench) -> None:
    building.card.reset()
    building.ok(f"00A404000F{SSSE}")
    building.open(0x00, building.key("SSSE"))
    building.ok(f"00A4040006{DF01}")
    building.made(building.create("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF"))


def test_after_its_end_of_pre_issue_a_directory_file_is_closed(building: Workbench) -> None:
    building.ok("80E0020000")
    assert building.send("80E0020000") == "6901"
    assert building.create("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF") == "6985"
    assert building.send("80E1000102EF05") == "6985"
    assert building.send("00DC024C03 910131") == "6982"
    building.ok(f"00A404000F{SSSE}")
    building.made(building.create("EF0A", "C6", "0A", 20, "FF", "0000", "EFFF"))


def test_end_of_pre_issue_wants_a_builder(building: Workbench) -> None:
    building.card.reset()
    building.ok(f"00A4040006{DF01}")
    assert building.send("80E0020000") == "6982"
    assert building.send("80E0020100") == "6A86"
    assert building.send("80E002000101") == "6700"


def test_the_transport_key_answers_until_the_last_directory_file_has_ended(
    building: Workbench,
) -> None:
    for select in ("00A40000023F00", f"00A404000F{SSSE}"):
        building.ok(select)
        building.ok("80E0020000")
    building.transport()
    building.ok(f"00A4040006{DF01}")
    building.ok("80E0020000")
    assert building.send(TRANSPORT) == "6901"
    assert building.send("80E00500080000639900112233") == "6901"


def test_deleting_a_file_gives_its_space_back(building: Workbench) -> None:
    free = building.card.chip.memory.free
    building.ok("80E1000102EF15")
    assert building.card.chip.memory.free == free + 600 + 16
    assert building.send("00B0950001") == "6A82"
    building.made(building.create("EF15", "C4", "15", 600, "00", "0000", "EF85"))


def test_a_deleted_file_is_current_no_more(building: Workbench) -> None:
    building.ok("00A4020002EF15")
    building.ok("80E1000102EF15")
    assert building.send("00B0000001") == "6986"


def test_nothing_is_current_after_deleting_the_mf(building: Workbench) -> None:
    building.ok("00A4020002EF15")
    building.ok("80E10003023F00")
    building.made(building.create_directory("3F00", "01", MF_NAME))
    assert building.send("00B0000001") == "6986"


def test_deleting_the_current_directory_file_leads_to_its_parent(building: Workbench) -> None:
    building.ok("80E1000202DF01")
    assert building.send(f"00A4040006{DF01}") == "6A82"
    assert building.ok("00B2032C06") == "0304322E3030", "SSSE is current"


def test_deleting_a_child_with_everything_in_it(building: Workbench) -> None:
    building.ok("00A40000023F00")
    building.ok("80E1000202DDF1")
    assert building.card.chip.memory.used == 16 + 14 + 54 + 16
    assert building.send(f"00A4040006{DF01}") == "6A82"


def test_deleting_the_mf_leaves_a_blank_chip(building: Workbench) -> None:
    building.ok("80E10003023F00")
    assert building.card.chip.memory.used == 0
    assert building.send("00A40000023F00") == "6A81"
    building.made(building.create_directory("3F00", "01", MF_NAME))


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80E1000102EFAA", "6A82"),
        ("80E1000202EF05", "6A82"),
        ("80E1000102DF01", "6A82"),
        ("80E1000302DF01", "6A82"),
        ("80E1000402EF05", "6A86"),
        ("80E1010102EF05", "6A86"),
        ("80E1000103EF0505", "6700"),
        ("80E1000100", "6700"),
    ],
)
def test_deletions_that_are_refused(building: Workbench, command: str, sw: str) -> None:
    assert building.send(command) == sw


def test_deleting_wants_a_builder(building: Workbench) -> None:
    building.card.reset()
    assert building.send("80E10003023F00") == "6982"
    building.ok(f"00A4040006{DF01}")
    assert building.send("80E1000102EF05") == "6982"
    assert building.send("80E1000202DF01") == "6982"


def test_an_issued_card_cannot_be_deleted(issued: Workbench) -> None:
    issued.open(0x00, issued.key("MF"))
    assert issued.send("80E10003023F00") == "6985"
    assert issued.send("80E1000202DDF1") == "6985"
