"""Numbers that say what a portrait is like: light, sharpness, background, place of the head."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cardkit.registry.intake.raster import Pixels, luminance

# Regions as parts of width and height. The standard has the face in the middle and 207 of 358
# pixels wide, so beside and above it there is background and nothing else.
_FACE = (0.32, 0.68, 0.28, 0.70)  # left, right, top, bottom
_SHARP = (0.20, 0.80, 0.05, 0.75)
_SIDE = 0.10  # of the width, on both sides ...
_SIDE_DEEP = 0.35  # ... of the upper part
_HEAD = 0.60  # of the height: above the shoulders

_OTHER_THAN_BACKGROUND = 40  # of 255, in one of the colours
_ROW_OF_SUBJECT = 0.03  # of the width


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured on a photo in the size of the standard.

    Parameters
    ----------
    brightness, contrast : int
        Median and standard deviation of luminance where the face is, 0 to 255.
    chroma : int
        Median difference of the strongest and the weakest colour there: 0 is a grey picture.
    unevenness : int
        Difference of brightness between its halves.
    sharpness : int
        Variance of the Laplacian of the luminance.
    background, background_spread : int
        The darkest colour's mean, and the standard deviation, where only background is.
    head_top : int or None
        Pixels between the upper edge and the hair; None when nobody is there.
    centre : int or None
        Pixels between the middle of the head and that of the photo, to the right.
    """

    brightness: int
    contrast: int
    chroma: int
    unevenness: int
    sharpness: int
    background: int
    background_spread: int
    head_top: int | None
    centre: int | None

    def as_json(self) -> dict[str, int | None]:
        """For programs."""
        return asdict(self)


def measure(values: Pixels) -> Measures:
    """Measure a portrait.

    Parameters
    ----------
    values : Pixels
        The photo in the size of the standard.
    """
    grey = luminance(values)
    face = _part(grey, _FACE)
    half = face.shape[1] // 2
    background = _background(values)
    head_top, centre = _place(values, background)
    return Measures(
        brightness=round(float(np.median(face))),
        contrast=round(float(face.std())),
        chroma=round(float(np.median(np.ptp(_part(values, _FACE), axis=2)))),
        unevenness=round(abs(float(face[:, :half].mean()) - float(face[:, half:].mean()))),
        sharpness=round(_sharpness(_part(grey, _SHARP))),
        background=round(float(background.mean(axis=0).min())),
        background_spread=round(float(background.std(axis=0).max())),
        head_top=head_top,
        centre=centre,
    )


def _part(values: Pixels, region: tuple[float, float, float, float]) -> Pixels:
    height, width = values.shape[:2]
    left, right, top, bottom = region
    return values[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]


def _background(values: Pixels) -> Pixels:
    """Pixels x colours of the two upper sides."""
    height, width = values.shape[:2]
    deep, wide = int(height * _SIDE_DEEP), int(width * _SIDE)
    sides = (values[:deep, :wide], values[:deep, width - wide :])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _sharpness(grey: Pixels) -> float:
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def _place(values: Pixels, background: Pixels) -> tuple[int | None, int | None]:
    height, width = values.shape[:2]
    usual = np.median(background, axis=0)
    red, green, blue = np.moveaxis(np.abs(values - usual), 2, 0)
    farthest = np.maximum(np.maximum(red, green), blue)  # several times as quick as .max(axis=2)
    subject: NDArray[np.bool_] = farthest > _OTHER_THAN_BACKGROUND
    rows = np.flatnonzero(subject.sum(axis=1) > width * _ROW_OF_SUBJECT)
    if not rows.size or rows[0] > height * _HEAD:
        return None, None
    head = subject[rows[0] : int(height * _HEAD)]
    columns = np.flatnonzero(head.sum(axis=0) > head.shape[0] * _ROW_OF_SUBJECT)
    if not columns.size:
        return None, None
    middle = (int(columns[0]) + int(columns[-1])) / 2
    return int(rows[0]), round(middle - width / 2)
