"""Places where a run can be hit, and the lists of all of them that are checked in beside this file.

A *place* is something that leaves the program: a command on its way to the chip (GET RESPONSE is
one), a reset, a durable commit. A *point* is one way of being hit at one place. A list has one line
a point::

    0042 torn 00DC0605

its number, what happens, and the header of the command, ``RESET``, or the name of the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FOLDER = Path(__file__).parent
RESET = "RESET"


class Hit(StrEnum):
    """What happens at a place."""

    CUT_BEFORE = "cut-before"  # the command never arrives
    TORN = "torn"  # the chip loses its power in the middle, its write is undone
    UNANSWERED = "unanswered"  # done, but nobody hears of it
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"


_COMMAND_HITS = (Hit.CUT_BEFORE, Hit.TORN, Hit.UNANSWERED)
_RESET_HITS = (Hit.CUT_BEFORE, Hit.UNANSWERED)
_COMMIT_HITS = (Hit.BEFORE_COMMIT, Hit.AFTER_COMMIT)
_FIRST_HITS = (Hit.CUT_BEFORE, Hit.BEFORE_COMMIT)


@dataclass(frozen=True, slots=True)
class Place:
    """Something that leaves the program: ``where`` is a header, `RESET`, or a commit's name."""

    where: str
    is_commit: bool = False

    @property
    def hits(self) -> tuple[Hit, ...]:
        """What can happen here."""
        if self.is_commit:
            return _COMMIT_HITS
        return _RESET_HITS if self.where == RESET else _COMMAND_HITS


@dataclass(frozen=True, slots=True)
class Point:
    """One way of being hit at one place of a run; places are counted from 1."""

    number: int
    place: int
    hit: Hit
    where: str

    def __str__(self) -> str:
        """Line of the list."""
        return f"{self.number:04d} {self.hit} {self.where}"


def points_of(places: Iterable[Place]) -> list[Point]:
    """Every point of a run.

    Examples
    --------
    >>> [str(point) for point in points_of([Place("intent", is_commit=True)])]
    ['0001 before-commit intent', '0002 after-commit intent']
    """
    hits = [
        (at, hit, place.where) for at, place in enumerate(places, start=1) for hit in place.hits
    ]
    return [Point(number, *rest) for number, rest in enumerate(hits, start=1)]


def path_of(road: str) -> Path:
    """File of the list of a road."""
    return FOLDER / f"points-{road}.txt"


def read_points(road: str) -> list[Point]:
    """The list that is checked in; lines with # are for the reader."""
    lines = path_of(road).read_text(encoding="ascii").splitlines()
    return list(_parse(line.split() for line in lines if not line.startswith("#")))


def _parse(lines: Iterable[list[str]]) -> Iterator[Point]:
    place = 0
    for number, hit, where in lines:
        place += hit in _FIRST_HITS
        yield Point(int(number), place, Hit(hit), where)


def chunks(points: list[Point], size: int) -> list[list[Point]]:
    """Neighbours together, so that several processes can share the work."""
    return [points[at : at + size] for at in range(0, len(points), size)]


def chunk_id(points: list[Point]) -> str:
    """Numbers of the first and the last point, for the name of a test."""
    return f"{points[0].number:04d}-{points[-1].number:04d}"
