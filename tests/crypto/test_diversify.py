"""PBOC diversification: levels, bulk, and bytes that are left as the cipher makes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.crypto import diversify
from cardkit.crypto.bits import complement, fold, xor
from cardkit.crypto.des import encrypt_ecb
from cardkit.crypto.sm4 import encrypt_ecb as encrypt_sm4

KEYS = st.binary(min_size=16, max_size=16)
FACTORS = st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=5)

Rule = Callable[..., bytes]
RULES = [
    (diversify.diversify, diversify.diversify_many),
    (diversify.diversify_sm4, diversify.diversify_many_sm4),
]


@pytest.mark.parametrize(("single", "many"), RULES)
@given(key=KEYS, factors=FACTORS)
def test_bulk_equals_one_by_one(single: Rule, many: Rule, key: bytes, factors: list[bytes]) -> None:
    assert many(key, b"".join(factors)) == b"".join(single(key, factor) for factor in factors)


@pytest.mark.parametrize(("single", "many"), RULES)
@given(key=KEYS, factors=FACTORS)
def test_levels_follow_each_other(
    single: Rule, many: Rule, key: bytes, factors: list[bytes]
) -> None:
    expected = key
    for factor in factors:
        expected = single(expected, factor)
    assert single(key, *factors) == expected
    assert many(key, b"") == b""


@given(KEYS, st.binary(min_size=8, max_size=8))
def test_the_rules(key: bytes, factor: bytes) -> None:
    halves = encrypt_ecb(key, factor) + encrypt_ecb(key, bytes(255 - b for b in factor))
    assert diversify.diversify(key, factor) == halves
    assert diversify.diversify_sm4(key, factor) == encrypt_sm4(key, factor + complement(factor))


def test_parity_is_never_set() -> None:
    """Odd parity in all 16 bytes of all of 50 keys would be no accident."""
    factors = b"".join(number.to_bytes(8) for number in range(50))
    keys = diversify.diversify_many(bytes(range(16)), factors)
    assert any(byte.bit_count() % 2 == 0 for byte in keys)


@pytest.mark.parametrize(("single", "many"), RULES)
@pytest.mark.parametrize("length", [0, 7, 9, 16])
def test_a_factor_has_eight_bytes(single: Rule, many: Rule, length: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        single(bytes(16), bytes(length))
    if length % 8:
        with pytest.raises(ValueError, match="8 bytes"):
            many(bytes(16), bytes(length))


def test_bits() -> None:
    assert xor(b"\x0f", b"\xf0") == b"\xff"
    assert fold(bytes(range(16)), 4) == xor(*(bytes(range(at, at + 4)) for at in (0, 4, 8, 12)))
    with pytest.raises(ValueError, match="one length"):
        xor(b"", b"1")
    for block, width in ((b"123", 2), (b"", 4), (b"12", 0)):
        with pytest.raises(ValueError, match="multiple"):
            fold(block, width)
