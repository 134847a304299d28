"""One window, one chip, one fault: what a program does until it is hit, and what the next one does."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cardkit.apdu.link import LinkLostError, chain
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Outcome, Writer
from cardkit.keys.open_store import factors_above
from cardkit.registry.people import Applicant
from cardkit.registry.registry import sqlite_url
from cardkit.registry.states import State
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from tests.crash.fragile import FragileCard, PowerCut, Watch, WatchedRegistry
from tests.workshop import Workshop, applicant, counting_random

FIRST_DAY = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
NEXT_DAY = FIRST_DAY + dt.timedelta(days=1)
SERIAL, OTHER_SERIAL = bytes.fromhex("40000001"), bytes.fromhex("40000002")
PEOPLE: tuple[Applicant, ...] = (
    applicant(2),  # a name that continues in the extension: all ten items of a window
    applicant(3, "欧阳震华·买买提艾力·吐尔逊江", nation="01"),
    applicant(4, "古丽·阿卜杜克热木·阿卜杜热合曼", nation="11"),
)

_MEMORY = Path("/dev/shm")  # noqa: S108 - thousands of durable commits; the disk proves no more here


@dataclass(frozen=True)
class Road:
    """A kind of chip, from the factory to the holder."""

    name: str
    make: Callable[[CardFactory, bytes], VirtualCard]

    def chip(self, serial: bytes = SERIAL) -> FragileCard:
        """A chip as the maker delivers it."""
        return FragileCard(self.make(window().factory, serial), serial, counting_random())


def _blank_of_another_series(factory: CardFactory, serial: bytes) -> VirtualCard:
    card = factory.blank(serial)
    card.chip.atr = bytes.fromhex("3B6D00000011223344AABB") + card.chip.atr[-6:]
    return card


ROADS = {
    road.name: road
    for road in (
        Road("premade-29", lambda factory, serial: factory.premade(serial, complete=True)),
        Road("premade-31", lambda factory, serial: factory.premade(serial)),
        Road("blank", lambda factory, serial: factory.blank(serial)),
        Road("blank-other-head", _blank_of_another_series),
    )
}


@cache
def window() -> Workshop:
    """Profile, keys and card factory, and a registry in which three people wait for a card."""
    return Workshop(Path(_temporary()), list(PEOPLE))


def _temporary() -> str:
    return tempfile.mkdtemp(prefix="cardkit-crash-", dir=_MEMORY if _MEMORY.is_dir() else None)


@cache
def _keyring() -> Keyring:
    shop = window()
    return Keyring(shop.store, factors_above(shop.profile), tree_of(shop.profile))


@dataclass(frozen=True)
class Program:
    """A running program: its registry and its writer."""

    registry: WatchedRegistry
    writer: Writer

    def process(self, card: FragileCard) -> Outcome:
        """Put a chip into the reader."""
        return self.writer.process(chain(VirtualLink(card)), "reader")


class Scene:
    """A registry of its own, and one chip of a road.

    Parameters
    ----------
    folder : Path
        For the registry.
    """

    def __init__(self, road: Road, folder: Path, card: FragileCard | None = None) -> None:
        self.road = road
        self.card = card or road.chip()
        self._path = folder / "registry.db"
        shutil.copyfile(window().url.removeprefix("sqlite:///"), self._path)
        self.promised: int | None = None

    def registry(self, watch: Watch | None = None, now: dt.datetime = NEXT_DAY) -> WatchedRegistry:
        """The registry, opened anew."""
        return WatchedRegistry.at(sqlite_url(self._path), watch or Watch(), now)

    @contextmanager
    def program(
        self, watch: Watch | None = None, now: dt.datetime = NEXT_DAY, only: list[int] | None = None
    ) -> Iterator[Program]:
        """A program that was just started; ``only`` are the records it is to make."""
        profile = window().profile
        with self.registry(watch, now) as registry:
            work = registry.worklist(only)
            writer = Writer(profile, registry, work, _keyring(), counting_random())
            yield Program(registry, writer)

    def process(
        self, card: FragileCard, watch: Watch | None = None, now: dt.datetime = NEXT_DAY
    ) -> Outcome:
        """Start a program and put a chip into its reader."""
        card.watch = watch or Watch()
        with self.program(card.watch, now) as program:
            return program.process(card)

    def interrupt(self, watch: Watch, now: dt.datetime = FIRST_DAY) -> None:
        """Let a fault happen while the chip of the scene is made; chip and computer are off then."""
        try:
            outcome = self.process(self.card, watch, now)
        except (LinkLostError, PowerCut):
            assert watch.happened, "the card was lost without a fault"
        else:
            raise AssertionError(f"nobody noticed the fault: {outcome}")
        self.card.power_off()
        self.look_up()

    def look_up(self) -> None:
        """See which record the registry has promised the chip of the scene to."""
        with self.registry() as registry:
            begun = [*registry.list([State.WRITING, State.ISSUED])]
        assert len(begun) <= 1
        self.promised = begun[0].card_id if begun else None


@contextmanager
def scene(road: Road, card: FragileCard | None = None) -> Iterator[Scene]:
    """A scene that leaves nothing behind."""
    folder = Path(_temporary())
    try:
        yield Scene(road, folder, card)
    finally:
        shutil.rmtree(folder)


@contextmanager
def at(point: object) -> Iterator[None]:
    """Say at which point something went wrong."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"fault point: {point}")
        raise


def undisturbed(road: Road) -> Watch:
    """Places of a run in which nothing happens."""
    watch = Watch()
    with scene(road) as one:
        one.process(one.card, watch, FIRST_DAY)
    return watch

