"""Which readers are there, what is in them, who holds them, how fast the card can talk."""

from __future__ import annotations

from typing import Final

from cardkit.apdu import atr
from cardkit.apdu.pcsc import PcscError, ReaderState
from cardkit.apdu.pcsc.calls import VIRTUAL_READERS
from cardkit.doctor.finding import Finding, fail, ok, warn
from cardkit.doctor.surroundings import Surroundings

READER: Final = "reader"
CARD: Final = "card"


def check_readers(here: Surroundings) -> list[Finding]:
    """One finding a reader, and one for the card in it; none when the service cannot be asked."""
    try:
        states = here.reader_states()
    except PcscError:
        return []  # said by the check of the service
    if not states:
        return [
            fail(
                READER,
                "no reader is connected",
                f"plug one in; {VIRTUAL_READERS}",
            )
        ]
    return [finding for state in states for finding in _look(here, state)]


def _look(here: Surroundings, state: ReaderState) -> list[Finding]:
    if not state.present:
        return [ok(READER, f"{state.name}: empty")]
    return [_use(here, state), _card(state)]


def _use(here: Surroundings, state: ReaderState) -> Finding:
    if not state.in_use and not state.exclusive:
        return ok(READER, f"{state.name}: free, with a card")
    holders = ", ".join(str(holder) for holder in here.find_holders())
    by = f" by {holders}" if holders else ""
    if state.exclusive:
        remedy = f"end {holders or 'the program that uses it'} before issuing cards here"
        return warn(READER, f"{state.name}: held{by}, not shared", remedy)
    return ok(READER, f"{state.name}: shared, in use{by}")


def _card(state: ReaderState) -> Finding:
    if state.mute or not state.atr:
        return fail(
            CARD,
            f"{state.name}: the card does not answer",
            "turn it round, clean its contacts, or try another card",
        )
    try:
        offer = atr.decode(state.atr)
    except ValueError as error:
        return warn(CARD, f"{state.name}: {error}", "is it the right card?")
    protocols = ", ".join(f"T={number}" for number in offer.protocols)
    speed = "fixed at" if offer.fixed else "up to"
    return ok(CARD, f"{state.name}: {protocols}, {speed} {offer.bits_per_second():,} bit/s")
