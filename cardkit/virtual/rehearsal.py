"""Rehearse a card without a reader: what is sent, and how long a real chip takes for it.

Runs the real writer against a virtual chip and a registry that is thrown away. That registry is a
file, and whoever kills the program leaves it behind, so it holds a stand-in instead of the person.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cardkit.apdu.link import chain
from cardkit.apdu.mask import Masker
from cardkit.apdu.trace import Exchange, Trace, exchange_lines
from cardkit.apdu.trace_link import Recorder, TraceLink
from cardkit.crypto.algorithm import cipher_of
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import algorithm_of, tree_of
from cardkit.issuance.writer import Issued, Writer
from cardkit.keys import KeyStore
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import Profile
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo, CardRecord
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual.card import VirtualCard, WireClock
from cardkit.virtual.card.wireclock import USUAL_SPEEDS
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

_STAND_IN = b"\xff\xd8"  # how a JPEG begins; what is left of the file is written too


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one card takes.

    Parameters
    ----------
    commands : int
        GET RESPONSE left out.
    sent, received : int
        Bytes of commands and answers.
    seconds : dict
        bit/s → seconds on a real chip, without handling.
    offered : tuple of int
        Speeds that the chip's own ATR allows.
    trace : str
        The session, personal data and secrets masked.
    """

    commands: int
    sent: int
    received: int
    seconds: dict[int, float]
    offered: tuple[int, ...]
    trace: str = field(repr=False)


def rehearse(
    profile: Profile,
    person: Applicant,
    card: VirtualCard,
    now: dt.datetime,
    store: KeyStore,
    *,
    photo: bool = False,
) -> Rehearsal:
    """Make a card for one person on a virtual chip, with the keys of a store.

    Parameters
    ----------
    photo : bool
        The person has a photo. Another one stands in: all are as long on a chip.

    Raises
    ------
    CardkitError
        What would also go wrong in front of a real card.
    """
    clock = WireClock(card)
    recorder = Recorder()
    with (
        tempfile.TemporaryDirectory(prefix="cardkit-rehearsal-") as folder,
        _Understudy.open(
            sqlite_url(Path(folder) / "registry.db"), clock=lambda: now, actor="rehearsal"
        ) as registry,
    ):
        bare = VirtualLink(card)
        link = chain(TraceLink(bare, recorder, lambda: 0.0))
        outcome = _writer(profile, registry, person, store, photo=photo).process(link, "rehearsal")
    if not isinstance(outcome, Issued):
        raise outcome.error
    counters = card.counters
    return Rehearsal(
        counters.commands,
        counters.bytes_in,
        counters.bytes_out,
        {speed: clock.seconds(speed, offered=False) for speed in USUAL_SPEEDS},
        clock.speeds,
        _masked(recorder.trace),
    )


def _masked(trace: Trace) -> str:
    """Commands and answers without what must not be seen."""
    masker = Masker()
    lines: list[str] = []
    for exchange in trace.exchanges:
        answer = exchange.answer.value if exchange.answer else None
        lines += exchange_lines(Exchange(*masker.mask(exchange.command.value, answer)))
    return "\n".join(lines)


def chip_for(profile: Profile, state: str, store: KeyStore) -> VirtualCard:
    """A chip to rehearse with: ``premade``, ``complete`` (id code with MAC) or ``blank``."""
    factory = CardFactory(profile, store=store)
    serial = bytes.fromhex("4FFFFFFF")
    if state == "blank":
        return factory.blank(serial)
    return factory.premade(serial, complete=state == "complete")


def stand_in_keys(profile: Profile) -> KeyStore:
    """Public test keys that stand in for those of a profile, of the algorithm of its cards."""
    algorithm = algorithm_of(profile)
    cipher_of(algorithm)  # there are no keys of SSF33
    name = f"package:masters-{algorithm.value}.toml"
    keys = replace(profile.keys, store=name, version=0)
    return open_store(replace(profile, test=True, keys=keys))


class _Understudy(Registry):
    """A registry with a stand-in on the disk and the person in memory only."""

    _person: Applicant

    def play(self, person: Applicant) -> Applicant:
        """Remember the person; returns the stand-in to enrol."""
        self._person = person
        return Applicant(person.row, "", "")

    def get(self, card_id: int) -> CardRecord:
        """See `Registry.get`."""
        record, person = super().get(card_id), self._person
        shared = {f.name for f in fields(record)} & {f.name for f in fields(person)}
        values: dict[str, Any] = {name: getattr(person, name) for name in shared}
        return replace(record, **values)


def _writer(
    profile: Profile, registry: _Understudy, person: Applicant, store: KeyStore, *, photo: bool
) -> Writer:
    numbers, city = profile.numbers, profile.region.city
    registry.enrol(
        [registry.play(person)],
        Numbering(numbers.card_prefix, numbers.card_first, numbers.serial_first, city),
        BatchInfo("rehearsal", "", 1),
    )
    keyring = Keyring(store, factors_above(profile), tree_of(profile), algorithm_of(profile))
    work = registry.worklist()
    return Writer(profile, registry, work, keyring, bytes, lambda _: _STAND_IN if photo else b"")
