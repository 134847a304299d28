"""Pixels: the one place where Pillow and numpy are used for pictures. Imported late, it is slow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

Pixels = NDArray[np.float32]
"""Rows x columns x red, green, blue, each 0 to 255."""

Picture = Image.Image

LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601, as JPEG
_FULL = Image.Resampling.LANCZOS


_CORNER = (32, 4)  # pixels
_NO_DATA = 128  # what the decoder paints where the file has nothing: mid-grey, to the last bit


class UnreadablePictureError(ValueError):
    """The decoder cannot make a picture of the file. The message says nothing of its content."""

    code = "damaged"


class CutOffPictureError(UnreadablePictureError):
    """The file ends like a whole one, and its last part is not in it."""

    code = "truncated"


def decode(data: bytes, formats: tuple[str, ...] = ("JPEG",)) -> Picture:
    """Picture of a file, upright (EXIF orientation applied), RGB, without its metadata.

    The caller has looked at the size in the headers: nothing is limited here.

    Raises
    ------
    UnreadablePictureError
        Cut off or damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            _refuse_cut_off(image)
            upright = ImageOps.exif_transpose(image)
            clean = upright.convert("RGB")
    except CutOffPictureError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError) as error:
        raise UnreadablePictureError(type(error).__name__) from None
    clean.info.clear()
    return clean


def _refuse_cut_off(image: Image.Image) -> None:
    """The decoder does not say that data were missing; what it paints instead is recognised."""
    wide, high = _CORNER
    left, top = max(image.width - wide, 0), max(image.height - high, 0)
    corner = np.asarray(image.crop((left, top, image.width, image.height)).convert("RGB"))
    if (corner == _NO_DATA).all():
        raise CutOffPictureError("CutOffPictureError")


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """The picture in another size."""
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), _FULL, reducing_gap=3.0)


def to_jpeg(picture: Picture, quality: int, dpi: int) -> bytes:
    """Baseline JPEG without metadata; the same picture gives the same bytes."""
    file = io.BytesIO()
    options: dict[str, Any] = {"quality": quality, "optimize": True, "progressive": False}
    picture.save(file, "JPEG", dpi=(dpi, dpi), **options)
    return file.getvalue()


def to_png(picture: Picture, dpi: int) -> bytes:
    """PNG without metadata beside the resolution."""
    file = io.BytesIO()
    picture.save(file, "PNG", dpi=(dpi, dpi), optimize=False, compress_level=6)
    return file.getvalue()


def pixels(picture: Picture) -> Pixels:
    """Values of every pixel."""
    return np.asarray(picture, np.float32)


def luminance(values: Pixels) -> Pixels:
    """Rows x columns, 0 black to 255 white."""
    grey: Pixels = values @ LUMINANCE
    return grey


def canvas(width: int, height: int, colour: str = "white") -> Picture:
    """An empty picture."""
    return Image.new("RGB", (width, height), colour)


def font(path: Path, index: int, size: int) -> ImageFont.FreeTypeFont:
    """A face of a font file; `size` in pixels. No text shaping: the same everywhere."""
    return ImageFont.truetype(str(path), size, index, layout_engine=ImageFont.Layout.BASIC)


def pen(picture: Picture) -> ImageDraw.ImageDraw:
    """What draws on a picture."""
    return ImageDraw.Draw(picture)
