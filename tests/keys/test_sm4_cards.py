"""Cards whose keys are of SM4: issued, read back and checked, wherever the keys are."""

from __future__ import annotations

import importlib.resources
from dataclasses import replace
from pathlib import Path

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import LinkLostError, chain
from cardkit.card import psam
from cardkit.card.card import AuthenticationFailedError, Card
from cardkit.card.procedure import run
from cardkit.card.procedures.identify import WrongCardError
from cardkit.card.psam import KeyMap
from cardkit.crypto.algorithm import Algorithm
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import card_of, tree_of
from cardkit.issuance.writer import Issued
from cardkit.keys import CardKeySet, KeyStore
from cardkit.keys.open_store import Access, factors_above, guarded, open_store
from cardkit.keys.psam import PsamStore
from cardkit.keys.remote_access import AccessList
from cardkit.keys.remote_service import KeyService
from cardkit.keys.remote_settings import ServiceAddress
from cardkit.keys.remote_tls import connect_to
from cardkit.keys.soft import SoftKeyStore, read_test_keys
from cardkit.keys.soft_file import Passphrases
from cardkit.keys.store import KeyPolicyError
from cardkit.profile import load
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam_factory import make_psam
from tests.certificates import make_authority
from tests.keys.conftest import PASSPHRASES, Vault
from tests.keys.test_same_card import filled
from tests.workshop import Workshop, applicant

MASTERS = Path(__file__).parents[2] / "keys_test" / "masters-sm4.toml"
SERIAL = bytes.fromhex("40000001")
EXTERNAL = bytes.fromhex("0082")
UPDATE_RECORD, EXTERNAL_AUTHENTICATE = 0xDC, 0x82


def issue(
    folder: Path, kind: str, store: KeyStore | None, profile: str = "test-sm4"
) -> tuple[VirtualCard, list[bytes]]:
    """The card after issue, and every command it got."""
    folder.mkdir()
    shop = Workshop(folder, [applicant(2)], profile=profile)
    card = {
        "blank": lambda: shop.factory.blank(SERIAL),
        "premade": lambda: shop.factory.premade(SERIAL),
        "complete": lambda: shop.factory.premade(SERIAL, complete=True),
    }[kind]()
    commands: list[bytes] = []
    card.on_exchange.append(lambda command, _: commands.append(command))
    with shop.registry() as registry:
        outcome = shop.writer(registry, store).process(chain(VirtualLink(card)), "virtual")
    assert isinstance(outcome, Issued)
    card.power_off()
    return card, commands


@pytest.mark.parametrize("kind", ["blank", "premade", "complete"])
def test_a_card_is_issued_with_seventeen_bytes_to_every_key(tmp_path: Path, kind: str) -> None:
    _, commands = issue(tmp_path / "card", kind, None)
    proofs = [command for command in commands if command.startswith(EXTERNAL)]
    assert proofs
    assert {command[4] for command in proofs} == {0x11}
    assert {command[-1] for command in proofs} == {0x01}, "version of the keys"


@pytest.mark.parametrize("kind", ["blank", "premade"])
def test_the_version_of_the_keys_on_the_cards_is_the_profiles(tmp_path: Path, kind: str) -> None:
    shipped = importlib.resources.files("cardkit.profile") / "shipped" / "test-sm4.toml"
    text = shipped.read_text("utf-8").replace("[card]\n", "[card]\nkey_version = 3\n")
    (tmp_path / "third.toml").write_text(text, "utf-8")
    third = load(str(tmp_path / "third.toml"))
    card, commands = issue(tmp_path / "card", kind, None, str(tmp_path / "third.toml"))
    assert {command[-1] for command in commands if command.startswith(EXTERNAL)} == {0x03}

    card.power_on()
    link = chain(VirtualLink(card))
    keys = CardKeySet.on_demand(open_store(third), factors_above(third), link.atr[-8:])
    for version, opens in ((1, False), (3, True)):
        card_here = card_of(replace(third, card=replace(third.card, key_version=version)), link.atr)
        ssse = card_here.tree.directory("SSSE")
        opening = card_here.external_authenticate(ssse, ssse.key("UKSSSE"))
        if opens:
            run(opening, link, keys)
        else:
            with pytest.raises(AuthenticationFailedError, match="6A88"):
                run(opening, link, keys)


def test_the_plan_is_that_of_a_card_of_3des(tmp_path: Path) -> None:
    """The same commands, one byte more where a key is presented."""
    _, sm4 = issue(tmp_path / "sm4", "premade", None)
    (tmp_path / "3des").mkdir()
    shop = Workshop(tmp_path / "3des", [applicant(2)])
    card = shop.factory.premade(SERIAL)
    commands: list[bytes] = []
    card.on_exchange.append(lambda command, _: commands.append(command))
    shop.process(card)
    assert [c[:4] for c in sm4] == [c[:4] for c in commands]
    assert {len(a) - len(b) for a, b in zip(sm4, commands, strict=True) if a[1] == 0x82} == {1}


@pytest.mark.parametrize("kind", ["premade", "blank"])
def test_the_encrypted_store_makes_the_same_card(vault: Vault, tmp_path: Path, kind: str) -> None:
    access = Access(Passphrases(PASSPHRASES.__getitem__), vault.clock, "clerk", "issue")
    store = guarded(filled(vault, MASTERS), access, plain_loading=frozenset({"MK"}))
    card, commands = issue(tmp_path / "soft", kind, store)
    other, wanted = issue(tmp_path / "file", kind, None)
    assert card.snapshot() == other.snapshot()
    assert commands == wanted
    store.close()
    assert not [line for line in vault.audit.lines() if line.entry.result != "ok"]


def test_a_service_makes_the_same_card(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "ca")
    (tmp_path / "access.toml").write_text(
        '[clients."window-3"]\nkeys = ["*"]\n'
        'operations = ["external", "internal", "seal", "load", "load-plain"]\n'
    )
    access = AccessList.from_file(tmp_path / "access.toml")
    keys = open_store(load("test-sm4"))
    with KeyService(lambda _: keys, authority.issue("service"), access) as service:
        address = ServiceAddress("127.0.0.1", service.port, authority.issue("window-3"))
        with connect_to(address) as remote:
            card, _ = issue(tmp_path / "remote", "blank", remote)
    assert card.snapshot() == issue(tmp_path / "file", "blank", None)[0].snapshot()


def test_a_psam_in_its_sm4_environment_makes_the_same_card(tmp_path: Path) -> None:
    profile = load("test-sm4")
    chip = make_psam(profile)

    def connect() -> Link:
        chip.power_on()
        return chain(VirtualLink(chip))

    store = PsamStore(connect, KeyMap(), psam.SM4, test=True)
    card, commands = issue(tmp_path / "psam", "complete", store)
    other, wanted = issue(tmp_path / "file", "complete", None)
    assert card.snapshot() == other.snapshot()
    assert commands == wanted


def test_what_was_written_is_read_back_without_a_profile(tmp_path: Path) -> None:
    """The card says its algorithm when it is selected; whoever has the keys opens its files."""
    card, _ = issue(tmp_path / "card", "premade", None)
    profile = load("test-sm4")
    link = chain(VirtualLink(card))
    seen = Card(tree_of(profile), link.atr)
    keys = CardKeySet.on_demand(open_store(profile), factors_above(profile), seen.factor)
    before = seen.algorithm
    photo = seen.tree.directory("SSSE").file("EF08")
    run(seen.open_for(photo.read, seen.tree.directory("SSSE")), link, keys)
    assert (before, seen.algorithm) == (Algorithm.TDES, Algorithm.SM4)
    assert run(seen.read(seen.tree.find("SSSE.EF06.08")), link, keys) == (
        applicant(2).citizen_number
    )


def test_master_keys_of_another_value_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    shop = Workshop(tmp_path, [applicant(2)], profile="test-sm4")
    card = shop.factory.premade(SERIAL)
    commands: list[bytes] = []
    card.on_exchange.append(lambda command, _: commands.append(command))
    read = read_test_keys(MASTERS)
    wrong = SoftKeyStore(
        {place: bytes(range(16)) for place in read},
        test=True,
        algorithms={place: key.algorithm for place, key in read.items()},
    )
    with shop.registry() as registry, pytest.raises(AuthenticationFailedError, match="IRK"):
        shop.writer(registry, wrong).process(chain(VirtualLink(card)), "virtual")
    assert not {command[1] for command in commands} & {UPDATE_RECORD, EXTERNAL_AUTHENTICATE}


@pytest.mark.parametrize("profile", ["test", "test-sm4"])
def test_keys_of_another_algorithm_than_the_cards_are_refused(profile: str) -> None:
    """Nothing is derived: on a chip they would be keys that nobody has."""
    ours, other = load(profile), load("test" if profile == "test-sm4" else "test-sm4")
    algorithm = Algorithm.of_card(ours.card.algorithm)
    keyring = Keyring(open_store(other), factors_above(ours), tree_of(ours), algorithm)
    word = "3des" if profile == "test-sm4" else "sm4"
    with pytest.raises(KeyPolicyError, match=f"is a key of {word}"):
        keyring.check(["SSSE.IRK"])
    with pytest.raises(KeyPolicyError, match=f"is a key of {word}"):
        keyring.prepare([bytes(8)])


def test_a_card_of_3des_is_refused_under_a_profile_of_sm4(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)], profile="test-sm4")
    des = Workshop(_folder(tmp_path / "des"), [applicant(2)])
    card = des.factory.premade(SERIAL)
    with pytest.raises(WrongCardError, match="algorithm 01, the profile with 03"):
        shop.process(card)


def test_a_blank_chip_of_sm4_that_lost_power_is_finished(tmp_path: Path) -> None:
    """The road back reads the algorithm of the profile, not of the half-made chip."""
    _, commands = issue(tmp_path / "whole", "blank", None)
    for at in range(20, len(commands), len(commands) // 6):
        shop = Workshop(_folder(tmp_path / str(at)), [applicant(2)], profile="test-sm4")
        card = shop.factory.blank(SERIAL)
        card.arm(Fault(FaultKind.TORN, at=at))
        with pytest.raises(LinkLostError):
            shop.process(card)
        card.insert()
        assert isinstance(shop.process(card), Issued), at


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_profile_can_be_pinned_to_the_version_of_the_algorithm(tmp_path: Path) -> None:
    """Versions of two algorithms stand side by side: `keys.version` chooses."""
    text = MASTERS.read_text(encoding="utf-8")
    both = tmp_path / "both.toml"
    both.write_text(text.replace("version = 1", "version = 2"), encoding="utf-8")
    ours = replace(load("test-sm4"), keys=replace(load("test-sm4").keys, store=str(both)))
    assert open_store(ours).reference("SSSE.IRK").version == 2
    pinned = replace(ours, keys=replace(ours.keys, version=2))
    assert open_store(pinned).reference("SSSE.IRK").algorithm == "sm4"
