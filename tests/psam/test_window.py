"""The window's road with a PSAM instead of keys: the same commands, the same card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.card.card import AuthenticationFailedError
from cardkit.card.procedures.identify import WrongCardError
from cardkit.errors import UnreachableError
from cardkit.issuance.batch import Batch, Event, What
from cardkit.issuance.feed import FeedEmpty, Obstacle, Stop
from cardkit.issuance.writer import Issued
from cardkit.keys.open_psam import WINDOW_KEYS, PsamAccess, open_psam
from cardkit.keys.psam import NotForPsamError, PsamCannotError, PsamGoneError
from cardkit.keys.psam_guard import GuardedPsam
from cardkit.profile import load
from cardkit.registry.states import State
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam import VirtualPsam
from cardkit.virtual.psam.image import decode
from cardkit.virtual.psam_factory import make_psam
from tests.workshop import StackFeed, Workshop, applicant, counting_random

SERIAL = bytes.fromhex("40000001")
EXTERNAL, UPDATE = 0x82, 0xDC


@pytest.fixture(scope="module")
def image() -> str:
    return make_psam(load("test")).snapshot()


@pytest.fixture
def psam(image: str) -> VirtualPsam:
    return VirtualPsam(decode(image))


@pytest.fixture
def access(tmp_path: Path) -> PsamAccess:
    return PsamAccess(tmp_path / "psam.audit", lambda: dt.datetime.now(dt.UTC), "window", "issue")


@pytest.fixture
def store(psam: VirtualPsam, access: PsamAccess) -> GuardedPsam:
    return store_on(psam, access)


def store_on(psam: VirtualPsam, access: PsamAccess) -> GuardedPsam:
    def connect() -> Link:
        psam.power_on()
        return chain(VirtualLink(psam))

    return open_psam(load("test"), connect, access)


def complete_card(serial: bytes = SERIAL) -> VirtualCard:
    """A pre-made card whose challenges are the same in every run."""
    return CardFactory(load("test"), counting_random()).premade(serial, complete=True)


def make(shop: Workshop, card: VirtualCard, store: GuardedPsam | None) -> list[tuple[bytes, bytes]]:
    """Put a card into the reader of a program that was just started; what went over the wire."""
    seen: list[tuple[bytes, bytes]] = []
    card.on_exchange.append(lambda command, answer: seen.append((command, answer)))
    with shop.registry() as registry:
        outcome = shop.writer(registry, store).process(chain(VirtualLink(card)), "virtual")
    assert isinstance(outcome, Issued)
    card.power_off()
    return seen


@pytest.mark.parametrize("more", [{}, {"items": {"DF01.EF08.2B": "2", "DF03.EF05.61": "201201"}}])
def test_the_card_is_the_same_and_so_is_every_byte_to_it(
    tmp_path: Path, store: GuardedPsam, more: dict[str, Any]
) -> None:
    """With injected randomness everything is equal: commands, answers, image of the card."""
    made = []
    for folder, keys in (("soft", None), ("psam", store)):
        (tmp_path / folder).mkdir()
        shop = Workshop(tmp_path / folder, [applicant(2, **more)])
        card = complete_card()
        made.append((make(shop, card, keys), card.snapshot()))
    soft, psam = made
    assert psam[0] == soft[0]
    assert psam[1] == soft[1]
    assert sum(command[1] == UPDATE for command, _ in psam[0]) >= 10


def test_the_psam_is_asked_twice_a_card(
    tmp_path: Path, store: GuardedPsam, psam: VirtualPsam
) -> None:
    store.check(WINDOW_KEYS)
    asked: list[str] = []
    psam.on_exchange.append(lambda command, _: asked.append(command[:4].hex().upper()))
    make(Workshop(tmp_path, [applicant(2)]), complete_card(), store)
    assert asked == ["BFDE6708", "80FA0000", "00C00000", "BFDE4812", "80FA0000", "00C00000"]


def test_a_card_without_the_mac_is_refused_before_anything_is_written(
    tmp_path: Path, store: GuardedPsam
) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    card = shop.factory.premade(SERIAL)
    before = card.snapshot()
    with shop.registry() as registry:
        writer = shop.writer(registry, store)
        with pytest.raises(PsamCannotError, match=r"SSSE\.IRK: a PSAM makes MACs") as refused:
            writer.process(chain(VirtualLink(card)), "virtual")
        assert "complete pre-made card" in refused.value.hint
        assert registry.counts()[State.PLANNED] == 1
        card.power_off()
        assert card.snapshot() == before
        # The record is still there for a card that can be made.
        outcome = writer.process(chain(VirtualLink(complete_card())), "virtual")
        assert isinstance(outcome, Issued)


def test_a_blank_chip_is_refused_before_anything_is_written(
    tmp_path: Path, store: GuardedPsam
) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    card = shop.factory.blank(SERIAL)
    before = card.snapshot()
    with shop.registry() as registry:
        with pytest.raises(NotForPsamError, match="a PSAM has no key") as refused:
            shop.writer(registry, store).process(chain(VirtualLink(card)), "virtual")
        assert isinstance(refused.value, WrongCardError)
        assert registry.counts()[State.PLANNED] == 1
    card.power_off()
    assert card.snapshot() == before


def test_a_psam_of_another_hierarchy_spends_no_try(tmp_path: Path, access: PsamAccess) -> None:
    """The card proves itself first, by IRK: with a stranger's PSAM nothing else is sent."""
    shop = Workshop(tmp_path, [applicant(2)])
    stranger = VirtualPsam(decode(make_psam(load("test")).snapshot()))
    stranger.chip.keys = [
        type(key)(key.place, key.usage, key.id, key.algorithm, bytes(range(16)))
        for key in stranger.chip.keys
    ]
    card = complete_card()
    seen: list[int] = []
    card.on_exchange.append(lambda command, _: seen.append(command[1]))
    theirs = store_on(stranger, access)
    with shop.registry() as registry, pytest.raises(AuthenticationFailedError):
        shop.writer(registry, theirs).process(chain(VirtualLink(card)), "virtual")
    assert EXTERNAL not in seen


# --- the PSAM is pulled --------------------------------------------------------------------------


class Window:
    """A reader with a clerk: a card that was not finished is taken out and put in again."""

    name = "window"

    def __init__(self, cards: list[VirtualCard], on_trouble: Callable[[], None]) -> None:
        self.cards = cards
        self._on_trouble = on_trouble

    @contextmanager
    def next_card(self, stop: Stop, obstacle: Obstacle) -> Iterator[Link | None]:  # noqa: ARG002
        """See `cardkit.issuance.feed.Feed`."""
        if not self.cards:
            raise FeedEmpty
        card = self.cards.pop(0)
        try:
            yield chain(VirtualLink(card))
        except UnreachableError:
            self.cards.insert(0, card)
            self._on_trouble()
            raise
        finally:
            card.power_off()


# Commands to the PSAM for one card: 1, 2 for IRK, 3, 4 for UKSSSE; then, with the environment
# written already, 5, 6 for DF01.UK3 and 7, 8 for DF01.RK, to read back.
@pytest.mark.parametrize("at", range(1, 9))
def test_pulled_at_any_point_the_card_is_finished_later(
    tmp_path: Path, psam: VirtualPsam, store: GuardedPsam, at: int
) -> None:
    shop = Workshop(tmp_path, [applicant(row, items={"DF01.EF08.2B": "2"}) for row in (2, 3, 4)])
    cards = [complete_card(bytes.fromhex(f"4000000{n}")) for n in range(1, 4)]
    stack = list(cards)
    store.check(WINDOW_KEYS)
    psam.arm(Fault(FaultKind.REMOVED, at=8 + at))  # the second card
    events: list[Event] = []
    with shop.registry() as registry:
        wanted = {record.card_id for record in registry.list()}
        window = Window(stack, psam.insert)
        tally = Batch(shop.writer(registry, store), [window], wanted, events.append).run()
        assert len(tally.issued) == 3
        assert registry.counts()[State.ISSUED] == 3
        assert registry.verify_history().intact
    assert [event.what for event in events] == [
        What.ISSUED, What.WAITING, What.ISSUED, What.ISSUED,
    ]  # fmt: skip
    gone = events[1].error
    assert isinstance(gone, PsamGoneError)
    assert "PSAM" in gone.line("zh")
    assert "\n" not in gone.line("zh")


def test_with_patience_nobody_has_to_touch_the_card(
    tmp_path: Path, psam: VirtualPsam, store: GuardedPsam
) -> None:
    """The card stays in the reader, the clerk puts the PSAM back, the card is finished."""
    shop = Workshop(tmp_path, [applicant(2), applicant(3)])
    cards = [complete_card(bytes.fromhex(f"4000000{n}")) for n in (1, 2)]
    told: list[UnreachableError] = []

    def wait(error: UnreachableError) -> bool:
        told.append(error)
        psam.insert()
        return True

    store.check(WINDOW_KEYS)
    store.wait = wait
    psam.arm(Fault(FaultKind.REMOVED, at=4))
    events: list[Event] = []
    with shop.registry() as registry:
        wanted = {record.card_id for record in registry.list()}
        feed = StackFeed("window", cards)
        Batch(shop.writer(registry, store), [feed], wanted, events.append).run()
    assert [event.what for event in events] == [What.ISSUED, What.ISSUED]
    assert len(told) == 1
