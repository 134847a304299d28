"""The registry's history: append-only, chained, in one transaction with what it tells of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, cast

from sqlalchemy import Connection, bindparam, insert, select

from cardkit.history import Head, Scalar, Verdict, chained, link, verify
from cardkit.registry import turn
from cardkit.registry.errors import ClockSetBackError
from cardkit.registry.records import HistoryEntry
from cardkit.registry.schema import cards, history
from cardkit.registry.statements import Statement, Value

_COLUMNS = tuple(column.name for column in history.c)
_BULK_ROWS = 10_000

CLOCK_SLACK_SECONDS = 300.0
"""How far back a clock may lie before nothing is written any more."""

Detail = Mapping[str, str | int | list[str]]

parsed = datetime.fromisoformat  # an instant of the registry

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Event(NamedTuple):
    """Something that happened, before it has its place in the log.

    `detail` may be given as the finished text of a JSON object.
    """

    action: str
    card_id: int | None = None
    person_id: int | None = None
    from_state: str | None = None
    to_state: str | None = None
    detail: Detail | str = "{}"


_INSERT = Statement(insert(history).inline(), _COLUMNS)
_HEAD = Statement(
    select(history.c.sequence, history.c.digest, history.c.instant)
    .order_by(history.c.sequence.desc())
    .limit(1)
)
_OF_CARD = Statement(
    select(history).where(history.c.card == bindparam("card_id")).order_by(history.c.sequence)
)


class Journal:
    """Appends to and checks the history table of one database.

    Parameters
    ----------
    engine : Engine
    actor : str
        Who is accountable for what is written from here.
    clock_slack : float
        Seconds by which an entry may be earlier than the one before: clocks of several computers
        are never quite the same.
    """

    def __init__(self, actor: str, clock_slack: float = CLOCK_SLACK_SECONDS) -> None:
        self.actor = actor
        self._slack = timedelta(seconds=clock_slack)

    def by(self, actor: str) -> Journal:
        """The same history, written by somebody else: a window where several people work."""
        other = copy(self)
        other.actor = actor
        return other

    def head(self, connection: Connection) -> Head:
        """The last entry."""
        row = self._last(connection)
        return Head(row[0], row[1]) if row else Head()

    def _last(self, connection: Connection) -> tuple[int, bytes, str] | None:
        """Sequence, digest and instant of the last entry; asked once in a transaction."""
        notes = turn.of(connection)
        if notes.last is None and (row := _HEAD.first(connection)) is not None:
            notes.last = row[0], bytes(row[1]), row[2]
        return notes.last

    def check_clock(self, connection: Connection, instant: str) -> Head:
        """The last entry, unless `instant` lies before it by more than the slack.

        Raises
        ------
        ClockSetBackError
            Then nothing may be written: the history would not tell the order of things.
        """
        row = self._last(connection)
        if row is None:
            return Head()
        if instant < row[2] and parsed(row[2]) - parsed(instant) > self._slack:
            raise ClockSetBackError(instant, row[2])
        return Head(row[0], row[1])

    def accept_clock(self, connection: Connection, instant: str, reason: str) -> None:
        """Go on at `instant` although the last entry is later: its clock had been wrong."""
        row = self._last(connection)
        last = row[2] if row else ""
        other = copy(self)
        other._slack = timedelta.max  # noqa: SLF001 - of the same class
        other.append(connection, instant, Event("clock", detail={"last": last, "reason": reason}))

    def append(self, connection: Connection, instant: str, *events: Event) -> None:
        """Add a few events that happened at one instant.

        Raises
        ------
        ClockSetBackError
            The instant lies before the last entry.
        """
        head = self.check_clock(connection, instant)
        rows: list[tuple[Value, ...]] = []
        for event in events:
            fields = self._fields(head.sequence + 1, instant, event)
            head = Head(head.sequence + 1, link(head.digest, fields))
            rows.append((*fields, head.digest))
        self._add(connection, rows)

    def append_many(self, connection: Connection, instant: str, events: Iterable[Event]) -> None:
        """Add any number of events that happened at one instant, in bulk; as `append`."""
        head = self.check_clock(connection, instant)
        numbered = enumerate(events, head.sequence + 1)
        entries = (self._fields(sequence, instant, event) for sequence, event in numbered)
        rows: Iterator[tuple[Value, ...]] = (
            (*fields, digest) for fields, digest in chained(head, entries)
        )
        while chunk := list(islice(rows, _BULK_ROWS)):
            self._add(connection, chunk)

    def _add(self, connection: Connection, rows: list[tuple[Value, ...]]) -> None:
        _INSERT.run_many(connection, rows)
        if rows:
            sequence, instant, *_, digest = rows[-1]
            turn.of(connection).last = cast("tuple[int, bytes, str]", (sequence, digest, instant))

    def _fields(self, sequence: int, instant: str, event: Event) -> tuple[Scalar, ...]:
        detail = event.detail if isinstance(event.detail, str) else _encode(event.detail)
        return (sequence, instant, self.actor, *event[:-1], detail)

    def of_card(self, connection: Connection, card_id: int) -> tuple[HistoryEntry, ...]:
        """Everything that happened to a card record, oldest first."""
        return tuple(HistoryEntry(*row) for row in _OF_CARD.all(connection, card_id=card_id))

    def verify(self, connection: Connection) -> Verdict:
        """Check the whole chain, and that each record stands where its history left it.

        Memory does not grow with the length of the history.
        """
        query = select(history).order_by(history.c.sequence)
        with connection.execute(query, execution_options={"yield_per": _BULK_ROWS}) as rows:
            verdict = verify((tuple(row[:-1]), bytes(row[-1])) for row in rows)
        return Verdict(verdict.head, verdict.problem or self._astray(connection))

    def _astray(self, connection: Connection) -> str:
        """The first record whose state is not the last one its history tells of."""
        last = (
            select(history.c.to_state)
            .where(history.c.card == cards.c.id)
            .order_by(history.c.sequence.desc())
            .limit(1)
            .scalar_subquery()
        )
        row = connection.execute(
            select(cards.c.id, cards.c.state, last)
            .where(cards.c.state.is_distinct_from(last))
            .order_by(cards.c.id)
            .limit(1)
        ).first()
        return f"card record {row[0]} is {row[1]}, its history says {row[2]}" if row else ""
