"""SELECT: which files can be reached from where, what it answers, what it does to the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
DF01 = "D15600000500"
FCI_OF_SSSE = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"
FCI_OF_DF01 = "6F108406D15600000500A5069F0C03860101"


def test_a_directory_file_announces_its_fci_and_get_response_fetches_it(issued: Workbench) -> None:
    assert issued.send(f"00A404000F{SSSE}") == "611E"
    assert issued.send("00C000001E") == FCI_OF_SSSE + "9000"


@pytest.mark.parametrize(
    ("command", "fci"),
    [
        ("00A4000002DDF1", FCI_OF_SSSE),  # itself
        ("00A4000002DF01", FCI_OF_DF01),  # child
        ("00A4010002DF01", FCI_OF_DF01),  # child, and nothing else
        (f"00A4040006{DF01}", FCI_OF_DF01),  # by name
        ("00A40000023F00", "840E315041592E5359532E4444463031"),  # the MF
        ("00A4000000", "840E315041592E5359532E4444463031"),  # the MF, without data
        ("00A40000", "840E315041592E5359532E4444463031"),  # the same as case 1
        ("00A4030000", "840E315041592E5359532E4444463031"),  # parent
    ],
)
def test_directory_files_within_reach_of_ssse(ssse: Workbench, command: str, fci: str) -> None:
    assert fci in ssse.ok(command)


def test_from_an_adf_its_parent_and_itself_are_in_reach_by_fid(df01: Workbench) -> None:
    assert df01.ok("00A4000002DF01") == FCI_OF_DF01
    assert df01.ok("00A4000002DDF1") == FCI_OF_SSSE


def test_a_name_is_found_anywhere_on_the_card(issued: Workbench) -> None:
    assert issued.ok(f"00A4040006{DF01}") == FCI_OF_DF01
    assert issued.ok("00A4030000") == FCI_OF_SSSE, "its parent lies between MF and DF01"


@pytest.mark.parametrize("command", ["00A4020002EF05", "00A4000002EF05"])
def test_an_elementary_file_answers_plain_9000(ssse: Workbench, command: str) -> None:
    assert ssse.send(command) == "9000"
    assert ssse.ok("00B2030406") == "0304322E3030"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00A4020002DF01", "6A82"),  # 02 is for elementary files only
        ("00A4010002EF05", "6A82"),  # 01 for directory files only
        ("00A4000002EFAA", "6A82"),
        ("00A4040006D15600000599", "6A82"),
        ("00A4040005D156000005", "6A82"),  # not the whole name
        (f"00A4040206{DF01}", "6A82"),  # no next one
        (f"00A4040C06{DF01}", "6A86"),
        ("00A4020C02EF05", "6A86"),
        ("00A4080002EF05", "6A86"),
        ("00A4020001EF", "6700"),
        ("00A4020003EF0505", "6700"),
        ("00A4030002DDF1", "6700"),
        ("00A4040000", "6700"),
        ("00A4040011" + "D1" * 17, "6700"),
    ],
)
def test_refusals(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw


def test_a_failed_select_changes_nothing(ssse: Workbench) -> None:
    ssse.ok("00A4020002EF05")
    assert ssse.send("00A4000002EFAA") == "6A82"
    assert ssse.ok("00B2030406") == "0304322E3030"


def test_selecting_a_directory_file_forgets_the_current_file(ssse: Workbench) -> None:
    ssse.ok("00A4020002EF05")
    ssse.ok("00A4000002DDF1")
    assert ssse.send("00B2030406") == "6986"


def test_a_file_reached_by_its_short_identifier_becomes_current(ssse: Workbench) -> None:
    ssse.ok("00B2032C06")
    assert ssse.ok("00B2030406") == "0304322E3030"


def test_the_stored_fci_takes_the_place_of_the_composed_one(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    inner = f"840F{SSSE}A503880115"
    entry = f"DDF1{len(inner) // 2 + 2:02X}6F{len(inner) // 2:02X}{inner}"
    building.ok(f"00D20123{len(entry) // 2 + 2:02X}70{len(entry) // 2:02X}{entry}")
    assert building.ok("00A4000002DDF1") == f"6F1C840F{SSSE}A5098801159F0C03860101"


def test_a_stored_fci_that_names_the_algorithm_stays_as_it_is(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    building.ok("00D2012317 7015 DF01 12 6F10 8406D15600000500 A506 9F0C03860103")
    assert building.ok(f"00A4040006{DF01}") == "6F108406D15600000500A5069F0C03860103"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00D2012306 70048406AABB", "6A80"),  # no FID and template
        ("00D2012302 7100", "6A80"),
        ("00D201230F 700D DF01 0B 6F08 8406D15600000500", "6A80"),  # inner length one too many
        ("00D202230F 700D DF01 0A 6F08 8406D15600000500", "6A83"),  # not ascending
        ("00D201240F 700D DF01 0A 6F08 8406D15600000500", "6A86"),
        ("80D201230F 700D DF01 0A 6F08 8406D15600000500", "6E00"),
    ],
)
def test_fci_records_that_are_refused(building: Workbench, command: str, sw: str) -> None:
    building.ok(f"00A404000F{SSSE}")
    assert building.send(command) == sw


def test_an_fci_record_is_written_in_pre_issue_only(ssse: Workbench) -> None:
    assert ssse.send("00D201230F 700D DF01 0A 6F08 8406D15600000500") == "6985"


def test_an_fci_record_wants_a_builder(building: Workbench) -> None:
    building.card.reset()
    building.ok(f"00A404000F{SSSE}")
    assert building.send("00D201230F 700D DF01 0A 6F08 8406D15600000500") == "6982"


def test_an_fci_record_is_overwritten_with_the_same_length_only(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    building.ok("00D201230F 700D DF01 0A 6F08 8406D15600000500")
    building.ok("00D201230F 700D DF01 0A 6F08 8406D15600000501")
    assert building.send("00D201230E 700C DF01 09 6F07 8405D156000005") == "6700"


def test_a_directory_file_without_fci_file_takes_no_fci(building: Workbench) -> None:
    assert building.send("00D201230F 700D DF01 0A 6F08 8406D15600000500") == "6A82"
