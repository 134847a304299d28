"""Key blocks of TR-31: whole ones open, changed ones do not, and no error tells what is in them."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.crypto.tr31 import Header, KeyBlockError, unwrap, wrap

PROTECTION = bytes(range(0x20, 0x30))


@pytest.mark.parametrize("version", "ABCD")
@given(key=st.sampled_from([16, 24]).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
@settings(max_examples=20)
def test_a_key_comes_back_with_what_was_said_of_it(version: str, key: bytes) -> None:
    header = Header(version, "E0", "A" if version == "D" else "T", "X", "07", "S")
    block = wrap(PROTECTION, header, key)
    assert block[0] == version
    assert unwrap(PROTECTION, block) == (header, key)


@pytest.mark.parametrize("version", "ABCD")
def test_any_changed_character_is_noticed(version: str) -> None:
    block = wrap(PROTECTION, Header(version, "K0", "T", "B", "00", "E"), bytes(16))
    for at, character in enumerate(block):
        for other in {chr(ord(character) ^ 1), character.swapcase()} - {character}:
            with pytest.raises(KeyBlockError):
                unwrap(PROTECTION, block[:at] + other + block[at + 1 :])


def test_another_key_does_not_open_it() -> None:
    block = wrap(PROTECTION, Header("B", "K0", "T", "B", "00", "E"), bytes(16))
    with pytest.raises(KeyBlockError) as caught:
        unwrap(bytes(16), block)
    assert str(caught.value) == "the key block does not fit the protection key"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "header",
    [Header("E", "K0", "T", "B", "00", "E"), Header("B", "?", "T", "B", "00", "E")],
)
def test_a_header_that_is_none_is_refused(header: Header) -> None:
    with pytest.raises(KeyBlockError):
        wrap(PROTECTION, header, bytes(16))


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_is_refused(text: str, protection: bytes) -> None:
    with pytest.raises(KeyBlockError):
        unwrap(protection, text)


def test_psec_does_not_warn_our_users() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wrap(PROTECTION, Header("B", "K0", "T", "B", "00", "E"), bytes(16))
    assert caught == []
