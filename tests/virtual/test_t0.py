"""What a T=0 chip does around every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.mark.parametrize("le", ["00", "1D", "1F", "FF"])
def test_get_response_with_another_length_keeps_the_data(issued: Workbench, le: str) -> None:
    issued.send(f"00A404000F{SSSE}")
    assert issued.send(f"00C00000{le}") == "6C1E"
    assert len(issued.send("00C000001E")) == 2 * 32


def test_data_are_given_once(issued: Workbench) -> None:
    issued.ok(f"00A404000F{SSSE}")
    assert issued.send("00C000001E") == "6F00"


@pytest.mark.parametrize("between", ["0084000008", "00B2FF2C01", "00FF000000", "00A4000002EFAA"])
def test_any_other_command_drops_the_data(issued: Workbench, between: str) -> None:
    issued.send(f"00A404000F{SSSE}")
    issued.send(between)
    assert issued.send("00C000001E") == "6F00"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00C0010001", "6A86"),
        ("80C0000001", "6E00"),
        ("00C000000100", "6700"),
        ("00C0000001", "6F00"),
        ("00C00000", "6F00"),
    ],
)
def test_refusals_of_get_response(issued: Workbench, command: str, sw: str) -> None:
    assert issued.send(command) == sw


def test_le_behind_data_is_dropped(issued: Workbench) -> None:
    assert issued.send(f"00A404000F{SSSE}00") == "611E"
    assert issued.send("00A4020002EF0500") == "9000"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("", "6700"),
        ("00", "6700"),
        ("00A400", "6700"),
        ("00A4020003EF05", "6700"),  # less data than announced
        ("00A4020002EF050000", "6700"),  # more
        ("00A4020002", "6700"),  # none
        ("00A4020000000002EF05", "6700"),  # extended length
        ("00FF000000", "6D00"),
        ("00FF", "6700"),
        ("01A4020002EF05", "6E00"),
        ("FFA4020002EF05", "6E00"),
        ("FFFFFFFFFF", "6E00"),
        ("80FF000000", "6D00"),
        ("80A4020002EF05", "6E00"),
        ("84840000080102030405060708", "6E00"),
    ],
)
def test_forms_classes_and_instructions(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw


def test_class_before_instruction_before_length(ssse: Workbench) -> None:
    assert ssse.send("C0FF000005AA") == "6E00"
    assert ssse.send("00FF000005AA") == "6D00"
    assert ssse.send("00B2032C05AA") == "6700"
