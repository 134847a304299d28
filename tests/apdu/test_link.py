"""The chain of small links: each adds one thing, and nothing more than is needed is sent."""

from __future__ import annotations

from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import Command, Link, Response
from cardkit.apdu.link import (
    ChainingLink,
    GetResponseLink,
    RightLengthLink,
    T0Link,
    chain,
    exchange,
)

ATR = bytes.fromhex("3B6D0000")


class Script:
    """A chip that expects exactly these commands, given as (command, answer) in hex."""

    atr = ATR

    def __init__(self, *exchanges: tuple[str, str]) -> None:
        self._left = [(bytes.fromhex(asked), bytes.fromhex(told)) for asked, told in exchanges]

    def transmit(self, apdu: bytes) -> bytes:
        assert self._left, f"one command too many: {apdu.hex()}"
        expected, answer = self._left.pop(0)
        assert apdu.hex() == expected.hex()
        return answer

    def reset(self) -> bytes:
        return ATR

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert kind is not None or not self._left, f"not asked: {self._left}"


def send(link: Link, apdu: str) -> str:
    return link.transmit(bytes.fromhex(apdu)).hex().upper()


def test_61xx_is_fetched_with_get_response() -> None:
    with Script(("00A40400023F00", "6104"), ("00C0000004", "6F028400 9000")) as chip:
        assert send(chain(chip), "00A40400023F0000") == "6F0284009000"


def test_61xx_goes_on_until_nothing_is_left() -> None:
    with Script(
        ("00CB000000", "AA 6102"), ("00C0000002", "BBCC 6100"), ("00C0000000", "DD 9000")
    ) as chip:
        assert send(GetResponseLink(chip), "00CB000000") == "AABBCCDD9000"


def test_6100_asks_for_all_256_bytes() -> None:
    much = "55" * 256
    with Script(("80CA000000", "6100"), ("00C0000000", much + "9000")) as chip:
        assert send(GetResponseLink(chip), "80CA000000") == (much + "9000").upper()


def test_an_error_while_fetching_keeps_what_has_come() -> None:
    with Script(("00CB000000", "AA 6102"), ("00C0000002", "6F00")) as chip:
        assert send(GetResponseLink(chip), "00CB000000") == "AA6F00"


def test_get_response_with_the_wrong_length_is_corrected() -> None:
    with Script(
        ("0088000008", "6100"), ("00C0000000", "6C08"), ("00C0000008", "0011223344556677 9000")
    ) as chip:
        assert send(chain(chip), "0088000008") == "00112233445566779000"


@pytest.mark.parametrize(("command_class", "class_of_get_response"), [("00", "00"), ("03", "03")])
def test_get_response_stays_on_the_channel(command_class: str, class_of_get_response: str) -> None:
    with Script(
        (f"{command_class}B2010400", "6101"), (f"{class_of_get_response}C0000001", "AA9000")
    ) as chip:
        assert send(GetResponseLink(chip), f"{command_class}B2010400") == "AA9000"


@pytest.mark.parametrize("command_class", ["04", "0C", "10", "80", "84"])
def test_get_response_has_no_secure_messaging_or_vendor_class(command_class: str) -> None:
    with Script((f"{command_class}B2010400", "6101"), ("00C0000001", "AA9000")) as chip:
        assert send(GetResponseLink(chip), f"{command_class}B2010400") == "AA9000"


def test_6cxx_is_asked_again_with_that_length() -> None:
    with Script(("00B2012C00", "6C12"), ("00B2012C12", "55" * 18 + "9000")) as chip:
        assert send(chain(chip), "00B2012C00") == "55" * 18 + "9000"


def test_6cxx_to_a_command_without_le_gets_one() -> None:
    with Script(("00B2012C", "6C02"), ("00B2012C02", "AABB9000")) as chip:
        assert send(RightLengthLink(chip), "00B2012C") == "AABB9000"


def test_6cxx_to_a_command_with_data_replaces_its_le() -> None:
    with Script(("00CB0000025C0000", "6C03"), ("00CB0000025C0003", "AABBCC9000")) as chip:
        assert send(RightLengthLink(chip), "00CB0000025C0000") == "AABBCC9000"


def test_6cxx_is_followed_once_only() -> None:
    with Script(("00B2012C00", "6C12"), ("00B2012C12", "6C12")) as chip:
        assert send(RightLengthLink(chip), "00B2012C00") == "6C12"


def test_data_that_ends_like_6cxx_is_left_alone() -> None:
    with Script(("00B2012C03", "6C12AA9000")) as chip:
        assert send(chain(chip), "00B2012C03") == "6C12AA9000"


@pytest.mark.parametrize("warning", ["6281", "6283", "6310"])
def test_a_warning_that_leaves_data_behind_is_followed_by_get_response(warning: str) -> None:
    with Script(("00A40400023F00", warning), ("00C0000000", "6F009000")) as chip:
        assert send(chain(chip), "00A40400023F0000") == "6F00" + warning


def test_a_warning_without_data_stays_a_warning() -> None:
    with Script(("00A40400023F00", "6283"), ("00C0000000", "6985")) as chip:
        assert send(chain(chip), "00A40400023F0000") == "6283"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0020000003123456", "63C2"),  # tries left: no data is meant
        ("00880000100011223344556677001122334455667708", "63C2"),
        ("00DC012C02AABB", "6281"),  # no answer expected
        ("00B2012C12", "AA6281"),  # the data came with it
    ],
)
def test_get_response_is_not_sent_without_need(command: str, answer: str) -> None:
    with Script((command, answer)) as chip:
        assert send(GetResponseLink(chip), command) == answer


def test_fetching_after_a_warning_can_be_turned_off() -> None:
    with Script(("00A40400023F0000", "6283")) as chip:
        link = GetResponseLink(chip, fetch_after_warning=False)
        assert send(link, "00A40400023F0000") == "6283"


@pytest.mark.parametrize(
    ("command", "on_the_wire"),
    [
        ("00A40400023F0000", "00A40400023F00"),  # case 4 loses its Le
        ("00A40400023F00", "00A40400023F00"),
        ("0084000008", "0084000008"),
        ("00700000", "0070000000"),
    ],
)
def test_t0_carries_no_le_after_data(command: str, on_the_wire: str) -> None:
    with Script((on_the_wire, "9000")) as chip:
        assert send(T0Link(chip), command) == "9000"


def test_t1_keeps_le_after_data() -> None:
    with Script(("00A40400023F0000", "6F009000")) as chip:
        assert send(chain(chip, t0=False), "00A40400023F0000") == "6F009000"


def test_a_long_command_is_sent_as_a_chain() -> None:
    data = bytes(range(256)) * 2
    pieces = [data[:255], data[255:510], data[510:]]
    with Script(
        ("10D60000FF" + pieces[0].hex(), "9000"),
        ("10D60000FF" + pieces[1].hex(), "9000"),
        ("00D6000002" + pieces[2].hex(), "9000"),
    ) as chip:
        assert exchange(ChainingLink(chip), Command(0, 0xD6, 0, 0, data)).sw.ok


def test_the_last_of_a_chain_carries_le_and_its_answer_is_fetched() -> None:
    data = bytes(300)
    with Script(
        ("902A8086FF" + bytes(255).hex(), "9000"),
        ("802A80862D" + bytes(45).hex(), "6102"),
        ("00C0000002", "CAFE9000"),
    ) as chip:
        answer = exchange(chain(chip), Command(0x80, 0x2A, 0x80, 0x86, data, 256))
        assert answer.data.hex() == "cafe"


def test_a_chain_stops_at_the_first_refusal() -> None:
    with Script(("10D60000FF" + bytes(255).hex(), "6884")) as chip:
        assert exchange(ChainingLink(chip), Command(0, 0xD6, 0, 0, bytes(600))).sw == 0x6884


def test_short_and_extended_reading_commands_are_not_chained() -> None:
    with Script(("00B0000008", "9000"), ("00B00000000400", "9000")) as chip:
        link = ChainingLink(chip)
        assert send(link, "00B0000008") == "9000"
        assert send(link, "00B00000000400") == "9000"


def test_every_link_passes_atr_and_reset_on() -> None:
    assert chain(Script()).atr == ATR
    assert chain(Script()).reset() == ATR


class Chip:
    """A T=0 chip with one answer to everything, handed out as such a chip does."""

    atr = ATR

    def __init__(self, data: bytes, at_once: int) -> None:
        self._data, self._at_once, self.commands = data, at_once, 0

    def transmit(self, apdu: bytes) -> bytes:
        self.commands += 1
        if apdu[1] == 0xC0:
            wanted = apdu[4] or 256
            piece, self._data = self._data[:wanted], self._data[wanted:]
            return piece + self._status()
        return self._status()

    def reset(self) -> bytes:
        return ATR

    def _status(self) -> bytes:
        if not self._data:
            return b"\x90\x00"
        return bytes((0x61, min(len(self._data), self._at_once) & 0xFF))


@given(st.binary(max_size=1200), st.integers(1, 256))
def test_an_answer_arrives_whole_in_whatever_pieces(data: bytes, at_once: int) -> None:
    chip = Chip(data, at_once)

    answer = Response.parse(chain(chip).transmit(bytes.fromhex("00CA000001FF00")))

    assert answer.data == data
    assert answer.sw.ok
    assert chip.commands == 1 + -(-len(data) // at_once)
