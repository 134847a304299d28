"""Secure messaging: every combination of the switches, and each switch for itself."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.crypto import secure_messaging as messaging
from cardkit.crypto.algorithm import Algorithm
from cardkit.crypto.bits import fold
from cardkit.crypto.mac import cbc_mac_sm4, retail_mac
from cardkit.crypto.padding import method2
from cardkit.crypto.secure_messaging import FieldPadding, InitialVector, KeyUse, Rules, Truncation
from cardkit.crypto.ssc import process_key, process_key_sm4

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
HEADER = bytes.fromhex("84D40102")
R8 = bytes.fromhex("0102030405060708")
EVERY = [
    Rules(*switches)
    for switches in itertools.product(
        (Algorithm.TDES, Algorithm.SM4), InitialVector, Truncation, FieldPadding, KeyUse
    )
]


@pytest.mark.parametrize("rules", EVERY, ids=str)
@given(data=st.binary(max_size=60))
def test_what_is_protected_opens_again(rules: Rules, data: bytes) -> None:
    command = messaging.protect(KEY, HEADER, data, R8, rules, encrypt=True)
    assert command[:4] == HEADER
    assert command[4] == len(command) - 5
    key = messaging.working_key(KEY, R8, rules)
    vector = messaging.initial_vector(R8, rules)
    assert messaging.mac(key, command[:-4], vector, rules) == command[-4:]
    assert messaging.decrypt_field(key, command[5:-4], rules) == data


SWITCHES = [
    ("initial_vector", InitialVector.ZERO, "mac"),
    ("truncation", Truncation.FOLD4, "mac"),
    ("padding", FieldPadding.ALWAYS, "field"),
    ("key_use", KeyUse.PROCESS, "both"),
]


@pytest.mark.parametrize(
    ("rules", "switch", "other", "changes"),
    [(r, *one) for r in EVERY for one in SWITCHES if getattr(r, one[0]) is not one[1]],
    ids=str,
)
def test_a_switch_changes_its_own_part(rules: Rules, switch: str, other: Any, changes: str) -> None:
    changed = dataclasses.replace(rules, **{switch: other})
    data = bytes(15)  # with its length a whole number of blocks of either cipher
    one, two = (messaging.protect(KEY, HEADER, data, R8, r, encrypt=True) for r in (rules, changed))
    assert (one[5:-4] == two[5:-4]) == (changes == "mac")
    assert one[-4:] != two[-4:]


def test_plain_data_with_a_mac() -> None:
    """FMCOS: retail MAC over header and plain data, from a challenge of 4 bytes (84DC...)."""
    command = messaging.protect(
        bytes.fromhex("36363636363636363636363636363636"),
        bytes.fromhex("04D69500"),
        bytes.fromhex("22000122000001FFFF01010000220000000000000620160101205012310000")[1:],
        bytes.fromhex("A3BBCFC8"),
        Rules(),
        encrypt=False,
    )
    assert (
        command[-4:]
        == retail_mac(b"\x36" * 16, method2(command[:-4]), bytes.fromhex("A3BBCFC800000000"))[:4]
    )


def test_a_process_key_is_that_of_the_card() -> None:
    direct, process = Rules(), Rules(key_use=KeyUse.PROCESS)
    assert messaging.working_key(KEY, R8, direct) == KEY
    assert messaging.working_key(KEY, R8, process) == process_key(KEY, R8)
    sm4 = dataclasses.replace(process, algorithm=Algorithm.SM4)
    assert messaging.working_key(KEY, R8, sm4) == process_key_sm4(KEY, R8)


def test_sm4_keeps_or_folds_the_last_block() -> None:
    left = Rules(Algorithm.SM4)
    last = cbc_mac_sm4(KEY, method2(HEADER, 16))
    assert messaging.mac(KEY, HEADER, bytes(16), left) == last[:4]
    folded = dataclasses.replace(left, truncation=Truncation.FOLD4)
    assert messaging.mac(KEY, HEADER, bytes(16), folded) == fold(last, 4)


@pytest.mark.parametrize(
    ("challenge", "algorithm", "vector"),
    [
        ("01020304", Algorithm.TDES, "0102030400000000"),
        ("0102030405060708", Algorithm.TDES, "0102030405060708"),
        ("01020304", Algorithm.SM4, "01020304000000000000000000000000"),
        ("0102030405060708", Algorithm.SM4, "01020304050607080000000000000000"),
        ("0102030405060708" * 2, Algorithm.SM4, "0102030405060708" * 2),
    ],
)
def test_a_challenge_becomes_a_vector(challenge: str, algorithm: Algorithm, vector: str) -> None:
    made = messaging.initial_vector(bytes.fromhex(challenge), Rules(algorithm))
    assert made == bytes.fromhex(vector)


@pytest.mark.parametrize("length", [0, 3, 5, 16])
def test_other_challenges_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="challenge"):
        messaging.initial_vector(bytes(length), Rules())


@given(st.binary(min_size=16, max_size=16).filter(lambda key: key != KEY))
def test_a_field_does_not_open_with_another_key(other: bytes) -> None:
    """A wrong key shows by length and padding, seldom not: then the data are others."""
    field = messaging.encrypt_field(KEY, bytes(250), Rules(Algorithm.SM4))
    rules = Rules(Algorithm.SM4, padding=FieldPadding.ALWAYS)
    opened = b""
    with contextlib.suppress(ValueError):
        opened = messaging.decrypt_field(other, field, rules)
    assert opened != bytes(250)


def test_what_does_not_fit_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        messaging.encrypt_field(KEY, bytes(256), Rules())
    with pytest.raises(ValueError, match="too long"):
        messaging.protect(KEY, HEADER, bytes(252), R8, Rules(), encrypt=False)
    with pytest.raises(ValueError, match="header"):
        messaging.protect(KEY, HEADER + b"\x00", b"", R8, Rules(), encrypt=False)
