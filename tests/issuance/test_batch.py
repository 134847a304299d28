"""Several readers at once: who stops whom, and what an operator is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cardkit.apdu.link import LinkLostError
from cardkit.card.card import AuthenticationFailedError
from cardkit.errors import UnreachableError, UsageError
from cardkit.issuance.batch import MOST_SPOILT, Batch, Event, TooManySpoiltError, What
from cardkit.issuance.keyring import Keyring
from cardkit.keys.card_keys import CardKeySet
from cardkit.keys.soft import SoftKeyStore
from cardkit.registry.errors import RegistryError
from cardkit.registry.registry import Registry
from cardkit.registry.states import State
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.feed import FIRST_SERIAL, RANGE, VirtualFeed
from tests.workshop import StackFeed, Workshop, applicant, master_keys


def premade(shop: Workshop, first: int, count: int) -> list[VirtualCard]:
    return [
        shop.factory.premade((0x40000000 + n).to_bytes(4, "big"))
        for n in range(first, first + count)
    ]


def run(
    shop: Workshop, registry: Registry, feeds: list[StackFeed], store: SoftKeyStore | None = None
) -> tuple[Batch, list[Event]]:
    events: list[Event] = []
    wanted = {record.card_id for record in registry.list() if record.state != State.ISSUED}
    batch = Batch(shop.writer(registry, store), feeds, wanted, events.append)
    return batch, events


def test_readers_share_the_work_and_nobody_gets_two_cards(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(row) for row in range(2, 26)])
    feeds = [StackFeed(f"reader {n}", premade(shop, 100 * n, 24)) for n in range(4)]
    with shop.registry() as registry:
        batch, events = run(shop, registry, feeds)
        tally = batch.run()
        assert sorted(tally.issued) == [record.card_id for record in registry.list()]
        assert registry.counts()[State.ISSUED] == 24
        codes = [record.id_code for record in registry.list()]
        assert len(set(codes)) == 24
        assert registry.verify_history().intact
    assert {event.what for event in events} == {What.ISSUED}
    assert [event.issued for event in events] == list(range(1, 25))


def test_wrong_key_stops_every_reader_at_once(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(row) for row in range(2, 12)])
    keys = master_keys()
    keys["SSSE.UKSSSE", 1] = bytes(range(16))
    cards = premade(shop, 0, 10)
    with shop.registry() as registry:
        batch, events = run(
            shop, registry, [StackFeed("reader", cards)], SoftKeyStore(keys, test=True)
        )
        tally = batch.run()
    assert isinstance(tally.stopped_by, AuthenticationFailedError)
    assert tally.issued == []
    assert [event.what for event in events] == [What.STOPPED]
    assert len(cards) == 9, "only the first card was tried"


def test_wrong_card_is_put_aside_and_the_batch_goes_on(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2), applicant(3), applicant(4)])
    first, *others = premade(shop, 0, 3)
    shop.process(first)
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", [first, *others])])
        tally = batch.run()
    assert [event.what for event in events] == [What.REFUSED, What.ISSUED, What.ISSUED]
    assert len(tally.issued) == 2


def test_pulled_card_comes_back_to_the_same_reader(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    (card,) = premade(shop, 0, 1)
    card.arm(Fault(FaultKind.REMOVED, at=20))
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", [card])])
        tally = batch.run()
    assert [event.what for event in events] == [What.LOST, What.ISSUED]
    assert len(tally.issued) == 1


def test_spoilt_chip_is_counted_and_replaced(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    worn, good = premade(shop, 0, 2)
    worn.arm(Fault(FaultKind.WORN, at=10, directory=0xDDF1, file=0xEF06))
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", [worn, good])])
        tally = batch.run()
        assert registry.chip_counts()["spoilt"] == 1
    assert [event.what for event in events] == [What.SPOILT, What.ISSUED]
    assert len(tally.spoilt) == len(tally.issued) == 1


def test_stop_ends_after_the_current_card_and_the_next_run_goes_on(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(row) for row in range(2, 12)])
    cards = premade(shop, 0, 10)
    with shop.registry() as registry:

        def stop_after_three(event: Event) -> None:
            if event.issued == 3:
                batch.stop()

        feed = StackFeed("reader", cards)
        batch = Batch(shop.writer(registry), [feed], set(range(1, 11)), stop_after_three)
        assert len(batch.run().issued) == 3
        again, _ = run(shop, registry, [StackFeed("reader", cards)])
        assert len(again.run().issued) == 7


def test_registry_that_fails_stops_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(tmp_path, [applicant(2), applicant(3)])
    cards = premade(shop, 0, 2)
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", cards)])

        def full(*_: object, **__: object) -> None:
            raise RegistryError("disk full")

        monkeypatch.setattr(registry, "intent", full)
        tally = batch.run()
    assert tally.stopped_by is not None
    assert [event.what for event in events] == [What.STOPPED]
    assert len(cards) == 1


def test_a_key_store_that_cannot_be_used_any_more_stops_the_batch_which_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A torn file, a log on a full disk: what was issued until then gets its report."""
    shop = Workshop(tmp_path, [applicant(2), applicant(3)])
    cards = premade(shop, 0, 2)
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", cards)])
        given = Keyring.for_card
        torn = iter([False, True])

        def for_card(ring: Keyring, factor: bytes) -> CardKeySet:
            if next(torn):
                raise UsageError("keys.store is cut short or damaged")
            return given(ring, factor)

        monkeypatch.setattr(Keyring, "for_card", for_card)
        tally = batch.run()
    assert [event.what for event in events] == [What.ISSUED, What.STOPPED]
    assert len(tally.issued) == 1
    assert tally.stopped_by is not None
    assert "cut short" in tally.stopped_by.message


def test_reader_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])

    class Unplugged(StackFeed):
        gone = 2

        def next_card(self, stop, obstacle):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if self.gone:
                self.gone -= 1
                raise UnreachableError("the reader is gone", hint="plug it in again")
            return super().next_card(stop, obstacle)

    with shop.registry() as registry:
        batch, events = run(shop, registry, [Unplugged("reader", premade(shop, 0, 1))])
        tally = batch.run()
    assert [event.what for event in events] == [What.WAITING, What.ISSUED]
    assert len(tally.issued) == 1


def test_a_bug_reaches_the_caller_and_stops_the_other_readers(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    waiting = threading.Event()

    class Broken(StackFeed):
        def next_card(self, *_):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN202
            raise ZeroDivisionError

    class Patient(StackFeed):
        def next_card(self, stop, obstacle):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            while not stop():
                waiting.wait(0.01)
            return super().next_card(stop, obstacle)

    with shop.registry() as registry:
        batch, _ = run(shop, registry, [Patient("a", premade(shop, 0, 1)), Broken("b", [])])
        with pytest.raises(ZeroDivisionError):
            batch.run()


def test_record_of_a_card_pulled_during_authentication_is_not_forgotten(tmp_path: Path) -> None:
    """Nothing was begun yet: the same run gives the record to the next card."""
    shop = Workshop(tmp_path, [applicant(2)])
    pulled, good = premade(shop, 0, 2)
    pulled.arm(Fault(FaultKind.REMOVED, at=6))
    with shop.registry() as registry:
        batch, events = run(shop, registry, [StackFeed("reader", [pulled, good])])
        tally = batch.run()
    assert [event.what for event in events] == [What.LOST, What.ISSUED]
    assert len(tally.issued) == 1


def test_one_spoilt_chip_after_the_other_stops_the_run(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    cards = premade(shop, 0, MOST_SPOILT + 2)
    for card in cards:
        card.arm(Fault(FaultKind.WORN, at=10, directory=0xDDF1, file=0xEF06))
    with shop.registry() as registry:
        batch, _ = run(shop, registry, [StackFeed("reader", cards)])
        tally = batch.run()
    assert len(tally.spoilt) == MOST_SPOILT
    assert isinstance(tally.stopped_by, TooManySpoiltError)


def test_what_stands_in_the_way_is_told_once(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])

    class Busy(StackFeed):
        tries = 4

        def next_card(self, stop, obstacle):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if self.tries:
                self.tries -= 1
                raise UnreachableError("in use by another program")
            return super().next_card(stop, obstacle)

    with shop.registry() as registry:
        batch, events = run(shop, registry, [Busy("reader", premade(shop, 0, 1))])
        batch.run()
    assert [event.what for event in events] == [What.WAITING, What.ISSUED]


def test_virtual_reader_ends_when_only_begun_cards_are_missing(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    (lost,) = premade(shop, 0, 1)
    lost.arm(Fault(FaultKind.REMOVED, at=20))
    with pytest.raises(LinkLostError):
        shop.process(lost)
    feed = VirtualFeed(shop.factory, tmp_path / "cards")
    with shop.registry() as registry:
        batch = Batch(shop.writer(registry), [feed], {1})
        assert batch.run().issued == []
    assert len(list((tmp_path / "cards").iterdir())) == 1


def test_windows_that_share_a_folder_share_no_virtual_chip(tmp_path: Path) -> None:
    """Neither a serial nor the chip that is in the other's reader."""
    shop, folder = Workshop(tmp_path, []), tmp_path / "cards"

    def window(number: int) -> VirtualFeed:
        return VirtualFeed(shop.factory, folder, first=FIRST_SERIAL + number * RANGE)

    one, two = window(1), window(2)
    with one.next_card(lambda: False, print):
        # `one` is at work, and so is what it has in its reader.
        with two.next_card(lambda: False, print):
            at_work = sorted(path.name for path in folder.iterdir())
        with window(3).next_card(lambda: False, print):
            pass
    assert at_work == ["40010001.in-reader", "40020001.in-reader"]
    assert sorted(path.stem for path in folder.iterdir()) == ["40010001", "40020001", "40030001"]


def test_blank_chip_with_the_serial_promised_to_another_record_is_not_taken_for_its_chip(
    tmp_path: Path,
) -> None:
    """Two blank chips at once; the second came from its factory with the serial the first gets."""
    shop = Workshop(tmp_path, [applicant(2), applicant(3)])
    first = shop.factory.blank(bytes.fromhex("50000001"))
    second = shop.factory.blank(bytes.fromhex("00000001"))
    entered, go_on = threading.Event(), threading.Event()

    def wait_in_the_middle(command: bytes, _: bytes) -> None:
        if command[:2] == b"\x80\xe0" and command[2] == 0x01 and not entered.is_set():
            entered.set()
            go_on.wait(10)

    first.on_exchange.append(wait_in_the_middle)

    class Second(StackFeed):
        def next_card(self, stop, obstacle):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            entered.wait(10)
            return super().next_card(stop, obstacle)

    def tell(event: Event) -> None:
        if event.reader == "b":
            go_on.set()

    with shop.registry() as registry:
        feeds = [StackFeed("a", [first]), Second("b", [second])]
        tally = Batch(shop.writer(registry), feeds, {1, 2}, tell).run()
        assert sorted(tally.issued) == [1, 2]
        assert tally.spoilt == []
        assert registry.verify_history().intact


def test_run_ends_when_another_window_made_the_rest(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(row) for row in range(2, 6)])
    with shop.registry() as registry, shop.registry() as elsewhere:
        late = StackFeed("late", premade(shop, 10, 2))
        batch, events = run(shop, registry, [late])
        other, _ = run(shop, elsewhere, [StackFeed("other", premade(shop, 0, 4))])
        assert len(other.run().issued) == 4
        tally = batch.run()
    assert tally.issued == []
    assert events == []
    assert len(late.cards) == 1, "one card was looked at, then the run was over"
