"""What a masked trace shows, and that everything else is hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu.instructions import TABLE, UNKNOWN, Effect, Shown, effect, find
from cardkit.apdu.mask import Masker, Pattern, mask


def masked(command: str, answer: str = "9000") -> tuple[str, str]:
    asked, told = mask(bytes.fromhex(command), bytes.fromhex(answer))
    return str(asked), str(told)


@pytest.mark.parametrize(
    ("what", "command", "shown"),
    [
        ("VERIFY", "0020000003 123456", "0020000003******"),
        ("CHANGE PIN", "805E010007 123456FF654321", "805E010007**************"),
        ("PIN RELOAD", "842400010C 00112233445566778899AABB", "842400010C" + 12 * "**"),
        ("PIN UNBLOCK", "8424000004 00112233", "8424000004********"),
        ("WRITE KEY, plain", "00D4010018" + 24 * "55", "00D4010018" + 24 * "**"),
        ("WRITE KEY, sealed", "84D4000024" + 36 * "55", "84D4000024" + 36 * "**"),
        ("EXTERNAL AUTHENTICATE", "0082000410" + 16 * "55", "0082000410" + 16 * "**"),
        ("transport key", "80E0030008" + 8 * "55", "80E0030008" + 8 * "**"),
        ("transport key in another maker's MF", "80E03F000D" + 13 * "FF", "80E03F000D" + 13 * "**"),
        ("UPDATE RECORD by tag", "00DC093004 0902CCE1", "00DC0930040902****"),
        ("UPDATE RECORD by number", "00DC023404 0902CCE1", "00DC023404********"),
        ("a number that looks like the tag", "00DC093404 0902CCE1", "00DC093404********"),
        ("a tag that is not the one named", "00DC0A3004 0902CCE1", "00DC0A3004********"),
        ("a length that does not agree", "00DC093004 0903CCE1", "00DC093004********"),
        ("UPDATE RECORD with a MAC", "04DC093008 0902CCE155555555", "04DC093008" + 8 * "**"),
        ("UPDATE BINARY", "00D6880004 FFD8FFE0", "00D6880004********"),
        ("APPEND RECORD", "00E2003803 201231", "00E2003803******"),
        ("lock with a MAC", "8416000004 55555555", "8416000004********"),
        ("first piece of a chain", "10DC093004 0902CCE1", "10DC093004********"),
        ("an instruction nobody knows", "00EE000002 5555", "00EE000002****"),
        ("a class nobody knows", "A0A4000002 5555", "A0A4000002****"),
        ("extended length", "00D6000000000355AA55", "00D6000000**********"),
        ("an Lc that does not agree", "0020000002 123456", "0020000002******"),
        ("SELECT is no secret", "00A4040003 AABBCC 00", "00A4040003AABBCC00"),
        ("nor is CREATE FILE", "80E0010003 AABBCC", "80E0010003AABBCC"),
        ("nor are header and Le", "00B2092020", "00B2092020"),
        ("nor a command without data", "80E00200", "80E00200"),
    ],
)
def test_commands(what: str, command: str, shown: str) -> None:
    assert masked(command)[0] == shown, what


@pytest.mark.parametrize(
    ("what", "command", "answer", "shown"),
    [
        ("READ RECORD by tag", "00B2093004", "0902CCE1 9000", "0902****9000"),
        ("READ RECORD by number", "00B2023404", "0902CCE1 9000", "********9000"),
        ("a number that looks like the tag", "00B2093404", "0902CCE1 9000", "********9000"),
        ("READ RECORD with a warning", "00B2093004", "0902CCE1 6281", "0902****6281"),
        ("READ RECORD with a MAC", "04B20930045555555500", "0902CCE1 5555 9000", "**" * 6 + "9000"),
        ("READ BINARY", "00B0880004", "FFD8FFE0 9000", "********9000"),
        ("INTERNAL AUTHENTICATE", "0088000010" + 16 * "55", 8 * "55" + "9000", 8 * "**" + "9000"),
        ("GET BALANCE", "805C000204", "00000064 9000", "********9000"),
        ("GET RESPONSE of nothing we saw", "00C0000002", "5555 9000", "****9000"),
        ("an instruction nobody knows", "00EE000002", "5555 9000", "****9000"),
        ("less than a status word", "00A4000000", "90", "**"),
        ("SELECT", "00A4000002 DF01", "6F00 9000", "6F009000"),
        ("GET CHALLENGE", "0084000002", "5555 9000", "55559000"),
    ],
)  # fmt: skip
def test_answers(what: str, command: str, answer: str, shown: str) -> None:
    assert masked(command, answer)[1] == shown, what


def through_get_response(command: str) -> str:
    masker = Masker()
    masker.mask(bytes.fromhex(command), b"\x61\x04")
    return str(masker.mask(bytes.fromhex("00C0000004"), bytes.fromhex("0902CCE19000"))[1])


def test_what_get_response_brings_is_shown_as_the_command_it_belongs_to() -> None:
    assert through_get_response("00A4000002DF01") == "0902CCE19000"
    assert through_get_response("00B2093004") == "********9000"
    assert through_get_response("0088000010" + 16 * "55") == "********9000"
    assert through_get_response("80FA000008" + 8 * "55") == "********9000"


def test_the_last_piece_of_a_chain_is_hidden_as_the_others_are() -> None:
    masker = Masker()
    last = bytes.fromhex("00DC093004 0902CCE1")
    masker.mask(bytes.fromhex("10DC093002 5555"), b"\x90\x00")
    assert str(masker.mask(last, b"\x90\x00")[0]) == "00DC093004********"
    assert str(masker.mask(last, b"\x90\x00")[0]) == "00DC0930040902****"


def test_a_reset_takes_away_what_waits() -> None:
    masker = Masker()
    masker.mask(bytes.fromhex("00A4000002DF01"), b"\x61\x02")
    masker.reset()
    assert str(masker.mask(bytes.fromhex("00C0000002"), b"\x55\x55\x90\x00")[1]) == "****9000"


@given(st.binary(max_size=300), st.none() | st.binary(max_size=300))
def test_masking_keeps_length_header_and_status_and_what_it_shows_is_true(
    command: bytes, answer: bytes | None
) -> None:
    asked, told = mask(command, answer)

    assert asked.matches(command)
    assert asked.hidden.isdisjoint(range(5))
    assert (told is None) == (answer is None)
    if answer is not None and told is not None:
        assert told.matches(answer)
        assert len(answer) < 2 or told.hidden.isdisjoint((len(answer) - 2, len(answer) - 1))


@given(st.binary(min_size=6, max_size=40), st.binary(min_size=3, max_size=40))
def test_only_the_table_makes_data_visible(command: bytes, answer: bytes) -> None:
    row = find(command)
    asked, told = mask(command, answer)
    if row.data is Shown.NOTHING:
        assert asked.hidden == frozenset(range(5, len(command)))
    if row.answer is Shown.NOTHING and told is not None:
        assert told.hidden == frozenset(range(len(answer) - 2))


def test_every_line_of_the_table_can_be_reached() -> None:
    for row in TABLE:
        p1 = 0x7F if row.p1 is None else row.p1
        assert find(bytes((row.classes[0], row.ins, p1, 0))) is row, row.name


@pytest.mark.parametrize(
    ("command", "worst"),
    [
        ("00B20728", Effect.READS),
        ("00A40400", Effect.READS),
        ("00880000", Effect.READS),
        ("04B20728", Effect.TRIES),  # a wrong MAC spends a try
        ("00200000", Effect.TRIES),
        ("00820004", Effect.TRIES),
        ("80E00300", Effect.TRIES),
        ("00DC0728", Effect.WRITES),
        ("84D40000", Effect.WRITES),
        ("80E10003", Effect.WRITES),
        ("00EE0000", Effect.WRITES),  # unknown: anything
        ("", Effect.WRITES),
    ],
)
def test_the_worst_a_command_can_do(command: str, worst: Effect) -> None:
    assert effect(bytes.fromhex(command)) is worst


def test_what_is_unknown_shows_nothing_and_may_do_anything() -> None:
    assert (UNKNOWN.data, UNKNOWN.answer) == (Shown.NOTHING, Shown.NOTHING)
    assert UNKNOWN.effect is Effect.WRITES


# --- patterns ------------------------------------------------------------------------------------


def test_hidden_bytes_match_anything_visible_ones_only_themselves() -> None:
    pattern = Pattern.parse("00 ** 02")
    assert pattern.matches(bytes.fromhex("00FF02"))
    assert pattern.difference(bytes.fromhex("01FF02")) == 0
    assert pattern.difference(bytes.fromhex("00FF03")) == 2
    assert pattern.difference(bytes.fromhex("00FF")) == 2
    assert pattern.difference(bytes.fromhex("00FF0203")) == 3


def test_hiding_adds_to_what_is_hidden() -> None:
    both = Pattern.parse("00**02").hiding(Pattern.parse("****02"))
    assert (str(both), both.value) == ("****02", b"\0\0\2")


def test_a_pattern_does_not_show_itself() -> None:
    assert "123456" not in repr(Pattern.parse("123456"))
