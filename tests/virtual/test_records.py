"""READ, UPDATE and APPEND RECORD on variable, fixed and cyclic files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.mark.parametrize(
    "command",
    [
        "00B2032C06",  # number 3 in SFI 05
        "00B2032806",  # tag 03 in SFI 05
        "00B2030406",  # number 3 in the current file
        "00B2030006",  # tag 03 in the current file
    ],
)
def test_a_record_is_read_by_number_or_tag_here_or_by_sfi(ssse: Workbench, command: str) -> None:
    ssse.ok("00A4020002EF05")
    assert ssse.send(command) == "0304322E30309000"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00B2042C06", "6A83"),  # no fourth record
        ("00B2072806", "6A83"),  # no tag 07
        ("00B2002C06", "6A86"),  # record 0
        ("00B2032A06", "6A86"),  # neither number nor tag
        ("00B203FC06", "6A82"),  # no such SFI
        ("00B2033C06", "6981"),  # SFI 07 is transparent
        ("00B2030406", "6986"),  # no current file
        ("00B2032C0600", "6700"),
        ("00B2032C02AABB", "6700"),
    ],
)
def test_reads_that_are_refused(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw


@pytest.mark.parametrize("le", ["00", "05", "07", "FF"])
def test_a_wrong_le_is_told_the_right_one(ssse: Workbench, le: str) -> None:
    assert ssse.send(f"00B2032C{le}") == "6C06"


def test_internal_files_are_closed_to_record_commands(issued: Workbench) -> None:
    issued.ok(f"00A404000F{SSSE}")
    issued.ok("00A4020002EF80")
    assert issued.send("00B2010418") == "6981"
    assert issued.send("00B0000018") == "6981"


@pytest.mark.parametrize(
    "command",
    ["00DC032C06 0304312E3030", "00DC032806 0304312E3030"],
)
def test_a_record_is_overwritten_by_number_or_tag(ssse_open: Workbench, command: str) -> None:
    ssse_open.ok(command)
    assert ssse_open.ok("00B2032C06") == "0304312E3030"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00DC032C05 0303312E30", "6700"),  # shorter than created
        ("00DC032C07 0305312E303030", "6700"),  # longer
        ("00DC032C06 0305312E3030", "6A80"),  # inner length does not agree
        ("00DC032C06 0404312E3030", "6A80"),  # another tag by number
        ("00DC032806 0404312E3030", "6A80"),  # another tag by tag
        ("00DC042C06 0404312E3030", "6A83"),  # no record 4, and none is made any more
        ("00DC042806 0404312E3030", "6A83"),
        ("00DC002C06 0304312E3030", "6A86"),
        ("00DC032C00", "6700"),
        ("00DC032C", "6700"),
        ("00DC033C06 0304312E3030", "6981"),
        ("00DC03FC06 0304312E3030", "6A82"),
        ("80DC032C06 0304312E3030", "6900"),  # encrypted without MAC
    ],
)
def test_updates_that_are_refused(ssse_open: Workbench, command: str, sw: str) -> None:
    before = ssse_open.card.snapshot()
    assert ssse_open.send(command) == sw
    assert ssse_open.card.snapshot() == before


def test_without_its_key_nothing_is_written(ssse: Workbench) -> None:
    assert ssse.send("00DC032C06 0304312E3030") == "6982"


def test_records_are_made_in_pre_issue_in_ascending_order(building: Workbench) -> None:
    assert building.send("00DC034C03 910131") == "6A83", "record 2 is missing"
    building.ok("00DC024C03 910131")
    building.ok("00DC034C03 910132")
    assert building.ok("00B2914803") == "910131", "by tag the first of several"
    assert building.ok("00B2034C03") == "910132"


def test_dir_is_written_and_read_like_any_record_file(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    entry = "700E610C4F06D156000005005002" + "4446"
    assert building.send("00DC01F410" + entry) == "6982", "the level of the file: master key"
    building.open(0x00, building.key("SSSE"))
    building.ok("00DC01F410" + entry)
    assert building.ok("00B201F410") == entry


def test_by_tag_no_record_is_made(building: Workbench) -> None:
    assert building.send("00DC914803 910131") == "6A83"


def test_a_record_that_does_not_fit_the_declared_space(building: Workbench) -> None:
    # 20 bytes declared, 2 of the file, 3 of record 1: 15 are left
    assert building.send("00DC024C10 920E" + "00" * 14) == "6A84"
    building.ok("00DC024C0F 920D" + "00" * 13)
    assert building.send("00DC034C02 9300") == "6A84"


def test_fixed_records_have_no_tags_and_one_length(building: Workbench) -> None:
    assert building.send("00DC014403 AABBCC") == "6700"
    building.ok("00DC014404 AABBCCDD")
    building.ok("00DC024404 11223344")
    assert building.send("00DC034404 55667788") == "6A84", "two records were declared"
    assert building.send("00B2AA4004") == "6981", "no tags, no reading by tag"
    building.ok("00DC014404 99999999")
    assert building.ok("00B2014404") == "99999999"


def append(bench: Workbench, text: str) -> None:
    bench.ok(f"00E2003805{text * 5}")


def test_the_newest_cyclic_record_is_number_one_and_the_oldest_is_lost(
    df01_open: Workbench,
) -> None:
    for text in ("11", "22", "33", "44"):
        append(df01_open, text)
    assert [df01_open.ok(f"00B20{n}3C05") for n in (1, 2, 3)] == ["44" * 5, "33" * 5, "22" * 5]
    assert df01_open.send("00B2043C05") == "6A83"


def test_a_cyclic_record_is_overwritten_in_place(df01_open: Workbench) -> None:
    append(df01_open, "11")
    append(df01_open, "22")
    df01_open.ok("00DC023C05 5555555555")
    assert [df01_open.ok(f"00B20{n}3C05") for n in (1, 2)] == ["22" * 5, "55" * 5]


def test_in_pre_issue_cyclic_records_are_made_behind_the_oldest(building: Workbench) -> None:
    for number in (1, 2, 3):
        building.ok(f"00DC0{number}3C05" + f"{number:02X}" * 5)
    assert building.ok("00B2033C05") == "0303030303"
    assert building.send("00DC043C050404040404") == "6A84"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00E2003804 11111111", "6700"),
        ("00E2013805 1111111111", "6A86"),
        ("00E2003A05 1111111111", "6A86"),
        ("00E2002805 1111111111", "6981"),  # EF05 is linear
        ("00E200E005 1111111111", "6A82"),
        ("00B2013805", "6981"),  # by tag
        ("00DC013C04 11111111", "6A83"),
    ],
)
def test_refusals_of_cyclic_files(df01_open: Workbench, command: str, sw: str) -> None:
    assert df01_open.send(command) == sw


def test_append_needs_the_update_condition(df01: Workbench) -> None:
    assert df01.send("00E2003805 1111111111") == "6982"
