"""The pictures of docs/intake.md: ``python -m tests.registry.intake.pictures docs/images``."""

from __future__ import annotations

import io
import sys
from datetime import date
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from cardkit.registry.intake.content import FaceContent
from cardkit.registry.intake.face import FontBook, draw_face
from cardkit.registry.intake.layout import load_layout
from cardkit.registry.intake.photo import check_photo
from tests.registry.intake import portraits
from tests.registry.intake.support import RULES, person, prepared

_CELL, _PHOTO, _COLUMNS = (178, 262), (140, 172), 8
_DAY = date(2026, 11, 22)


def sheet() -> Image.Image:
    """A photo that is taken, and one of every sort that is not, with code and reason."""
    photos = {"ok": portraits.good, **portraits.REJECTED}
    rows = -(-len(photos) // _COLUMNS)
    found = Image.new("RGB", (_CELL[0] * _COLUMNS - 16, _CELL[1] * rows), "white")
    for at, (code, make) in enumerate(photos.items()):
        left, top = at % _COLUMNS * _CELL[0] + 10, at // _COLUMNS * _CELL[1] + 8
        found.paste(_shown(make()), (left, top))
        _tell(found, (left, top + _PHOTO[1] + 6), code, _reason(code, make()))
    return found


def _reason(code: str, data: bytes) -> str:
    findings = {one.code: one.text() for one in check_photo(data, RULES).findings}
    return findings[code] if findings else "合格"


def _shown(data: bytes) -> Image.Image:
    """The photo as a viewer shows it; crossed out where it is none."""
    try:
        opened = Image.open(io.BytesIO(data)).convert("RGB")
        picture = ImageOps.pad(opened, _PHOTO, color="white")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
        picture = Image.new("RGB", _PHOTO, "#dddddd")
        pen = ImageDraw.Draw(picture)
        pen.line((0, 0, *_PHOTO), fill="#888888")
        pen.line((0, _PHOTO[1], _PHOTO[0], 0), fill="#888888")
    ImageDraw.Draw(picture).rectangle((0, 0, _PHOTO[0] - 1, _PHOTO[1] - 1), outline="#888888")
    return picture


def _tell(picture: Image.Image, place: tuple[int, int], code: str, reason: str) -> None:
    pen, book = ImageDraw.Draw(picture), FontBook()
    colour = "#1f5f2f" if code == "ok" else "#7a1f1f"
    pen.text(place, code, font=book.sized("regular", 16), fill=colour)
    small, line, top = book.sized("regular", 12), "", place[1] + 20
    for character in reason + "\n":
        full = small.getlength(line + character) > _CELL[0] - 30 and character not in "），、"
        if character == "\n" or full:
            pen.text((place[0], top), line, font=small, fill="black")
            line, top = "", top + 15
        line += character


def face() -> Image.Image:
    """A printed face."""
    content = FaceContent(
        "张测试", person(1).citizen_number, "A00000011", _DAY, _DAY.replace(year=2036),
        prepared(0).print, issuer="测试市人力资源和社会保障局",
    )  # fmt: skip
    return Image.open(io.BytesIO(draw_face(content, load_layout("standard"))))


def draw(folder: Path) -> None:
    """Write both, with few colours: they are kept in the repository."""
    for name, picture in (("intake-photos", sheet()), ("intake-face", face())):
        small = picture.convert("RGB").quantize(128)
        small.save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
