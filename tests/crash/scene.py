"""One window, one chip, one fault: a program that is hit, and the one that is started next."""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cardkit.apdu.link import LinkLostError, chain
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.matching import CardAlreadyIssuedError
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Outcome, Writer
from cardkit.keys.open_store import factors_above
from cardkit.registry.people import Applicant
from cardkit.registry.registry import sqlite_url
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from tests.crash.fragile import FragileCard, PowerCut, Watch, WatchedRegistry
from tests.crash.places import Place
from tests.workshop import Workshop, applicant, counting_random

FIRST_DAY = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
NEXT_DAY = FIRST_DAY + dt.timedelta(days=1)
SERIAL, OTHER_SERIAL = bytes.fromhex("40000001"), bytes.fromhex("40000002")

_MEMORY = Path("/dev/shm")  # noqa: S108 - thousands of durable commits; a disk proves no more here
_ITEMS = {  # read with a key, with PIN or key, with both; one is part of a template
    "DF01.EF05.20": "10",
    "DF01.EF15.40.2.57": "ABC",
    "DF03.EF05.61": "201201",
    "DF04.EF06.92": "12345",
}


@dataclass(frozen=True)
class Road:
    """A kind of chip, from the factory to its holder.

    Parameters
    ----------
    make : callable
        Makes the chip of a serial.
    with_items : bool
        Whether the agency supplies data for the applications below SSSE, too.
    """

    name: str
    make: Callable[[CardFactory, bytes], VirtualCard] = field(repr=False)
    with_items: bool = False

    @property
    def people(self) -> tuple[Applicant, ...]:
        """Three people who wait for a card; a window writes all ten items for each."""
        items = _ITEMS if self.with_items else {}
        return (
            applicant(2, items=items),
            applicant(3, "欧阳震华·买买提艾力·吐尔逊江", nation="01", items=items),
            applicant(4, "古丽·阿卜杜克热木·阿卜杜热合曼", nation="11", items=items),
        )

    def chip(self, serial: bytes = SERIAL) -> FragileCard:
        """A chip as the maker delivers it."""
        made = self.make(window(self).factory, serial)
        return FragileCard(made, serial, counting_random())


def _complete(factory: CardFactory, serial: bytes) -> VirtualCard:
    return factory.premade(serial, complete=True)


def _premade(factory: CardFactory, serial: bytes) -> VirtualCard:
    return factory.premade(serial)


def _blank(factory: CardFactory, serial: bytes) -> VirtualCard:
    return factory.blank(serial)


def _blank_with_another_head(factory: CardFactory, serial: bytes) -> VirtualCard:
    card = factory.blank(serial)
    card.chip.atr = bytes.fromhex("3B6D00000011223344AABB") + card.chip.atr[-6:]
    return card


PREMADE_29 = Road("premade-29", _complete)
PREMADE_31 = Road("premade-31", _premade)
BLANK = Road("blank", _blank)
LISTED = (PREMADE_29, PREMADE_31, BLANK)
"""Roads whose points are checked in."""

BLANK_WITH_ANOTHER_HEAD = Road("blank-with-another-atr-head", _blank_with_another_head)
PREMADE_WITH_ITEMS = Road("premade-with-items", _premade, with_items=True)
BLANK_WITH_ITEMS = Road("blank-with-items", _blank, with_items=True)
VARIANTS = (BLANK_WITH_ANOTHER_HEAD, PREMADE_WITH_ITEMS, BLANK_WITH_ITEMS)


@cache
def window(road: Road) -> Workshop:
    """Profile, keys and card factory, and a registry in which the people wait for their cards."""
    folder = temporary()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Workshop(folder, list(road.people))


def temporary() -> Path:
    """A new folder, in memory where there is such a place."""
    return Path(
        tempfile.mkdtemp(prefix="cardkit-crash-", dir=_MEMORY if _MEMORY.is_dir() else None)
    )


@cache
def _keyring(road: Road) -> Keyring:
    shop = window(road)
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
    """A registry of its own, and one chip.

    Parameters
    ----------
    folder : Path
        For the registry.

    Attributes
    ----------
    promised : int or None
        The record that the registry has promised the chip to.
    day : datetime
        When it did so; while it has not, when the next program will.
    """

    def __init__(self, road: Road, folder: Path, card: FragileCard | None = None) -> None:
        self.road = road
        self.card = card or road.chip()
        self.promised: int | None = None
        self.day = NEXT_DAY
        self._path = folder / "registry.db"
        shutil.copyfile(window(road).url.removeprefix(sqlite_url(Path())[:-1]), self._path)

    @contextmanager
    def program(
        self,
        watch: Watch | None = None,
        now: dt.datetime = NEXT_DAY,
        only: Sequence[int] | None = None,
    ) -> Iterator[Program]:
        """A program that was just started; ``only`` are the records it is to make."""
        profile, url = window(self.road).profile, sqlite_url(self._path)
        with WatchedRegistry.at(url, watch or Watch(), now) as registry:
            work = registry.worklist(only)
            writer = Writer(profile, registry, work, _keyring(self.road), counting_random())
            yield Program(registry, writer)

    def interrupt(self, watch: Watch, now: dt.datetime = FIRST_DAY) -> None:
        """Let a program be hit while it makes the chip; chip and computer are off afterwards."""
        self.card.watch = watch
        try:
            with self.program(watch, now) as program:
                outcome = program.process(self.card)
        except (LinkLostError, PowerCut):
            assert watch.happened, "the card was lost without a fault"
        else:
            raise AssertionError(f"nobody noticed the fault: {outcome}")
        self.card.watch = Watch()
        self.card.power_off()
        self.look_up(now)

    def look_up(self, now: dt.datetime) -> None:
        """See which record the chip is promised to, without the code that decides by it."""
        with closing(sqlite3.connect(self._path)) as database:
            begun = database.execute("SELECT id FROM cards WHERE state != 'planned'").fetchall()
        assert len(begun) <= 1, "one chip, several records"
        (found,) = begun[0] if begun else (None,)
        if self.promised is None and found is not None:
            self.promised, self.day = found, now
        assert self.promised == found, "the chip was promised to another record"

    @contextmanager
    def twin(self) -> Iterator[Scene]:
        """Registry and chip once more, as they are now, to see what would come next."""
        with scene(self.road, self.card.twin()) as twin:
            shutil.copyfile(self._path, twin._path)
            twin.promised, twin.day = self.promised, self.day
            yield twin

    def places_to_come(self) -> list[Place]:
        """What the next program will do with the chip, when nothing happens."""
        watch = Watch()
        with self.twin() as twin, twin.program(watch) as program:
            twin.card.watch = watch
            with suppress(CardAlreadyIssuedError):
                program.process(twin.card)
        return watch.places


@contextmanager
def scene(road: Road, card: FragileCard | None = None) -> Iterator[Scene]:
    """A scene that leaves nothing behind."""
    folder = temporary()
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


def undisturbed(road: Road) -> list[Place]:
    """Places of a run in which nothing happens."""
    with scene(road) as one:
        return one.places_to_come()
