"""Command APDU: four cases, short and extended (ISO 7816-3 12.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import Command

byte = st.integers(0, 255)
commands = st.builds(
    Command,
    byte,
    byte,
    byte,
    byte,
    st.one_of(st.binary(max_size=300), st.binary(min_size=65_535, max_size=65_535)),
    st.one_of(st.none(), st.integers(1, 300), st.sampled_from([256, 257, 65_535, 65_536])),
)


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (Command(0, 0x70, 0, 0), "00700000"),
        (Command(0, 0x84, 0, 0, le=8), "0084000008"),
        (Command(0, 0xB0, 0, 0, le=256), "00B0000000"),
        (Command(0x80, 0xE0, 2, 0, b"\x01\x02"), "80E00200020102"),
        (Command(0, 0xA4, 0, 0, b"\x3f\x00", 256), "00A40000023F0000"),
        (Command(0, 0xB0, 0, 0, le=257), "00B00000000101"),
        (Command(0, 0xB0, 0, 0, le=65_536), "00B00000000000"),
    ],
    ids=["case 1", "case 2", "case 2, all", "case 3", "case 4", "case 2 extended", "all extended"],
)
def test_each_case_has_its_bytes(command: Command, encoded: str) -> None:
    assert command.to_bytes() == bytes.fromhex(encoded)
    assert Command.parse(bytes.fromhex(encoded)) == command


def test_256_bytes_of_data_make_a_command_extended() -> None:
    data = bytes(256)

    assert not Command(0, 0xD6, 0, 0, data[:255]).extended
    assert Command(0, 0xD6, 0, 0, data).to_bytes() == bytes.fromhex("00D60000 000100") + data
    assert (
        Command(0, 0xD6, 0, 0, data, 1).to_bytes()
        == bytes.fromhex("00D60000 000100") + data + b"\0\1"
    )


@given(commands)
def test_what_is_encoded_can_be_parsed(command: Command) -> None:
    assert Command.parse(command.to_bytes()) == command


@given(commands)
def test_the_case_says_what_travels(command: Command) -> None:
    assert (command.case in {3, 4}) == bool(command.data)
    assert (command.case in {2, 4}) == (command.le is not None)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_command_or_a_value_error(apdu: bytes) -> None:
    try:
        command = Command.parse(apdu)
    except ValueError:
        return
    assert command.header == apdu[:4]


@pytest.mark.parametrize(
    "apdu",
    [
        "",
        "00A404",
        "00A4040002AA",  # one byte less than Lc
        "00A4040001AABBCC",  # two more
        "00A404000000",  # extended, but the length is cut off
        "00A404000000000A",  # extended Lc 0
        "00A404000000020A",  # extended, one byte less than Lc
    ],
)
def test_lengths_that_do_not_agree_are_refused(apdu: str) -> None:
    with pytest.raises(ValueError, match=r"lengths|at least four"):
        Command.parse(bytes.fromhex(apdu))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"cla": 256}, "one byte"),
        ({"p2": -1}, "one byte"),
        ({"data": bytes(65_536)}, "65536 bytes"),
        ({"le": 0}, "Le of 0"),
        ({"le": 65_537}, "Le of 65537"),
    ],
)
def test_what_no_command_can_carry_is_refused(arguments: dict[str, int], complaint: str) -> None:
    fields: dict[str, object] = {"cla": 0, "ins": 0xB0, "p1": 0, "p2": 0, **arguments}
    with pytest.raises(ValueError, match=complaint):
        Command(**fields)  # type: ignore[arg-type]
