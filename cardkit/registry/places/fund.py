"""The fund of places: a tree from the province down to village and window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cardkit.errors import ExitCode
from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Event
from cardkit.registry.operators import Operator, Role
from cardkit.registry.places.sources import PlaceRow
from cardkit.registry.schema.places import places

KINDS: Mapping[str, str] = {
    "province": "省",
    "city": "市",
    "county": "县",
    "township": "乡镇",
    "village": "村",
    "employer": "参保单位",
    "hospital": "医院",
    "bank": "银行网点",
    "window": "窗口",
    "store": "库房",
    "factory": "制卡厂",
}
"""Kinds of places, with the Chinese term."""


class PlacesError(RegistryError):
    """A place that does not exist or cannot be as a file says."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint or "`cardkit registry places` shows them", zh=zh)


@dataclass(frozen=True, slots=True)
class Place:
    """A place.

    Parameters
    ----------
    parent : int or None
        Number of the place above it.
    address_prefix : str
        How the addresses of its people begin, or ``''``.
    """

    place_id: int
    code: str
    kind: str
    name: str
    parent: int | None
    address_prefix: str = ""

    def as_json(self) -> dict[str, Any]:
        """The place for programs."""
        return {"code": self.code, "kind": self.kind, "name": self.name}


class Places:
    """The places of a registry."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def load(self, rows: Iterable[PlaceRow], *, operator: Operator) -> tuple[int, int]:
        """Take places over: new ones are added, known codes get the newer name and parent.

        Returns
        -------
        new, changed : int

        Raises
        ------
        PlacesError
            An unknown kind or parent, a code twice, or a place inside itself: nothing is changed.
        """
        given = list(rows)
        with attempted(self._books, operator, "places-load"):
            need_role(operator, "places-load", Role.COUNTY, Role.ADMINISTRATOR)
            with self._books.store.writing() as connection:
                counts = self._load(connection, given)
                detail = {"new": counts[0], "changed": counts[1]}
                self._books.journal.by(operator.login).append(
                    connection, self._books.store.now(), Event("places-load", detail=detail)
                )
        return counts

    def _load(self, connection: Connection, rows: list[PlaceRow]) -> tuple[int, int]:
        known = {place.code: place for place in _all(connection)}
        _check(rows, known)
        now, new, changed = self._books.store.now(), 0, 0
        ids = {code: place.place_id for code, place in known.items()}
        for row in rows:
            if row.code not in ids:
                ids[row.code] = self._books.counters.draw(connection, places.name)
                new += 1
                values = {"id": ids[row.code], "code": row.code, "added_at": now}
                connection.execute(
                    insert(places).values(
                        **values, kind=row.kind, name=row.name, address_prefix=row.address_prefix
                    )
                )
        codes = {place_id: code for code, place_id in ids.items()}
        for row in rows:
            parent = ids[row.parent] if row.parent else None
            before = known.get(row.code)
            above = codes[before.parent] if before and before.parent is not None else ""
            if before and (before.kind, before.name, above, before.address_prefix) == row[1:]:
                continue
            changed += before is not None
            connection.execute(
                update(places)
                .where(places.c.id == ids[row.code])
                .values(
                    kind=row.kind, name=row.name, parent=parent, address_prefix=row.address_prefix
                )
            )
        return new, changed

    def get(self, code: str) -> Place:
        """The place with that code.

        Raises
        ------
        PlacesError
            There is none.
        """
        with self._books.store.reading() as connection:
            return place_of(connection, code)

    def list(self) -> list[Place]:
        """All places, by code."""
        with self._books.store.reading() as connection:
            return _all(connection)


def place_of(connection: Connection, code: str) -> Place:
    """The place with that code, inside a transaction; raises as `Places.get`."""
    row = connection.execute(_SELECT.where(places.c.code == code)).first()
    if row is None:
        raise PlacesError(
            f"there is no place {code!r}", zh=f"没有代码为 {code} 的地点：请先载入地点"
        )
    return Place(*row)


def within(connection: Connection, place_id: int) -> list[int]:
    """Numbers of a place and of everything below it."""
    below: dict[int | None, list[int]] = {}
    for found, parent in connection.execute(select(places.c.id, places.c.parent)):
        below.setdefault(parent, []).append(found)
    return list(_down(below, place_id))


def _down(below: Mapping[int | None, list[int]], place_id: int) -> Iterator[int]:
    yield place_id
    for child in below.get(place_id, ()):
        yield from _down(below, child)


_SELECT = select(
    places.c.id,
    places.c.code,
    places.c.kind,
    places.c.name,
    places.c.parent,
    places.c.address_prefix,
)


def _all(connection: Connection) -> list[Place]:
    return [Place(*row) for row in connection.execute(_SELECT.order_by(places.c.code))]


def _check(rows: list[PlaceRow], known: Mapping[str, Place]) -> None:
    codes = {place.place_id: place.code for place in known.values()}
    above = {code: codes.get(place.parent or 0, "") for code, place in known.items()}
    seen: set[str] = set()
    for row in rows:
        if row.kind not in KINDS:
            raise PlacesError(
                f"place {row.code}: no kind {row.kind!r}", hint=f"kinds are {', '.join(KINDS)}"
            )
        if row.code in seen:
            raise PlacesError(f"place {row.code} comes twice", hint="mend the file")
        seen.add(row.code)
        above[row.code] = row.parent
    for row in rows:
        if row.parent and row.parent not in above:
            raise PlacesError(f"place {row.code}: no place {row.parent!r} above it")
        way, step = {row.code}, row.parent
        while step:
            if step in way:
                raise PlacesError(f"place {row.code} lies within itself", hint="mend the file")
            way.add(step)
            step = above.get(step, "")
