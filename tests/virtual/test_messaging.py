"""Secure messaging of record and binary commands, with a process key and with the key itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.mac import cbc_mac
from cardkit.crypto.padding import method2
from cardkit.virtual.card import Derivation

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

# card.txt D, "UPDATE BINARY MAC": key FF x 16, challenge of 4 bytes
VECTOR = (
    "04D6850034000122000001FFFF22000000000000060001201610280000000000010001000000000000000000"
    "000000000020501231 AE8D8774"
)


def test_published_mac_of_update_binary(building: Workbench) -> None:
    card = building.card
    card.chip.derivation = Derivation.DIRECT
    card._random = lambda length: bytes.fromhex("88BBE4E3")[:length]
    header = bytes.fromhex("0782 01 EF 33 00 82 10")
    building.made(building.send(b"\x00\xd4\x00\x00\x18" + header + b"\xff" * 16))
    building.ok("80E1000102EF05")
    building.made(building.create("EF05", "C4", "05", 64, "00", "0000", "EF85"))
    building.ok("0084000004")
    building.ok(VECTOR)
    assert building.ok("00B0850030") == VECTOR[10:106]


@pytest.mark.parametrize("process", [True, False])
def test_an_update_with_mac(df01_open: Workbench, process: bool) -> None:
    df01_open.card.chip.derivation = Derivation("process" if process else "direct")
    stk = df01_open.key("DF01 STK")
    command = df01_open.secured("04DC012C", stk, bytes.fromhex("20025A5A"), process=process)
    df01_open.ok(command)
    df01_open.ok("0020000003123456")
    assert df01_open.ok("00B2012C04") == "20025A5A"


@pytest.mark.parametrize("process", [True, False])
def test_an_update_encrypted_with_mac(df01_open: Workbench, process: bool) -> None:
    df01_open.card.chip.derivation = Derivation("process" if process else "direct")
    stk = df01_open.key("DF01 STK")
    data = bytes.fromhex("0102030405")
    df01_open.ok(df01_open.secured("84D69500", stk, data, encrypt=True, process=process))
    df01_open.ok(df01_open.secured("84E20038", stk, data, encrypt=True, process=process))
    assert df01_open.ok("00B0950005") == df01_open.ok("00B2013C05") == data.hex()


def test_a_mac_does_not_replace_the_access_condition(df01: Workbench) -> None:
    command = df01.secured("04D69500", df01.key("DF01 STK"), b"\x01")
    assert df01.send(command) == "6982"


def test_a_read_with_mac_answers_with_a_mac_under_the_same_challenge(df01: Workbench) -> None:
    stk = df01.key("DF01 STK")
    df01.ok("0020000003123456")
    iv = df01.challenge()
    session = encrypt_ecb(stk, iv)

    def mac(data: bytes) -> str:
        return cbc_mac(session, method2(data), iv)[:4].hex().upper()

    header = bytes.fromhex("04B2012C04")
    assert df01.send(header + bytes.fromhex(mac(header))) == "6108"
    record = bytes.fromhex("20024142")
    assert df01.send("00C0000008") == record.hex().upper() + mac(record) + "9000"


def test_a_binary_read_with_mac_gives_as_much_as_fits(df01: Workbench) -> None:
    command = df01.secured("04B09500", df01.key("DF01 STK"))
    assert df01.send(command) == "6100"
    answer = df01.send("00C0000000")
    assert len(answer) == 2 * (252 + 4 + 2)
    assert answer[:-12] == "00" * 252


def test_the_ssse_key_serves_an_application_without_its_own(building: Workbench) -> None:
    building.ok("00A4000002DDF1")
    building.made(building.create_directory("DF02", "02", "D15600000501"))
    building.ok("00A4000002DF02")
    building.made(building.create("EF06", "C4", "06", 8, "00", "0000", "0000"))
    building.ok(building.secured("04D68600", building.key("SSSE STK"), b"\xaa"))
    assert building.ok("00B0860001") == "AA"


def test_a_directory_file_without_any_messaging_key(building: Workbench) -> None:
    building.ok("00A40000023F00")
    building.made(building.create("EF06", "C4", "06", 8, "00", "0000", "0000"))
    building.challenge()
    assert building.send("04D6860005 AA 00000000") == "6A88"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("04D6950003 010203", "6987"),  # too short for a MAC
        ("04D6950004 01020304", "6984"),  # no challenge
        ("04D6950000", "6987"),
        ("04A4000002DF01", "6900"),  # SELECT has no secure messaging
        ("0484000008", "6900"),
        ("0420000003123456", "6900"),
        ("84B2012C04 00000000", "6E00"),  # reading is never encrypted
    ],
)
def test_refusals(df01_open: Workbench, command: str, sw: str) -> None:
    assert df01_open.send(command) == sw


@pytest.mark.parametrize("header", ["04B09500", "04B2013C"])
def test_a_read_carries_nothing_but_its_mac(df01_open: Workbench, header: str) -> None:
    df01_open.ok("00E2003805 1111111111")
    command = df01_open.secured(header, df01_open.key("DF01 STK"), b"\x01")
    assert df01_open.send(command) == "6700"


def test_a_wrong_mac_writes_nothing(df01_open: Workbench) -> None:
    df01_open.challenge()
    assert df01_open.send("04D6950005 01 00000000") == "6988"
    assert df01_open.ok("00B0950001") == "00"


def test_a_wrongly_encrypted_field(df01_open: Workbench) -> None:
    stk = df01_open.key("DF01 STK")
    assert df01_open.send(df01_open.secured("84D69500", stk, b"\x01\x02\x03")) == "6700"
    assert df01_open.send(df01_open.secured("84D69500", stk, bytes(8))) == "6A80"
