"""Applicants → card records with numbers, in bulk, all or nothing.

Idempotent: a person who has a card record keeps it, whatever roster names them again. A row that
contradicts the registry (another name for the same citizen number ...) changes nothing and is
handed back, and so is somebody who gets no card by roster (`cardkit.registry.enrolment_bars`).
Newer data that are no contradiction (address, nation ...) are taken over as long as
nothing was written to a chip; later that is a data change at a window, not an enrolment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from cardkit.registry import contradictions
from cardkit.registry.counters import BATCH, CARD, PERSON, Counters
from cardkit.registry.enrolment_bars import Bars, Unfit, everybody_fits
from cardkit.registry.journal import Event, Journal
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo, Conflict, Enrolment
from cardkit.registry.schema import batches, cards, columns, people
from cardkit.registry.statements import Statement, Value
from cardkit.registry.states import DEAD, TRANSITIONS, Action, State
from cardkit.registry.store import Store

CHUNK = 2_000
"""Applicants looked up and written at a time."""

_TEXTS = (
    "citizen_number",
    "name",
    "insurance_number",
    "sex",
    "birth_date",
    "birthplace",
    "nation",
    "address",
    "phone",
    "status",
)
_PERSON_COLUMNS = ("id", *_TEXTS, "items")
_CARD_COLUMNS = (
    "id",
    "person",
    "card_number",
    "card_id_code",
    "district",
    "kind",
    "state",
    "bank_card_number",
    "planned_at",
    "changed_at",
    "batch",
    "row",
)
_RENEWED = (*contradictions.NEWER_OF_PERSON, "items")
_texts_of = attrgetter(*_TEXTS)
_PLANNED = TRANSITIONS[None, Action.ENROL].value
_CORRECTABLE = {state for state, action in TRANSITIONS if action is Action.CORRECT}


class _Known(NamedTuple):
    """A person of the registry, with the card record that counts."""

    person_id: int
    citizen_number: str
    name: str
    insurance_number: str
    sex: str
    birth_date: str
    birthplace: str
    nation: str
    address: str
    phone: str
    status: str
    items: str
    card_id: int | None
    state: str | None
    card_kind: str | None
    bank_card_number: str | None

    def __repr__(self) -> str:  # whom a traceback must not name
        return f"_Known({self.person_id})"


_ADD_PEOPLE = Statement(insert(people).inline(), _PERSON_COLUMNS)
_ADD_CARDS = Statement(insert(cards).inline(), _CARD_COLUMNS)
_UPDATE_PERSON = Statement(
    update(people)
    .where(people.c.id == bindparam("person_id"))
    .values({name: bindparam("new_" + name) for name in _RENEWED})
)
_UPDATE_CARD = Statement(
    update(cards)
    .where(cards.c.id == bindparam("card_id"))
    .values(
        kind=bindparam("new_kind"),
        bank_card_number=bindparam("new_bank"),
        changed_at=bindparam("instant"),
    )
)


class Enroller:
    """Enrols applicants into one registry."""

    def __init__(self, store: Store, journal: Journal, counters: Counters) -> None:
        self.store = store
        self.journal = journal
        self.counters = counters

    def enrol(
        self,
        applicants: Sequence[Applicant],
        numbering: Numbering,
        batch: BatchInfo,
        unfit: Unfit = everybody_fits,
    ) -> Enrolment:
        """See `cardkit.registry.registry.Registry.enrol`."""
        with self.store.writing() as connection:
            bars = Bars(connection, by_application=False)
            run = _Run(self, connection, applicants, numbering, batch, bars=bars, unfit=unfit)
            return self._run(run)

    def enrol_in(
        self,
        connection: Connection,
        applicants: Sequence[Applicant],
        numbering: Numbering,
        batch: BatchInfo,
    ) -> Enrolment:
        """The same inside another transaction: a confirmed application becomes a card record."""
        bars = Bars(connection, by_application=True)
        run = _Run(self, connection, applicants, numbering, batch, bars=bars, unfit=everybody_fits)
        return self._run(run)

    @staticmethod
    def _run(run: _Run) -> Enrolment:
        for start in range(0, len(run.applicants), CHUNK):
            run.take(start, run.applicants[start : start + CHUNK])
        run.finish()
        return run.result


class _Run:
    """One enrolment inside its transaction."""

    def __init__(
        self,
        enroller: Enroller,
        connection: Connection,
        applicants: Sequence[Applicant],
        numbering: Numbering,
        batch: BatchInfo,
        *,
        bars: Bars,
        unfit: Unfit,
    ) -> None:
        self._all = enroller
        self._connection = connection
        self.applicants = applicants
        self._info = batch
        self._bars = bars
        self._unfit = unfit
        self._numbering = numbering
        self._instant = enroller.store.now()
        self.result = Enrolment(batch=self._batch(batch))
        self._next_person = enroller.counters.peek(connection, PERSON)
        self._next_card = enroller.counters.peek(connection, CARD)
        self._anybody_known = self._next_person > 1
        self._owners = contradictions.Owners(connection, ask=self._anybody_known)
        self._seen: dict[str, int] = {}  # citizen number -> place in the order given
        self._new_people: list[tuple[Value, ...]] = []
        self._new_cards: list[tuple[int, int, Applicant]] = []

    def _batch(self, batch: BatchInfo) -> int:
        connection = self._connection
        found = connection.execute(
            select(batches.c.id).where(batches.c.digest == batch.digest)
        ).scalar()
        if found is not None:
            connection.execute(
                update(batches).where(batches.c.id == found).values(last_at=self._instant)
            )
            return int(found)
        number = self._all.counters.draw(connection, BATCH)
        connection.execute(
            insert(batches).values(
                id=number,
                name=batch.name,
                digest=batch.digest,
                rows=batch.rows,
                first_at=self._instant,
                last_at=self._instant,
            )
        )
        return number

    def take(self, start: int, applicants: Sequence[Applicant]) -> None:
        """Decide on some applicants, the first of them at `start`, and write what is new."""
        known = self._look_up(applicants) if self._anybody_known else {}
        self._owners.look_up([one for one in applicants if _brings_numbers(one, known)])
        cardless = [number for number, one in known.items() if one.card_id is None]
        self._bars.look_up(applicants, cardless)
        for place, applicant in enumerate(applicants, start):
            self.result.card_ids.append(self._decide(place, applicant, known))
        self._write()

    def _look_up(self, applicants: Sequence[Applicant]) -> dict[str, _Known]:
        alive = and_(cards.c.person == people.c.id, cards.c.state.not_in(DEAD))
        rows = self._connection.execute(
            select(
                *columns(people, *_PERSON_COLUMNS),
                *columns(cards, "id", "state", "kind", "bank_card_number"),
            )
            .select_from(people.outerjoin(cards, alive))
            .where(people.c.citizen_number.in_([one.citizen_number for one in applicants]))
        )
        return {row[1]: _Known(*row) for row in rows}

    def _decide(self, place: int, applicant: Applicant, known: dict[str, _Known]) -> int | None:
        number = applicant.citizen_number
        twin = self._seen.get(number)
        if twin is not None:
            return self._again(twin, applicant)
        person = known.get(number)
        problem = contradictions.between(person, applicant) if person else None
        problem = problem or self._owners.contradiction(applicant)
        problem = problem or self._bars.against(number, person.state if person else None)
        if person is None or person.card_id is None:
            problem = problem or self._unfit(applicant)
        if problem:
            self._conflict(applicant, problem)
            return None
        self._owners.note(applicant)
        self._seen[number] = place
        return self._known_person(person, applicant) if person else self._new_person(applicant)

    def _again(self, twin: int, applicant: Applicant) -> int | None:
        """Somebody whom this very enrolment named before, at place `twin`."""
        problem = contradictions.between(self.applicants[twin], applicant)
        if problem:
            self._conflict(applicant, problem)
            return None
        card_id = self.result.card_ids[twin]
        if card_id is not None:
            self.result.existing.append(card_id)
        return card_id

    def _conflict(self, applicant: Applicant, problem: contradictions.Problem) -> None:
        self.result.conflicts.append(
            Conflict(applicant, problem.field, problem.reason, problem.reason_en)
        )

    def _new_person(self, applicant: Applicant) -> int:
        person_id = self._next_person
        self._next_person += 1
        self._new_people.append((person_id, *_texts_of(applicant), _items(applicant.items)))
        return self._new_card(person_id, applicant)

    def _new_card(self, person_id: int, applicant: Applicant) -> int:
        card_id = self._next_card
        self._next_card += 1
        self._new_cards.append((card_id, person_id, applicant))
        self.result.new.append(card_id)
        return card_id

    def _known_person(self, person: _Known, applicant: Applicant) -> int:
        newer = contradictions.newer(person, applicant)
        if person.card_id is None:  # the earlier record was given up
            if newer:
                self._correct(person, applicant)
            return self._new_card(person.person_id, applicant)
        self.result.existing.append(person.card_id)
        if newer and person.state in _CORRECTABLE:
            self._correct(person, applicant)
            self._log_correction(person, applicant, newer)
            self.result.updated.append(person.card_id)
        elif newer:
            self.result.kept.append(person.card_id)
        return person.card_id

    def _log_correction(self, person: _Known, applicant: Applicant, fields: list[str]) -> None:
        """Note which fields changed; what they say is personal and stays out of the history."""
        state = State(person.state or "")
        self._all.journal.append(
            self._connection,
            self._instant,
            Event(
                Action.CORRECT.value,
                person.card_id,
                person.person_id,
                state.value,
                TRANSITIONS[state, Action.CORRECT].value,
                {"batch": self.result.batch, "row": applicant.row, "fields": fields},
            ),
        )

    def _correct(self, person: _Known, applicant: Applicant) -> None:
        merged: dict[str, str] = json.loads(person.items or "{}")
        merged.update(applicant.items)
        _UPDATE_PERSON.run(
            self._connection,
            person_id=person.person_id,
            new_items=_items(merged),
            **{
                "new_" + name: getattr(applicant, name) or getattr(person, name)
                for name in contradictions.NEWER_OF_PERSON
            },
        )
        if person.card_id is not None:
            _UPDATE_CARD.run(
                self._connection,
                card_id=person.card_id,
                new_kind=applicant.card_kind or person.card_kind,
                new_bank=applicant.bank_card_number or person.bank_card_number,
                instant=self._instant,
            )

    def _write(self) -> None:
        """Put the new people and cards of a chunk into the tables, with their history."""
        if not self._new_cards:
            return
        connection, counters = self._connection, self._all.counters
        rule, count = self._numbering, len(self._new_cards)
        numbers = counters.card_numbers(connection, rule, count)
        codes = counters.id_codes(connection, rule.district, count, rule.serial_first)
        _ADD_PEOPLE.run_many(connection, self._new_people)
        _ADD_CARDS.run_many(connection, list(self._card_rows(numbers, codes)))
        self._all.journal.append_many(connection, self._instant, self._events(numbers, codes))
        counters.store(connection, PERSON, self._next_person)
        counters.store(connection, CARD, self._next_card)
        self._new_people.clear()
        self._new_cards.clear()

    def _card_rows(
        self, numbers: Sequence[str], codes: Sequence[bytes]
    ) -> Iterator[tuple[Value, ...]]:
        district, now, batch = self._numbering.district, self._instant, self.result.batch
        for (card_id, person_id, applicant), number, code in zip(
            self._new_cards, numbers, codes, strict=True
        ):
            yield (
                card_id,
                person_id,
                number,
                code,
                district,
                applicant.card_kind,
                _PLANNED,
                applicant.bank_card_number,
                now,
                now,
                batch,
                applicant.row,
            )

    def _events(self, numbers: Sequence[str], codes: Sequence[bytes]) -> Iterator[Event]:
        batch = self.result.batch
        for (card_id, person_id, applicant), number, code in zip(
            self._new_cards, numbers, codes, strict=True
        ):
            # written out: nothing here needs escaping, and this runs once for each of a county
            detail = (
                f'{{"batch":{batch},"card_id_code":"{code.hex().upper()}",'
                f'"card_number":"{number}","row":{applicant.row}}}'
            )
            yield Event(Action.ENROL.value, card_id, person_id, None, _PLANNED, detail)

    def finish(self) -> None:
        """Write down that, and by whom, this roster was enrolled."""
        batch = self._info
        detail: dict[str, Any] = {
            "batch": self.result.batch,
            "digest": batch.digest,
            "name": batch.name,
            "rows": batch.rows,
            **self.result.counts(),
        }
        self._all.journal.append(self._connection, self._instant, Event("batch", detail=detail))


def _brings_numbers(applicant: Applicant, known: Mapping[str, _Known]) -> bool:
    """Whether somebody else might have a number of this applicant."""
    person = known.get(applicant.citizen_number)
    return (
        person is None
        or person.insurance_number != applicant.insurance_number
        or person.bank_card_number != applicant.bank_card_number
    )


def _items(items: dict[str, str]) -> str:
    if not items:
        return ""
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))
