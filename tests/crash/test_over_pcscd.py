"""Every fault point of the card of 29 commands once more, through a real pcscd and its readers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from cardkit.apdu import pcsc
from cardkit.apdu.link import LinkLostError
from cardkit.issuance.feed import PcscFeed
from cardkit.issuance.matching import CardAlreadyIssuedError
from cardkit.issuance.writer import Issued
from cardkit.virtual import service, vpcd
from tests.bench import READERS, SOON
from tests.crash.fragile import FragileCard, PowerCut, Watch
from tests.crash.places import Hit, Point, points_of, read_points
from tests.crash.proof import prove
from tests.crash.scene import FIRST_DAY, NEXT_DAY, PREMADE_29, Scene, at, scene

pytestmark = pytest.mark.pcsc


class Reader:
    """One virtual reader, and the card in it."""

    def __init__(self, running: service.Service, slot: int) -> None:
        self.name = running.readers[slot]
        self._running, self._slot = running, slot
        self._thread: vpcd.ReaderThread | None = None

    def insert(self, card: FragileCard) -> None:
        """Put a card in, unless it is in."""
        if self._thread is None:
            pcsc.wait_for_removal(self.name, SOON)
            self._thread = vpcd.insert(card, lambda: self._running.attach(self._slot))

    def see_it_leave(self) -> None:
        """A card whose power was cut leaves the virtual reader."""
        assert self._thread is not None
        assert self._thread.wait(SOON)
        assert self._thread.departure is vpcd.Departure.POWER_LOST
        self._thread = None

    def empty(self) -> None:
        """Take the card out."""
        if self._thread is not None:
            self._thread.remove()
            self._thread = None

    def issue(self, one: Scene, watch: Watch, now: dt.datetime) -> None:
        """Start a program that makes the chip of a scene in this reader."""
        self.insert(one.card)
        one.card.watch = watch
        feed = PcscFeed(self.name, idle=SOON)
        with (
            one.program(watch, now) as program,
            feed.next_card(lambda: False, lambda _: None) as link,
        ):
            assert link is not None
            outcome = program.writer.process(link, self.name)
            assert isinstance(outcome, Issued), outcome


@contextmanager
def scene_in(reader: Reader) -> Iterator[Scene]:
    """A scene whose card is out of the reader at the end."""
    with scene(PREMADE_29) as one:
        try:
            yield one
        finally:
            reader.empty()


def interrupt(one: Scene, reader: Reader, point: Point) -> None:
    """Let a program be hit, and see that it noticed."""
    watch = Watch.of(point)
    with pytest.raises((LinkLostError, PowerCut)):
        reader.issue(one, watch, FIRST_DAY)
    assert watch.happened
    if point.hit not in (Hit.BEFORE_COMMIT, Hit.AFTER_COMMIT):
        reader.see_it_leave()
    one.look_up(FIRST_DAY)


def survive(reader: Reader, point: Point) -> None:
    """One fault, the next program, and the proof."""
    with scene_in(reader) as one, at(point):
        interrupt(one, reader, point)
        try:
            reader.issue(one, Watch(), NEXT_DAY)
        except CardAlreadyIssuedError:
            assert one.promised is not None
        reader.empty()
        with one.program() as program:
            prove(program, one.road, {one.card: one.day})


def test_the_places_are_those_of_the_list(pcsc_service: service.Service) -> None:
    """Reader and service add no command and no reset."""
    reader, watch = Reader(pcsc_service, 0), Watch()
    with scene_in(reader) as one:
        reader.issue(one, watch, NEXT_DAY)
    assert points_of(watch.places) == read_points(PREMADE_29.name)


def test_the_next_program_finishes_the_card(pcsc_service: service.Service) -> None:
    """All points; a card needs a while to be noticed, so eight readers share them."""
    free: SimpleQueue[Reader] = SimpleQueue()
    for slot in range(READERS):
        free.put(Reader(pcsc_service, slot))

    def somewhere(point: Point) -> None:
        reader = free.get()
        try:
            survive(reader, point)
        finally:
            free.put(reader)

    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(somewhere, read_points(PREMADE_29.name)))
