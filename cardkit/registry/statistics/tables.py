"""What happened, by place and period: counted from the history, in the database.

The history is what is chained and cannot be changed unseen, so the numbers are those of the
history. A person counts for the place they belonged to at the instant of the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, literal_column, or_, select

from cardkit.registry import lifecycle
from cardkit.registry.books import Books
from cardkit.registry.places.fund import place_of, within
from cardkit.registry.schema.cards import cards, history
from cardkit.registry.schema.places import places, residence
from cardkit.registry.statistics.errors import StatisticsError
from cardkit.registry.statistics.periods import Period, bounds, period_of

MEASURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "made": ("制卡", ("issue", "return")),
    "handed_out": ("发放", ("hand-out",)),
    "opened": ("启用", ("open",)),
    "lost": ("挂失", ("report-loss", "report-loss-temporary")),
    "found": ("解挂", ("find",)),
    "replaced": ("补换卡", ("replace", "exchange", "remake")),
    "transferred": ("转移", ("transfer",)),
    "cancelled": ("注销", ("cancel-finish",)),
}
"""What is counted: Chinese name, and the actions of the history that count."""

LEVELS = ("province", "city", "county", "township", "village")


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by place and period.

    Parameters
    ----------
    measures : tuple of str
        Names of the columns of counts.
    rows : sequence of (str, str, str, counts)
        Code and name of the place, the period, and a count for each measure; people without a
        place stand under ``''``.
    words : mapping
        Chinese names of the columns of counts.
    """

    period: str
    measures: tuple[str, ...]
    rows: Sequence[tuple[str, str, str, tuple[int, ...]]]
    words: Mapping[str, str] = field(
        default_factory=lambda: {name: word for name, (word, _) in MEASURES.items()}
    )

    @property
    def totals(self) -> tuple[int, ...]:
        """The sum of each column."""
        return tuple(sum(row[3][at] for row in self.rows) for at in range(len(self.measures)))

    def headings(self, lang: str = "zh") -> list[str]:
        """Headings of its columns."""
        if lang == "zh":
            words = ["地点编码", "地点", "期间"]
            return words + [self.words.get(name, name) for name in self.measures]
        return ["place", "name", "period", *self.measures]

    def lines(self) -> Iterator[list[str | int]]:
        """Its rows as cells."""
        for code, name, period, counts in self.rows:
            yield [code, name, period, *counts]

    def as_json(self) -> dict[str, Any]:
        """The table for programs."""
        return {
            "period": self.period,
            "rows": [
                {"place": code, "name": name, "period": period}
                | dict(zip(self.measures, counts, strict=True))
                for code, name, period, counts in self.rows
            ],
            "totals": dict(zip(self.measures, self.totals, strict=True)),
        }


class Statistics:
    """Counts things.

    Parameters
    ----------
    books : Books
    utc_offset : int
        Hours by which the place is ahead of UTC: days are the place's days.
    """

    def __init__(self, books: Books, utc_offset: int = 8) -> None:
        self._books = books
        self._offset = utc_offset

    def events(
        self,
        *,
        period: str = Period.MONTH,
        place: str = "",
        level: str = "",
        since: str = "",
        until: str = "",
        measures: Sequence[str] = (),
    ) -> Table:
        """What was made, handed out, opened, lost ... by place and period.

        Parameters
        ----------
        place : str
            Code of a place: only this one and those below it.
        level : str
            Kind of place to add up to (``township``); the places themselves otherwise.
        since, until : str
            First and last day, by local time.
        measures : sequence of str
            Which of `MEASURES`; all by default.

        Raises
        ------
        StatisticsError
            An unknown period or measure, or a span that ends before it begins.
        """
        names = tuple(measures) or tuple(MEASURES)
        unknown = [name for name in names if name not in MEASURES]
        if unknown or period not in list(Period):
            raise StatisticsError(
                "measure",
                f"nothing is counted by {unknown[0] if unknown else period}",
                hint=f"{', '.join(MEASURES)}; by {', '.join(Period)}",
            )
        begin, end = bounds(since, until, self._offset)
        measure_of = {action: name for name in names for action in MEASURES[name][1]}
        with self._books.store.reading(snapshot=True) as connection:
            tree = _Tree(connection, level)
            wanted = _wanted(connection, place)
            counted = _count(connection, list(measure_of), begin, end)
            sums: dict[tuple[int, str], list[int]] = {}
            for where, action, hour, count in counted:
                if wanted is not None and where not in wanted:
                    continue
                key = (tree.up(where), period_of(hour, Period(period), self._offset))
                row = sums.setdefault(key, [0] * len(names))
                row[names.index(measure_of[action])] += count
        rows = [(*tree.named(where), when, tuple(sums[where, when])) for where, when in sums]
        return Table(period, names, sorted(rows))

    def standing(self, *, place: str = "", level: str = "") -> Table:
        """How many cards of each place stand in which state now."""
        here = residence.c.place
        query = (
            select(func.coalesce(here, literal_column("0")), cards.c.state, func.count())
            .select_from(
                cards.outerjoin(
                    residence,
                    and_(residence.c.person == cards.c.person, residence.c.until == ""),
                )
            )
            .group_by(here, cards.c.state)
        )
        with self._books.store.reading(snapshot=True) as connection:
            tree = _Tree(connection, level)
            wanted = _wanted(connection, place)
            found = connection.execute(query).all()
            states = tuple(sorted({row[1] for row in found}))
            sums: dict[int, list[int]] = {}
            for where, state, count in found:
                if wanted is None or where in wanted:
                    sums.setdefault(tree.up(where), [0] * len(states))[states.index(state)] += count
        rows = [(*tree.named(where), "", tuple(counts)) for where, counts in sums.items()]
        return Table(Period.ALL, states, sorted(rows), lifecycle.load().words["state"])


def _count(
    connection: Connection, actions: Sequence[str], begin: str, end: str
) -> Iterable[tuple[int, str, str, int]]:
    """(place, action, hour in UTC, count): few rows, however long the history is."""
    entry, home = history.c, residence.c
    hour = func.substr(entry.instant, literal_column("1"), literal_column("13"))
    then = and_(
        home.person == entry.person,
        home.since <= entry.instant,
        or_(home.until == "", home.until > entry.instant),
    )
    rows = connection.execute(
        select(func.coalesce(home.place, literal_column("0")), entry.action, hour, func.count())
        .select_from(history.outerjoin(residence, then))
        .where(entry.action.in_(actions), entry.instant >= begin, entry.instant < end)
        .group_by(home.place, entry.action, hour)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _wanted(connection: Connection, place: str) -> set[int] | None:
    if not place:
        return None
    return set(within(connection, place_of(connection, place).place_id))


class _Tree:
    """The places, and up to which one each is counted."""

    def __init__(self, connection: Connection, level: str) -> None:
        if level and level not in LEVELS:
            raise StatisticsError("level", f"no level {level!r}", hint=", ".join(LEVELS))
        self._level = level
        self._places = {
            row[0]: (row[1], row[2], row[3], row[4])
            for row in connection.execute(
                select(places.c.id, places.c.code, places.c.name, places.c.kind, places.c.parent)
            )
        }

    def up(self, place: int) -> int:
        """The place of the wanted level above; the place itself when there is none."""
        step: int | None = place
        while self._level and step is not None and step in self._places:
            if self._places[step][2] == self._level:
                return step
            step = self._places[step][3]
        return place

    def named(self, place: int) -> tuple[str, str]:
        """Code and name."""
        return self._places[place][:2] if place in self._places else ("", "")
