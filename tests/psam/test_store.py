"""A PSAM as a key store: the same answers as from the keys themselves, and clear refusals."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import LinkLostError, chain
from cardkit.card import psam
from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing, WriteKey
from cardkit.card.psam import DES, SM4, SSF33, KeyMap, PsamLevel
from cardkit.card.psam.procedures import perform
from cardkit.errors import RefusedError
from cardkit.keys import Factors
from cardkit.keys.open_store import factors_above, open_store
from cardkit.keys.psam import (
    NotForPsamError,
    PsamCannotError,
    PsamGoneError,
    PsamLacksKeyError,
    PsamRefusedError,
    PsamStore,
)
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyBatch, KeyMissingError, KeyPolicyError
from cardkit.profile import load
from cardkit.virtual.card import Fault, FaultKind
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam import Place, StoredKey, VirtualPsam
from cardkit.virtual.psam_factory import make_psam

PROFILE = load("test")
SOFT = open_store(PROFILE)
CARDS = bytes.fromhex("8649639940000001") + bytes.fromhex("8649639940000002")
FACTORS = Factors(factors_above(PROFILE), CARDS)
R8, D8 = bytes.fromhex("1122334455667788"), bytes.fromhex("0102030405060708")


def connect_to(chip: VirtualPsam) -> Callable[[], Link]:
    """As a reader would: power on, a fresh link."""

    def connect() -> Link:
        chip.power_on()
        return chain(VirtualLink(chip))

    return connect


@pytest.fixture(scope="module")
def image() -> str:
    return make_psam(PROFILE).snapshot()


@pytest.fixture
def chip(image: str) -> VirtualPsam:
    from cardkit.virtual.psam.image import decode  # noqa: PLC0415

    return VirtualPsam(decode(image))


@pytest.fixture
def store(chip: VirtualPsam) -> PsamStore:
    return PsamStore(connect_to(chip), KeyMap(), test=True)


def batches(store: PsamStore, name: str) -> tuple[KeyBatch, KeyBatch]:
    """A batch of the PSAM and one of the keys themselves."""
    ours = store.derive_many(store.reference(name), FACTORS)
    return ours, SOFT.derive_many(SOFT.reference(name), FACTORS)


HELD = [entry.name for entry in KeyMap() if entry.name in SOFT.names()]


@pytest.mark.parametrize("name", HELD)
def test_every_key_authenticates_like_the_key_itself(store: PsamStore, name: str) -> None:
    ours, theirs = batches(store, name)
    assert len(ours) == 2
    for index in range(2):
        for data in (R8, D8):
            external = External(name, R8, data)
            assert ours.external(index, external) == theirs.external(index, external)
            internal = Internal(name, R8, data)
            assert ours.internal(index, internal) == theirs.internal(index, internal)


@pytest.mark.parametrize("data", [b"", b"abc", bytes(8), bytes(245)], ids=len)
@pytest.mark.parametrize("encrypt", [True, False])
def test_keys_for_macs_seal_like_the_key_itself(
    store: PsamStore, data: bytes, *, encrypt: bool
) -> None:
    if encrypt and not data:
        data = b"\x00"
    ours, theirs = batches(store, "SSSE.STK")
    for always, fold in itertools.product((True, False), repeat=2):
        sealing = Sealing(encrypt=encrypt, always_pad=always, fold=fold)
        seal = Seal("SSSE.STK", bytes.fromhex("8424000114"), data[:239], R8, sealing)
        assert ours.seal(1, seal) == theirs.seal(1, seal)


def test_a_key_for_macs_only_folds_none(chip: VirtualPsam) -> None:
    keys = KeyMap(corrections=["SSSE.STK 46 09"])
    store = PsamStore(connect_to(chip), keys, test=True)
    batch, _ = batches(store, "SSSE.STK")
    folded = Sealing(encrypt=False, fold=True)
    with pytest.raises(PsamCannotError, match="for MACs only"):
        batch.seal(0, Seal("SSSE.STK", bytes(5), b"", R8, folded))


def test_a_city_psam_answers_like_a_province_psam(store: PsamStore) -> None:
    city = make_psam(PROFILE, level="city", number=2)
    there = PsamStore(connect_to(city), KeyMap(level=PsamLevel.CITY))
    for name in ("SSSE.UKSSSE", "SSSE.IRK", "DF01.UK3"):
        request = External(name, R8, D8)
        ours, _ = batches(store, name)
        theirs = there.derive_many(there.reference(name), FACTORS)
        assert ours.external(0, request) == theirs.external(0, request)


def test_sm4() -> None:
    chip = VirtualPsam.blank(master=bytes(16))
    # province key of root 404142…4F for 370000sh
    province = bytes.fromhex("B24CB99D0FAE9A2F4D8311D0976FCE61")
    chip.chip.keys.append(StoredKey(Place.SM4, 0x48, 0x12, 0x03, province))
    store = PsamStore(connect_to(chip), KeyMap(), SM4)
    ref = store.reference("SSSE.UKSSSE")
    batch = store.derive_many(
        ref, Factors((b"370000sh", b"371700sx"), bytes.fromhex("8684371700BF7C7A"))
    )
    assert ref.algorithm == "sm4"
    assert batch.external(0, External(ref.name, R8, R8)).hex().upper() == "8E2A5FF5BA6F2024"


def test_sm4_from_the_hierarchy_agrees_with_a_soft_store_of_sm4() -> None:
    place = ("SSSE.UKSSSE", 1)
    soft = SoftKeyStore({place: bytes(range(16))}, test=True, algorithms={place: "sm4"})
    import dataclasses  # noqa: PLC0415

    profile = dataclasses.replace(PROFILE, card=dataclasses.replace(PROFILE.card, algorithm=3))
    chip = make_psam(profile, names=["UKSSSE"], store=soft)
    assert [key.place for key in chip.chip.keys] == [Place.SM4]
    store = PsamStore(connect_to(chip), KeyMap(), SM4)
    ours = store.derive_many(store.reference("SSSE.UKSSSE"), FACTORS)
    theirs = soft.derive_many(soft.reference("SSSE.UKSSSE"), FACTORS)
    request = External("SSSE.UKSSSE", R8, R8)
    assert ours.external(1, request) == theirs.external(1, request)
    seal = Seal("SSSE.UKSSSE", bytes(5), b"something", R8)
    assert ours.seal(1, seal) == theirs.seal(1, seal)


def test_what_a_psam_does_not_do_is_refused_before_it_is_asked(
    store: PsamStore, chip: VirtualPsam
) -> None:
    irk, _ = batches(store, "SSSE.IRK")
    uk, _ = batches(store, "SSSE.UKSSSE")
    direct = Sealing(encrypt=False, key_use=KeyUse.DIRECT)
    seen: list[bytes] = []
    chip.on_exchange.append(lambda command, _: seen.append(command))

    with pytest.raises(KeyPolicyError, match="process keys only"):
        irk.seal(0, Seal("SSSE.IRK", bytes(12), b"", bytes(8), direct))
    with pytest.raises(KeyPolicyError, match="for authentication only"):
        irk.seal(0, Seal("SSSE.IRK", bytes(12), b"", bytes(8)))
    with pytest.raises(KeyPolicyError, match="cannot load keys"):
        uk.write_key(0, WriteKey("SSSE.UKSSSE", bytes(5), "SSSE.IRK", b""), uk)
    with pytest.raises(KeyPolicyError, match="process keys only"):
        uk.external(0, External("SSSE.UKSSSE", R8, D8, KeyUse.DIRECT))
    with pytest.raises(KeyMissingError, match=r"a PSAM has no key SSSE\.MK"):
        store.reference("SSSE.MK")
    with pytest.raises(NotForPsamError, match=r"T514\.TRANSPORT"):
        store.reference("T514.TRANSPORT")
    with pytest.raises(KeyPolicyError, match="resolves 3 levels"):
        store.derive_many(store.reference("SSSE.IRK"), Factors((b"639900sx",), CARDS))
    with pytest.raises(KeyPolicyError, match="resolves 2 levels"):
        store.derive_many(store.reference("SSSE.UKSSSE"), Factors())
    with pytest.raises(IndexError):
        uk.external(2, External("SSSE.UKSSSE", R8, D8))
    assert [command[:2].hex() for command in seen if command[0] in (0xBF, 0x80)] == []
    assert issubclass(PsamCannotError, RefusedError)


def test_a_key_that_is_missing_is_named_with_its_place() -> None:
    chip = make_psam(PROFILE, names=["UKSSSE"])
    store = PsamStore(connect_to(chip), KeyMap())
    store.check(["SSSE.UKSSSE"])
    assert store.has("SSSE.UKSSSE")
    assert not store.has("SSSE.IRK")
    assert not store.has("SSSE.MK")
    with pytest.raises(PsamLacksKeyError, match=r"no key SSSE\.IRK \(67 08\): it knows no such id"):
        store.check(["SSSE.IRK"])


def test_a_psam_of_another_level_is_told_apart() -> None:
    chip = make_psam(PROFILE, level="city")
    store = PsamStore(connect_to(chip), KeyMap())
    with pytest.raises(PsamLacksKeyError, match="another usage byte: a PSAM of another level"):
        store.check(["SSSE.UKSSSE"])
    store.check(["SSSE.IRK"])  # the ministry's key is the same in both


def test_ssf33_is_entered_and_refused_in_one_line(chip: VirtualPsam) -> None:
    store = PsamStore(connect_to(chip), KeyMap(), SSF33)
    batch = store.derive_many(store.reference("SSSE.UKSSSE"), FACTORS)
    with pytest.raises(PsamRefusedError, match="does not compute in its environment SSF33"):
        batch.external(0, External("SSSE.UKSSSE", R8, D8))


def test_another_chip_in_the_slot_is_no_psam() -> None:
    from cardkit.virtual.factory import CardFactory  # noqa: PLC0415

    card = CardFactory(PROFILE).premade(bytes(4))

    def connect() -> Link:
        card.power_on()
        return chain(VirtualLink(card))

    with pytest.raises(PsamRefusedError, match="no PSAM environment DES"):
        PsamStore(connect, KeyMap()).check(["SSSE.IRK"])


def test_terminal_number_and_then_work_goes_on(store: PsamStore) -> None:
    assert store.terminal_number() == "639900000001"
    assert store.has("SSSE.UKSSSE")


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.CUT_BEFORE, FaultKind.TORN, FaultKind.UNANSWERED])
@pytest.mark.parametrize("at", [1, 2])
def test_a_psam_that_was_reset_in_between_is_asked_again(
    store: PsamStore, chip: VirtualPsam, kind: FaultKind, at: int
) -> None:
    """Before BFDE, or between BFDE and 80FA: connect, select and derive again, the same answer."""
    ours, theirs = batches(store, "SSSE.UKSSSE")
    store.check(["SSSE.UKSSSE"])
    chip.arm(Fault(kind, at=at))
    request = External("SSSE.UKSSSE", R8, D8)
    assert ours.external(0, request) == theirs.external(0, request)


def test_pulled_is_one_clear_line_and_back_it_works_again(
    store: PsamStore, chip: VirtualPsam
) -> None:
    ours, theirs = batches(store, "SSSE.UKSSSE")
    request = External("SSSE.UKSSSE", R8, D8)
    first = ours.external(0, request)
    chip.remove()
    for _ in range(2):
        with pytest.raises(PsamGoneError, match="the PSAM does not answer") as gone:
            ours.external(0, request)
        assert "\n" not in gone.value.line() + gone.value.line("zh")
        assert not isinstance(gone.value, LinkLostError), "the card is not lost, the PSAM is"
    chip.insert()
    assert ours.external(0, request) == first == theirs.external(0, request)


def test_with_patience_the_same_call_waits_until_it_is_back(
    store: PsamStore, chip: VirtualPsam
) -> None:
    ours, theirs = batches(store, "SSSE.UKSSSE")
    store.check(["SSSE.UKSSSE"])
    asked: list[str] = []

    def wait(error: Exception) -> bool:
        asked.append(str(error))
        if len(asked) == 3:
            chip.insert()
        return True

    store.wait = wait
    chip.arm(Fault(FaultKind.REMOVED, at=2))
    request = External("SSSE.UKSSSE", R8, D8)
    assert ours.external(0, request) == theirs.external(0, request)
    assert len(asked) == 3


def test_another_psam_is_not_taken_for_the_first_one(chip: VirtualPsam) -> None:
    slot = [chip]

    def connect() -> Link:
        return connect_to(slot[0])()

    store = PsamStore(connect, KeyMap())
    store.check(["SSSE.UKSSSE"])
    chip.remove()
    slot[0] = make_psam(PROFILE, number=2)
    with pytest.raises(PsamRefusedError, match="another PSAM was put in"):
        store.check(["SSSE.UKSSSE"])
    chip.insert()
    slot[0] = chip
    store.check(["SSSE.UKSSSE"])


def test_several_threads_never_mix_their_cards(store: PsamStore) -> None:
    """A derivation and what is computed with it belong together."""
    ours, theirs = batches(store, "SSSE.UKSSSE")
    wrong: list[int] = []

    def work(index: int) -> None:
        for n in range(50):
            request = External("SSSE.UKSSSE", n.to_bytes(8), D8)
            if ours.external(index, request) != theirs.external(index, request):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(index % 2,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_secret_is_shown(store: PsamStore) -> None:
    ours, _ = batches(store, "SSSE.UKSSSE")
    assert repr(ours) == "PsamBatch(SSSE.UKSSSE, 2 cards)"
    assert repr(store) == "PsamStore(DES)"


def test_a_procedure_that_wants_keys_is_not_one_for_a_psam(chip: VirtualPsam) -> None:
    chip.power_on()
    asks = psam.load_key(psam.PsamKey(0x48, 0x12), 0, key="SSSE.UKSSSE", under="X")
    with pytest.raises(TypeError, match="has the keys itself"):
        perform(asks, chain(VirtualLink(chip)))
    assert DES.name == "DES"
