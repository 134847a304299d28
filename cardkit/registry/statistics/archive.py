"""The archive 档案: volumes of a hundred people by village, and who borrowed them."""

from __future__ import annotations

import builtins
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.journal import Detail
from cardkit.registry.operators import Operator, Role
from cardkit.registry.places.fund import place_of, within
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.inspection import loans, volume_people, volumes
from cardkit.registry.schema.places import places, residence
from cardkit.registry.statements import Statement
from cardkit.registry.statistics.errors import StatisticsError

PEOPLE_A_VOLUME = 100
_ROLES = (Role.WINDOW, Role.TOWNSHIP, Role.COUNTY)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the archive.

    Parameters
    ----------
    number : int
        Within its place, from 1.
    first, last : int
        Persons at its beginning and end (numbers of the registry).
    lent_to : str
        Who has it, ``''`` when it is in its place.
    """

    volume_id: int
    place: str
    number: int
    people: int
    first: int
    last: int
    lent_to: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """The volume for programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Loan:
    """A line of the lending register."""

    loan_id: int
    volume_id: int
    lent_to: str = field(repr=False)
    lent_at: str
    lent_by: str
    purpose: str
    back_at: str
    back_by: str

    def as_json(self) -> dict[str, Any]:
        """The line for programs."""
        return asdict(self)


class Archive:
    """Volumes and their lending register."""

    def __init__(self, books: Books) -> None:
        self._books = books
        columns = ("volume", "position", "person")
        self._add = Statement(insert(volume_people).inline(), columns)

    def bind(self, place: str, *, operator: Operator) -> int:
        """Put everybody with a card record who is in no volume into one, village by village.

        A volume that is not full is filled first. People stay in their volume when they move.

        Returns
        -------
        int
            How many people were added.
        """
        with attempted(self._books, operator, "archive-bind"):
            need_role(operator, "archive-bind", *_ROLES)
            with self._books.store.writing() as connection:
                below = within(connection, place_of(connection, place).place_id)
                added = sum(self._bind(connection, one) for one in below)
                detail: Detail = {"place": place, "people": added}
                self._books.note(connection, operator.login, "archive-bind", detail)
        return added

    def _bind(self, connection: Connection, place_id: int) -> int:
        people = (
            connection.execute(
                select(residence.c.person)
                .where(
                    residence.c.place == place_id,
                    residence.c.until == "",
                    select(cards.c.id).where(cards.c.person == residence.c.person).exists(),
                    ~select(volume_people.c.person)
                    .where(volume_people.c.person == residence.c.person)
                    .exists(),
                )
                .order_by(residence.c.person)
            )
            .scalars()
            .all()
        )
        if not people:
            return 0
        volume, number, position = _last_volume(connection, place_id)
        rows = []
        for person in people:
            if position >= PEOPLE_A_VOLUME or not volume:
                volume, number, position = self._new_volume(connection, place_id, number + 1)
            position += 1
            rows.append((volume, position, person))
        self._add.run_many(connection, rows)
        return len(rows)

    def _new_volume(
        self, connection: Connection, place_id: int, number: int
    ) -> tuple[int, int, int]:
        volume = self._books.counters.draw(connection, volumes.name)
        now = self._books.store.now()
        connection.execute(
            insert(volumes).values(id=volume, place=place_id, number=number, bound_at=now)
        )
        return volume, number, 0

    def list(self, place: str = "") -> list[Volume]:
        """The archive list: volumes by place and number."""
        inside = volume_people.c
        query = (
            select(
                volumes.c.id,
                places.c.code,
                volumes.c.number,
                func.count(inside.person),
                func.min(inside.person),
                func.max(inside.person),
                func.coalesce(func.max(loans.c.lent_to), ""),
            )
            .select_from(
                volumes.join(places, places.c.id == volumes.c.place)
                .join(volume_people, inside.volume == volumes.c.id)
                .outerjoin(loans, (loans.c.volume == volumes.c.id) & (loans.c.back_at == ""))
            )
            .group_by(volumes.c.id, places.c.code, volumes.c.number)
            .order_by(places.c.code, volumes.c.number)
        )
        with self._books.store.reading(snapshot=True) as connection:
            if place:
                below = within(connection, place_of(connection, place).place_id)
                query = query.where(volumes.c.place.in_(below))
            return [Volume(*row) for row in connection.execute(query)]

    def lend(self, volume_id: int, to: str, *, purpose: str, operator: Operator) -> Loan:
        """Lend a volume; to one person at a time.

        Raises
        ------
        StatisticsError
            There is no such volume, or it is lent.
        """
        with attempted(self._books, operator, "archive-lend"):
            need_role(operator, "archive-lend", *_ROLES)
            with self._books.store.writing() as connection:
                if (
                    connection.execute(
                        select(volumes.c.id).where(volumes.c.id == volume_id)
                    ).first()
                    is None
                ):
                    raise StatisticsError("unknown", f"there is no volume {volume_id}")
                if _open_loan(connection, volume_id) is not None:
                    raise StatisticsError(
                        "lent",
                        f"volume {volume_id} is lent already",
                        hint="it has to come back first",
                        zh=f"案卷{volume_id}已借出：须先归还",
                    )
                number = self._books.counters.draw(connection, loans.name)
                connection.execute(
                    insert(loans).values(
                        id=number, volume=volume_id, lent_to=to,
                        lent_at=self._books.store.now(), lent_by=operator.login, purpose=purpose,
                    )
                )  # fmt: skip
                self._books.note(connection, operator.login, "archive-lend", {"volume": volume_id})
        return self.register(volume_id)[-1]

    def give_back(self, volume_id: int, *, operator: Operator) -> Loan:
        """A volume comes back.

        Raises
        ------
        StatisticsError
            It is not lent.
        """
        with attempted(self._books, operator, "archive-back"):
            need_role(operator, "archive-back", *_ROLES)
            with self._books.store.writing() as connection:
                loan = _open_loan(connection, volume_id)
                if loan is None:
                    raise StatisticsError("not-lent", f"volume {volume_id} is not lent")
                connection.execute(
                    update(loans)
                    .where(loans.c.id == loan)
                    .values(back_at=self._books.store.now(), back_by=operator.login)
                )
                self._books.note(connection, operator.login, "archive-back", {"volume": volume_id})
        return self.register(volume_id)[-1]

    def register(self, volume_id: int | None = None) -> builtins.list[Loan]:
        """The lending register, oldest first."""
        query = select(
            loans.c.id, loans.c.volume, loans.c.lent_to, loans.c.lent_at, loans.c.lent_by,
            loans.c.purpose, loans.c.back_at, loans.c.back_by,
        ).order_by(loans.c.id)  # fmt: skip
        if volume_id is not None:
            query = query.where(loans.c.volume == volume_id)
        with self._books.store.reading() as connection:
            return [Loan(*row) for row in connection.execute(query)]


def _last_volume(connection: Connection, place_id: int) -> tuple[int, int, int]:
    """Volume, its number and how many are in it; noughts where there is none."""
    row = connection.execute(
        select(volumes.c.id, volumes.c.number, func.max(volume_people.c.position))
        .select_from(volumes.outerjoin(volume_people, volume_people.c.volume == volumes.c.id))
        .where(volumes.c.place == place_id)
        .group_by(volumes.c.id, volumes.c.number)
        .order_by(volumes.c.number.desc())
        .limit(1)
    ).first()
    return (row[0], row[1], row[2] or 0) if row else (0, 0, 0)


def _open_loan(connection: Connection, volume_id: int) -> int | None:
    found = connection.execute(
        select(loans.c.id).where(loans.c.volume == volume_id, loans.c.back_at == "")
    ).scalar()
    return None if found is None else int(found)
