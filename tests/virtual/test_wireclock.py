"""The wire clock against figures worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.virtual.card import VirtualCard, WireClock
from cardkit.virtual.card.wireclock import characters, speeds

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench


@pytest.mark.parametrize(
    ("command", "answer", "count"),
    [
        ("00B2012C12", "00" * 18 + "9000", 26),  # 5 + 1 + 18 + 2
        ("00B2012C00", "6C12", 7),  # 5 + 2
        ("00A4020002EF05", "9000", 10),  # 5 + 1 + 2 + 2
        ("00A4020002EF0500", "9000", 10),  # Le is not sent
        ("80E0020000", "9000", 7),
        ("80E00200", "9000", 7),  # P3 is sent all the same
        ("00C000001E", "00" * 30 + "9000", 38),
    ],
)
def test_characters(command: str, answer: str, count: int) -> None:
    assert characters(bytes.fromhex(command), bytes.fromhex(answer)) == count


@pytest.mark.parametrize(("speed", "milliseconds"), [(9_600, 319), (38_400, 80), (115_200, 27)])
def test_an_update_of_247_bytes(speed: int, milliseconds: int) -> None:
    count = characters(bytes.fromhex("00D60000F7") + bytes(247), b"\x90\x00")
    assert round(count * 12 / speed * 1000) == milliseconds


@pytest.mark.parametrize(
    ("atr", "offered"),
    [
        ("3B6D00000087BF10028649639900000001", (9_600,)),
        ("3B7D1300000087BF10028649639900000001", (9_600, 38_400)),
        ("3B7D1800000087BF10028649639900000001", (9_600, 38_400, 115_200)),
        ("3B7D9400000087BF10028649639900000001", (9_600, 38_400, 55_800)),
    ],
)
def test_an_atr_offers_speeds(atr: str, offered: tuple[int, ...]) -> None:
    assert speeds(bytes.fromhex(atr)) == offered


@pytest.mark.parametrize(
    ("atr", "offered"),
    [
        ("3B90 18 00", (9_600, 38_400, 115_200)),  # TA1 and TD1, T=0 only
        ("3B90 18 01 FF", (9_600, 38_400, 115_200)),  # T=1 brings a check byte
        ("3B80 80 01 00", (9_600,)),  # TD1 and TD2, no TA1
        ("3BF0 13 00 FF 10 05", (9_600, 38_400)),  # TA1 TB1 TC1 TD1, TA2 of the next group
    ],
)
def test_atrs_with_further_interface_bytes(atr: str, offered: tuple[int, ...]) -> None:
    assert speeds(bytes.fromhex(atr)) == offered


@pytest.mark.parametrize("atr", ["", "3B", "3B90", "3B9018", "3B10", "3B1000", "3B10F1", "3B01"])
def test_what_is_no_atr(atr: str) -> None:
    with pytest.raises(ValueError, match=r"reset|reserved"):
        speeds(bytes.fromhex(atr))


def test_a_clock_adds_up_resets_commands_and_memory_writes() -> None:
    card = VirtualCard.blank(
        transport_key=bytes(8), atr=bytes.fromhex("3B7D1300000087BF10028649639900000001")
    )
    clock = WireClock(card)
    card.power_on()  # 18 characters, and 8 of PPS
    card.transmit(bytes.fromhex("0084000008"))  # 16 characters
    card.transmit(bytes.fromhex("80E0030008") + bytes(8))  # 16, tries written twice
    assert (clock.resets, clock.reset_characters, clock.exchanges) == (1, 18, 2)
    assert (clock.characters, clock.pages) == (32, 2)
    assert clock.seconds(9_600) == pytest.approx((18 + 32) * 12 / 9_600 + 2 * 0.004)
    expected = (18 + 8) * 12 / 9_600 + 32 * 12 / 38_400 + 2 * 0.004
    assert clock.seconds(38_400) == pytest.approx(expected)
    with pytest.raises(ValueError, match="offers"):
        clock.seconds(115_200)


def test_a_write_takes_a_page_for_every_64_bytes(df01_open: Workbench) -> None:
    clock = WireClock(df01_open.card)
    df01_open.ok("00D6950040" + "11" * 64)
    assert clock.pages == 1
    df01_open.ok("00D6950041" + "11" * 65)
    assert clock.pages == 3


def test_a_clock_can_be_restarted_and_stopped(df01: Workbench) -> None:
    clock = WireClock(df01.card)
    df01.ok("0084000008")
    clock.restart()
    assert (clock.exchanges, clock.characters, clock.pages) == (0, 0, 0)
    df01.ok("0084000008")
    clock.stop()
    df01.ok("0084000008")
    assert clock.exchanges == 1
