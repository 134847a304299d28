"""Days, months, quarters and years of the place, out of instants in UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import StrEnum

from cardkit.registry.statistics.errors import StatisticsError


class Period(StrEnum):
    """How long one column of time is."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ALL = "all"


def period_of(hour: str, period: Period, utc_offset: int) -> str:
    """The period in which an hour (``2012-05-01T16``, UTC) lies, by local time.

    Examples
    --------
    >>> period_of("2012-12-31T16", Period.MONTH, 8), period_of("2012-12-31T15", Period.QUARTER, 8)
    ('2013-01', '2012-Q4')
    """
    if period is Period.ALL:
        return ""
    local = dt.datetime.fromisoformat(f"{hour}:00") + dt.timedelta(hours=utc_offset)
    if period is Period.DAY:
        return local.strftime("%Y-%m-%d")
    if period is Period.MONTH:
        return local.strftime("%Y-%m")
    if period is Period.QUARTER:
        return f"{local.year:04d}-Q{(local.month + 2) // 3}"
    assert period is Period.YEAR  # noqa: S101 - there are no others
    return f"{local.year:04d}"


def between(periods: Collection[str]) -> list[str]:
    """Every period from the first to the last of some, the empty ones as well.

    Examples
    --------
    >>> between(["2013-02", "2012-11"]), between(["2012-Q3", "2013-Q1"]), between(["", ""])
    (['2012-11', '2012-12', '2013-01', '2013-02'], ['2012-Q3', '2012-Q4', '2013-Q1'], [])
    >>> between(["2012-02-28", "2012-03-01"]), between(["2011", "2013"])
    (['2012-02-28', '2012-02-29', '2012-03-01'], ['2011', '2012', '2013'])
    """
    known = sorted(filter(None, periods))
    if not known:
        return []
    found = [known[0]]
    while found[-1] < known[-1]:
        found.append(_following(found[-1]))
    return found


def _following(period: str) -> str:
    year = int(period[:4])
    if len(period) == 4:
        return f"{year + 1:04d}"
    if "Q" in period:
        quarter = int(period[-1])
        return f"{year:04d}-Q{quarter + 1}" if quarter < 4 else f"{year + 1:04d}-Q1"
    if len(period) == 7:
        month = int(period[-2:])
        return f"{year:04d}-{month + 1:02d}" if month < 12 else f"{year + 1:04d}-01"
    return (dt.date.fromisoformat(period) + dt.timedelta(days=1)).isoformat()


def bounds(since: str, until: str, utc_offset: int) -> tuple[str, str]:
    """Instants that begin and end a span of local days, the last day included.

    Parameters
    ----------
    since, until : str
        Days as ``2012-05-01``; ``''`` for no limit.

    Raises
    ------
    StatisticsError
        No such day, or the wrong way round.

    Examples
    --------
    >>> bounds("2012-05-01", "2012-05-01", 8)
    ('2012-04-30T16', '2012-05-01T16')
    """
    first = _begin(since, utc_offset, 0) if since else ""
    last = _begin(until, utc_offset, 1) if until else "~"  # after every digit
    if last <= first:
        raise StatisticsError("period", f"{until} lies before {since}", hint="--since, --until")
    return first, last


def _begin(day: str, utc_offset: int, later: int) -> str:
    try:
        begun = dt.datetime.combine(dt.date.fromisoformat(day), dt.time())
    except ValueError:
        raise StatisticsError("period", f"{day!r} is no day", hint="such as 2012-05-01") from None
    begun += dt.timedelta(days=later, hours=-utc_offset)
    return begun.isoformat(timespec="hours")
