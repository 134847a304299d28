"""An in-process reader with a stack of virtual chips: `cardkit issue --reader virtual`.

Every chip has an image file from the moment it is made, kept up to date command by command, so that
a chip whose program was killed is there, half written, at the next start.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cardkit.apdu import Link
from cardkit.apdu.link import LinkLostError, chain
from cardkit.card.procedures.identify import WrongCardError
from cardkit.issuance.feed import FeedEmpty, Obstacle, Stop
from cardkit.issuance.matching import NothingToDoError
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import SERIAL_LENGTH, CardFactory
from cardkit.virtual.link import VirtualLink

_IN_READER = ".in-reader"
_OUT = ".card"
_READS = frozenset({0xA4, 0xB0, 0xB2, 0xC0, 0x84, 0x88})
"""Instructions that leave a chip as it was."""

FIRST_SERIAL = 0x40000000
"""Factory serials start here, away from the ones a registry gives to blank chips."""

RANGE = 1 << 16
"""Chips of one window: windows may share a folder, but never a chip."""


class VirtualFeed:
    """Makes a new chip whenever one is wanted.

    Parameters
    ----------
    factory : CardFactory
    folder : Path
        Where the images of the chips are kept.
    blank : bool
        Whether the factory delivers blank chips; pre-made cards otherwise.
    complete : bool
        Whether the id code of pre-made cards has its MAC.
    first : int
        Where the serials of new chips start: windows that share a registry differ in it. Chips of
        other windows in the same folder are left alone, what is in their reader as well.
    """

    name = "virtual"

    def __init__(
        self,
        factory: CardFactory,
        folder: Path,
        *,
        blank: bool = False,
        complete: bool = False,
        first: int = FIRST_SERIAL,
    ) -> None:
        self._folder = folder
        self._first = first
        self._make = factory.blank if blank else partial(factory.premade, complete=complete)
        self._empty = False
        folder.mkdir(parents=True, exist_ok=True)
        chips = [path for path in folder.iterdir() if path.suffix in (_OUT, _IN_READER)]
        own = [path for path in chips if self._is_own(path)]
        brought = [path for path in chips if _serial_of(path) < FIRST_SERIAL]  # by hand
        self._left = sorted(path for path in own + brought if path.suffix == _IN_READER)
        self._serials = itertools.count(max([*map(_serial_of, own), first]) + 1)

    def _is_own(self, path: Path) -> bool:
        """Whether a chip is of this window, not of another one."""
        return 0 < _serial_of(path) - self._first < RANGE

    @contextmanager
    def next_card(
        self,
        stop: Stop,
        obstacle: Obstacle,  # noqa: ARG002 - nothing stands in the way here
    ) -> Iterator[Link | None]:
        """See `cardkit.issuance.feed.Feed`; a chip left in the reader comes first."""
        if self._empty:
            raise FeedEmpty
        if stop():
            yield None
            return
        path, card = self._insert()
        card.on_exchange.append(lambda command, _: _keep(card, path, command))
        try:
            yield chain(VirtualLink(card))
        except LinkLostError:
            self._left.insert(0, path)
            raise
        except WrongCardError as error:
            self._empty = isinstance(error, NothingToDoError)  # another would not be wanted either
            path.rename(path.with_suffix(_OUT))
            raise
        card.power_off()
        card.save(path)
        path.rename(path.with_suffix(_OUT))

    def _insert(self) -> tuple[Path, VirtualCard]:
        if self._left:
            path = self._left.pop(0)
            return path, VirtualCard.load(path)
        serial = next(self._serials).to_bytes(SERIAL_LENGTH, "big")
        path, card = self._folder / f"{serial.hex().upper()}{_IN_READER}", self._make(serial)
        card.save(path)
        return path, card


def _serial_of(path: Path) -> int:
    return int(path.stem, 16)


def _keep(card: VirtualCard, path: Path, command: bytes) -> None:
    if command[1] not in _READS:
        card.save(path)
