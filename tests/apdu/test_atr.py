"""Answer to reset (ISO 7816-3 8.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import atr


@pytest.mark.parametrize(
    ("raw", "protocols", "speed", "fixed"),
    [
        ("3B6D0000" + "00" * 13, (0,), 9_600, False),  # no TA1: 372 clocks a bit
        ("3B7D130000" + "00" * 13, (0,), 38_400, False),
        ("3B7D180000" + "00" * 13, (0,), 115_200, False),
        ("3B7D940000" + "00" * 13, (0,), 55_800, False),  # F 512, D 8
        ("3BF0110000 81 31 FE 45", (1,), 9_600, False),
        ("3B90 11 81 11 01 21 00 45", (1,), 9_600, False),
        ("3B90 11 10 81", (0,), 9_600, True),  # TA2: fixed
        ("3B80 80 01", (0, 1), 9_600, False),
    ],
)
def test_protocol_and_speed(raw: str, protocols: tuple[int, ...], speed: int, fixed: bool) -> None:
    answer = atr.decode(bytes.fromhex(raw))

    assert answer.protocols == protocols
    assert answer.bits_per_second() == speed
    assert answer.fixed is fixed


def test_historical_bytes_are_those_after_the_interface_bytes() -> None:
    assert atr.decode(bytes.fromhex("3B6D0000") + b"city + serial").historical == b"city + serial"


@pytest.mark.parametrize("raw", ["", "3B", "3C00", "3B6D0000AA", "3BF011", "3B10F1"])
def test_what_is_no_answer_to_reset_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"answer to reset|not defined"):
        atr.decode(bytes.fromhex(raw))


@given(st.binary(max_size=33))
def test_any_bytes_are_decoded_or_a_value_error(raw: bytes) -> None:
    try:
        answer = atr.decode(b"\x3b" + raw)
    except ValueError:
        return
    assert answer.bits_per_second() > 0
