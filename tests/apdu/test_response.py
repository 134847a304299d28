"""Response APDU and status words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu import Command, Response, StatusError, StatusWord
from cardkit.errors import ExitCode


@given(st.binary(max_size=300), st.integers(0, 0xFFFF))
def test_what_is_encoded_can_be_parsed(data: bytes, sw: int) -> None:
    response = Response(data, StatusWord(sw))

    assert Response.parse(response.to_bytes()) == response


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_less_than_a_status_word_is_no_answer(raw: bytes) -> None:
    with pytest.raises(ValueError, match="two bytes"):
        Response.parse(raw)


@pytest.mark.parametrize(
    ("sw", "more", "right_length", "tries_left", "warning"),
    [
        (0x9000, None, None, None, False),
        (0x6108, 8, None, None, False),
        (0x6100, 256, None, None, False),
        (0x6C12, None, 0x12, None, False),
        (0x6C00, None, 256, None, False),
        (0x63C2, None, None, 2, True),
        (0x63C0, None, None, 0, True),
        (0x6983, None, None, 0, False),
        (0x6281, None, None, None, True),
        (0x6300, None, None, None, True),
    ],
)
def test_a_status_word_says_what_to_do(
    sw: int, more: int | None, right_length: int | None, tries_left: int | None, warning: bool
) -> None:
    word = StatusWord(sw)

    assert word.more == more
    assert word.right_length == right_length
    assert word.tries_left == tries_left
    assert word.warning is warning
    assert word.ok is (sw == 0x9000)


@given(st.integers(0, 0xFFFF))
def test_every_status_word_has_words_for_people(sw: int) -> None:
    assert str(StatusWord(sw)).startswith(f"{sw:04X} (")
    assert len(str(StatusWord(sw))) > len("6A82 ()")


def test_a_refusal_ends_with_its_own_exit_code() -> None:
    verify = Command(0, 0x20, 0, 0, b"\x12\x34\x56")

    wrong_pin = StatusError(StatusWord(0x63C1), verify, what="VERIFY")
    not_found = StatusError(StatusWord(0x6A82), Command(0, 0xA4, 0, 0), file="DF01")

    assert wrong_pin.exit_code == ExitCode.REFUSED
    assert not_found.exit_code == ExitCode.PARTIAL
    assert str(wrong_pin) == "VERIFY: card answers 63C1 (wrong, 1 tries left)"
    assert not_found.details() == {"sw": "6A82", "command": "00A40000", "file": "DF01"}


@pytest.mark.parametrize(
    ("what", "file", "line"),
    [
        ("UPDATE RECORD 08", "SSSE EF06", "UPDATE RECORD 08 SSSE EF06：卡片返回6581，未完成"),
        ("VERIFY", "", "VERIFY：卡片返回6581，未完成"),
        ("", "", "command 00200000：卡片返回6581，未完成"),
    ],
)
def test_a_refusal_is_told_to_operators(what: str, file: str, line: str) -> None:
    error = StatusError(StatusWord(0x6581), Command(0, 0x20, 0, 0), what=what, file=file)

    assert error.line("zh") == line


def test_an_error_never_shows_the_data_of_the_command() -> None:
    error = StatusError(StatusWord(0x6300), Command(0, 0x20, 0, 0, bytes.fromhex("654321")))

    assert "654321" not in f"{error} {error!r} {error.details()} {error.__dict__}"
