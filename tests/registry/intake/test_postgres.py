"""The whole road of an application on PostgreSQL."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cardkit.registry.intake import importing
from cardkit.registry.intake.application import ApplicationError
from cardkit.registry.intake.duplicates import Duplicates, Likeness
from cardkit.registry.intake.face import draw_face
from cardkit.registry.intake.faces import FaceError, Faces
from cardkit.registry.intake.photo import check_photo
from cardkit.virtual.printer import VirtualPrinter
from tests.registry.intake import portraits
from tests.registry.intake.support import RULES, open_window, person, prepared
from tests.registry.intake.test_face import LAYOUT, content_of
from tests.registry.support import assert_consistent, enrol


def test_the_road_from_application_to_printed_face(database: str, tmp_path: Path) -> None:
    window = open_window(database)
    books = window.registry.books
    card_id = window.made(1)
    record = window.registry.get(card_id)
    with pytest.raises(ApplicationError):
        window.apply(person(1))
    faces = Faces(books)
    faces.print(record, VirtualPrinter(tmp_path / "p"), LAYOUT, content_of, draw_face)
    assert faces.match(record.card_number) == (card_id, 1)
    with pytest.raises(FaceError):
        faces.print(record, VirtualPrinter(tmp_path / "p"), LAYOUT, content_of, draw_face)
    found = Duplicates(books).find(record.citizen_number[:6] + record.citizen_number[8:17])
    assert [one.likeness for one in found] == [Likeness.NUMBER]
    assert list(Duplicates(books).groups()) == []
    enrol(window.registry, [person(2)])
    (tmp_path / f"{person(2).citizen_number}.jpg").write_bytes(portraits.good(2))
    room = importing.PhotoImport(books, partial(check_photo, rules=RULES))
    assert room.run(importing.of_folder(tmp_path)).counts() == {"taken": 1}
    assert window.photos.current(record.person_id).print == prepared(1).print
    assert_consistent(window.registry)
    window.registry.close()
