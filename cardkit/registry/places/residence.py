"""Who belongs to which place, since when.

The place of a card is that of its person. Whoever moves keeps the former place for the time
before, so that statistics of earlier periods stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.operators import Operator, Role
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.places import memberships, places, residence
from cardkit.registry.statements import Statement

_CHUNK = 10_000
_COLUMNS = ("person", "since", "until", "place")


class Assigned(NamedTuple):
    """How many people got a place, moved, stayed; and rows that name nobody or no place."""

    new: int
    moved: int
    same: int
    unknown: list[int]


class Assigning:
    """Says of people which place they belong to, in one way of belonging."""

    table = residence
    action = "places-assign"

    def __init__(self, books: Books) -> None:
        self._books = books
        self._sql = _Statements(self.table)

    def assign(
        self, rows: Iterable[tuple[str, str, str]], *, operator: Operator, moving: bool = False
    ) -> Assigned:
        """Assign people one by one, all of a file in one commit.

        Parameters
        ----------
        rows : iterable of (column, number, code)
            `column` is ``citizen_number``, ``card_number`` or ``card_id``; `code` of the place.
        moving : bool
            Whoever has another place moves now. Otherwise the earlier place was a mistake, or
            there was none: the place counts from the beginning.
        """
        new = moved = same = 0
        unknown: list[int] = []
        with self._acting(operator) as connection:
            codes = dict(connection.execute(select(places.c.code, places.c.id)).all())
            now = self._books.store.now()
            for at, (column, number, code) in enumerate(rows, 1):
                person = self._sql.person(connection, column, number)
                place = codes.get(code)
                if person is None or place is None:
                    unknown.append(at)
                    continue
                before = self._sql.now.first(connection, who=person)
                if before is None:
                    new += 1
                    self._sql.add.run_many(connection, [(person, "", "", place)])
                elif before[0] == place:
                    same += 1
                else:
                    moved += 1
                    self._move(connection, person, place, now if moving else "")
            result = Assigned(new, moved, same, unknown)
            self._note(connection, operator, result)
        return result

    def _move(self, connection: Connection, person: int, place: int, since: str) -> None:
        if not since:
            self._sql.mend.run(connection, who=person, where=place)
            return
        self._sql.leave.run(connection, who=person, then=since)
        self._sql.add.run_many(connection, [(person, since, "", place)])

    def of(self, person_id: int) -> int | None:
        """Number of the place somebody belongs to now."""
        with self._books.store.reading() as connection:
            row = self._sql.now.first(connection, who=person_id)
        return int(row[0]) if row else None

    def counts(self) -> Mapping[str, int]:
        """Number of people by code of their place; those without one under ``''``."""
        table = self.table
        query = (
            select(func.coalesce(places.c.code, ""), func.count())
            .select_from(
                people.outerjoin(
                    table, (table.c.person == people.c.id) & (table.c.until == "")
                ).outerjoin(places, places.c.id == table.c.place)
            )
            .group_by(places.c.code)
        )
        with self._books.store.reading() as connection:
            return dict(connection.execute(query).all())

    @contextmanager
    def _acting(self, operator: Operator) -> Iterator[Connection]:
        with attempted(self._books, operator, self.action):
            need_role(operator, self.action, Role.COUNTY, Role.TOWNSHIP, Role.ADMINISTRATOR)
            with self._books.store.writing() as connection:
                yield connection

    def _note(self, connection: Connection, operator: Operator, result: Assigned) -> None:
        self._books.journal.by(operator.login).append(
            connection,
            self._books.store.now(),
            Event(
                self.action,
                detail={
                    "new": result.new,
                    "moved": result.moved,
                    "same": result.same,
                    "unknown": len(result.unknown),
                },
            ),
        )


class Residence(Assigning):
    """Where people live: their village, or the place that looks after them."""

    def assign_by_address(self, *, operator: Operator) -> Assigned:
        """Give everybody without a place that one whose address prefix is the longest to fit."""
        with self._acting(operator) as connection:
            prefixes = {
                prefix: place_id
                for place_id, prefix in connection.execute(
                    select(places.c.id, places.c.address_prefix)
                )
                if prefix
            }
            found = list(_matches(connection, prefixes))
            for start in range(0, len(found), _CHUNK):
                some = found[start : start + _CHUNK]
                rows = [(person, "", "", place) for person, place in some]
                self._sql.add.run_many(connection, rows)
            result = Assigned(len(found), 0, 0, [])
            self._note(connection, operator, result)
        return result


class Membership(Assigning):
    """Which employer collects the cards of whom."""

    table = memberships
    action = "places-employ"


class _Statements:
    """What is asked and written for each of many people, compiled once."""

    def __init__(self, table: Table) -> None:
        who = table.c.person == bindparam("who")
        still = table.c.until == ""
        self.add = Statement(insert(table).inline(), _COLUMNS)
        self.now = Statement(select(table.c.place).where(who, still))
        self.mend = Statement(update(table).where(who, still).values(place=bindparam("where")))
        self.leave = Statement(update(table).where(who, still).values(until=bindparam("then")))
        self._by_citizen = Statement(
            select(people.c.id).where(people.c.citizen_number == bindparam("number"))
        )
        self._by_card = Statement(
            select(cards.c.person).where(cards.c.card_number == bindparam("number"))
        )
        self._by_id = Statement(select(cards.c.person).where(cards.c.id == bindparam("number")))

    def person(self, connection: Connection, column: str, number: str) -> int | None:
        """The person that a number means."""
        if column == "card_id":
            found = (
                self._by_id.first(connection, number=int(number)) if number.isdecimal() else None
            )
        elif column == "card_number":
            found = self._by_card.first(connection, number=number)
        else:
            found = self._by_citizen.first(connection, number=number)
        return int(found[0]) if found else None


def _matches(connection: Connection, prefixes: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """People without a place, and the place whose prefix is the longest to fit their address."""
    lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)
    homeless = (
        select(people.c.id, people.c.address)
        .select_from(people.outerjoin(residence, residence.c.person == people.c.id))
        .where(residence.c.person.is_(None))
        .order_by(people.c.id)
    )
    for person, address in connection.execute(homeless):
        for length in lengths:
            place = prefixes.get(address[:length])
            if place is not None:
                yield person, place
                break
