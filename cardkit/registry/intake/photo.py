"""A photo is checked against the standard of the identity card and made ready for face and chip.

GA 461-2004: 358 x 441 pixels, 350 dpi, 24 bit colour, white background, JPEG. What a picture shows
is judged by simple measures in fixed regions (where the face, and where nothing but background has
to be): whether it is a face, and whose, is for the operator and the identity check to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cardkit.profile.schema import Photo as PhotoRules
from cardkit.registry.intake import jpeg, raster
from cardkit.registry.intake.findings import Finding
from cardkit.registry.intake.measures import Measures, measure
from cardkit.registry.intake.raster import Picture

MOST_PIXELS = 60_000_000
"""Pixels that are decoded: a camera's photo, not a bomb of some kilobytes."""

PRINT_QUALITY = 92
"""JPEG quality of the photo for the face; the source is compressed already."""

_CHIP_PARTS = (1.0, 0.8, 0.67, 0.57, 0.5, 0.42, 0.33)  # of the width and height
_CHIP_QUALITIES = (8, 90)
_DPI_SLACK = 2  # dots an inch: writers round through dots a centimetre


@dataclass(frozen=True, slots=True)
class Prepared:
    """A photo that was taken, in the forms in which it is used.

    Parameters
    ----------
    original_digest : str
        SHA-256 of the file as it came, hex.
    original_bytes, original_width, original_height : int
    print : bytes
        JPEG of the size of the standard, without metadata.
    chip : bytes
        JPEG that fits the photo file of the chip.
    """

    original_digest: str
    original_bytes: int
    original_width: int
    original_height: int
    print: bytes = field(repr=False)
    chip: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PhotoVerdict:
    """What came of a check.

    Parameters
    ----------
    findings : tuple of Finding
        Everything wrong with it; empty when it is taken.
    measures : Measures or None
        None when it could not be decoded.
    prepared : Prepared or None
        None when it is not taken.
    """

    findings: tuple[Finding, ...]
    measures: Measures | None = None
    prepared: Prepared | None = None

    @property
    def ok(self) -> bool:
        """Whether the photo is taken."""
        return self.prepared is not None

    def as_json(self) -> dict[str, object]:
        """For programs."""
        found: dict[str, object] = {"ok": self.ok}
        found["findings"] = [finding.as_json() for finding in self.findings]
        if self.measures is not None:
            found["measures"] = self.measures.as_json()
        if self.prepared is not None:
            found["chip_bytes"] = len(self.prepared.chip)
            found["print_bytes"] = len(self.prepared.print)
        return found


def check_photo(data: bytes, rules: PhotoRules) -> PhotoVerdict:
    """Check a file and, when nothing is wrong, prepare it; pure and repeatable.

    Parameters
    ----------
    data : bytes
        The file.
    rules : PhotoRules
        Limits, from the profile.
    """
    try:
        facts = jpeg.inspect(data)
    except jpeg.JpegError as error:
        found = f" ({error.found})" if error.found else ""
        return PhotoVerdict(
            (Finding(error.code, {"found": found} if error.code == "format" else {}),)
        )
    findings = list(_about_file(data, facts, rules))
    if facts.coding == "other" or facts.width * facts.height > MOST_PIXELS:
        return PhotoVerdict(tuple(findings))
    try:
        picture = raster.decode(data)
    except raster.UnreadablePictureError as error:
        return PhotoVerdict((*findings, Finding(error.code)))
    shape = list(_about_shape(picture, facts, rules))
    findings += shape
    if any(finding.code == "aspect" for finding in shape):  # regions would mean nothing
        return PhotoVerdict(tuple(findings))
    standard = raster.scaled(picture, rules.width, rules.height)
    measures = measure(raster.pixels(standard))
    said = {finding.code for finding in findings}
    findings += (one for one in _about_content(measures, rules) if one.code not in said)
    if findings:
        return PhotoVerdict(tuple(findings), measures)
    return _prepared(data, picture, standard, measures, rules)


def _prepared(
    data: bytes, picture: Picture, standard: Picture, measures: Measures, rules: PhotoRules
) -> PhotoVerdict:
    chip = chip_jpeg(standard, rules)
    if chip is None:
        return PhotoVerdict((Finding("chip", {"limit": rules.chip_bytes}),), measures)
    width, height = picture.size
    digest = hashlib.sha256(data).hexdigest()
    face = raster.to_jpeg(standard, PRINT_QUALITY, rules.dpi)
    return PhotoVerdict((), measures, Prepared(digest, len(data), width, height, face, chip))


def _about_file(data: bytes, facts: jpeg.Facts, rules: PhotoRules) -> Iterator[Finding]:
    size = len(data)
    if size < rules.least_bytes:
        yield Finding("file_small", {"bytes": size, "least": rules.least_bytes})
    if size > rules.most_bytes:
        yield Finding("file_large", {"bytes": size, "most": rules.most_bytes})
    if facts.coding != "baseline":
        yield Finding("progressive" if facts.coding == "progressive" else "coding")
    if facts.components != 3 or facts.bits != 8:
        yield Finding("colour")
    if facts.width * facts.height > MOST_PIXELS:
        yield Finding("huge", {"width": facts.width, "height": facts.height})


def _about_shape(picture: Picture, facts: jpeg.Facts, rules: PhotoRules) -> Iterator[Finding]:
    width, height = picture.size
    values: Mapping[str, int] = {
        "width": width,
        "height": height,
        "want_width": rules.width,
        "want_height": rules.height,
    }
    ratio, wanted = width / height, rules.width / rules.height
    if abs(ratio / wanted - 1) * 1000 > rules.aspect_tolerance:
        yield Finding("aspect", values)
    elif width < rules.width or height < rules.height:
        yield Finding("pixels", values)
    exact = (width, height) == (rules.width, rules.height)
    if rules.check_dpi and exact and facts.dpi is not None:
        astray = [dpi for dpi in facts.dpi if abs(dpi - rules.dpi) > _DPI_SLACK]
        if astray:
            yield Finding("resolution", {"dpi": astray[0], "want": rules.dpi})


def _about_content(found: Measures, rules: PhotoRules) -> Iterator[Finding]:
    if found.background < rules.least_background:
        yield _beyond("background", found.background, rules.least_background)
    if found.background_spread > rules.most_background_spread:
        yield _beyond("background_uneven", found.background_spread, rules.most_background_spread)
    if found.head_top is None or found.centre is None:
        yield Finding("nobody")
        return
    if found.chroma < rules.least_chroma:
        yield Finding("colour")
    yield from _about_light(found, rules)
    if found.sharpness < rules.least_sharpness:
        yield _beyond("blurred", found.sharpness, rules.least_sharpness)
    if found.head_top > rules.head_top_most:
        yield _beyond("head_low", found.head_top, rules.head_top_most)
    if abs(found.centre) > rules.centre_tolerance:
        yield _beyond("off_centre", abs(found.centre), rules.centre_tolerance)


def _about_light(found: Measures, rules: PhotoRules) -> Iterator[Finding]:
    if found.brightness < rules.least_brightness:
        yield _beyond("dark", found.brightness, rules.least_brightness)
    if found.brightness > rules.most_brightness:
        yield _beyond("bright", found.brightness, rules.most_brightness)
    if found.contrast < rules.least_contrast:
        yield _beyond("contrast", found.contrast, rules.least_contrast)
    if found.unevenness > rules.most_unevenness:
        yield _beyond("uneven_light", found.unevenness, rules.most_unevenness)


def _beyond(code: str, value: int, limit: int) -> Finding:
    return Finding(code, {"value": value, "limit": limit})


def chip_jpeg(picture: Picture, rules: PhotoRules) -> bytes | None:
    """The JPEG that comes nearest to the picture within ``rules.chip_bytes``; None: there is none.

    Of a size, the best quality that fits; of the sizes, the one with the smallest error of
    brightness once it is shown in the size of the standard again. The error has one lowest point
    between too few pixels and too coarse ones, so sizes are tried downhill from the middle.
    """
    wanted = raster.luminance(raster.pixels(picture))

    def tried(part: float) -> tuple[float, bytes] | None:
        width, height = round(picture.width * part), round(picture.height * part)
        small = raster.scaled(picture, width, height)
        data = _best_quality(small, round(rules.dpi * part), rules.chip_bytes)
        if data is None:
            return None
        shown = raster.scaled(raster.decode(data), picture.width, picture.height)
        return float(((raster.luminance(raster.pixels(shown)) - wanted) ** 2).mean()), data

    middle = len(_CHIP_PARTS) // 2
    best = tried(_CHIP_PARTS[middle])
    for way in (-1, 1):  # larger sizes first
        place = middle + way
        while 0 <= place < len(_CHIP_PARTS):
            found = tried(_CHIP_PARTS[place])
            if found is None or (best is not None and found[0] >= best[0]):
                if best is not None or way < 0:
                    break
            else:
                best = found
            place += way
        if best is not None and place != middle + way:
            break  # it went downhill this way
    return best[1] if best else None


def _best_quality(picture: Picture, dpi: int, limit: int) -> bytes | None:
    low, high = _CHIP_QUALITIES
    best = None
    while low <= high:
        quality = (low + high) // 2
        data = raster.to_jpeg(picture, quality, dpi)
        if len(data) <= limit:
            best, low = data, quality + 1
        else:
            high = quality - 1
    return best
