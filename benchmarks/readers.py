"""Cards an hour at 1, 2, 4 and 8 virtual readers over one pcscd.

The next card is in the reader at once: what is measured is the toolkit and the service, not hands.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.people import person
from benchmarks.window import Deck
from cardkit.apdu import Link, pcsc
from cardkit.apdu.link import chain
from cardkit.issuance.batch import Batch
from cardkit.issuance.feed import FeedEmpty, Obstacle, Stop
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual import service, vpcd
from cardkit.virtual.factory import CardFactory

READERS = (1, 2, 4, 8)
CARDS = 200


class Stack(Deck):
    """A reader whose next card is in as soon as the last one lost its power."""

    def __init__(self, images: list[Path]) -> None:
        super().__init__(images)
        self._used = False

    def power_on(self) -> bytes:
        """A card that was talked to is followed by the next."""
        if self._used and self.chosen + 1 < len(self._images):
            self.chosen += 1
        self._used = False
        return super().power_on()

    def transmit(self, apdu: bytes) -> bytes:
        """Remember that this card was used."""
        self._used = True
        return super().transmit(apdu)


class QuickFeed:
    """The cards of one reader, without a hand that changes them."""

    def __init__(self, reader: str, cards: int) -> None:
        self.name = reader
        self._left = cards

    @contextmanager
    def next_card(
        self,
        stop: Stop,  # noqa: ARG002
        obstacle: Obstacle,  # noqa: ARG002
    ) -> Iterator[Link | None]:
        """See `cardkit.issuance.feed.Feed`."""
        if not self._left:
            raise FeedEmpty
        with pcsc.open_card(self.name) as link:
            self._left -= 1
            yield chain(link, t0=link.protocol == "T=0")
            link.close(pcsc.Disposition.UNPOWER)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="cardkit-bench-") as folder:
        here = Path(folder)
        os.environ[service.SOCKET_VARIABLE] = str(service.daemon_socket(here / "run"))
        images = _images(here)
        with service.start(max(READERS), here / "run", publish=False) as running:
            for count in READERS:
                process = multiprocessing.get_context("fork").Process(
                    target=_serve, args=(running, images, count), daemon=True
                )
                process.start()
                try:
                    _measure(here, running, count)
                finally:
                    process.kill()
                    process.join()


def _images(here: Path) -> list[Path]:
    factory = CardFactory(load("test"))
    images = [here / f"{number}.card" for number in range(CARDS)]
    for number, image in enumerate(images):
        factory.premade((0x40000001 + number).to_bytes(4, "big"), complete=True).save(image)
    return images


def _serve(running: service.Service, images: list[Path], count: int) -> None:
    def insert(slot: int) -> vpcd.ReaderThread:
        return vpcd.insert(Stack(images[slot::count]), lambda: running.attach(slot))

    for thread in [insert(slot) for slot in range(count)]:
        thread.wait()


def _measure(here: Path, running: service.Service, count: int) -> None:
    profile = load("test")
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    for reader in running.readers[:count]:
        pcsc.wait_for_card(reader, 10)
    url = sqlite_url(here / f"registry-{count}.db")
    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="bench") as registry:
        people = [person(number) for number in range(CARDS)]
        numbering = Numbering("A", 1, 1, profile.region.city)
        registry.enrol(people, numbering, BatchInfo("bench", "", CARDS))
        writer = Writer(profile, registry, registry.worklist(), keyring, os.urandom)
        feeds = [QuickFeed(reader, CARDS // count) for reader in running.readers[:count]]
        tally = Batch(writer, feeds, set(range(1, CARDS + 1))).run()
        if len(tally.issued) != CARDS:
            raise SystemExit(f"{len(tally.issued)} of {CARDS} issued: {tally}")
    print(
        f"{count} readers: {len(tally.issued) / tally.seconds:7.1f} cards/s, "
        f"{tally.cards_per_hour:9.0f} cards an hour"
    )


if __name__ == "__main__":
    main()
