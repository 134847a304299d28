"""The picture a card printer gets: text, photo and bar code, placed by a layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cardkit.errors import UsageError
from cardkit.registry import fonts
from cardkit.registry.intake import barcode, raster
from cardkit.registry.intake.content import FaceContent
from cardkit.registry.intake.layout import Layout, TextBox

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_LABEL_SIZE = 22
_LABEL_GAP = 6
_LABEL_COLOUR = "#555555"


class FontBook:
    """Fonts for one face: chosen file or the installed Chinese one, checked for every text.

    Parameters
    ----------
    chosen : Path, optional
        A font file for both weights.
    """

    def __init__(self, chosen: Path | None = None) -> None:
        self._chosen = chosen

    def face(self, weight: str) -> tuple[Path, int]:
        """File and index of a weight; errors as `fonts.find_font`."""
        path = self._chosen or fonts.find_font("sans", "bold" if weight == "bold" else "regular")
        return path, fonts.face_index(path)

    def sized(self, weight: str, size: int) -> FreeTypeFont:
        """A font to draw with."""
        return raster.font(*self.face(weight), size)

    def require(self, text: str, weight: str) -> None:
        """See `fonts.require_characters`."""
        fonts.require_characters(text, *self.face(weight))


def draw_face(content: FaceContent, layout: Layout, book: FontBook | None = None) -> bytes:
    """PNG of the printed side; the same content gives the same bytes.

    Raises
    ------
    FontError
        No font, or one without a character of the text; names the character.
    UsageError
        A text does not fit into its place even in its smallest size.
    """
    book = book or FontBook()
    for box in layout.text:
        book.require(content.text(box.field) + box.label, box.weight)
    picture = raster.canvas(layout.width, layout.height, layout.background)
    place = layout.photo
    photo = raster.scaled(raster.decode(content.photo), place.width, place.height)
    picture.paste(photo, (place.x, place.y))
    pen = raster.pen(picture)
    for box in layout.text:
        _write(pen, box, content.text(box.field), book)
    _draw_bars(pen, layout, content.card_number)
    return raster.to_png(picture, layout.dpi)


def _draw_bars(pen: ImageDraw, layout: Layout, text: str) -> None:
    bars = layout.barcode
    for place, module in enumerate(barcode.modules(text)):
        if module == "1":
            left = bars.x + place * bars.module
            pen.rectangle(
                (left, bars.y, left + bars.module - 1, bars.y + bars.height - 1), fill="#000000"
            )


def _write(pen: ImageDraw, box: TextBox, text: str, book: FontBook) -> None:
    top = box.y
    if box.label:
        label = book.sized(box.weight, _LABEL_SIZE)
        pen.text((box.x, top), box.label, font=label, fill=_LABEL_COLOUR)
        top += _LABEL_SIZE + _LABEL_GAP
    font, lines = _fitted(box, text, partial(book.sized, box.weight))
    for line in lines:
        left = box.x
        if box.align == "centre":
            left -= round(font.getlength(line) / 2)
        pen.text((left, top), line, font=font, fill=box.colour)
        top += round(font.size * 1.15)


def _fitted(
    box: TextBox, text: str, sized: Callable[[int], FreeTypeFont]
) -> tuple[FreeTypeFont, list[str]]:
    """The largest size in which the text fits: on one line, or else on as many as are allowed."""
    for allowed in range(1, box.lines + 1):
        most = box.size if allowed == 1 else box.size * 2 // 3
        for size in range(most, box.least - 1, -2):
            font = sized(size)
            lines = list(_broken(text, font, box.width))
            if len(lines) <= allowed:
                return font, lines
    raise UsageError(
        f"the text of {box.field} does not fit on the card",
        hint="give it more room, more lines or a smaller least size in the layout",
        zh=f"卡面字段 {box.label or box.field} 过长，印不下：请在版式中放宽",
    )


def _broken(text: str, font: FreeTypeFont, width: int) -> Iterator[str]:
    line = ""
    for character in text:
        if line and font.getlength(line + character) > width:
            yield line
            line = ""
        line += character
    yield line
