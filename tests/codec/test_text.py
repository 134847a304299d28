"""Text on the card: GB18030, filled with 00, at most two bytes a character."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cardkit.codec.text import (
    FOUR_BYTES,
    STRICT,
    TextError,
    TextRules,
    check_text,
    decode_text,
    encode_text,
    join_name,
    split_name,
    width,
)

TWO_BYTES = st.sampled_from("张三龙䶮·阿卜杜喆堃犇，Ａ")
ONE_BYTE = st.sampled_from("Aaz09 -.'")
NAMES = st.text(st.one_of(TWO_BYTES, ONE_BYTE), min_size=1, max_size=60)


def test_bytes_of_a_name_as_a_card_holds_them() -> None:
    # 张 D5C5, 三 C8FD in GB 2312; the rest of the 30 bytes is 00.
    assert encode_text("张三", 30) == bytes.fromhex("D5C5C8FD") + bytes(26)


def test_the_rare_character_of_two_bytes_is_carried() -> None:
    assert encode_text("䶮", 4) == bytes.fromhex("FE9F0000")
    assert decode_text(bytes.fromhex("FE9F0000")) == "䶮"


def test_a_character_of_four_bytes_is_refused_unless_allowed() -> None:
    with pytest.raises(TextError) as caught:
        encode_text("张㐂", 30)
    assert (caught.value.code, caught.value.character) == ("character", "㐂")
    assert encode_text("张㐂", 6, FOUR_BYTES) == bytes.fromhex("D5C58139EF31")


@pytest.mark.parametrize(
    "character",
    ["\x00", "\n", "\x7f", "\x85", "\u200b", "\ufeff", "\u2028", "\ue000", chr(0xD800), "\ufffd",
     "\uffff", "\U000f0000"],
)  # fmt: skip
@pytest.mark.parametrize("rules", [STRICT, FOUR_BYTES])
def test_what_nobody_can_read_is_never_carried(character: str, rules: TextRules) -> None:
    assert width(character) == 0
    with pytest.raises(TextError):
        check_text("张" + character, rules)


def test_every_two_byte_code_is_a_character_or_private_use() -> None:
    carried = [chr(point) for point in range(0x10000) if width(chr(point)) in {1, 2}]
    # 95 printable ASCII; 23,940 two-byte codes less 2,068 of private use and none else.
    assert len([c for c in carried if width(c) == 1]) == 95
    assert len([c for c in carried if width(c) == 2]) == 23_940 - 2_068


def test_messages_name_code_points_and_sizes_only() -> None:
    with pytest.raises(TextError, match=r"U\+3402") as caught:
        check_text("张三㐂")
    assert "张" not in str(caught.value)
    with pytest.raises(TextError, match="4 bytes does not fit into 3") as caught:
        encode_text("张三", 3)
    assert (caught.value.needed, caught.value.available) == (4, 3)


@given(NAMES)
def test_text_comes_back_as_it_was_written(name: str) -> None:
    size = check_text(name)
    assert decode_text(encode_text(name, size + 3)) == name
    with pytest.raises(TextError):
        encode_text(name, size - 1)


@pytest.mark.parametrize("filling", [b"", b"\x00", b"\x00" * 9, b"\xff" * 9])
def test_both_kinds_of_filling_are_dropped(filling: bytes) -> None:
    assert decode_text("龙䶮".encode("gb18030") + filling) == "龙䶮"


@given(st.binary(max_size=60))
def test_any_bytes_of_a_card_can_be_shown(data: bytes) -> None:
    assert isinstance(decode_text(data), str)


@given(NAMES)
def test_a_name_is_divided_between_two_characters(name: str) -> None:
    if check_text(name) > 50:
        with pytest.raises(TextError, match="does not fit"):
            split_name(name)
        return
    assume(check_text(name) < 50)  # fifty bytes are looked at below
    first, rest = split_name(name)
    assert first + rest == name
    assert check_text(first) <= 30
    assert check_text(rest) <= 20
    # The first part is as full as it can be.
    assert not rest or check_text(first + rest[0]) > 30
    assert join_name(encode_text(first, 30), encode_text(rest, 20)) == name


@given(
    st.text(ONE_BYTE, max_size=1),
    st.text(TWO_BYTES, min_size=16, max_size=24),
    st.sampled_from([b"\x00", b"\xff"]),
)
def test_a_name_cut_inside_a_character_is_read_whole(begin: str, rest: str, filling: bytes) -> None:
    name = begin + rest
    data = name.encode("gb18030")
    assert join_name(data[:30], data[30:].ljust(20, filling)) == name


def test_a_name_of_fifty_bytes_fits_only_if_it_can_be_cut_after_thirty() -> None:
    fits = "阿" * 25
    assert split_name(fits) == ("阿" * 15, "阿" * 10)
    with pytest.raises(TextError) as caught:
        split_name("A" + "阿" * 24 + "B")  # 29 + 21
    assert (caught.value.code, caught.value.needed) == ("too_long", 50)
    with pytest.raises(TextError):
        split_name("阿" * 26)


def test_a_four_byte_character_moves_to_the_extension_whole() -> None:
    assert split_name("阿" * 14 + "㐂", FOUR_BYTES) == ("阿" * 14, "㐂")
