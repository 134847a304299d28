"""One card at one reader: identify → intent, durable → write → read back → result, durable.

A power cut at any point leaves a record in state *writing* that names its chip; when that chip is
in a reader again, `Writer.process` goes on from what card and registry say together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from cardkit.apdu import Link, StatusError
from cardkit.apdu.link import LinkLostError
from cardkit.card.card import AuthenticationFailedError, Card
from cardkit.card.dialects.t514 import ChipPlan, initialise, open_chip
from cardkit.card.files.codings import Value
from cardkit.card.procedure import Procedure, no_journal, run
from cardkit.card.procedures.check import DifferentDataError, check
from cardkit.card.procedures.identify import (
    APPLICATION_PROVIDER,
    Identity,
    WrongCardError,
    identify,
    require_blank,
)
from cardkit.card.procedures.personalize import (
    id_code_mac,
    open_for_update,
    personalize,
)
from cardkit.card.procedures.photo import write_photo
from cardkit.errors import CardkitError
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.matching import known_chip, next_record, record_for_card
from cardkit.issuance.plan import (
    PlanError,
    card_of,
    expected_card,
    factory_values,
    messaging_of,
    plan,
    tree_of,
)
from cardkit.keys import CardKeySet
from cardkit.profile import Profile
from cardkit.registry.errors import ChipTakenError, IllegalMoveError, WrongChipError
from cardkit.registry.intake.photos import Photos
from cardkit.registry.records import CardRecord
from cardkit.registry.registry import Registry
from cardkit.registry.states import State
from cardkit.registry.worklist import Worklist

T = TypeVar("T")

_TRIES = 3
PREMADE, BLANK = "premade", "blank"
MEMORY_FAILURES = frozenset({0x6581, 0x6400})


@dataclass(frozen=True, slots=True)
class Issued:
    """A correct card."""

    record: CardRecord = field(repr=False)
    id_code: bytes


@dataclass(frozen=True, slots=True)
class Spoilt:
    """The chip is broken; its id code is dead and the record waits for another chip."""

    record: CardRecord = field(repr=False)
    error: CardkitError


@dataclass(frozen=True, slots=True)
class Failed:
    """The record could not be written for a reason somebody has to look at."""

    record: CardRecord = field(repr=False)
    error: CardkitError


Outcome = Issued | Spoilt | Failed


@dataclass(frozen=True, slots=True)
class Chip:
    """What is put on record of a chip before it is written.

    Parameters
    ----------
    id_code : bytes
        12 bytes: the code it has, or will get.
    atr : bytes
        The ATR it has, or will get.
    factory_atr : bytes or None
        The ATR a blank chip came with.
    kind : str
        `PREMADE` or `BLANK`.
    """

    id_code: bytes
    atr: bytes
    factory_atr: bytes | None
    kind: str


RandomSource = Callable[[int], bytes]


class Writer:
    """Makes cards of one profile from one worklist; every reader of a run has one.

    Parameters
    ----------
    worklist : Worklist
        Shared by the readers of a run.
    random : callable
        ``random(n)`` gives n bytes: factors for INTERNAL AUTHENTICATE.
    photo_of : callable, optional
        Photo for the chip by number of the person, ``b""`` for none; by default the registry's.
    """

    def __init__(
        self,
        profile: Profile,
        registry: Registry,
        worklist: Worklist,
        keyring: Keyring,
        random: RandomSource,
        photo_of: Callable[[int], bytes] | None = None,
    ) -> None:
        self._profile = profile
        self._registry = registry
        self._worklist = worklist
        self._keyring = keyring
        self._random = random
        self._in_work: set[int] = set()
        self._tree = tree_of(profile)
        self._expected = expected_card(profile)
        self._photo_of = photo_of or Photos(registry.books).chip_photo

    def process(self, link: Link, reader: str) -> Outcome:
        """Make the card in the reader.

        Parameters
        ----------
        link : Link
            The chip, behind its chain of links.
        reader : str
            For the record.

        Raises
        ------
        WrongCardError
            Not a card to be written; nothing was written.
        AuthenticationFailedError
            A key was refused: stop everything. Nothing was written by this session.
        LinkLostError
            The card is gone; it is finished when it comes back.
        RegistryError
            The registry cannot take the result: stop everything.
        """
        session = self._session(link, reader, link.atr)
        try:
            identity = session.run(identify(session.card, self._expected, self._random(8)))
        except (StatusError, WrongCardError, AuthenticationFailedError):
            # A blank chip that lost its power half made looks like anything.
            record = self._begun_blank(link.atr)
            if record is None:
                raise
            return self._finish_blank(link, reader, record)
        if identity is None:
            record = self._begun_blank(link.atr)
            return (
                self._finish_blank(link, reader, record)
                if record is not None
                else self._new_blank(link, reader, session)
            )
        record = session.run(
            record_for_card(self._registry, self._worklist, session.card, identity)
        )
        if record.state == State.WRITING and record.chip_kind == BLANK:
            return self._finish_blank(link, reader, record)
        return self._premade(session, record, identity)

    def issued_elsewhere(self, card_ids: Collection[int]) -> set[int]:
        """Which of these records wait for no card any more: made, failed or given up elsewhere."""
        states = self._registry.states(card_ids)
        return {
            card_id
            for card_id, state in states.items()
            if state not in (State.PLANNED, State.WRITING)
        }

    # --- pre-made cards ----------------------------------------------------------------------

    def _premade(self, session: _Session, record: CardRecord, identity: Identity) -> Outcome:
        claimed = identity.card_number is None and record.state == State.PLANNED
        code = identity.id_code[:12]
        try:
            if not identity.has_mac:
                session.run(id_code_mac(code))  # whoever cannot make it says so before the intent
            session.run(open_for_update(session.card))
        except CardkitError:
            if claimed:
                self._worklist.put_back(record.card_id)
            raise
        if record.state != State.WRITING or record.id_code != code:
            chip = Chip(code, session.link.atr, None, PREMADE)
            record = self._intend(session, record, chip, claimed=claimed)
        try:
            values = plan(self._profile, record).values
        except PlanError as error:
            return self._fail(record, error)

        def write() -> bytes:
            id_code = session.run(
                personalize(session.card, identity, values, self._profile.pin.initial)
            )
            self._write_photo(session, record)
            return id_code

        return self._finish(record, lambda: _twice(write), any_refusal_spoils=False)

    # --- blank chips -------------------------------------------------------------------------

    def _begun_blank(self, atr: bytes) -> CardRecord | None:
        """The unfinished record of a blank chip, by the ATR it came with or the one it gets.

        The serial is set before the head of the ATR: between the two, the chip shows its new serial
        behind its old head.
        """
        for record in (
            self._registry.find_by_factory_atr(atr),
            self._registry.find_by_atr(self._finished_atr(atr[-6:])),
        ):
            if (
                record is not None
                and record.state == State.WRITING
                and record.chip_kind == BLANK
                and record.card_id not in self._in_work  # then its chip is in another reader
            ):
                return record
        return None

    @contextmanager
    def _works_on(self, record: CardRecord) -> Iterator[None]:
        self._in_work.add(record.card_id)
        try:
            yield
        finally:
            self._in_work.discard(record.card_id)

    def _new_blank(self, link: Link, reader: str, session: _Session) -> Outcome:
        session.run(require_blank(session.card, bytes.fromhex(self._profile.card.blank_atr_head)))
        # One that was given up half made shows the serial it got.
        known_chip(self._registry, self._profile.district + APPLICATION_PROVIDER + link.atr[-4:])
        for left in reversed(range(_TRIES)):
            record = next_record(self._registry, self._worklist)
            with self._works_on(record):
                try:
                    self._prepare_keys(record)
                    session = self._session(link, reader, self._new_atr(record))
                    session.run(open_chip(link.atr[-6:]))
                    chip = Chip(record.id_code, session.card.atr, link.atr, BLANK)
                    record = self._intend(session, record, chip)
                except CardkitError as error:
                    self._worklist.put_back(record.card_id)
                    if left and isinstance(error, ChipTakenError):
                        continue  # a card came with the reserved serial: there is a fresh one now
                    raise
                return self._make_blank(session, record, frozenset(), begun=False)
        raise AssertionError("the last try returns or raises")

    def _finish_blank(self, link: Link, reader: str, record: CardRecord) -> Outcome:
        chip = self._registry.chip(record.id_code)
        factory_atr = chip.factory_atr if chip else link.atr
        done = frozenset(self._registry.milestones(record.card_id))
        session = self._session(link, reader, self._new_atr(record))
        with self._works_on(record):
            if session.run(open_chip(factory_atr[-6:])):
                return self._make_blank(session, record, done, begun=True)
            return self._finish(record, lambda: self._check_blank(session, record))

    def _make_blank(
        self,
        session: _Session,
        record: CardRecord,
        done: frozenset[str],
        *,
        begun: bool,
    ) -> Outcome:
        def write() -> bytes:
            id_code = record.id_code + session.run(id_code_mac(record.id_code))
            chip_plan = ChipPlan(
                session.card.atr[-6:],
                bytes.fromhex(self._profile.card.atr_head),
                self._values(record, id_code),
                self._profile.pin.initial,
                self._profile.pin.puk_level,
                done,
                begun,
                messaging_of(self._profile),
            )
            session.run(
                initialise(session.card, chip_plan),
                lambda name: self._registry.milestone(record.card_id, name),
            )
            return self._check_blank(session, record)

        return self._finish(record, write)

    def _check_blank(self, session: _Session, record: CardRecord) -> bytes:
        """After the end of pre-issue: the new ATR, the keys, and every item of the environment."""
        session.reset()
        card = session.card
        ssse = card.tree.directory("SSSE")
        id_code = record.id_code + session.run(id_code_mac(record.id_code))
        factor = self._random(8)
        session.run(card.internal_authenticate(ssse, ssse.key("IRK"), factor, factor))
        values = self._values(record, id_code)
        wanted = {f.address: values.get(f.address) for f in card.tree.fields if f.directory is ssse}
        wanted |= {address: value for address, value in values.items() if value is not None}
        session.run(check(card, wanted, self._profile.pin.initial))
        self._write_photo(session, record)
        return id_code

    def _write_photo(self, session: _Session, record: CardRecord) -> None:
        """The photo of the holder, where the registry has one and the card has a place for it."""
        if not self._profile.photo.on_chip:
            return
        photo = self._photo_of(record.person_id)
        if photo:
            session.run(write_photo(session.card, photo))

    def _values(self, record: CardRecord, id_code: bytes) -> dict[str, Value]:
        return factory_values(self._profile, id_code) | dict(plan(self._profile, record).values)

    def _prepare_keys(self, record: CardRecord) -> None:
        """Every key of this chip and of the coming ones: one bulk call a master key."""
        if not self._keyring.prepared(self._new_atr(record)[-8:]):
            coming = [record, *self._worklist.coming()]
            self._keyring.prepare([self._new_atr(each)[-8:] for each in coming])

    def _new_atr(self, record: CardRecord) -> bytes:
        """ATR of a blank chip once it is made for a record: its serial is city (2), number (4)."""
        return self._finished_atr(self._profile.district[:2] + record.serial)

    def _finished_atr(self, serial: bytes) -> bytes:
        return bytes.fromhex(self._profile.card.atr_head) + serial

    # --- the registry's side -----------------------------------------------------------------

    def _session(self, link: Link, reader: str, atr: bytes) -> _Session:
        card = card_of(self._profile, atr)
        return _Session(link, card, self._keyring.for_card(card.factor), reader)

    def _intend(
        self, session: _Session, record: CardRecord, chip: Chip, *, claimed: bool = False
    ) -> CardRecord:
        """Bind the chip to the record, durably; returns the record as it is now.

        A record that was only claimed, and that another window was quicker to begin, is left to it:
        the next one is taken.
        """
        while True:
            try:
                self._registry.intent(
                    record.card_id,
                    id_code=chip.id_code,
                    atr=chip.atr,
                    factory_atr=chip.factory_atr,
                    reader=session.reader,
                    chip_kind=chip.kind,
                )
            except (IllegalMoveError, WrongChipError):
                if not claimed:
                    raise
                record = next_record(self._registry, self._worklist)
            except CardkitError:
                if claimed:
                    self._worklist.put_back(record.card_id)
                raise
            else:
                return self._registry.get(record.card_id)

    def _finish(
        self, record: CardRecord, write: Callable[[], bytes], *, any_refusal_spoils: bool = True
    ) -> Outcome:
        """Write and put the result on record, whatever it is."""
        try:
            id_code = write()
        except LinkLostError:
            raise
        except DifferentDataError as error:
            return self._spoil(record, error)
        except StatusError as error:
            if any_refusal_spoils or error.sw in MEMORY_FAILURES:
                return self._spoil(record, error)
            return self._fail(record, error)
        self._registry.result(record.card_id, ok=True, id_code=id_code)
        return Issued(record, id_code)

    def _fail(self, record: CardRecord, error: CardkitError) -> Failed:
        self._registry.fail(record.card_id, error.message)
        return Failed(record, error)

    def _spoil(self, record: CardRecord, error: CardkitError) -> Spoilt:
        self._registry.spoil(record.card_id, error.message)
        self._worklist.put_back(record.card_id)
        return Spoilt(record, error)


@dataclass(slots=True)
class _Session:
    """One chip between two resets: link, what is known about it, its keys."""

    link: Link
    card: Card
    keys: CardKeySet
    reader: str

    def run(self, procedure: Procedure[T], journal: Callable[[str], None] = no_journal) -> T:
        return run(procedure, self.link, self.keys, journal)

    def reset(self) -> None:
        atr = self.link.reset()
        if atr != self.card.atr:
            raise DifferentDataError(["ATR"])
        self.card.forget()


def _twice(write: Callable[[], bytes]) -> bytes:
    """Write again, once, what could not be read back: a contact may have been bad."""
    try:
        return write()
    except DifferentDataError:
        return write()
