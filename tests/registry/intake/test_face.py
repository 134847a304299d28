"""The printed side: picture, bar code, printing, and finding the record of a printed card."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cardkit.errors import UsageError
from cardkit.registry import fonts
from cardkit.registry.intake import barcode
from cardkit.registry.intake.content import FaceContent
from cardkit.registry.intake.face import draw_face
from cardkit.registry.intake.faces import FaceError, Faces, MatchError
from cardkit.registry.intake.layout import Layout, load_layout
from cardkit.registry.intake.photos import NoPhotoError, StoredPhoto
from cardkit.registry.intake.printer import PrinterError, PrintJob
from cardkit.registry.records import CardRecord
from cardkit.virtual.printer import VirtualPrinter
from tests.registry.intake.support import Window, person, prepared
from tests.registry.support import crowd, enrol

DAY = dt.date(2012, 5, 1)
LAYOUT = load_layout("standard")
EXTENSION_G = chr(0x30123)  # a character of a later Unicode than the fonts


def content(name: str = "张测试", number: str = "A00000011", who: int = 0) -> FaceContent:
    return FaceContent(
        name, person(1).citizen_number, number, DAY, DAY.replace(year=2022), prepared(who).print,
        issuer="测试市",
    )  # fmt: skip


def content_of(record: CardRecord, photo: StoredPhoto) -> FaceContent:
    return FaceContent(
        record.name, record.citizen_number, record.card_number, DAY, DAY.replace(year=2022),
        photo.print,
    )  # fmt: skip


def read_bars(image: Image.Image, layout: Layout = LAYOUT) -> str:
    """A scanner: widths of bars and spaces along one line, back to text (ISO/IEC 15417)."""
    y = layout.barcode.y + layout.barcode.height // 2
    line = [image.getpixel((x, y)) == (0, 0, 0) for x in range(layout.barcode.x, image.width)]
    widths, run = [], 1
    for before, here in itertools.pairwise(line):
        if here == before:
            run += 1
        else:
            widths.append(run // layout.barcode.module)
            run = 1
    symbols = ["".join(map(str, widths[at : at + 6])) for at in range(0, len(widths) - 7, 6)]
    values = [barcode._WIDTHS.index(symbol) for symbol in symbols]
    start, *data, check = values
    assert (start + sum(place * v for place, v in enumerate(data, 1))) % 103 == check
    return "".join(chr(value + 32) for value in data)


def test_the_face_is_an_id_1_card_at_300_dpi_and_its_bars_say_the_card_number() -> None:
    image = Image.open(io.BytesIO(draw_face(content(), LAYOUT)))
    assert image.size == (1013, 638)
    assert tuple(round(dpi) for dpi in image.info["dpi"]) == (300, 300)
    assert read_bars(image) == "A00000011"


def test_the_photo_is_where_the_layout_wants_it() -> None:
    image = Image.open(io.BytesIO(draw_face(content(), LAYOUT)))
    place = LAYOUT.photo
    shown = image.crop((place.x, place.y, place.x + place.width, place.y + place.height))
    photo = Image.open(io.BytesIO(prepared(0).print)).resize(shown.size)
    pairs = zip(shown.tobytes(), photo.tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / len(shown.tobytes()) < 2


def test_the_same_content_gives_the_same_picture_and_another_name_another() -> None:
    assert draw_face(content(), LAYOUT) == draw_face(content(), LAYOUT)
    assert draw_face(content(), LAYOUT) != draw_face(content("章测试"), LAYOUT)


def test_the_longest_name_of_a_card_fits() -> None:
    assert draw_face(content("阿卜杜热合曼江·阿卜杜克热木·吐尔逊"), LAYOUT)
    with pytest.raises(UsageError, match="does not fit"):
        draw_face(content("张" * 60), LAYOUT)


def test_a_character_without_a_glyph_is_named_before_anything_is_printed() -> None:
    with pytest.raises(fonts.FontError, match=r"U\+30123"):
        draw_face(content("张" + EXTENSION_G), LAYOUT)


def test_rare_characters_that_the_font_has_are_printed() -> None:
    path = fonts.find_font()
    assert fonts.missing_characters("䶮㐂𠮷张 A", path, fonts.face_index(path)) == ""


def test_the_face_of_a_font_file_is_the_one_for_china() -> None:
    for style, family in fonts.FAMILIES.items():
        path = fonts.find_font(style)  # type: ignore[arg-type]
        from PIL import ImageFont  # noqa: PLC0415

        index = fonts.face_index(path, family)
        assert ImageFont.truetype(str(path), 10, index).getname()[0] == family


def test_what_is_no_font_is_named(tmp_path: Path) -> None:
    for data in (b"", b"no font", b"ttcf\0\1\0\0\0\0\0\x09"):
        file = tmp_path / "font.ttc"
        file.write_bytes(data)
        with pytest.raises(fonts.FontError):
            fonts.face_index(file, f"family {data!r}")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20))
def test_bars_have_the_widths_of_the_standard(text: str) -> None:
    modules = barcode.modules(text)
    assert len(modules) == 11 * (len(text) + 2) + 13
    assert modules[0] == modules[-1] == "1"


def test_the_table_of_bars_is_one_of_code_128() -> None:
    assert len(set(barcode._WIDTHS)) == 106
    for symbol in barcode._WIDTHS:
        assert sum(map(int, symbol)) == 11
        assert sum(map(int, symbol[::2])) % 2 == 0  # the parity by which scanners check


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (('field = "name"', 'field = "nickname"'), "nickname"),
        (("x = 52", "x = 900"), "photo"),
        (("module = 3", "modul = 3"), "modul"),
        (('field = "card_number"', 'field = "title"'), "card_number"),
        (("y = 414", "y = 630"), "leaves the card"),
        (("module = 3", "module = 5"), "bar code"),
        (("module = 3", "module = 0"), "barcode.module = 0 cannot be"),
        (("width = 1013", 'width = "wide"'), "width = 'wide' cannot be"),
        (("width = 1013", "width = 99999999"), "width = 99999999 cannot be"),
        (("dpi = 300", "dpi = true"), "dpi = True cannot be"),
        (("height = 360", "height = 0"), "photo.height = 0 cannot be"),
        (("x = 52", "x = -52"), "photo.x = -52 cannot be"),
        (("size = 46", "size = 4.6"), "text.size = 4.6 cannot be"),
        (('align = "centre"', 'align = "middle"'), "text.align = 'middle' cannot be"),
        (('colour = "#7a1f1f"', 'colour = "maroonish"'), "text.colour = 'maroonish' cannot be"),
    ],
)
def test_a_layout_that_cannot_be_is_named(
    tmp_path: Path, change: tuple[str, str], word: str
) -> None:
    shipped = Path("cardkit/registry/intake/layouts/standard.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(shipped.replace(*change), "utf-8")
    with pytest.raises(UsageError, match=word):
        load_layout("own.toml", tmp_path)


def printed(window: Window, printer: VirtualPrinter, index: int = 1) -> int:
    card_id = window.made(index)
    Faces(window.registry.books).print(
        window.registry.get(card_id), printer, LAYOUT, content_of, draw_face
    )
    return card_id


def test_a_printed_card_is_matched_by_its_bars(window: Window, tmp_path: Path) -> None:
    printer = VirtualPrinter(tmp_path / "printer")
    card_id = printed(window, printer)
    picture = Image.open(tmp_path / "printer" / "job-000001.png")
    faces = Faces(window.registry.books)
    assert faces.match(read_bars(picture)) == (card_id, 1)
    assert faces.match(" a00000011 ") == (card_id, 1)
    story = window.registry.show(card_id).history
    assert [entry.action for entry in story if "face" in entry.action] == [
        "print-face",
        "face-result",
    ]


@pytest.mark.parametrize("text", ["", "A00000012", "B00000017", "639900199001010014"])
def test_what_is_misread_or_unknown_matches_nothing(
    window: Window, tmp_path: Path, text: str
) -> None:
    printed(window, VirtualPrinter(tmp_path / "printer"))
    with pytest.raises(MatchError):
        Faces(window.registry.books).match(text)


def test_a_face_is_stale_once_the_photo_changes(window: Window, tmp_path: Path) -> None:
    card_id = printed(window, VirtualPrinter(tmp_path / "printer"))
    record = window.registry.get(card_id)
    window.photos.take(record.person_id, prepared(6))
    with pytest.raises(MatchError, match="changed since"):
        Faces(window.registry.books).match(record.card_number)


def test_a_dead_record_matches_and_prints_nothing(window: Window, tmp_path: Path) -> None:
    printer = VirtualPrinter(tmp_path / "printer")
    card_id = printed(window, printer)
    record = window.registry.get(card_id)
    window.registry.discard(card_id, "spoilt")
    with pytest.raises(MatchError, match="spoilt"):
        Faces(window.registry.books).match(record.card_number)
    with pytest.raises(FaceError, match="no face is printed"):
        Faces(window.registry.books).print(record, printer, LAYOUT, content_of, draw_face)


def test_a_record_has_one_face_at_a_time(window: Window, tmp_path: Path) -> None:
    printer = VirtualPrinter(tmp_path / "printer")
    card_id = printed(window, printer)
    faces = Faces(window.registry.books)
    record = window.registry.get(card_id)
    with pytest.raises(FaceError, match="has a printed face"):
        faces.print(record, printer, LAYOUT, content_of, draw_face)
    with pytest.raises(FaceError, match="no reason"):
        faces.spoil(card_id, "I do not like it")
    faces.spoil(card_id, "bad-print")
    with pytest.raises(MatchError, match="no face that counts"):
        faces.match(record.card_number)
    again = faces.print(record, printer, LAYOUT, content_of, draw_face)
    picture = (tmp_path / "printer" / "job-000002.png").read_bytes()
    assert again.image_digest == hashlib.sha256(picture).hexdigest()
    assert faces.match(record.card_number) == (card_id, 2)


def test_nobody_is_printed_without_a_photo(window: Window, tmp_path: Path) -> None:
    enrol(window.registry, crowd(1))
    with pytest.raises(NoPhotoError):
        Faces(window.registry.books).print(
            window.registry.get(1), VirtualPrinter(tmp_path), LAYOUT, content_of, draw_face
        )


@pytest.mark.parametrize(
    ("settings", "code", "spoilt"),
    [
        ({"offline": 1}, "offline", False),
        ({"hopper": 0}, "hopper", False),
        ({"ribbon": 0}, "ribbon", False),
        ({"jam": 1}, "jam", True),
    ],
)
def test_a_printer_that_fails_says_what_became_of_the_card(
    window: Window, tmp_path: Path, settings: dict[str, int], code: str, spoilt: bool
) -> None:
    card_id = window.made(1)
    record = window.registry.get(card_id)
    faces = Faces(window.registry.books)
    printer = VirtualPrinter(tmp_path / "printer", settings)
    with pytest.raises(PrinterError) as caught:
        faces.print(record, printer, LAYOUT, content_of, draw_face)
    assert (caught.value.code, caught.value.spoilt) == (code, spoilt)
    assert (tmp_path / "printer" / "job-000001-spoilt.png").exists() is spoilt
    with pytest.raises(MatchError):
        faces.match(record.card_number)
    mended = VirtualPrinter(tmp_path / "printer", {"offline": 0, "hopper": 9, "ribbon": 9})
    faces.print(record, mended, LAYOUT, content_of, draw_face)
    assert faces.match(record.card_number) == (card_id, 2)


def test_a_program_that_dies_while_printing_leaves_a_question(
    window: Window, tmp_path: Path
) -> None:
    class Killed(BaseException):
        """As if the power had gone."""

    class Dying(VirtualPrinter):
        def print_face(self, job: PrintJob) -> None:
            super().print_face(job)
            raise Killed

    card_id = window.made(1)
    record, faces = window.registry.get(card_id), Faces(window.registry.books)
    with pytest.raises(Killed):
        faces.print(record, Dying(tmp_path / "p"), LAYOUT, content_of, draw_face)
    with pytest.raises(MatchError):
        faces.match(record.card_number)
    with pytest.raises(FaceError, match="nobody said what became"):
        faces.print(record, VirtualPrinter(tmp_path / "p"), LAYOUT, content_of, draw_face)
    faces.spoil(card_id, "unknown")
    faces.print(record, VirtualPrinter(tmp_path / "p"), LAYOUT, content_of, draw_face)
    assert faces.match(record.card_number) == (card_id, 2)


def test_a_virtual_printer_keeps_what_it_has_and_a_journal_without_people(tmp_path: Path) -> None:
    printer = VirtualPrinter.named(f"virtual:{tmp_path / 'p'}?ribbon=1")
    image = draw_face(content(), LAYOUT)
    printer.print_face(PrintJob(1, image, 1013, 638, 300))
    again = VirtualPrinter.named(f"virtual:{tmp_path / 'p'}")
    with pytest.raises(PrinterError, match="ribbon"):
        again.print_face(PrintJob(2, image, 1013, 638, 300))
    lines = (tmp_path / "p" / "jobs.jsonl").read_text().splitlines()
    assert [json.loads(line)["result"] for line in lines] == ["printed", "ribbon"]
    assert all(set(json.loads(line)) == {"job", "result", "image"} for line in lines)
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "p").iterdir())
    assert (tmp_path / "p").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("address", ["virtual:", "virtual:x?speed=3", "virtual:x?jam=many"])
def test_an_address_that_cannot_be_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        VirtualPrinter.named(address)
