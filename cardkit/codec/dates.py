"""Days, as cards write them (eight digits YYYYMMDD) and as people do."""

from __future__ import annotations

import datetime as dt
import re

_EIGHT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})日?"
    r"(?:[ T]00:00(?::00(?:\.0+)?)?)?",  # a spreadsheet's day is midnight
    re.ASCII,
)


def parse_day(text: str) -> dt.date:
    """Day of eight digits.

    Raises
    ------
    ValueError
        Not eight digits, or no day of the calendar.

    Examples
    --------
    >>> parse_day("20240229")
    datetime.date(2024, 2, 29)
    """
    match = _EIGHT.fullmatch(text)
    if match is None:
        raise ValueError("a day has eight digits, YYYYMMDD")
    return dt.date(int(match[1]), int(match[2]), int(match[3]))


def parse_written_day(text: str) -> dt.date:
    """Day as people and spreadsheets write it, year first.

    Raises
    ------
    ValueError
        Another form, or no day of the calendar.

    Examples
    --------
    >>> {parse_written_day(t).isoformat() for t in ("1990/1/2", "1990年1月2日", "19900102")}
    {'1990-01-02'}
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return parse_day(text)
    month = next(group for group in match.groups()[1:5] if group)
    return dt.date(int(match[1]), int(month), int(match[6]))
