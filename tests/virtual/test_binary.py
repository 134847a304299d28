"""READ and UPDATE BINARY; EF15 of DF01 has 600 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench


def test_a_new_transparent_file_is_all_zero(df01: Workbench) -> None:
    assert df01.ok("00B0950000") == "00" * 256


def test_by_sfi_and_then_by_offset_in_the_current_file(df01_open: Workbench) -> None:
    df01_open.ok("00D69500031A1B1C")
    df01_open.ok("00D60200022A2B")  # offset 0200 of the file that is current now
    assert df01_open.ok("00B0950104") == "1B1C0000"
    assert df01_open.ok("00B001FF04") == "002A2B00"


def test_le_00_gives_256_bytes_while_there_are_as_many(df01: Workbench) -> None:
    df01.ok("00A4020002EF15")
    assert len(df01.ok("00B0015800")) == 512, "600 - 344 = 256"
    assert df01.send("00B0015900") == "6CFF"


def test_asking_for_more_than_is_left(df01: Workbench) -> None:
    df01.ok("00A4020002EF15")
    assert df01.send("00B0025010") == "6C08"
    assert df01.ok("00B0025008") == "00" * 8


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00B0000001", "6986"),  # no current file
        ("00B0850001", "6981"),  # EF05 has records
        ("00B0960001", "6A82"),  # no SFI 16
        ("00B0800001", "6A86"),  # SFI 0
        ("00B0B50001", "6A86"),  # bits that mean nothing
        ("00D6950001AA", "6982"),
        ("00D6850001AA", "6981"),
    ],
)
def test_refusals(df01: Workbench, command: str, sw: str) -> None:
    assert df01.send(command) == sw


def test_reading_needs_its_condition(ssse: Workbench) -> None:
    assert ssse.send("00B0870001") == "6982"
    ssse.open(0x0A, ssse.key("SSSE 0D0A"))
    assert ssse.ok("00B0870001") == "00"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00D6025801AA", "6B00"),  # offset 600
        ("00B0025801", "6B00"),
        ("00D6025702AABB", "6A84"),  # over the end
        ("00D6025701AA", "9000"),  # the last byte
        ("00D6000000", "6700"),
    ],
)
def test_the_end_of_the_file(df01_open: Workbench, command: str, sw: str) -> None:
    df01_open.ok("00A4020002EF15")
    assert df01_open.send(command) == sw
