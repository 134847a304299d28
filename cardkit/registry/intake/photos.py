"""The photos of people and of applications: one counts, earlier ones stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, update

from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Event
from cardkit.registry.schema.cards import people
from cardkit.registry.schema.intake import applications, photos
from cardkit.registry.statements import Statement

if TYPE_CHECKING:
    from cardkit.registry.intake.photo import Prepared


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo of the registry; the pictures are not shown by ``repr``."""

    photo_id: int
    person_id: int | None
    application: int | None
    taken_at: str
    print: bytes = field(repr=False)
    chip: bytes = field(repr=False)


class NoPhotoError(RegistryError):
    """A person has no photo."""

    def __init__(self, person_id: int) -> None:
        super().__init__(
            f"person {person_id} has no photo",
            hint="take one: `cardkit intake import-photos`, or with the application",
            zh="此人没有照片：请先采集或导入照片",
        )


class PhotoTakenError(RegistryError):
    """The very same file was taken for somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "the same photo file belongs to another person",
            hint="see whose photo it is before it is taken again",
            zh="此照片文件已用于另一人：请核对照片属于谁",
        )


class Photos:
    """Photos of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books
        query = select(photos.c.chip).where(
            photos.c.person == bindparam("person_id"), photos.c.current == literal_column("1")
        )
        self._chip = Statement(query)

    def take(self, person_id: int, photo: Prepared, *, source: str = "window") -> int:
        """Make a photo the one that counts for a person; returns its number.

        Raises
        ------
        PhotoTakenError
            The same file is somebody else's photo.
        """
        with self._books.store.writing() as connection:
            return self.take_in(connection, photo, person_id=person_id, source=source)

    def take_in(
        self,
        connection: Connection,
        photo: Prepared,
        *,
        person_id: int | None = None,
        application: int | None = None,
        source: str = "window",
    ) -> int:
        """The same inside a transaction, for a person or for an application."""
        self._refuse_foreign(connection, photo, person_id, application)
        books = self._books
        now = books.store.now()
        number = books.counters.draw(connection, photos.name)
        self._retire(connection, person_id, application)
        connection.execute(
            insert(photos).values(
                id=number,
                person=person_id,
                application=application,
                current=1,
                original_digest=photo.original_digest,
                original_bytes=photo.original_bytes,
                original_width=photo.original_width,
                original_height=photo.original_height,
                print=photo.print,
                chip=photo.chip,
                source=source,
                actor=books.journal.actor,
                taken_at=now,
            )
        )
        detail: dict[str, str | int | list[str]] = {"photo": number, "source": source}
        if application is not None:
            detail["application"] = application
        books.journal.append(connection, now, Event("photo", None, person_id, detail=detail))
        return number

    def hand_over_in(self, connection: Connection, application: int, person_id: int) -> bool:
        """Make the photo of a confirmed application the person's; whether there was one."""
        found = connection.execute(
            select(photos.c.id).where(photos.c.application == application, photos.c.current == 1)
        ).scalar()
        if found is None:
            return False
        self._retire(connection, person_id, None)
        connection.execute(update(photos).where(photos.c.id == found).values(person=person_id))
        return True

    def current(self, person_id: int) -> StoredPhoto:
        """The photo that counts.

        Raises
        ------
        NoPhotoError
            There is none.
        """
        with self._books.store.reading() as connection:
            found = self.current_in(connection, person_id)
        if found is None:
            raise NoPhotoError(person_id)
        return found

    @staticmethod
    def current_in(connection: Connection, person_id: int) -> StoredPhoto | None:
        """The same inside a transaction; None when there is none."""
        row = connection.execute(
            select(
                photos.c.id,
                photos.c.person,
                photos.c.application,
                photos.c.taken_at,
                photos.c.print,
                photos.c.chip,
            ).where(photos.c.person == person_id, photos.c.current == 1)
        ).first()
        if row is None:
            return None
        return StoredPhoto(row[0], row[1], row[2], row[3], bytes(row[4]), bytes(row[5]))

    def chip_photo(self, person_id: int) -> bytes:
        """What belongs into the chip of a person's card; ``b''`` without a photo."""
        with self._books.store.reading() as connection:
            row = self._chip.first(connection, person_id=person_id)
        return bytes(row[0] or b"") if row else b""

    def missing(self) -> int:
        """How many people have no photo."""
        has = select(photos.c.id).where(photos.c.person == people.c.id, photos.c.current == 1)
        with self._books.store.reading() as connection:
            query = select(func.count()).select_from(people).where(~has.exists())
            return int(connection.execute(query).scalar_one())

    def people_of(self, numbers: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Person and name by citizen number; unknown numbers are left out."""
        with self._books.store.reading() as connection:
            rows = connection.execute(
                select(people.c.citizen_number, people.c.id, people.c.name).where(
                    people.c.citizen_number.in_(list(numbers))
                )
            )
            return {row[0]: (row[1], row[2]) for row in rows}

    def digests_of(self, person_ids: Iterable[int]) -> dict[int, str]:
        """SHA-256 of the file from which the photo of each person was made, who has one."""
        query = select(photos.c.person, photos.c.original_digest).where(
            photos.c.person.in_(list(person_ids)), photos.c.current == literal_column("1")
        )
        with self._books.store.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    @staticmethod
    def has_in(connection: Connection, person_id: int, digest: str) -> bool:
        """Whether this very file is the person's photo already."""
        found = connection.execute(
            select(photos.c.id).where(
                photos.c.person == person_id,
                photos.c.current == 1,
                photos.c.original_digest == digest,
            )
        ).first()
        return found is not None

    @staticmethod
    def _retire(connection: Connection, person_id: int | None, application: int | None) -> None:
        owner = photos.c.person == person_id
        if person_id is None:
            owner = photos.c.application == application
        connection.execute(update(photos).where(owner, photos.c.current == 1).values(current=0))

    @staticmethod
    def _refuse_foreign(
        connection: Connection, photo: Prepared, person_id: int | None, application: int | None
    ) -> None:
        """The same bytes for two people: one of them is wrong."""
        person = select(people.c.citizen_number).where(people.c.id == person_id)
        applicant = select(applications.c.citizen_number).where(applications.c.id == application)
        number = connection.execute(applicant if person_id is None else person).scalar()
        owner = func.coalesce(people.c.citizen_number, applications.c.citizen_number)
        joined = photos.outerjoin(people, photos.c.person == people.c.id).outerjoin(
            applications, photos.c.application == applications.c.id
        )
        same = photos.c.original_digest == photo.original_digest
        owners = connection.execute(
            select(owner).select_from(joined).where(same, photos.c.current == 1)
        ).scalars()
        if any(found != number for found in owners):
            raise PhotoTakenError
