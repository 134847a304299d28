"""APPLICATION BLOCK and UNBLOCK, CARD BLOCK. DF01 has LK 83, SSSE has BK 05."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

DF01 = "D15600000500"
FCI_OF_DF01 = "6F108406D15600000500A5069F0C03860101"
FREE_RECORD = "00B0950004"


def lock(bench: Workbench, header: str) -> str:
    """Present LK of DF01, send a lock command with its MAC."""
    bench.open(0x83, bench.key("DF01 0D83"))
    return bench.send(bench.secured(header, bench.key("DF01 STK")))


@pytest.fixture
def blocked(df01: Workbench) -> Workbench:
    """DF01 blocked for now and selected again."""
    df01.made(lock(df01, "841E0000"))
    df01.send(f"00A4040006{DF01}")
    return df01


def test_selecting_a_blocked_application_warns_and_leaves_the_fci(blocked: Workbench) -> None:
    assert blocked.send(f"00A4040006{DF01}") == "6283"
    assert blocked.send("00C0000000") == "6C12"
    assert blocked.send("00C0000012") == FCI_OF_DF01 + "9000"


@pytest.mark.parametrize(
    "command",
    [FREE_RECORD, "0020000003123456", "00DC024C03910131", "0088000010" + "00" * 16],
)
def test_in_a_blocked_application_nothing_works(blocked: Workbench, command: str) -> None:
    assert blocked.send(command) == "6A81"


def test_the_rest_of_the_card_goes_on(blocked: Workbench) -> None:
    blocked.ok("00A4000002DDF1")
    blocked.ok("00B2032C06")


def test_unblocking(blocked: Workbench) -> None:
    blocked.made(lock(blocked, "84180000"))
    assert blocked.ok(f"00A4040006{DF01}") == FCI_OF_DF01
    blocked.ok(FREE_RECORD)


def test_blocked_stays_blocked_after_a_reset(blocked: Workbench) -> None:
    blocked.card.reset()
    assert blocked.send(f"00A4040006{DF01}") == "6283"


def test_blocked_for_ever(df01: Workbench) -> None:
    df01.made(lock(df01, "841E0001"))
    assert df01.send(FREE_RECORD) == "9303"
    assert df01.send("0084000008") == "9303"
    assert df01.send(f"00A4040006{DF01}") == "9303"
    df01.ok("00A4000002DDF1")
    assert df01.send(f"00A4040006{DF01}") == "9303"
    df01.ok("00B2032C06")


def test_what_is_blocked_for_now_can_be_blocked_for_ever(blocked: Workbench) -> None:
    blocked.made(lock(blocked, "841E0001"))
    assert blocked.send(f"00A4040006{DF01}") == "9303"


def test_no_change_is_told(blocked: Workbench, df01: Workbench) -> None:
    assert blocked is df01
    assert lock(blocked, "841E0000") == "6400"
    blocked.made(lock(blocked, "84180000"))
    assert lock(blocked, "84180000") == "6400"


@pytest.mark.parametrize("header", ["841E0000", "841E0001", "84180000"])
def test_the_lock_key_comes_first(df01: Workbench, header: str) -> None:
    assert df01.send(df01.secured(header, df01.key("DF01 STK"))) == "6982"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("841E000204 00000000", "6A86"),
        ("8418000104 00000000", "6A86"),
        ("8416000104 00000000", "6A86"),
        ("841E000008 0000000000000000", "6700"),
        ("801E000004 00000000", "6900"),
        ("8416000004 00000000", "6985"),  # CARD BLOCK not in an ADF
    ],
)
def test_refusals(df01: Workbench, command: str, sw: str) -> None:
    df01.open(0x83, df01.key("DF01 0D83"))
    assert df01.send(command) == sw


def test_without_challenge_or_with_a_wrong_mac(df01: Workbench) -> None:
    df01.open(0x83, df01.key("DF01 0D83"))
    assert df01.send("841E000004 00000000") == "6984"
    df01.challenge()
    assert df01.send("841E000004 00000000") == "6988"


def test_the_mf_is_no_application(issued: Workbench) -> None:
    assert issued.send("841E000004 00000000") == "6985"


def test_a_directory_file_whose_lock_level_is_never(issued: Workbench) -> None:
    assert issued.send("8416000004 00000000") == "6982"


def test_a_locked_card_answers_nothing_any_more(ssse: Workbench) -> None:
    ssse.open(0x05, ssse.key("SSSE 0D05"))
    ssse.ok(ssse.secured("84160000", ssse.key("SSSE STK")))
    for command in (
        "00A40000023F00",
        "0084000008",
        "00C0000001",
        "80E0030008" + "00" * 8,
        "FFFF0000",
    ):
        assert ssse.send(command) == "6A81"
    ssse.card.power_off()
    ssse.card.power_on()
    assert ssse.send("00A40000023F00") == "6A81"
