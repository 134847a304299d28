"""Chinese fonts for cards and papers: where they are, which face of a file, what they can show.

Debian's package fonts-noto-cjk (licence OFL 1.1: may be embedded and passed on) is what is looked
for; a setting may name another directory. The files are collections (TTC): one file holds faces for
Japan, Korea, China ..., which draw the same character differently, so the face is chosen by name.
Only the tables ``name`` and ``cmap`` are read here (OpenType 1.9, ISO/IEC 14496-22).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Self

from cardkit.errors import UsageError

Style = Literal["sans", "serif"]
Weight = Literal["regular", "bold"]

DIRECTORIES = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
    Path("/usr/local/share/fonts"),
)
"""Where distributions put them."""

FILES = {
    ("sans", "regular"): "NotoSansCJK-Regular.ttc",
    ("sans", "bold"): "NotoSansCJK-Bold.ttc",
    ("serif", "regular"): "NotoSerifCJK-Regular.ttc",
    ("serif", "bold"): "NotoSerifCJK-Bold.ttc",
}
FAMILIES = {"sans": "Noto Sans CJK SC", "serif": "Noto Serif CJK SC"}
"""Faces with the forms of characters used in China."""

_UNICODE = {(0, 3), (0, 4), (3, 1), (3, 10)}
_FAMILY_NAMES = (1, 16)


class FontError(UsageError):
    """A font is missing, or cannot show a text."""


def find_font(
    style: Style = "sans", weight: Weight = "regular", directories: Sequence[Path] = DIRECTORIES
) -> Path:
    """File of a Chinese font.

    Parameters
    ----------
    directories : sequence of Path
        Where to look, the first find counts.

    Raises
    ------
    FontError
        It is not installed.

    Examples
    --------
    >>> find_font("serif", directories=[Path("/nowhere")])
    Traceback (most recent call last):
    ...
    cardkit.registry.fonts.FontError: no Chinese font NotoSerifCJK-Regular.ttc on this computer
    """
    name = FILES[style, weight]
    for directory in directories:
        if (directory / name).is_file():
            return directory / name
    raise FontError(
        f"no Chinese font {name} on this computer",
        hint="install it: apt-get install fonts-noto-cjk",
        zh=f"本机没有中文字体 {name}：请安装软件包 fonts-noto-cjk",
    )


@cache
def face_index(path: Path, family: str = FAMILIES["sans"]) -> int:
    """Place of a family within a font file; 0 for a file with a single face.

    Raises
    ------
    FontError
        The file is no font, or has several faces and none of that name.
    """
    with _Font(path) as font:
        if len(font.faces) == 1:
            return 0
        for index, face in enumerate(font.faces):
            if family in font.family_names(face):
                return index
    raise FontError(f"{path.name} has no face {family!r}", hint="name another font")


def missing_characters(text: str, path: Path, index: int = 0) -> str:
    """Characters of `text` that the font cannot show, each once, in order.

    Raises
    ------
    FontError
        The file is no font.
    """
    covered = _coverage(path, index)
    return "".join(dict.fromkeys(c for c in text if not c.isspace() and not _in(c, covered)))


def require_characters(text: str, path: Path, index: int = 0) -> None:
    """Refuse a text that would come out with empty boxes in it.

    Raises
    ------
    FontError
        Names the characters by code point; the text itself is not repeated.
    """
    missing = missing_characters(text, path, index)
    if missing:
        points = ", ".join(f"U+{ord(character):04X}" for character in missing)
        raise FontError(
            f"the font {path.name} cannot show {points}",
            hint="name a font that has these characters, or have them added to it",
            zh=f"字体 {path.name} 缺字 {points}：请换用收有该字的字体，不要打印缺字的卡片或单据",
        )


def _in(character: str, ranges: Sequence[tuple[int, int]]) -> bool:
    point = ord(character)
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] < point:
            low = middle + 1
        else:
            high = middle
    return low < len(ranges) and ranges[low][0] <= point


@cache
def _coverage(path: Path, index: int) -> tuple[tuple[int, int], ...]:
    with _Font(path) as font:
        return tuple(sorted(font.ranges(font.faces[index])))


class _Font:
    """The few tables of an OpenType file or collection that are wanted here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise self._broken() from None

    def __enter__(self) -> Self:
        try:
            self.faces = list(self._faces())
        except struct.error:
            self._data.close()
            raise self._broken() from None
        return self

    def __exit__(self, *_: object) -> None:
        self._data.close()

    def _broken(self) -> FontError:
        return FontError(
            f"{self._path} is not a font that can be read", hint="name an OpenType font"
        )

    def _at(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(">" + form, self._data, at)

    def _faces(self) -> Iterator[dict[bytes, int]]:
        if self._data[:4] == b"ttcf":
            (count,) = self._at("I", 8)
            starts: Iterable[int] = self._at(f"{count}I", 12)
        elif self._data[:4] in (b"OTTO", b"\0\1\0\0", b"true"):
            starts = (0,)
        else:
            raise self._broken()
        for start in starts:
            (tables,) = self._at("H", start + 4)
            records = (start + 12 + 16 * n for n in range(tables))
            yield {bytes(self._data[at : at + 4]): self._at("I", at + 8)[0] for at in records}

    def family_names(self, face: dict[bytes, int]) -> set[str]:
        """Family names in any language."""
        start = face[b"name"]
        _, count, texts = self._at("HHH", start)
        found = set()
        for n in range(count):
            platform, _, _, name, length, at = self._at("6H", start + 6 + 12 * n)
            if name in _FAMILY_NAMES and platform == 3:
                raw = self._data[start + texts + at : start + texts + at + length]
                found.add(raw.decode("utf-16-be", "replace"))
        return found

    def ranges(self, face: dict[bytes, int]) -> Iterator[tuple[int, int]]:
        """Ranges of code points that the face has glyphs for."""
        start = face[b"cmap"]
        (count,) = self._at("H", start + 2)
        best = -1
        for n in range(count):
            platform, encoding, offset = self._at("HHI", start + 4 + 8 * n)
            table_format = self._at("H", start + offset)[0]
            if (platform, encoding) in _UNICODE and table_format == 12:
                yield from self._segmented(start + offset)
                return
            if (platform, encoding) in _UNICODE and table_format == 4:
                best = start + offset
        if best < 0:
            raise self._broken()
        yield from self._two_bytes(best)

    def _segmented(self, at: int) -> Iterator[tuple[int, int]]:
        """Format 12."""
        (count,) = self._at("I", at + 12)
        for n in range(count):
            first, last, _ = self._at("III", at + 16 + 12 * n)
            yield first, last

    def _two_bytes(self, at: int) -> Iterator[tuple[int, int]]:
        """Format 4: no characters beyond U+FFFF."""
        (double,) = self._at("H", at + 6)
        count = double // 2
        ends = self._at(f"{count}H", at + 14)
        firsts = self._at(f"{count}H", at + 16 + double)
        yield from ((a, b) for a, b in zip(firsts, ends, strict=True) if a != 0xFFFF)
