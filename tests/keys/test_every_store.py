"""What holds for every store alike: policy, log, version, check value, clock, self-test, loss."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.errors import CardkitError, RefusedError
from cardkit.keys import pkcs11_worker
from cardkit.keys.audit import AuditLog
from cardkit.keys.gate import GATE, mark_of
from cardkit.keys.open_store import open_store
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.record import KeyState
from cardkit.keys.reference import CheckValue
from cardkit.keys.remote_client import RemoteKeyStore
from cardkit.keys.remote_frames import read_frame, write_frame
from cardkit.keys.selftest import SelfTestFailedError, Vector, builtin
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from cardkit.keys.token_settings import TokenSettings
from cardkit.profile import load
from tests.keys.conftest import Vault
from tests.keys.every_store import FACTORS, NAME, REQUEST, STORES, Place

WRONG = CheckValue(b"\x01\x02\x03")


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    return str(request.param)


@pytest.fixture
def place(kind: str, vault: Vault, tmp_path: Path) -> Iterator[Place]:
    with STORES[kind](vault, tmp_path) as made:
        yield made


def one_line(error: CardkitError) -> str:
    assert "\n" not in error.line()
    return error.line()


def test_every_use_is_on_record(place: Place) -> None:
    """Who, when, which key, how many, what for, result."""
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    for index in (0, 1, 0):
        assert len(batch.external(index, REQUEST)) == 8
    uses = [line for line in place.audit.lines() if line.entry.actor == place.actor]
    derived, reserved = uses[-2:]
    assert (derived.entry.action, derived.entry.count) == ("derive", 2)
    assert (reserved.entry.action, reserved.entry.detail) == ("reserve", "external")
    assert reserved.entry.count >= 3
    for line in (derived, reserved):
        assert line.instant.startswith("2026-11-21T02:00")
        assert line.entry.key.startswith(f"{NAME} v1 (")
        assert (line.entry.purpose, line.entry.result) == (place.purpose, "ok")
    assert place.audit.verify().intact


def test_what_was_answered_is_settled(kind: str, vault: Vault, tmp_path: Path) -> None:
    with STORES[kind](vault, tmp_path) as place:
        batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
        for _ in range(3):
            batch.external(0, REQUEST)
    assert place.entries()[-1] == ("use", 3, "ok")
    assert place.audit.reservations() == []


def test_a_psam_key_states_that_it_has_no_check_value(vault: Vault, tmp_path: Path) -> None:
    with STORES["psam"](vault, tmp_path) as place:
        ref = place.store.reference(NAME)
        place.store.derive_many(ref, FACTORS)
    assert ref.check_value == b""
    assert list(place.audit.lines())[-1].entry.key == f"{NAME} v1 (no check value)"


def test_wrong_version(place: Place) -> None:
    with pytest.raises(KeyMissingError, match="of version 2") as caught:
        place.store.reference(NAME, 2)
    one_line(caught.value)
    ref = dataclasses.replace(place.store.reference(NAME), version=2)
    with pytest.raises(KeyMissingError, match="of version 2"):
        place.store.derive_many(ref, FACTORS)


def test_wrong_check_value(place: Place) -> None:
    ref = dataclasses.replace(place.store.reference(NAME), check_value=WRONG)
    with pytest.raises(KeyPolicyError, match="010203") as caught:
        place.store.derive_many(ref, FACTORS)
    one_line(caught.value)
    assert not any(action == "derive" and result == "ok" for action, _, result in place.entries())


def test_use_outside_its_usage(place: Place) -> None:
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    from cardkit.card.key_request import Internal  # noqa: PLC0415

    with pytest.raises(KeyPolicyError, match="may not be used for internal") as caught:
        batch.internal(0, Internal(NAME, bytes(8), bytes(8)))
    one_line(caught.value)
    assert place.entries()[-1][2].startswith("refused: ")


def test_the_clock_set_back_past_validity(place: Place) -> None:
    """The key has run out; setting the clock back does not bring it back."""
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    batch.external(0, REQUEST)
    place.clock.now += dt.timedelta(days=20)
    for use in (lambda: place.store.derive_many(batch.ref, FACTORS),
                lambda: batch.external(0, REQUEST)):  # fmt: skip
        with pytest.raises(KeyPolicyError, match="was valid until 2026-11-30") as caught:
            use()
        one_line(caught.value)
    place.clock.now -= dt.timedelta(days=15)
    for use in (lambda: place.store.derive_many(batch.ref, FACTORS),
                lambda: batch.external(0, REQUEST)) * 3:  # fmt: skip
        with pytest.raises(KeyPolicyError, match="the clock says 2026-11-26") as caught:
            use()
        one_line(caught.value)
        place.clock.now += dt.timedelta(minutes=10)
    assert place.audit.verify().intact
    # Nor does a program that starts anew forget it: refusals do not lower the latest instant.
    again = AuditLog(place.audit.path, place.clock).latest_instant()
    assert again is not None
    assert again.date() == dt.date(2026, 12, 11)
    (back,) = place.audit.set_backs()
    assert back.last - back.first == 5


@pytest.mark.parametrize("action", ["suspend", "retire"])
def test_what_another_process_does_to_a_key_is_seen_at_once(place: Place, action: str) -> None:
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    before = batch.external(0, REQUEST)
    place.change(action)
    if action == "retire":  # for cards that exist it still works
        assert batch.external(0, REQUEST) == before
        return
    with pytest.raises(KeyPolicyError, match="is suspended") as caught:
        batch.external(0, REQUEST)
    one_line(caught.value)
    with pytest.raises(KeyPolicyError, match="is suspended"):
        place.store.derive_many(batch.ref, FACTORS)
    place.change("resume")
    assert batch.external(0, REQUEST) == before


@pytest.mark.parametrize("kind", ["soft", "pkcs11", "remote"], indirect=True)
def test_a_destroyed_key_is_gone_for_those_who_have_it_in_use(place: Place) -> None:
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    place.change("retire")
    place.change("destroy")
    with pytest.raises(KeyPolicyError, match="is destroyed"):
        batch.external(0, REQUEST)
    assert place.entries()[-1][2].startswith("refused: ")


@pytest.mark.parametrize("kind", ["soft"], indirect=True)
def test_its_bytes_are_overwritten_there_too(place: Place) -> None:
    place.store.reference(NAME)
    held = place.store._store._keys[NAME, 1]  # type: ignore[attr-defined]
    place.change("retire")
    place.change("destroy")
    with pytest.raises(KeyPolicyError):
        place.store.derive_many(place.store.reference(NAME), FACTORS)
    assert held.reveal() == b""
    assert (NAME, 1) not in place.store._store._keys  # type: ignore[attr-defined]


def test_a_version_approved_meanwhile_waits_for_the_next_start(vault: Vault) -> None:
    """No card gets keys of two versions."""
    from cardkit.keys.custody import Wish  # noqa: PLC0415

    with STORES["soft"](vault, vault.path.parent) as place:
        vault.as_("gu").generate(Wish(NAME))
        vault.as_("shen").change("approve", NAME, 2)
        vault.as_("shen").change("retire", NAME, 1)
        ref = place.store.reference(NAME)
        assert ref.version == 1
        assert len(place.store.derive_many(ref, FACTORS).external(0, REQUEST)) == 8
    assert vault.open().content.records[NAME, 2].state is KeyState.ACTIVE


def test_gone_in_the_middle_of_a_batch_and_back(place: Place) -> None:
    """Each attempt ends in one line; the same batch goes on afterwards, nothing is lost."""
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    before = [batch.external(index, REQUEST) for index in (0, 1)]
    place.leave()
    for _ in range(2):
        with pytest.raises(CardkitError) as caught:  # some are asked with the answer only
            place.store.derive_many(batch.ref, FACTORS).external(0, REQUEST)
        one_line(caught.value)
        with pytest.raises(CardkitError) as caught:
            batch.external(1, REQUEST)
        one_line(caught.value)
    place.come_back()
    assert [batch.external(index, REQUEST) for index in (0, 1)] == before
    assert place.audit.verify().intact


def test_an_older_store_put_in_place_of_the_one_in_use(vault: Vault) -> None:
    with STORES["soft"](vault, vault.path.parent) as place:
        batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
        older = vault.path.read_bytes()
        place.change("suspend")
        with pytest.raises(KeyPolicyError):
            batch.external(0, REQUEST)
        vault.path.write_bytes(older)
        with pytest.raises(RefusedError, match="older or another store") as caught:
            batch.external(0, REQUEST)
        one_line(caught.value)
        vault.path.write_bytes(older[:-9])
        with pytest.raises(CardkitError, match="cut short or damaged"):
            batch.external(0, REQUEST)


# --- the self-test -------------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One known answer that does not come out: the name of its vector."""
    vectors = list(builtin.every_vector())
    place = next(n for n, vector in enumerate(vectors) if vector.name == "sm3_abc")
    old = vectors[place]
    vectors[place] = Vector(old.name, old.alg, old.inputs, "00" * 32, old.source)
    was = GATE._failed, GATE._passed
    GATE._failed, GATE._passed = [], {"quick": False, "full": False}
    monkeypatch.setattr(builtin, "every_vector", lambda: tuple(vectors))
    yield old.name
    GATE._failed, GATE._passed = was


def test_no_store_opens_when_a_known_answer_is_wrong(
    kind: str, vault: Vault, tmp_path: Path, broken: str
) -> None:
    with pytest.raises(SelfTestFailedError, match=broken) as caught, STORES[kind](vault, tmp_path):
        pass
    one_line(caught.value)


def test_nor_does_a_file_of_test_keys(broken: str) -> None:
    with pytest.raises(SelfTestFailedError, match=broken):
        open_store(load("test"))


@pytest.mark.usefixtures("broken")
def test_nor_the_process_that_owns_a_token() -> None:
    """It computes the answers, so it tests itself, before the token hears of a PIN."""
    requests, replies = io.BytesIO(), io.BytesIO()
    settings = TokenSettings("/nowhere/lib.so", "cards")
    write_frame(requests, {"do": "open", "settings": settings.to_json(), "pin": "1"})
    requests.seek(0)
    assert pkcs11_worker.serve(requests, replies) == 3
    replies.seek(0)
    frame = read_frame(replies)
    assert frame is not None
    assert "self-test" in frame[0]["error"]["message"]


@pytest.mark.parametrize("store", [Pkcs11KeyStore, RemoteKeyStore])
def test_nor_one_whose_keys_are_elsewhere(store: type, broken: str) -> None:
    with pytest.raises(SelfTestFailedError, match=broken):
        store(TokenSettings("/nowhere/lib.so", "cards"), lambda: "1")


def test_a_store_in_use_locks_and_only_a_passed_full_test_opens_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = place.store.derive_many(place.store.reference(NAME), FACTORS)
    before = batch.external(0, REQUEST)
    right = builtin.every_vector()
    slow = next(v for v in right if v.name == "sm4_gmt0002_ex2_1000000")
    wrong = Vector(slow.name, slow.alg, slow.inputs, "00" * 16, slow.source)
    monkeypatch.setattr(
        builtin, "every_vector", lambda: tuple(wrong if v is slow else v for v in right)
    )
    with pytest.raises(SelfTestFailedError):
        GATE.unlock()
    try:
        for _ in range(2):
            with pytest.raises(RefusedError, match="self-test of the algorithms failed"):
                batch.external(0, REQUEST)
            with pytest.raises(RefusedError, match="self-test of the algorithms failed"):
                place.store.derive_many(batch.ref, FACTORS)
        with pytest.raises(SelfTestFailedError):
            GATE.require()  # the quick one, which this answer is not part of, opens nothing
    finally:
        monkeypatch.undo()
        GATE.unlock()
    assert batch.external(0, REQUEST) == before


def test_a_failed_self_test_locks_the_store_for_the_next_process_too(
    vault: Vault, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one has to pass in full; both are on record."""
    for _ in range(2):
        with pytest.raises(SelfTestFailedError, match=broken):
            vault.open()
    assert mark_of(vault.audit).exists()
    assert vault.actions()[-1][:2] == ("cardkit", "self-test")
    assert vault.actions()[-1][2].startswith("refused: the self-test")

    monkeypatch.undo()
    GATE._failed = []  # another process
    ran: list[bool] = []
    monkeypatch.setattr(
        "cardkit.keys.selftest.require_builtin", lambda *, quick: ran.append(not quick)
    )
    vault.open().close()
    assert ran == [True]
    assert not mark_of(vault.audit).exists()
    assert vault.actions()[-1] == ("cardkit", "self-test", "ok")


def test_a_soft_store_of_test_keys_locks_in_use() -> None:
    store = SoftKeyStore({("K", 1): bytes(range(16))}, test=True)
    GATE._failed = ["sm3_abc"]
    try:
        with pytest.raises(SelfTestFailedError):
            store.derive_many(store.reference("K"), FACTORS)
    finally:
        GATE._failed = []
