"""The store of test keys: derivation, check values, and that nothing secret shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.card.files import GENERATION_2
from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing, WriteKey
from cardkit.crypto.diversify import diversify
from cardkit.errors import RefusedError, UsageError
from cardkit.keys import CardKeySet, Factors
from cardkit.keys.card_keys import derive
from cardkit.keys.open_store import factors_above, open_store
from cardkit.keys.reference import city_factor, province_factor
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from cardkit.profile import load

ROOT = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
ABOVE = (province_factor("37"), city_factor("371700"))
CARD = bytes.fromhex("8684371700BF7C7A")
WRONG_CHECK_VALUE = f"""
format = "cardkit test keys 1"
[keys.A]
value = "{ROOT.hex()}"
check_value = "000000"
"""


@pytest.fixture
def store() -> SoftKeyStore:
    return SoftKeyStore({("SSSE.IRK", 1): ROOT, ("SSSE.MK", 1): bytes(16)}, test=True)


def test_card_key_follows_the_chain(store: SoftKeyStore) -> None:
    """Province → city → card, seen only through an authentication (card.md 5.4, computed)."""
    keys = CardKeySet.on_demand(store, ABOVE, CARD)
    factor, data = bytes.fromhex("1122334455667788"), bytes.fromhex("0102030405060708")
    assert keys.internal(Internal("SSSE.IRK", factor, data)).hex() == "8f91a74ca5cadd5c"
    assert keys.external(External("SSSE.IRK", factor, data)).hex() == "8f91a74ca5cadd5c"


@given(cards=st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=20))
def test_bulk_derivation_equals_single(cards: list[bytes]) -> None:
    store = SoftKeyStore({("K", 1): ROOT}, test=True)
    batch = store.derive_many(store.reference("K"), Factors(ABOVE, b"".join(cards)))
    assert len(batch) == len(cards)
    for place, card in enumerate(cards):
        expected = SoftKeyStore({("K", 1): diversify(ROOT, *ABOVE, card)}, test=True)
        request = External("K", b"", bytes(8), KeyUse.DIRECT)
        whole = expected.derive_many(expected.reference("K"), Factors())
        assert batch.external(place, request) == whole.external(0, request)


def test_nothing_secret_in_repr(store: SoftKeyStore) -> None:
    ref = store.reference("SSSE.IRK")
    batch = store.derive_many(ref, Factors(ABOVE, CARD))
    for shown in (repr(store), repr(ref), str(ref), repr(batch)):
        assert ROOT.hex() not in shown.lower()
    assert "SSSE.IRK v1" in str(ref)


def test_clear_key_leaves_only_where_the_profile_allows_it() -> None:
    keys = {("SSSE.MK", 1): ROOT, ("SSSE.IRK", 1): bytes(16)}
    store = SoftKeyStore(keys, test=True, plain_loading=frozenset({"MK"}))
    card = CardKeySet.from_batches(derive(store, ["SSSE.MK", "SSSE.IRK"], ABOVE, CARD), 0)
    plain = card.write_key(WriteKey(None, b"", "SSSE.MK", b"header"))
    assert plain == b"header" + diversify(ROOT, *ABOVE, CARD)
    with pytest.raises(KeyPolicyError, match=r"SSSE\.IRK may not leave the store in clear"):
        card.write_key(WriteKey(None, b"", "SSSE.IRK", b"header"))


def test_write_key_is_sealed_under_another_key_of_the_card() -> None:
    """The worked example of the FMCOS manual, with a 16-byte sealing key of equal halves."""
    store = SoftKeyStore({("D.MK", 1): b"\xff" * 16, ("D.K", 1): bytes(16)}, test=True)
    batches = {
        name: store.derive_many(store.reference(name), Factors()) for name in ("D.MK", "D.K")
    }
    plain = bytes.fromhex("0DF9F0F0AAFF1122334455667788")
    sealed = batches["D.MK"].seal(
        0,
        Seal(
            "D.MK", bytes.fromhex("84D4010214"), plain, bytes.fromhex("4C45BAB900000000"),
            Sealing(encrypt=True, key_use=KeyUse.DIRECT),
        ),
    )  # fmt: skip
    assert sealed.hex() == "7c87bc23140021b3afea67e6359ddcfed7c943f6"


def test_unknown_key_and_version(store: SoftKeyStore) -> None:
    with pytest.raises(KeyMissingError, match=r"no key DF01\.UK1"):
        store.reference("DF01.UK1")
    with pytest.raises(KeyMissingError, match="version 7"):
        store.reference("SSSE.IRK", 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a file of test keys"),
        ("format = 1", "not a file of test keys"),
        ("][", "not a TOML file"),
        ('format = "cardkit test keys 1"\n[keys.A]\nvalue = "00"', "value and check_value"),
        (
            WRONG_CHECK_VALUE,
            "check value of key A does not fit",
        ),
        *(
            (f'format = "cardkit test keys 1"\n[keys]\n{key}', "key A is no table with a version")
            for key in ("A = 5", 'A = {version = "x"}', "A = {version = inf}", "A = {version = 0}")
        ),
    ],
)
def test_key_files_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        SoftKeyStore.from_file(path)
    assert ROOT.hex() not in str(caught.value)


def test_test_keys_need_a_test_profile(tmp_path: Path) -> None:
    text = '[region]\nprovince = "63"\ncity = "639900"\n'
    path = tmp_path / "real.toml"
    path.write_text(text)
    with pytest.raises(RefusedError, match="not marked as a test"):
        open_store(load(str(path)))


def test_shipped_test_keys_cover_the_tree() -> None:
    profile = load("test")
    store = open_store(profile)
    names = {d.key_name(k) for d in GENERATION_2.directories for k in d.keys if k.name != "PIN"}
    assert names | {"T514.TRANSPORT"} == set(store.names())
    assert factors_above(profile) == (b"630000sh", b"639900sx")
