"""Portraits drawn by a program: nobody has ever looked like this."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

WIDTH, HEIGHT = 358, 441
_SCALE = 2  # drawn larger, then reduced: soft edges as a lens makes them


@dataclass(frozen=True)
class Looks:
    """What a drawn person looks like."""

    skin: tuple[int, int, int] = (224, 182, 150)
    hair: tuple[int, int, int] = (38, 32, 30)
    coat: tuple[int, int, int] = (52, 74, 120)
    background: tuple[int, int, int] = (248, 248, 248)


def looks(seed: int) -> Looks:
    """A person by number."""
    dice = random.Random(seed)
    tone = dice.randint(-28, 18)
    return Looks(
        skin=(224 + tone, 182 + tone, 150 + tone),
        hair=tuple(dice.randint(20, 90) for _ in range(3)),  # type: ignore[arg-type]
        coat=tuple(dice.randint(20, 150) for _ in range(3)),  # type: ignore[arg-type]
    )


def portrait(who: int | Looks = 0, *, seed: int = 1) -> Image.Image:
    """A portrait of the size and composition of the standard."""
    person = looks(who) if isinstance(who, int) else who
    size = (WIDTH * _SCALE, HEIGHT * _SCALE)
    image = Image.new("RGB", size, person.background)
    pen = ImageDraw.Draw(image)

    def oval(cx: float, cy: float, rx: float, ry: float, fill: Any) -> None:
        box = [(cx - rx) * _SCALE, (cy - ry) * _SCALE, (cx + rx) * _SCALE, (cy + ry) * _SCALE]
        pen.ellipse(box, fill=fill)

    dark = tuple(max(0, c - 45) for c in person.skin)
    oval(179, 470, 165, 110, person.coat)
    pen.rectangle([140 * _SCALE, 320 * _SCALE, 218 * _SCALE, 385 * _SCALE], fill=dark)
    oval(179, 165, 112, 150, person.hair)
    oval(179, 205, 100, 135, person.skin)
    pen.pieslice([74 * _SCALE, 20 * _SCALE, 284 * _SCALE, 230 * _SCALE], 180, 360, fill=person.hair)
    for side in (-1, 1):
        oval(179 + side * 42, 190, 17, 9, (250, 250, 250))
        oval(179 + side * 42, 190, 8, 8, (40, 28, 20))
        oval(179 + side * 42, 168, 24, 4, person.hair)
        oval(179 + side * 101, 205, 9, 24, dark)
    oval(179, 235, 11, 22, dark)
    oval(179, 282, 32, 9, (176, 84, 84))
    return _grain(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), seed)


def _grain(image: Image.Image, seed: int, strength: int = 3) -> Image.Image:
    """Noise of a sensor: without it a drawing is sharper and smaller than any photo."""
    dice = random.Random(seed)
    noise = Image.frombytes("L", image.size, dice.randbytes(image.width * image.height))
    noise = noise.point(lambda v: v * 2 * strength // 255)
    grain = Image.merge("RGB", [noise] * 3)
    return ImageChops.add(image, grain, 1, -strength)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **({"quality": 85, "dpi": (350, 350)} | options))
    return file.getvalue()


def good(who: int = 0) -> bytes:
    """A photo that is taken."""
    return jpeg(portrait(who))


def _saved(image: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def _uneven_light() -> Image.Image:
    image = portrait()
    shade = Image.linear_gradient("L").rotate(90).resize(image.size)
    shade = shade.point(lambda v: 255 if v > 150 else 100)
    shade = shade.filter(ImageFilter.GaussianBlur(6))
    shaded = Image.composite(image, Image.new("RGB", image.size, (10, 8, 6)), shade)
    box = (60, 60, 300, 360)  # the face only: the background stays white
    image.paste(shaded.crop(box), box)
    return image


def _curtain() -> Image.Image:
    image = portrait()
    pen = ImageDraw.Draw(image)
    for x in range(0, 60, 12):
        pen.rectangle([x, 0, x + 5, 240], fill=(205, 205, 205))
    return image


def _shifted(dx: int, dy: int) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), (248, 248, 248))
    image.paste(portrait(), (dx, dy))
    return image


def _blown(image: Image.Image) -> Image.Image:
    return image.point(lambda v: min(255, int(v * 0.55 + 130)))


def _flat(image: Image.Image) -> Image.Image:
    face = ImageEnhance.Contrast(image).enhance(0.18)
    box = (66, 20, 292, 400)
    image = image.copy()
    image.paste(face.crop(box), box)
    return image


def _broken(data: bytes) -> bytes:
    """Tables of the decoder made meaningless; the headers stay readable."""
    at = data.index(b"\xff\xc4") + 5
    return data[:at] + b"\xff" * 16 + data[at + 16 :]


def _bomb() -> bytes:
    data = bytearray(good())
    at = bytes(data).index(b"\xff\xc0") + 5
    data[at : at + 4] = (60_000).to_bytes(2, "big") * 2
    return bytes(data)


def _arithmetic() -> bytes:
    return good().replace(b"\xff\xc0", b"\xff\xc9", 1)


REJECTED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "format": lambda: _saved(portrait(), "PNG"),
    "truncated": lambda: good()[:-3000],
    "damaged": lambda: _broken(good()),
    "huge": _bomb,
    "progressive": lambda: jpeg(portrait(), progressive=True),
    "coding": _arithmetic,
    "colour": lambda: jpeg(portrait().convert("L"), quality=95),
    "file_small": lambda: jpeg(portrait(), quality=4),
    "file_large": lambda: good() + bytes(2_000_000) + b"\xff\xd9",
    "aspect": lambda: jpeg(portrait().resize((480, 441))),
    "pixels": lambda: jpeg(portrait().resize((179, 220)), quality=95),
    "resolution": lambda: jpeg(portrait(), dpi=(72, 72)),
    "nobody": lambda: jpeg(_grain(Image.new("RGB", (WIDTH, HEIGHT), "#f8f8f8"), 1), quality=95),
    "dark": lambda: jpeg(portrait(Looks(skin=(74, 56, 44), hair=(12, 10, 10))), quality=95),
    "bright": lambda: jpeg(_blown(portrait()), quality=92),
    "contrast": lambda: jpeg(_flat(portrait()), quality=92),
    "uneven_light": lambda: jpeg(_uneven_light()),
    "blurred": lambda: jpeg(portrait().filter(ImageFilter.GaussianBlur(5)), quality=95),
    "background": lambda: jpeg(portrait(Looks(background=(67, 142, 219)))),
    "background_uneven": lambda: jpeg(_curtain()),
    "head_low": lambda: jpeg(_shifted(0, 70)),
    "off_centre": lambda: jpeg(_shifted(48, 0)),
}
"""A photo of every sort that is not taken, by the code of its reason."""
