"""Access conditions: levels of own and parent directory file, OR and AND, and their loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.virtual.card.security import Access

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
DF01 = "D15600000500"
PIN = "0020000003123456"
EITHER = "00B2012C04"  # DF01 EF05: PIN or RK
BOTH = "00B2013404"  # DF01 EF06: PIN and RK


class Reached:
    """A state with these levels."""

    def __init__(self, parent: set[int], own: set[int]) -> None:
        self.parent, self.own = parent, own


@pytest.mark.parametrize(
    ("parent", "own", "both", "reached_parent", "reached_own", "opens"),
    [
        (0x00, 0x00, False, set(), set(), True),  # free
        (0xEF, 0xEF, False, {0xEF}, {0xEF}, False),  # never, whatever was reached
        (0xEF, 0x04, False, set(), {0x04}, True),  # a single condition is OR with EF
        (0xEF, 0x04, False, {0x04}, {0x05}, False),  # the wrong directory file
        (0xEF, 0x04, True, set(), {0x04}, False),  # AND with EF is never
        (0x01, 0x84, False, {0x01}, set(), True),
        (0x01, 0x84, False, set(), {0x84}, True),
        (0x01, 0x84, False, set(), {0x01}, False),
        (0x01, 0x84, True, {0x01}, set(), False),
        (0x01, 0x84, True, set(), {0x84}, False),
        (0x01, 0x84, True, {0x01}, {0x84, 0x83}, True),
        (0xEF, 0xFF, False, set(), {0xFF}, True),  # master key
        (0xEF, 0x04, False, set(), {0x0A, 0xFF}, False),  # a set, not a maximum
    ],
)
def test_the_rule(
    parent: int,
    own: int,
    both: bool,
    reached_parent: set[int],
    reached_own: set[int],
    opens: bool,
) -> None:
    access = Access(parent, own, both=both)
    assert access.satisfied(Reached(reached_parent, reached_own)) is opens


def rk(bench: Workbench) -> None:
    bench.open(0x84, bench.key("DF01 0D84"))


def test_or_is_opened_by_either(df01: Workbench) -> None:
    assert df01.send(EITHER) == "6982"
    df01.ok(PIN)
    assert df01.ok(EITHER) == "20024142"
    df01.ok(f"00A4040006{DF01}")
    assert df01.send(EITHER) == "6982"
    rk(df01)
    assert df01.ok(EITHER) == "20024142"


def test_and_wants_both_in_any_order(df01: Workbench) -> None:
    df01.ok(PIN)
    assert df01.send(BOTH) == "6982"
    rk(df01)
    assert df01.ok(BOTH) == "21024344"
    df01.ok(f"00A4040006{DF01}")
    rk(df01)
    assert df01.send(BOTH) == "6982"
    df01.ok(PIN)
    assert df01.ok(BOTH) == "21024344"


def test_the_pin_is_presented_in_each_directory_file_anew(ssse: Workbench) -> None:
    ssse.ok(PIN)
    ssse.ok(f"00A4040006{DF01}")
    assert ssse.send(EITHER) == "6982", "presented in SSSE it does not count in DF01"
    ssse.ok(PIN)
    ssse.ok(f"00A404000F{SSSE}")
    ssse.ok(f"00A4040006{DF01}")
    assert ssse.send(EITHER) == "6982", "leaving DF01 lost it"


def test_keys_of_the_parent_stay_while_a_child_is_current(building: Workbench) -> None:
    building.ok(f"00A404000F{SSSE}")
    building.ok(building.external_command(0x0A, building.key("SSSE 0D0A")))
    building.ok(f"00A4040006{DF01}")
    building.open(0x00, building.key("DF01"))
    building.made(building.create("EF0A", "C6", "0A", 20, "FF", "0AEF", "EFEF"))
    building.ok("00DC015403 A00130")
    assert building.ok("00B2015403") == "A00130", "level 0A of the parent"
    building.ok(f"00A404000F{SSSE}")
    building.ok(f"00A4040006{DF01}")
    assert building.send("00B2015403") == "6982", "selecting SSSE emptied its state"


def test_selecting_the_same_directory_file_empties_its_state(ssse_open: Workbench) -> None:
    ssse_open.ok("00DC032C06 0304312E3030")
    ssse_open.ok("00A4000002DDF1")
    assert ssse_open.send("00DC032C06 0304312E3030") == "6982"


def test_a_reset_empties_everything(ssse_open: Workbench) -> None:
    ssse_open.card.reset()
    ssse_open.ok(f"00A404000F{SSSE}")
    assert ssse_open.send("00DC032C06 0304312E3030") == "6982"


def test_selecting_a_file_keeps_the_state(ssse_open: Workbench) -> None:
    ssse_open.ok("00A4020002EF06")
    ssse_open.ok("00DC032C06 0304312E3030")


def test_a_failed_authentication_takes_the_level_away(ssse_open: Workbench) -> None:
    assert ssse_open.external(0x04, bytes(16)) == "63C2"
    assert ssse_open.send("00DC032C06 0304312E3030") == "6982"


def test_a_failed_verify_takes_the_level_away(df01: Workbench) -> None:
    df01.ok(PIN)
    assert df01.send("0020000003123457") == "63C2"
    assert df01.send(EITHER) == "6982"


def test_the_master_key_opens_writing_in_pre_issue_even_of_what_nobody_may(
    building: Workbench,
) -> None:
    building.ok("00DC014C03 900131")  # EF09: update EF, never


def test_after_pre_issue_the_master_key_opens_no_more_than_its_level(df01: Workbench) -> None:
    df01.open(0x00, df01.key("DF01"))
    assert df01.send("00DC014C03 900132") == "6982"


def test_the_master_key_opens_no_reading(building: Workbench) -> None:
    assert building.send(EITHER) == "6982"


def test_the_transport_key_opens_no_data(building: Workbench) -> None:
    building.card.reset()
    building.transport()
    building.ok(f"00A4040006{DF01}")
    assert building.send("00DC014C03 900131") == "6982"
