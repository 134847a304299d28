"""Virtual cards in a virtual reader: one with its image, or a stack of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from cardkit.apdu import StatusError
from cardkit.apdu.link import chain
from cardkit.card.card import Card
from cardkit.card.procedure import run
from cardkit.cli import common
from cardkit.cli.key_access import open_keys
from cardkit.cli.output import Output
from cardkit.cli.session import NoKeys
from cardkit.codec.numbers import card_check
from cardkit.issuance.plan import plan, tree_of
from cardkit.issuance.roster.sample import people
from cardkit.profile import Profile
from cardkit.registry.numbering import CARD_NUMBER_LENGTH
from cardkit.registry.people import Applicant
from cardkit.registry.records import CardRecord
from cardkit.virtual import service, vpcd
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import SERIAL_LENGTH, CardFactory, check_synthetic
from cardkit.virtual.link import VirtualLink

LAST_ITEM = "SSSE.EF06.0D"
"""Birth date: what a writer writes last into the environment."""

_LOOK = 0.2  # seconds between two looks whether to stop


class ImageCard:
    """A virtual card whose image file is kept up to date: saved whenever it loses its power.

    Parameters
    ----------
    card : VirtualCard
    path : Path or None
        None keeps nothing.
    """

    def __init__(self, card: VirtualCard, path: Path | None) -> None:
        self.card = card
        self._path = path

    def save(self) -> None:
        """Write the image, if there is one."""
        if self._path is not None:
            self.card.save(self._path)

    def power_on(self) -> bytes:
        """Apply power, return the ATR."""
        return self.card.power_on()

    def power_off(self) -> None:
        """Take the power away, and save."""
        self.card.power_off()
        self.save()

    def reset(self) -> bytes:
        """Warm reset, return the ATR."""
        return self.card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command."""
        return self.card.transmit(apdu)


class Stack:
    """Cards, each made when its turn comes.

    Parameters
    ----------
    profile : Profile
        Marked as a test.
    state : str
        ``blank``, ``premade``, ``complete`` (the id code has its MAC) or ``issued``.
    first : int
        Serial of the first card.
    image : Path or None
        Image of the only card; one that is there is used as it is.
    """

    def __init__(
        self, profile: Profile, state: str, first: int, count: int, image: Path | None
    ) -> None:
        self.count = count
        self._profile = profile
        self._state = state
        self._first = first
        self._image = image
        self._tree = tree_of(profile)

    def __iter__(self) -> Iterator[ImageCard]:
        if self._image is not None and self._image.exists():
            yield ImageCard(VirtualCard.load(self._image), self._image)
            return
        make = self._maker()
        for serial in range(self._first, self._first + self.count):
            made = ImageCard(make(serial), self._image)
            made.save()
            yield made

    def _maker(self) -> Callable[[int], VirtualCard]:
        check_synthetic(self._profile)
        factory = CardFactory(self._profile, store=open_keys(self._profile, "virtual card"))
        persons = people(self.count, self._first)

        def make(serial: int) -> VirtualCard:
            code = (serial & 0xFFFFFFFF).to_bytes(SERIAL_LENGTH, "big")
            if self._state == "issued":
                record = _record(self._profile, next(persons), serial)
                return factory.issued(code, plan(self._profile, record).values)
            if self._state == "blank":
                return factory.blank(code)
            return factory.premade(code, complete=self._state == "complete")

        return make

    def has_holder(self, card: vpcd.CardSide) -> bool:
        """Whether a person's data are on a card: then the next one may come."""
        if not isinstance(card, ImageCard):
            return True
        chip = card.card
        link = chain(VirtualLink(chip))
        try:
            read = Card(self._tree, link.atr).read(self._tree.find(LAST_ITEM))
            return run(read, link, NoKeys()) is not None
        except StatusError:
            return False  # blank, or half made
        finally:
            chip.power_off()


def _record(profile: Profile, person: Applicant, serial: int) -> CardRecord:
    """A card record of somebody who does not exist."""
    prefix = profile.numbers.card_prefix
    digits = CARD_NUMBER_LENGTH - len(prefix)
    number = f"{prefix}{serial % 10**digits:0{digits}}"
    values: dict[str, Any] = {f.name: "" for f in fields(CardRecord)}
    values |= {f.name: getattr(person, f.name) for f in fields(person) if f.name in values}
    values |= {"card_number": number + card_check(number), "writing_at": common.now().isoformat()}
    return CardRecord(**values)


def run_cards(
    cards: Stack,
    slot: int,
    runtime_dir: Path | None,
    *,
    out: Output,
    stop: threading.Event,
) -> None:
    """Keep cards in a virtual reader until ``stop`` is set, or the stack is used up.

    Raises
    ------
    NoVirtualReaderError, SlotTakenError
        There is no such reader, or a card is in it.
    """

    def attach() -> Any:  # noqa: ANN401 - a socket, which this module has no other use for
        return service.attach(slot, runtime_dir)

    if cards.count == 1:
        only = next(iter(cards))
        thread = vpcd.insert(only, attach)
        out.document(_document(slot, only))
        out.line(f"slot {slot}: card with ATR {only.card.atr.hex().upper()}")
    else:
        told = _told(cards, slot, out)
        thread = vpcd.feed(told, attach, used_up=cards.has_holder)
        out.document({"slot": slot, "cards": cards.count})
    out.note("Ctrl-C takes the card out")
    while not stop.wait(_LOOK) and not thread.wait(0):
        pass
    thread.remove()
    if thread.error is not None:
        raise thread.error
    left = cards.count - thread.served
    out.note("the stack is used up" if cards.count > 1 and not left else "card taken out")


def _told(cards: Stack, slot: int, out: Output) -> Iterator[ImageCard]:
    for number, card in enumerate(cards, start=1):
        atr = card.card.atr.hex().upper()
        out.note(f"slot {slot}: card {number} of {cards.count}, ATR {atr}")
        yield card


def _document(slot: int, card: ImageCard) -> dict[str, object]:
    return {"slot": slot, "cards": 1, "atr": card.card.atr.hex().upper()}
