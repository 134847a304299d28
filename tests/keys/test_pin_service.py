"""The issuer's PIN commands with the keys in a file, in a token and in a PSAM: the same card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardkit.apdu import Link, StatusError
from cardkit.apdu.link import chain
from cardkit.card.card import AuthenticationFailedError, Card, WrongPinError
from cardkit.card.files.model import DirectoryFile
from cardkit.card.messaging import USUAL
from cardkit.card.procedure import Procedure, run
from cardkit.card.procedures.pin import PinServiceError, open_pin, reset_pin, unlock_pin
from cardkit.crypto.algorithm import Algorithm
from cardkit.issuance.plan import algorithm_of, messaging_of, tree_of
from cardkit.keys import CardKeySet, KeyStore
from cardkit.keys.open_store import factors_above, open_store
from cardkit.keys.psam import PsamStore
from cardkit.keys.soft import SoftKeyStore
from cardkit.profile import Profile, load
from cardkit.profile.schema import Messaging
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam_factory import make_psam
from tests.tokens import import_all, make_token

SERIAL = bytes.fromhex("40000001")
WRONG, FIRST, OTHER = "999999", "123456", "24681357"


class Bench:
    """A finished card, a key store, and what went over the wire."""

    def __init__(self, profile: Profile, store: KeyStore) -> None:
        self.chip: VirtualCard = CardFactory(profile).issued(SERIAL, {})
        self.commands: list[bytes] = []
        self.chip.on_exchange.append(lambda command, _answer: self.commands.append(command))
        self.chip.power_on()
        self._link: Link = chain(VirtualLink(self.chip))
        self.card = Card(tree_of(profile), self._link.atr, algorithm_of(profile))
        above = factors_above(profile)
        self._keys = CardKeySet.on_demand(store, above, self._link.atr[-8:])

    @property
    def place(self) -> DirectoryFile:
        return self.card.tree.directory("SSSE")

    def run(self, procedure: Procedure[None]) -> None:
        run(procedure, self._link, self._keys)

    def reset(self) -> None:
        self._link.reset()
        self.card.forget()

    def verify(self, pin: str) -> None:
        self.reset()
        self.run(self.card.verify_pin(self.place, pin))

    def lock(self) -> None:
        for _ in range(3):
            with pytest.raises(WrongPinError):
                self.verify(WRONG)
        self.reset()


def psam_store(profile: Profile) -> PsamStore:
    chip = make_psam(profile)

    def connect() -> Link:
        chip.power_on()
        return chain(VirtualLink(chip))

    from cardkit.keys.open_psam import environment_of, key_map  # noqa: PLC0415

    return PsamStore(connect, key_map(profile), environment_of(profile), test=True)


@pytest.fixture(params=["file", "file SM4", "token", "PSAM", "PSAM SM4"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    profile = load("test-sm4" if request.param.endswith("SM4") else "test")
    if request.param.startswith("PSAM"):
        yield Bench(profile, psam_store(profile))
    elif request.param == "token":
        made = make_token(tmp_path / "token")
        monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "token" / "softhsm2.conf"))
        keys = open_store(profile)
        assert isinstance(keys, SoftKeyStore)
        with made.store() as store:
            import_all(store, keys)
        with made.store(card_keys="token") as store:  # they stay inside
            yield Bench(profile, store)
    else:
        yield Bench(profile, open_store(profile))


def test_unlocking_gives_the_tries_back_and_keeps_the_pin(bench: Bench) -> None:
    bench.lock()
    bench.run(unlock_pin(bench.card, USUAL))
    bench.verify(FIRST)


def test_resetting_gives_a_new_pin_and_all_its_tries(bench: Bench) -> None:
    bench.lock()
    bench.run(reset_pin(bench.card, OTHER, USUAL))
    bench.verify(OTHER)
    with pytest.raises(WrongPinError) as caught:
        bench.verify(FIRST)
    assert caught.value.tries_left == 2


def test_both_may_be_repeated(bench: Bench) -> None:
    for _ in range(2):
        bench.run(reset_pin(bench.card, OTHER, USUAL))
        bench.run(unlock_pin(bench.card, USUAL))
    bench.verify(OTHER)


def test_the_pin_does_not_go_over_the_wire_in_clear(bench: Bench) -> None:
    bench.run(reset_pin(bench.card, OTHER, USUAL))
    (sent,) = [command for command in bench.commands if command[:2] == bytes.fromhex("8424")]
    assert bytes.fromhex(OTHER) not in sent
    wanted = 0x14 if bench.card.algorithm is Algorithm.SM4 else 0x0C
    assert (sent[:4].hex(), sent[4], len(sent)) == ("84240001", wanted, 5 + wanted)


# Key, challenge, form of the MAC and padding are independent (decision 13): a chip that differs in
# one of them is served by a profile that says so, and by no other.
SWITCHES = {
    "key": {"key": "direct"},
    "four bytes of challenge": {"key": "direct", "challenge": 4},
    "folded": {"mac": "fold4"},
    "padded always": {"padding": "always"},
    "all of them": {"key": "direct", "challenge": 4, "mac": "fold4", "padding": "always"},
    "SM4 left": {"mac": "left4"},
    "SM4 with the key itself": {"key": "direct", "challenge": 16},
}
LONG = "12345678901234"  # its length and 7 bytes fill a block of DES


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_of_secure_messaging_is_the_profiles(name: str) -> None:
    usual = load("test-sm4" if name.startswith("SM4") else "test")
    other = replace(usual, messaging=Messaging(**SWITCHES[name]))  # type: ignore[arg-type]
    bench = Bench(other, open_store(other))  # its keys are loaded under these rules, too
    bench.lock()
    bench.run(reset_pin(bench.card, LONG, messaging_of(other)))
    bench.verify(LONG)
    asked = {command[4] for command in bench.commands if command[:2] == bytes.fromhex("0084")}
    assert other.messaging.challenge in asked
    with pytest.raises((PinServiceError, StatusError)):
        bench.run(reset_pin(bench.card, LONG, messaging_of(usual)))


def test_the_puk_alone_writes_nothing(bench: Bench) -> None:
    bench.chip.power_off()
    before = bench.chip.snapshot()
    bench.chip.power_on()
    bench.reset()
    bench.run(open_pin(bench.card))
    bench.chip.power_off()
    assert bench.chip.snapshot() == before


def _answering(sw: str, to: int) -> Callable[[Bench], Link]:
    class Deaf:
        def __init__(self, link: Link) -> None:
            self._link = link

        @property
        def atr(self) -> bytes:
            return self._link.atr

        def transmit(self, apdu: bytes) -> bytes:
            return bytes.fromhex(sw) if apdu[1] == to else self._link.transmit(apdu)

        def reset(self) -> bytes:
            return self._link.reset()

    return lambda bench: Deaf(bench._link)


@pytest.mark.parametrize(
    ("sw", "to", "error"),
    [
        ("63C2", 0x82, AuthenticationFailedError),
        ("6988", 0x24, PinServiceError),
        ("6983", 0x24, PinServiceError),
    ],
)
def test_what_the_chip_refuses_is_not_tried_again(sw: str, to: int, error: type[Exception]) -> None:
    profile = load("test")
    bench = Bench(profile, open_store(profile))
    link = _answering(sw, to)(bench)
    with pytest.raises(error):
        run(unlock_pin(bench.card, USUAL), link, bench._keys)
    assert not [command for command in bench.commands if command[1] == 0x24]


def test_ssf33_is_refused_before_a_key_is_used() -> None:
    profile = load("test")
    bench = Bench(profile, open_store(profile))
    bench.card.algorithm = Algorithm.SSF33
    bench.card._listens = False
    with pytest.raises(PinServiceError):
        bench.run(unlock_pin(bench.card, USUAL))
    assert [command[1] for command in bench.commands] == [0xA4, 0xC0]
