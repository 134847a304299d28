"""Words for commands: names of the tree where it has them, headers where it has not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu.mask import Pattern
from cardkit.card.files import TREES
from cardkit.cli.trace_words import Narrator

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.fixture
def narrator() -> Narrator:
    """A narrator of a card that was just reset."""
    fresh = Narrator(TREES["2.0"])
    fresh.reset()
    return fresh


def tell(narrator: Narrator, command: str, answer: str | None = "9000") -> str:
    told = None if answer is None else bytes.fromhex(answer)
    return narrator.tell(Pattern.parse(command), told)


def test_items_are_named_by_the_directory_that_is_selected(narrator: Narrator) -> None:
    assert tell(narrator, SSSE, "6110") == "SELECT SSSE"
    assert tell(narrator, "00B2093020") == "READ RECORD SSSE EF06 09 name 姓名"
    assert tell(narrator, "00A40000 02 DF01") == "SELECT DF01"
    assert tell(narrator, "00B2203004") == "READ RECORD DF01 EF06 20"  # EF06 has no such tag
    assert tell(narrator, "00B2202804") == "READ RECORD DF01 EF05 20 household_type 户口性质"


def test_a_select_that_failed_changes_nothing(narrator: Narrator) -> None:
    tell(narrator, SSSE)
    assert tell(narrator, "00A40000 02 DF01", "6A82") == "SELECT DF01"
    assert tell(narrator, "00B2093020") == "READ RECORD SSSE EF06 09 name 姓名"


def test_a_select_of_something_else_leaves_no_names(narrator: Narrator) -> None:
    tell(narrator, SSSE)
    assert tell(narrator, "00A40400 02 A000") == "SELECT"
    assert tell(narrator, "00B2093020") == "READ RECORD SFI 06 09"


def test_a_reset_selects_the_mf(narrator: Narrator) -> None:
    tell(narrator, SSSE)
    narrator.reset()
    assert tell(narrator, "0082000010" + 16 * "55") == "EXTERNAL AUTHENTICATE MF.MK"


def test_the_current_file_is_the_one_that_was_reached_last(narrator: Narrator) -> None:
    tell(narrator, SSSE)
    assert tell(narrator, "00A40200 02 EF05") == "SELECT SSSE EF05"
    assert (
        tell(narrator, "00B2030406") == "READ RECORD SSSE EF05 03 (record 3) specification_version "
        "规范版本"
    )
    assert tell(narrator, "00B0880080") == "READ BINARY SSSE EF08"
    assert tell(narrator, "00B0008080") == "READ BINARY SSSE EF08"


def test_keys_are_named_by_their_role(narrator: Narrator) -> None:
    tell(narrator, SSSE)
    assert tell(narrator, "0082000410" + 16 * "**") == "EXTERNAL AUTHENTICATE SSSE.UKSSSE"
    assert tell(narrator, "0082007710" + 16 * "**") == "EXTERNAL AUTHENTICATE key 77"
    assert tell(narrator, "0088000010" + 16 * "**") == "INTERNAL AUTHENTICATE SSSE.IRK"


def test_what_is_hidden_or_unknown_gets_fewer_words(narrator: Narrator) -> None:
    assert tell(narrator, "00A40400 02 ****") == "SELECT"
    assert tell(narrator, "00EE0000", None) == "unknown instruction"
    assert tell(narrator, "00", None) == "unknown instruction"


commands = st.builds(
    lambda head, data: head + bytes((len(data),)) + data,
    st.tuples(
        st.sampled_from((0x00, 0x04, 0x80, 0x84)),
        st.sampled_from((0xA4, 0xB0, 0xB2, 0xD6, 0xDC, 0xE0, 0xE2, 0x20, 0x82, 0x88)),
        st.integers(0, 255),
        st.integers(0, 255),
    ).map(bytes),
    st.binary(max_size=20) | st.sampled_from((b"\xdf\x01", b"\xdd\xf1", b"\x3f\x00", b"\xef\x05")),
)


@given(st.lists(st.tuples(commands | st.binary(min_size=1, max_size=9), st.none() | st.binary())))
def test_any_session_can_be_told(session: list[tuple[bytes, bytes | None]]) -> None:
    narrator = Narrator(TREES["2.0"])
    for command, answer in session:
        assert narrator.annotate(command, answer)


@given(st.binary(min_size=4, max_size=16), st.sampled_from((0xDC, 0x20, 0xD6, 0x82)))
def test_words_do_not_depend_on_values(value: bytes, ins: int) -> None:
    def told(data: bytes) -> str:
        narrator = Narrator(TREES["2.0"])
        tell(narrator, SSSE)
        head = bytes((0, ins, 0x09, 0x30, len(data)))
        return narrator.annotate(head + data, b"\x90\x00")

    assert told(value) == told(bytes(len(value)))
