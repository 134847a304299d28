"""Everything a server of the inquiry interface works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardkit.registry.books import Books
from cardkit.registry.inquiry.desk import Desk
from cardkit.registry.inquiry.limits import RateLimits
from cardkit.registry.inquiry.record import Record
from cardkit.registry.inquiry.regions import Regions


@dataclass(frozen=True, slots=True)
class Office:
    """A registry open for questions."""

    books: Books
    regions: Regions
    record: Record
    desk: Desk


def open_office(books: Books, regions: Regions, monotonic: Callable[[], float]) -> Office:
    """Put it together.

    Parameters
    ----------
    monotonic : callable
        Seconds that only go forward, for the rates.
    """
    record = Record(books)
    return Office(books, regions, record, Desk(books, regions, RateLimits(monotonic), record))
