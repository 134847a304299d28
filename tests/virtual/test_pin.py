"""VERIFY, CHANGE PIN, RELOAD PIN, PIN UNBLOCK. The PIN is 123456 and lies in SSSE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
RIGHT, WRONG = "0020000003123456", "0020000003654321"
NEW = bytes.fromhex("654321")


def puk(bench: Workbench) -> None:
    bench.open(0x06, bench.key("SSSE 0D06"))


def block(bench: Workbench) -> None:
    for _ in range(3):
        bench.send(WRONG)
    assert bench.send(RIGHT) == "6983"


def test_three_wrong_pins_block_it_everywhere(ssse: Workbench) -> None:
    assert [ssse.send(WRONG) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    ssse.ok("00A4000002DF01")
    assert ssse.send(RIGHT) == "6983", "there is one PIN"


def test_the_right_pin_gives_the_tries_back(df01: Workbench) -> None:
    df01.send(WRONG)
    df01.ok(RIGHT)
    assert df01.send(WRONG) == "63C2"


@pytest.mark.parametrize(
    "pin", ["123456", "123456FF", "123456FFFFFFFFFF"], ids=["bare", "one FF", "filled"]
)
def test_the_filling_does_not_matter(ssse: Workbench, pin: str) -> None:
    ssse.ok(f"00200000{len(pin) // 2:02X}{pin}")


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0020000100", "6A86"),
        ("0020010003123456", "6A86"),
        ("0020000000", "6700"),
        ("002000000112", "6700"),
        ("0020000009" + "12" * 9, "6700"),
        ("0020000003", "6700"),
    ],
)
def test_refusals_of_verify_cost_no_try(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw
    assert ssse.send(WRONG) == "63C2"


def test_where_no_pin_is_in_reach(issued: Workbench) -> None:
    assert issued.send(RIGHT) == "6A88"
    assert issued.send("805E010007123456FF654321") == "6A88"


@pytest.mark.parametrize("place", ["ssse", "df01"])
def test_changing_the_pin(request: pytest.FixtureRequest, place: str) -> None:
    bench: Workbench = request.getfixturevalue(place)
    bench.ok("805E010007123456FF654321")
    assert bench.send(RIGHT) == "63C2"
    bench.ok("0020000003654321")


def test_a_pin_of_sixteen_digits(ssse: Workbench) -> None:
    ssse.ok("805E01000C123456FF" + "12" * 8)
    ssse.ok("0020000008" + "12" * 8)


def test_an_odd_number_of_digits_is_filled_with_f(ssse: Workbench) -> None:
    ssse.ok("805E010007123456FF12345F")
    ssse.ok("002000000312345F")


def test_a_wrong_old_pin_counts(ssse: Workbench) -> None:
    answers = [ssse.send("805E010007654321FF654321") for _ in range(4)]
    assert answers == ["63C2", "63C1", "63C0", "6983"]
    assert ssse.send(RIGHT) == "6983"


def test_a_wrong_old_pin_takes_the_level_away(df01: Workbench) -> None:
    df01.ok(RIGHT)
    df01.ok("00B2012C04")
    assert df01.send("805E010007654321FF654321") == "63C2"
    assert df01.send("00B2012C04") == "6982"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("805E010007123456EE654321", "6A80"),  # no separator
        ("805E010007123456FF1A4321", "6A80"),  # no digit
        ("805E010005123456FF65", "6A80"),  # new PIN of two digits
        ("805E01000512FF123456", "6A80"),  # old PIN of two digits
        ("805E01000412FF1234", "6700"),
        ("805E000007123456FF654321", "6A86"),
        ("005E010007123456FF654321", "6E00"),
        ("845E010007123456FF654321", "6900"),
    ],
)
def test_changes_that_are_refused_cost_no_try(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw
    assert ssse.send(WRONG) == "63C2"


def test_reload_after_the_puk_sets_pin_and_tries(ssse: Workbench) -> None:
    block(ssse)
    puk(ssse)
    command = ssse.secured("84240001", ssse.key("SSSE STK"), NEW, encrypt=True)
    assert command[:5].hex() == "842400010c"
    ssse.ok(command)
    ssse.ok("0020000003654321")


def test_reload_of_a_long_pin_has_sixteen_encrypted_bytes(ssse: Workbench) -> None:
    puk(ssse)
    command = ssse.secured("84240001", ssse.key("SSSE STK"), b"\x12" * 8, encrypt=True)
    assert command[4] == 0x14
    ssse.ok(command)
    ssse.ok("0020000008" + "12" * 8)


def test_unblock_gives_the_tries_back_and_keeps_the_pin(ssse: Workbench) -> None:
    block(ssse)
    puk(ssse)
    ssse.ok(ssse.secured("84240000", ssse.key("SSSE STK")))
    ssse.ok(RIGHT)


@pytest.mark.parametrize("header", ["84240000", "84240001"])
def test_both_want_the_puk(ssse: Workbench, header: str) -> None:
    data, encrypt = (NEW, True) if header[-1] == "1" else (b"", False)
    command = ssse.secured(header, ssse.key("SSSE STK"), data, encrypt=encrypt)
    assert ssse.send(command) == "6982"


def test_a_wrong_mac_changes_nothing_and_costs_a_try_of_stk(ssse: Workbench) -> None:
    puk(ssse)
    answers = [ssse.send(ssse.secured("84240000", bytes(16))) for _ in range(4)]
    assert answers == ["6988", "6988", "6988", "6983"]


def test_a_mac_with_the_key_itself_is_wrong_on_a_process_key_card(ssse: Workbench) -> None:
    puk(ssse)
    command = ssse.secured("84240000", ssse.key("SSSE STK"), process=False)
    assert ssse.send(command) == "6988"


@pytest.mark.parametrize("pin", [b"\x12", b"\x1a\x34", b"\x12" * 9])
def test_a_new_pin_that_is_none(ssse: Workbench, pin: bytes) -> None:
    puk(ssse)
    command = ssse.secured("84240001", ssse.key("SSSE STK"), pin, encrypt=True)
    assert ssse.send(command) == "6A80"
    ssse.ok(RIGHT)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("84240002040000 0000", "6A86"),
        ("842400000800000000 00000000", "6700"),
        ("842400010800000000 00000000", "6700"),
        ("8024000004 00000000", "6900"),
        ("0024000004 00000000", "6E00"),
    ],
)
def test_refusals_of_reload(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw


def test_the_reload_point_is_where_the_pin_lies(df01: Workbench) -> None:
    command = df01.secured("84240000", df01.key("SSSE STK"))
    assert df01.send(command) == "6A88"
