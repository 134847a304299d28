"""The same card with every store: the road from a roster to a card does not see where keys are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.errors import UnreachableError
from cardkit.issuance.batch import Batch, Event, What
from cardkit.issuance.feed import Obstacle, Stop
from cardkit.issuance.writer import Issued
from cardkit.keys import KeyStore
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.remote_access import AccessList
from cardkit.keys.remote_service import KeyService
from cardkit.keys.remote_settings import ServiceAddress
from cardkit.keys.remote_tls import connect_to
from cardkit.keys.soft import SoftKeyStore
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.certificates import make_authority
from tests.tokens import Softhsm, import_all, make_token
from tests.workshop import StackFeed, Workshop, applicant

SERIAL = bytes.fromhex("40000001")
GET_CHALLENGE = 0x84
ACCESS = """
[clients."window-3"]
keys = ["*"]
operations = ["external", "internal", "seal", "load", "load-plain"]
"""

Make = Callable[[Workshop], VirtualCard]

STATES: dict[str, Make] = {
    "premade": lambda shop: shop.factory.premade(SERIAL),
    "complete": lambda shop: shop.factory.premade(SERIAL, complete=True),
    "blank": lambda shop: shop.factory.blank(SERIAL),
}


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Softhsm]:
    """A token with all the test keys."""
    folder = tmp_path_factory.mktemp("softhsm") / "token"
    with pytest.MonkeyPatch.context() as patch:
        made = make_token(folder)
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        keys = Workshop(tmp_path_factory.mktemp("keys"), []).store
        assert isinstance(keys, SoftKeyStore)
        with made.store() as store:
            import_all(store, keys)
        yield made


@pytest.fixture
def store(token: Softhsm) -> Iterator[Pkcs11KeyStore]:
    with token.store(plain_loading=frozenset({"MK"})) as opened:
        yield opened


def issue(folder: Path, make: Make, store: KeyStore | None) -> tuple[bytes, list[bytes]]:
    """Image of the card after issue, and every command it got."""
    folder.mkdir()
    shop = Workshop(folder, [applicant(2)])
    card = make(shop)
    commands: list[bytes] = []
    card.on_exchange.append(lambda command, _: commands.append(command))
    with shop.registry() as registry:
        outcome = shop.writer(registry, store).process(chain(VirtualLink(card)), "virtual")
    assert isinstance(outcome, Issued)
    card.save(folder / "card.image")
    return (folder / "card.image").read_bytes(), commands


@pytest.mark.parametrize("state", STATES)
def test_soft_store_and_token_make_the_same_card(
    tmp_path: Path, store: Pkcs11KeyStore, state: str
) -> None:
    soft = issue(tmp_path / "soft", STATES[state], None)
    hard = issue(tmp_path / "hard", STATES[state], store)
    assert hard == soft


def test_a_window_may_leave_even_card_keys_in_the_token(tmp_path: Path, token: Softhsm) -> None:
    with token.store(card_keys="token") as inside:
        hard = issue(tmp_path / "hard", STATES["complete"], inside)
    assert hard == issue(tmp_path / "soft", STATES["complete"], None)


def test_a_token_behind_a_service_makes_the_same_card(
    tmp_path: Path, store: Pkcs11KeyStore
) -> None:
    authority = make_authority(tmp_path / "ca")
    (tmp_path / "access.toml").write_text(ACCESS)
    access = AccessList.from_file(tmp_path / "access.toml")
    with KeyService(lambda _: store, authority.issue("service"), access) as service:
        address = ServiceAddress("127.0.0.1", service.port, authority.issue("window-3"))
        with connect_to(address) as remote:
            there = issue(tmp_path / "remote", STATES["premade"], remote)
    assert there == issue(tmp_path / "soft", STATES["premade"], None)


def test_a_card_that_fails_for_want_of_the_token_is_finished_later(
    tmp_path: Path, token: Softhsm, store: Pkcs11KeyStore
) -> None:
    """The token goes while the card is written: one line, and the same card is made afterwards."""
    shop = Workshop(tmp_path, [applicant(2)])
    card = STATES["premade"](shop)
    pulled: list[bool] = []

    def pull(command: bytes, _: object) -> None:
        if command[1] == GET_CHALLENGE and not pulled:  # the proof comes next
            pulled.append(True)
            token.pull()

    card.on_exchange.append(pull)
    with shop.registry() as registry:
        writer = shop.writer(registry, store)
        with pytest.raises(UnreachableError, match="token cards") as caught:
            writer.process(chain(VirtualLink(card)), "virtual")
    assert pulled
    assert "\n" not in caught.value.line()
    token.put_back()
    card.power_off()
    with shop.registry() as registry:
        writer = shop.writer(registry, store)
        assert isinstance(writer.process(chain(VirtualLink(card)), "virtual"), Issued)
        assert registry.worklist().claim() is None


class Patient(StackFeed):
    """A reader in which a card stays while its keys are out of reach."""

    @contextmanager
    def next_card(self, stop: Stop, obstacle: Obstacle) -> Iterator[Link | None]:
        """See `cardkit.issuance.feed.Feed`."""
        card = self.cards[0] if self.cards else None
        with super().next_card(stop, obstacle) as link:
            try:
                yield link
            except UnreachableError:
                assert card is not None
                self.cards.insert(0, card)
                raise


def test_a_batch_waits_for_its_token_and_goes_on(
    tmp_path: Path, token: Softhsm, store: Pkcs11KeyStore
) -> None:
    shop = Workshop(tmp_path, [applicant(row) for row in (2, 3, 4)])
    cards = [shop.factory.premade((0x40000001 + n).to_bytes(4, "big")) for n in range(3)]
    lines: list[str] = []

    def tell(event: Event) -> None:
        if event.what is What.ISSUED and not lines:
            token.pull()
        elif event.what is What.WAITING:
            assert event.error is not None
            lines.append(event.error.line())
            if (token.folder / "pulled").exists():
                token.put_back()

    with shop.registry() as registry:
        writer = shop.writer(registry, store)
        tally = Batch(writer, [Patient("reader", cards)], {1, 2, 3}, tell).run()
        assert registry.worklist().claim() is None
    assert len(set(tally.issued)) == len(tally.issued) == 3
    assert not tally.failed
    assert not tally.spoilt
    assert lines
    assert all("token cards" in line and "\n" not in line for line in lines)
