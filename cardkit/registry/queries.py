"""Questions to the registry: nothing here changes anything."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    func,
    or_,
    select,
)

from cardkit.registry.effective import LAPSING, effective_state
from cardkit.registry.errors import UnknownCardError
from cardkit.registry.journal import Journal
from cardkit.registry.numbering import ID_CODE_LENGTH
from cardkit.registry.records import CardRecord, CardStory, Chip
from cardkit.registry.schema import cards, chips, columns, people
from cardkit.registry.statements import AnyRow, Statement, Value
from cardkit.registry.states import DEAD, LIVE_CHIP, Action, ChipState, State
from cardkit.registry.store import Store

_FETCH = 2_000  # rows in memory while a long list is read
_MOST_IN = 5_000  # values of one IN

# In the order of the fields of `CardRecord`.
_NOW: BindParameter[str] = bindparam("now")
_STATE = effective_state(_NOW).label("state")
_VIEW = select(
    *columns(
        cards,
        "id",
        "person",
        "card_number",
        "card_id_code",
        "card_id_code_mac",
        "district",
        "kind",
    ),
    _STATE,
    *columns(
        cards,
        "reason",
        "bank_card_number",
        "reader",
        "chip_kind",
        "attempts",
        "planned_at",
        "writing_at",
        "issued_at",
        "changed_at",
        "batch",
        "row",
    ),
    *columns(
        people,
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
        "items",
    ),
).join_from(cards, people, cards.c.person == people.c.id)
_CHIP = select(
    *columns(chips, "card_id_code", "factory_atr", "atr", "kind", "state", "card", "seen_at")
)


class Queries:
    """Reads one registry."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    def get(self, card_id: int) -> CardRecord:
        """The record with that number."""
        record = self._first(_SQL.by_id, card_id=card_id)
        if record is None:
            raise UnknownCardError(card_id)
        return record

    def get_many(self, card_ids: Iterable[int]) -> builtins.list[CardRecord]:
        """Records in the order of `card_ids`, without those that do not exist."""
        wanted = list(card_ids)
        found: dict[int, CardRecord] = {}
        with self._store.reading(snapshot=True) as connection:
            for start in range(0, len(wanted), _MOST_IN):
                some = wanted[start : start + _MOST_IN]
                for row in connection.execute(_VIEW.where(cards.c.id.in_(some)), self._now()):
                    found[row[0]] = _record(row)
        return [found[card_id] for card_id in wanted if card_id in found]

    def states(self, card_ids: Iterable[int]) -> Mapping[int, State]:
        """State of each of many records; those that do not exist are left out."""
        wanted = list(card_ids)
        found: dict[int, State] = {}
        with self._store.reading(snapshot=True) as connection:
            for start in range(0, len(wanted), _MOST_IN):
                some = wanted[start : start + _MOST_IN]
                query = select(cards.c.id, _STATE).where(cards.c.id.in_(some))
                found.update(
                    (row[0], State(row[1])) for row in connection.execute(query, self._now())
                )
        return found

    def by_card_number(self, card_number: str) -> CardRecord | None:
        """Whose card number that is."""
        return self._first(_SQL.by_card_number, number=card_number)

    def by_citizen_number(self, citizen_number: str) -> CardRecord | None:
        """The record of a person that counts, or the last one that was given up."""
        return self._first(_SQL.by_citizen_number, number=citizen_number)

    def by_id_code(self, id_code: bytes) -> CardRecord | None:
        """The record on the chip with these first 12 bytes of a card id code."""
        return self._first(_SQL.by_id_code, code=id_code[:ID_CODE_LENGTH])

    def by_factory_atr(self, atr: bytes) -> CardRecord | None:
        """The record on the chip that came with this answer to reset and is not finished."""
        return self._first(_SQL.by_factory_atr, atr=atr)

    def by_atr(self, atr: bytes) -> CardRecord | None:
        """The record on the chip that now answers with this ATR."""
        return self._first(_SQL.by_atr, atr=atr)

    def chip(self, id_code: bytes) -> Chip | None:
        """What is known about a chip, whatever became of it."""
        with self._store.reading() as connection:
            row = _SQL.chip.first(connection, code=id_code[:ID_CODE_LENGTH])
        return _chip(row) if row else None

    def planned(
        self, count: int, *, batch: int | None = None, without: Iterable[int] = ()
    ) -> builtins.list[CardRecord]:
        """The next `count` planned records in the order of their rosters."""
        skipped = list(without)
        query = _VIEW.where(cards.c.state == State.PLANNED.value)
        if batch is not None:
            query = query.where(cards.c.batch == batch)
        if skipped:
            query = query.where(cards.c.id.not_in(skipped))
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(cards.c.id).limit(count), self._now())
            return [_record(row) for row in rows]

    def list(
        self, states: Sequence[str] | None = None, limit: int | None = None
    ) -> Iterator[CardRecord]:
        """Records in order, as they were when the first one was asked for."""
        query = _VIEW.order_by(cards.c.id)
        if states is not None:
            wanted = [str(state) for state in states]
            # the first condition is for the index, the second for what has lapsed
            query = query.where(cards.c.state.in_([*wanted, LAPSING]), _STATE.in_(wanted))
        if limit is not None:
            query = query.limit(limit)
        with self._store.reading(snapshot=True) as connection:
            yield from map(_record, _streamed(connection, query, self._now()))

    def show(self, card_id: int) -> CardStory:
        """A record, its chips and its history."""
        with self._store.reading(snapshot=True) as connection:
            record = _SQL.by_id.first(connection, card_id=card_id, **self._now())
            if record is None:
                raise UnknownCardError(card_id)
            rows = connection.execute(_CHIP.where(chips.c.card == card_id).order_by(chips.c.id))
            found = tuple(_chip(row) for row in rows)
            return CardStory(_record(record), found, self._journal.of_card(connection, card_id))

    def milestones(self, card_id: int) -> builtins.list[str]:
        """Steps reached on the chip the record is bound to now."""
        with self._store.reading() as connection:
            entries = self._journal.of_card(connection, card_id)
        steps: builtins.list[str] = []
        for entry in entries:
            if entry.action in (Action.SPOIL, Action.RELEASE):
                steps.clear()
            elif entry.action == Action.MILESTONE:
                steps.append(json.loads(entry.detail)["step"])
        return steps

    def counts(self) -> Mapping[str, int]:
        """Records by state; every state is there."""
        return dict.fromkeys((state.value for state in State), 0) | self._counted(_STATE)

    def chip_counts(self) -> Mapping[str, int]:
        """Chips by state; every state is there."""
        return dict.fromkeys((state.value for state in ChipState), 0) | self._counted(chips.c.state)

    def _counted(self, column: ColumnElement[str]) -> dict[str, int]:
        with self._store.reading() as connection:
            each = select(column.label("value")).subquery()  # one place for the instant in it
            query = select(each.c.value, func.count()).group_by(each.c.value)
            rows = connection.execute(query, self._now())
            return {row[0]: row[1] for row in rows}

    def _now(self) -> dict[str, str]:
        return {"now": self._store.now()}

    def _first(self, statement: Statement, **values: Value) -> CardRecord | None:
        with self._store.reading() as connection:
            row = statement.first(connection, **values, **self._now())
        return _record(row) if row else None


class _Statements:
    """The questions asked for every card, compiled once."""

    def __init__(self) -> None:
        number: BindParameter[str] = bindparam("number")
        self.by_id = Statement(_VIEW.where(cards.c.id == bindparam("card_id")))
        self.by_card_number = Statement(_VIEW.where(cards.c.card_number == number))
        given_up = or_(*(cards.c.state == state.value for state in DEAD))
        self.by_citizen_number = Statement(
            _VIEW.where(people.c.citizen_number == number)
            .order_by(case((given_up, 1), else_=0), cards.c.id.desc())
            .limit(1),
        )
        code = chips.c.card_id_code == bindparam("code")
        live = or_(*(chips.c.state == state.value for state in LIVE_CHIP))
        unfinished = chips.c.state == ChipState.BOUND.value
        self.chip = Statement(_CHIP.where(code))
        self.by_id_code = Statement(_on_chip(code, live))
        atr: BindParameter[bytes] = bindparam("atr")
        self.by_factory_atr = Statement(_on_chip(chips.c.factory_atr == atr, unfinished))
        self.by_atr = Statement(_on_chip(chips.c.atr == atr, live))


def _on_chip(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Of several chips, the one whose record is being written, and the oldest."""
    writing = cards.c.state == State.WRITING.value
    return (
        _VIEW.join(chips, chips.c.card == cards.c.id)
        .where(*conditions)
        .order_by(case((writing, 0), else_=1), cards.c.id)
        .limit(1)
    )


_SQL = _Statements()


def _streamed(
    connection: Connection, query: Select[*tuple[Any, ...]], values: Mapping[str, str]
) -> Iterator[AnyRow]:
    with connection.execute(query, values, execution_options={"yield_per": _FETCH}) as rows:
        yield from rows


def _record(row: AnyRow) -> CardRecord:
    values: list[Any] = list(row)
    values[3] = bytes(values[3])
    values[4] = bytes(values[4] or b"")
    values[-1] = json.loads(values[-1] or "{}")
    return CardRecord(*values)


def _chip(row: AnyRow) -> Chip:
    code, factory_atr, atr, kind, state, card, seen_at = row
    return Chip(
        bytes(code), bytes(factory_atr or b""), bytes(atr or b""), kind, state, card, seen_at
    )
