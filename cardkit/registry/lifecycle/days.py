"""Days by which something has to follow: working days of a place that has holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

_FIRST_OF_WEEKEND = 5  # Monday is 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar of a place.

    Parameters
    ----------
    holidays : frozenset of date
        Days without work.
    working_weekends : frozenset of date
        Days of a weekend that are worked instead (调休).
    utc_offset_hours : int
        Which day it is there.
    """

    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()
    utc_offset_hours: int = 8

    def day_of(self, instant: str) -> date:
        """The local day of a UTC instant.

        Examples
        --------
        >>> Calendar().day_of("2012-05-01T20:00:00.000Z")
        datetime.date(2012, 5, 2)
        """
        return (datetime.fromisoformat(instant) + timedelta(hours=self.utc_offset_hours)).date()

    def local(self, instant: str) -> str:
        """A UTC instant as the clock on the wall says it, to the minute; ``''`` stays.

        Examples
        --------
        >>> Calendar().local("2012-05-01T20:00:00.000Z")
        '2012-05-02 04:00'
        """
        if not instant:
            return ""
        at = datetime.fromisoformat(instant) + timedelta(hours=self.utc_offset_hours)
        return f"{at:%Y-%m-%d %H:%M}"

    def is_working(self, day: date) -> bool:
        """Whether people work on that day."""
        if day in self.holidays:
            return False
        return day.weekday() < _FIRST_OF_WEEKEND or day in self.working_weekends

    def due(self, start: date, days: int, *, working: bool) -> date:
        """The day that is so many (working) days after `start`.

        Examples
        --------
        >>> Calendar().due(date(2012, 5, 4), 1, working=True)  # a Friday
        datetime.date(2012, 5, 7)
        >>> Calendar().due(date(2012, 5, 4), 10, working=False)
        datetime.date(2012, 5, 14)
        """
        if not working:
            return start + timedelta(days=days)
        day = start
        while days:
            day += timedelta(days=1)
            days -= self.is_working(day)
        return day
