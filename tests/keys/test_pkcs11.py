"""Master keys in a token: what it gives, what never leaves it, and what if it goes away."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardkit.card.key_request import (
    External,
    Internal,
    KeyRequest,
    KeyUse,
    Seal,
    Sealing,
    WriteKey,
)
from cardkit.crypto import des
from cardkit.crypto.diversify import diversify
from cardkit.errors import CardkitError, RefusedError, UnreachableError, UsageError
from cardkit.keys import CardKeySet, Factors, KeyStore
from cardkit.keys.card_keys import derive
from cardkit.keys.pkcs11 import Pkcs11KeyStore, WorkerChannel
from cardkit.keys.reference import CheckValue, KeyRef, city_factor, province_factor
from cardkit.keys.remote_messages import KeyServiceError, KeyTimeoutError
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from cardkit.keys.token_settings import pin_from_descriptor, pin_from_file, read_settings
from tests.tokens import LABEL, PIN, SPY, Softhsm, make_token

MASTER = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
SEALING = bytes.fromhex("F0E1D2C3B4A5968778695A4B3C2D1E0F")
TRANSPORT = bytes(range(32))
ABOVE = (province_factor("63"), city_factor("639900"))
CARDS = bytes.fromhex("8684639900BF7C7A8684639900BF7C7B")
CHALLENGE = bytes.fromhex("1122334455667788")
SOURCE = bytes.fromhex("0102030405060708")

EXTERNAL = External("SSSE.IRK", CHALLENGE, SOURCE)
QUESTIONS: list[KeyRequest] = [
    EXTERNAL,
    External("SSSE.IRK", b"", SOURCE, KeyUse.DIRECT),
    Internal("SSSE.IRK", CHALLENGE, SOURCE),
    Seal("SSSE.IRK", bytes.fromhex("84D6000010"), b"twelve bytes", CHALLENGE),
    Seal("SSSE.IRK", b"", b"12345678", CHALLENGE, Sealing(key_use=KeyUse.DIRECT, always_pad=True)),
    WriteKey("SSSE.MK", bytes.fromhex("84D401001C"), "SSSE.IRK", b"\x15head", CHALLENGE),
]


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Softhsm:
    made = make_token(tmp_path / "softhsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    return made


@pytest.fixture
def store(token: Softhsm) -> Iterator[Pkcs11KeyStore]:
    with token.store() as opened:
        opened.import_key("SSSE.IRK", 1, MASTER)
        opened.import_key("SSSE.MK", 1, SEALING)
        yield opened


def soft() -> SoftKeyStore:
    return SoftKeyStore({("SSSE.IRK", 1): MASTER, ("SSSE.MK", 1): SEALING}, test=True)


def answer(store: KeyStore, request: KeyRequest, place: int = 1) -> bytes:
    batches = derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS)
    return request.put_to(CardKeySet.from_batches(batches, place))


def worker_of(store: Pkcs11KeyStore) -> int:
    connection = store._connection
    assert connection is not None
    assert isinstance(connection.channel, WorkerChannel)
    return connection.channel._process.pid


# --- the same answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("request_", QUESTIONS, ids=lambda r: type(r).__name__)
def test_answers_are_those_of_the_store_in_this_process(
    store: Pkcs11KeyStore, request_: KeyRequest
) -> None:
    assert answer(store, request_) == answer(soft(), request_)


def test_bulk_is_cut_at_4096_cards_and_every_card_has_its_key(store: Pkcs11KeyStore) -> None:
    cards = b"".join(n.to_bytes(8, "big") for n in range(4096 * 2 + 3))
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, cards))
    expected = soft().derive_many(soft().reference("SSSE.IRK"), Factors(ABOVE, cards))
    assert len(batch) == len(expected) == 4096 * 2 + 3
    for place in (0, 4095, 4096, 8191, 8192, 8194):
        assert batch.external(place, EXTERNAL) == expected.external(place, EXTERNAL)
    with pytest.raises(IndexError):
        batch.external(8195, EXTERNAL)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cards=st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=9),
    above=st.lists(st.binary(min_size=8, max_size=8), max_size=3),
)
def test_any_factors_on_any_number_of_levels(
    store: Pkcs11KeyStore, cards: list[bytes], above: list[bytes]
) -> None:
    factors = Factors(tuple(above), b"".join(cards))
    batch = store.derive_many(store.reference("SSSE.IRK"), factors)
    expected = soft().derive_many(soft().reference("SSSE.IRK"), factors)
    questions = [(batch, place, EXTERNAL, None) for place in range(len(batch))]
    assert store.ask(questions) == [expected.external(p, EXTERNAL) for p in range(len(expected))]


def test_a_key_used_as_it_is_works_without_leaving_the_token(store: Pkcs11KeyStore) -> None:
    request = External("SSSE.IRK", b"", SOURCE, KeyUse.DIRECT)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors())
    assert batch.external(0, request) == des.encrypt_ecb(MASTER, SOURCE)
    with pytest.raises(KeyPolicyError, match=r"keeps SSSE\.IRK inside"):
        batch.write_key(0, WriteKey(None, b"", "SSSE.IRK", b"head"), None)


# --- what stays inside ----------------------------------------------------------------------------


def test_the_token_vouches_for_its_keys(store: Pkcs11KeyStore) -> None:
    store.generate_key("SSSE.UKSSSE", 1)
    attributes = {ref.name: values for ref, values in store.list_keys()}
    imported, generated = attributes["SSSE.IRK"], attributes["SSSE.UKSSSE"]
    assert (imported.sensitive, imported.extractable) == (True, False)
    assert (imported.always_sensitive, imported.never_extractable) == (False, False)
    assert (generated.always_sensitive, generated.never_extractable) == (True, True)
    assert (imported.origin, generated.origin) == ("imported", "generated")


def test_the_value_of_a_key_is_never_asked_for(
    token: Softhsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pkcs11-spy of OpenSC stands between us and the token and writes down every call."""
    log = tmp_path / "spy.log"
    monkeypatch.setenv("PKCS11SPY", token.settings.module)
    monkeypatch.setenv("PKCS11SPY_OUTPUT", str(log))
    with token.store(module=SPY) as store:
        store.import_key("SSSE.IRK", 1, MASTER)
        store.import_key("SSSE.MK", 1, SEALING)
        transport = store.generate_key("KEK", 1, algorithm="aes")
        answers = [answer(store, request) for request in QUESTIONS]
        store.derive_wrapped(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS), transport)
        store.list_keys()
        store.capabilities()
    assert answers == [answer(soft(), request) for request in QUESTIONS]
    read, written = calls_with_value(log.read_text(errors="replace"))
    assert "C_CreateObject" in written  # the spy does see CKA_VALUE where it is: in the import
    assert read == []


def calls_with_value(log: str) -> tuple[list[str], list[str]]:
    """Calls of a log of pkcs11-spy with CKA_VALUE in them: those that read, those that write."""
    found = []
    name = ""
    for line in log.splitlines():
        number, separator, rest = line.partition(": C_")
        if separator and number.isdigit():
            name = "C_" + rest.strip()
        elif line.split()[:1] == ["CKA_VALUE"]:
            found.append(name)
    return [n for n in found if n == "C_GetAttributeValue"], found


def test_wrapped_card_keys_are_in_clear_nowhere(store: Pkcs11KeyStore) -> None:
    transport = store.import_key("KEK", 1, TRANSPORT, algorithm="aes")
    ref = store.reference("SSSE.IRK")
    wrapped = store.derive_wrapped(ref, Factors(ABOVE, CARDS), transport)
    assert len(wrapped) == 2 * 24
    for place in range(2):
        key = aes_key_unwrap(TRANSPORT, wrapped[24 * place : 24 * place + 24])
        card = CARDS[8 * place : 8 * place + 8]
        assert des.same_key(key, diversify(MASTER, *ABOVE, card))  # the token sets parity
    with pytest.raises(KeyPolicyError, match="no AES key"):
        store.derive_wrapped(ref, Factors(ABOVE, CARDS), store.reference("SSSE.MK"))
    with pytest.raises(KeyPolicyError, match="transport key"):
        store.derive_many(transport, Factors((), CARDS))


@pytest.mark.usefixtures("store")  # which has put the keys in
def test_a_token_may_keep_even_card_keys_inside(token: Softhsm) -> None:
    """Enough for the window: authentication and messages under a process key."""
    with token.store(card_keys="token") as inside:
        for request in (QUESTIONS[0], QUESTIONS[1], QUESTIONS[2], QUESTIONS[3]):
            assert answer(inside, request) == answer(soft(), request)
        for request, what in ((QUESTIONS[4], "seal with"), (QUESTIONS[5], "load")):
            with pytest.raises(KeyPolicyError, match=f"cannot {what} it") as caught:
                answer(inside, request)
            assert "card_keys" in caught.value.hint


def test_card_keys_leave_in_clear_only_where_the_profile_allows_it(
    store: Pkcs11KeyStore, token: Softhsm
) -> None:
    request = WriteKey(None, b"", "SSSE.MK", b"header")
    with pytest.raises(KeyPolicyError, match="may not leave the store in clear"):
        answer(store, request, 0)
    with token.store(plain_loading=frozenset({"MK"})) as loading:
        expected = b"header" + diversify(SEALING, *ABOVE, CARDS[:8])
        assert answer(loading, request, 0) == expected


def test_nothing_secret_shows(store: Pkcs11KeyStore) -> None:
    ref = store.reference("SSSE.IRK")
    shown = [repr(store), repr(ref), repr(store.derive_many(ref, Factors(ABOVE, CARDS)))]
    command = Path(f"/proc/{worker_of(store)}/cmdline").read_bytes()
    environment = Path(f"/proc/{worker_of(store)}/environ").read_bytes()
    assert PIN.encode() not in command + environment
    assert not any(PIN in text or MASTER.hex() in text.lower() for text in shown)


# --- references and keys --------------------------------------------------------------------------


def test_references(store: Pkcs11KeyStore) -> None:
    assert store.reference("SSSE.IRK") == soft().reference("SSSE.IRK")
    store.import_key("SSSE.IRK", 2, SEALING)
    assert store.reference("SSSE.IRK").version == 2
    assert store.reference("SSSE.IRK", 1).check_value == soft().reference("SSSE.IRK").check_value
    assert store.names() == ["SSSE.IRK", "SSSE.MK"]
    with pytest.raises(KeyMissingError, match=r"no key DF01\.UK1 in token cards"):
        store.reference("DF01.UK1")
    with pytest.raises(KeyMissingError, match="of version 7"):
        store.reference("SSSE.IRK", 7)
    with pytest.raises(KeyPolicyError, match=r"SSSE\.IRK v1 is in token cards already"):
        store.import_key("SSSE.IRK", 1, SEALING)


def test_wrong_check_value(store: Pkcs11KeyStore) -> None:
    with pytest.raises(KeyPolicyError, match=r"check value of key DF01\.MK does not fit"):
        store.import_key("DF01.MK", 1, MASTER, check_value=bytes.fromhex("000000"))
    assert store.names() == ["SSSE.IRK", "SSSE.MK"]
    right = store.reference("SSSE.IRK")
    wrong = KeyRef(right.name, right.version, CheckValue(b"\0\0\0"), test=True)
    with pytest.raises(KeyPolicyError, match="is another key here"):
        store.derive_many(wrong, Factors(ABOVE, CARDS))
    assert answer(store, EXTERNAL) == answer(soft(), EXTERNAL)


def test_a_destroyed_key_is_gone(store: Pkcs11KeyStore, token: Softhsm) -> None:
    store.destroy_key(store.reference("SSSE.MK"))
    with token.store() as another:
        assert another.names() == ["SSSE.IRK"]


def test_a_key_that_another_process_added_is_found(store: Pkcs11KeyStore, token: Softhsm) -> None:
    with token.store() as another:
        another.import_key("DF01.MK", 1, MASTER)
    assert store.reference("DF01.MK").version == 1


def test_what_a_token_can_do_is_tried_out(store: Pkcs11KeyStore) -> None:
    can = {what: able for what, able, _ in store.capabilities()}
    assert can == {
        "3DES-ECB encryption": True,
        "derivation inside": True,
        "AES key wrap": True,
        "SM4": False,
        "SSF33": False,
    }
    assert store.names() == ["SSSE.IRK", "SSSE.MK"]  # nothing of it stays


# --- going away -----------------------------------------------------------------------------------


def one_line(error: CardkitError) -> str:
    line = error.line()
    assert "\n" not in line
    assert PIN not in line
    return line


def test_token_pulled_in_the_middle_of_a_batch(store: Pkcs11KeyStore, token: Softhsm) -> None:
    """Every call fails with one line while it is away; the same batch goes on when it is back."""
    batches = derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS)
    before = batches["SSSE.IRK"].external(0, EXTERNAL)
    token.pull()
    for _ in range(2):
        with pytest.raises(UnreachableError) as caught:
            store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
        assert "token cards" in one_line(caught.value)
    with pytest.raises(UnreachableError):
        batches["SSSE.IRK"].external(1, EXTERNAL)
    token.put_back()
    assert batches["SSSE.IRK"].external(0, EXTERNAL) == before
    assert batches["SSSE.IRK"].external(1, EXTERNAL) == answer(soft(), EXTERNAL)


def test_token_pulled_and_back_before_anybody_asks(store: Pkcs11KeyStore, token: Softhsm) -> None:
    """The session is lost all the same; it is opened anew without a word."""
    token.pull()
    time.sleep(0.05)
    token.put_back()
    assert answer(store, EXTERNAL) == answer(soft(), EXTERNAL)


def test_process_killed_in_the_middle_of_a_batch(store: Pkcs11KeyStore) -> None:
    batches = derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS)
    keys = CardKeySet.from_batches(batches, 1)
    first = worker_of(store)
    os.kill(first, signal.SIGKILL)
    write = QUESTIONS[5]
    assert write.put_to(keys) == answer(soft(), write)
    assert worker_of(store) != first


@pytest.mark.usefixtures("store")
def test_a_process_that_does_not_answer_is_named(token: Softhsm) -> None:
    with token.store(timeout=5.0) as slow:  # a busy machine needs a second to start it
        ref = slow.reference("SSSE.IRK")
        os.kill(worker_of(slow), signal.SIGSTOP)
        with pytest.raises(KeyTimeoutError, match=r"did not give 2 keys of SSSE\.IRK in 5 s"):
            slow.derive_many(ref, Factors(ABOVE, CARDS))
        assert answer(slow, EXTERNAL) == answer(soft(), EXTERNAL)


def test_the_process_ends_with_the_store(token: Softhsm) -> None:
    with token.store() as store:
        store.names()
        process = worker_of(store)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_no_such_token_and_no_such_library(token: Softhsm) -> None:
    with (
        token.store(token="another") as store,
        pytest.raises(KeyServiceError, match="token another is not there"),
    ):
        store.names()
    with (
        token.store(module="/nowhere/lib.so") as store,
        pytest.raises(UsageError, match="no PKCS#11 library"),
    ):
        store.names()


# --- the PIN --------------------------------------------------------------------------------------


def test_a_wrong_pin_is_presented_once(token: Softhsm) -> None:
    asked: list[str] = []

    def pin() -> str:
        asked.append("once")
        return "000000"

    with Pkcs11KeyStore(token.settings, pin) as store:
        for _ in range(3):
            with pytest.raises(RefusedError, match="refuses the PIN") as caught:
                store.names()
            assert "000000" not in one_line(caught.value)
    assert asked == ["once"]
    with token.store() as right:
        assert right.names() == []


def test_pin_from_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text(f"{PIN}\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="others can read the PIN file"):
        pin_from_file(path)()
    path.chmod(0o600)
    assert pin_from_file(path)() == PIN
    path.write_text("")
    with pytest.raises(UsageError, match="no PIN in its first line"):
        pin_from_file(path)()
    path.unlink()
    with pytest.raises(UsageError, match="No such file"):
        pin_from_file(path)()


def test_pin_from_a_descriptor() -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{PIN}\n".encode())
    os.close(writing)
    source = pin_from_descriptor(reading)
    assert (source(), source()) == (PIN, PIN)


def test_settings_file(token: Softhsm, tmp_path: Path) -> None:
    (tmp_path / "cards.pin").write_text(PIN)
    (tmp_path / "cards.pin").chmod(0o600)
    path = tmp_path / "token.toml"
    text = f'module = "{token.settings.module}"\ntoken = "{LABEL}"\npin_file = "cards.pin"\n'
    path.write_text(text + "test = true\n")
    read, source = read_settings(path)
    assert read == token.settings
    assert source is not None
    with Pkcs11KeyStore(read, source) as store:
        assert store.names() == []
    for wrong in (
        'pin = "1"', 'card_keys = "cloud"', "card_keys = [1]", 'timeout = "x"', "timeout = nan",
        'test = "false"', "][",
    ):  # fmt: skip
        path.write_text(text + wrong)
        with pytest.raises(UsageError) as caught:
            read_settings(path)
        assert str(path) in one_line(caught.value)
