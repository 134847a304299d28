"""Printing faces, and finding the record of a card whose face is printed.

Two durable commits a face, as on the road of the chip: *printing* before the printer gets the
picture, *printed* (or *failed*, *spoilt*) after it. A program that dies between them leaves
*printing*: somebody has to look at the tray and say what became of the card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, update

from cardkit.codec.numbers import is_card_number
from cardkit.errors import RefusedError
from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError
from cardkit.registry.intake.content import FaceContent, digest_of
from cardkit.registry.intake.photos import Photos, StoredPhoto
from cardkit.registry.intake.printer import Printer, PrinterError, PrintJob
from cardkit.registry.journal import Event
from cardkit.registry.records import CardRecord
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.intake import face_prints, photos
from cardkit.registry.states import DEAD

if TYPE_CHECKING:
    from cardkit.registry.intake.layout import Layout

ContentOf = Callable[[CardRecord, StoredPhoto], FaceContent]
"""Record and photo → what the face says (title, issuer and dates come from the profile)."""

SPOILT_REASONS = ("jam", "bad-print", "wrong-photo", "wrong-name", "unknown", "lost")
"""Why a printed card is given up."""


class FaceError(RegistryError):
    """A face cannot be printed, or a printed card must not be used, as things stand."""


class MatchError(RegistryError, RefusedError):
    """A printed card does not belong to a record that waits for it."""

    exit_code = RefusedError.exit_code


@dataclass(frozen=True, slots=True)
class FacePrint:
    """A printed face."""

    print_id: int
    card_id: int
    state: str
    printer: str
    issue_date: str
    image_digest: str

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {name: getattr(self, name) for name in self.__slots__}


class Faces:
    """Face prints of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._photos = Photos(books)

    def print(
        self,
        record: CardRecord,
        printer: Printer,
        layout: Layout,
        content_of: ContentOf,
        draw: Callable[[FaceContent, Layout], bytes],
    ) -> FacePrint:
        """Print the face of a record.

        Parameters
        ----------
        content_of, draw : callable
            What the face says, and the picture of it (`face.draw_face`).

        Raises
        ------
        FaceError
            The record has a face already, is dead, or an earlier print was never settled.
        NoPhotoError
            The person has no photo.
        PrinterError
            The printer did not do it; the registry says what became of the card.
        """
        photo = self._photos.current(record.person_id)
        content = content_of(record, photo)
        image = draw(content, layout)
        day = f"{content.issue_date:%Y%m%d}"
        begun = {
            "photo": photo.photo_id,
            "printer": printer.name,
            "layout": layout.name,
            "issue_date": day,
            "content_digest": digest_of(
                content.name, content.citizen_number, content.card_number, content.photo
            ),
            "image_digest": hashlib.sha256(image).hexdigest(),
        }
        number = self._begin(record, begun)
        try:
            printer.print_face(PrintJob(number, image, layout.width, layout.height, layout.dpi))
        except PrinterError as error:
            self._end(number, "spoilt" if error.spoilt else "failed", error.code)
            raise
        self._end(number, "printed", "")
        return FacePrint(
            number, record.card_id, "printed", printer.name, day, str(begun["image_digest"])
        )

    def spoil(self, card_id: int, reason: str) -> int:
        """The printed card is given up (spoilt, or its print never settled); returns the print.

        The record keeps its numbers and may be printed again.

        Raises
        ------
        FaceError
            No such face, or no such reason.
        """
        if reason not in SPOILT_REASONS:
            raise FaceError(
                "this is no reason to spoil a face", hint=f"one of {', '.join(SPOILT_REASONS)}"
            )
        with self._books.store.writing() as connection:
            found = _open_print(connection, card_id)
            if found is None:
                raise FaceError(
                    f"card record {card_id} has no printed face",
                    hint="print it with `cardkit intake print`",
                    zh=f"记录{card_id}没有已打印的卡面",
                )
            self._end_in(connection, found[0], card_id, "spoilt", reason)
            return found[0]

    def match(self, text: str) -> tuple[int, int]:
        """Record and print of the card whose bar code was read; nothing changes.

        Raises
        ------
        MatchError
            Misread, unknown, dead, spoilt, or the face no longer says what the registry says.
        """
        number = text.strip().upper()
        if not is_card_number(number):
            raise MatchError(
                "this is not a card number, or it was misread",
                hint="scan the bar code again",
                zh="不是有效卡号或扫描有误：请重新扫描条码",
            )
        with self._books.store.reading(snapshot=True) as connection:
            row = connection.execute(
                select(
                    cards.c.id, cards.c.state, cards.c.person, people.c.name,
                    people.c.citizen_number,
                )
                .join_from(cards, people, cards.c.person == people.c.id)
                .where(cards.c.card_number == number)
            ).first()  # fmt: skip
            if row is None:
                raise _astray("no record has this card number", "登记库中没有此卡号")
            card_id, state, person_id, name, citizen_number = row
            if state in DEAD:
                raise _astray(f"record {card_id} is {state}", f"记录{card_id}已失效（{state}）")
            printed = _open_print(connection, card_id)
            if printed is None or printed[1] != "printed":
                raise _astray(
                    f"record {card_id} has no face that counts",
                    f"记录{card_id}没有有效的卡面：此卡可能已作废",
                )
            photo = connection.execute(
                select(photos.c.id, photos.c.print).where(
                    photos.c.person == person_id, photos.c.current == 1
                )
            ).first()
        wanted = digest_of(name, citizen_number, number, bytes(photo[1]) if photo else b"")
        if printed[2] != wanted:
            raise _astray(
                f"name or photo of record {card_id} changed since its face was printed",
                f"记录{card_id}的姓名或照片在打印后已更改：请作废此卡面并重新打印",
            )
        return card_id, printed[0]

    def _begin(self, record: CardRecord, values: dict[str, object]) -> int:
        books = self._books
        with books.store.writing() as connection:
            now = books.store.now()
            state = connection.execute(
                select(cards.c.state).where(cards.c.id == record.card_id)
            ).scalar_one()
            if state in DEAD:
                raise FaceError(
                    f"card record {record.card_id} is {state}: no face is printed for it",
                    hint="print that of the record that came after it",
                    zh=f"记录{record.card_id}已失效（{state}），不能打印卡面",
                )
            found = _open_print(connection, record.card_id)
            if found is not None:
                raise _printed_before(record.card_id, found[1])
            number = books.counters.draw(connection, face_prints.name)
            connection.execute(
                insert(face_prints).values(
                    id=number,
                    card=record.card_id,
                    state="printing",
                    actor=books.journal.actor,
                    begun_at=now,
                    **values,
                )
            )
            detail = {"print": number, "photo": values["photo"], "printer": values["printer"]}
            event = Event(
                "print-face",
                record.card_id,
                record.person_id,
                state,
                state,
                detail,  # type: ignore[arg-type]
            )
            books.journal.append(connection, now, event)
            return number

    def _end(self, number: int, state: str, reason: str) -> None:
        with self._books.store.writing() as connection:
            card_id = connection.execute(
                select(face_prints.c.card).where(face_prints.c.id == number)
            ).scalar_one()
            self._end_in(connection, number, card_id, state, reason)

    def _end_in(
        self, connection: Connection, number: int, card_id: int, state: str, reason: str
    ) -> None:
        books = self._books
        now = books.store.now()
        connection.execute(
            update(face_prints)
            .where(face_prints.c.id == number)
            .values(state=state, reason=reason, ended_at=now)
        )
        person_id, card_state = connection.execute(
            select(cards.c.person, cards.c.state).where(cards.c.id == card_id)
        ).one()
        detail: dict[str, str | int | list[str]] = {"print": number, "result": state}
        if reason:
            detail["reason"] = reason
        event = Event("face-result", card_id, person_id, card_state, card_state, detail)
        books.journal.append(connection, now, event)


def _open_print(connection: Connection, card_id: int) -> tuple[int, str, str] | None:
    row = connection.execute(
        select(face_prints.c.id, face_prints.c.state, face_prints.c.content_digest).where(
            face_prints.c.card == card_id, face_prints.c.state.in_(("printing", "printed"))
        )
    ).first()
    return (row[0], row[1], row[2]) if row else None


def _printed_before(card_id: int, state: str) -> FaceError:
    if state == "printing":
        return FaceError(
            f"nobody said what became of the face of card record {card_id}",
            hint="look into the printer's tray, then `cardkit intake spoil-face` with the reason "
            "'unknown' and print again",
            zh=f"记录{card_id}的上次打印没有结果：请查看打印机出卡盒，作废该卡面后重新打印",
        )
    return FaceError(
        f"card record {card_id} has a printed face",
        hint="give it up first: `cardkit intake spoil-face`",
        zh=f"记录{card_id}已打印卡面：如需重打，请先作废原卡面",
    )


def _astray(message: str, zh: str) -> MatchError:
    return MatchError(message, hint="put the card aside", zh=f"{zh}：请将此卡放到一边")
