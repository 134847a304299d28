"""Where the fields of an XML layout stand: its ``[xml]`` table, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
"""Elements from the root down."""

DECLARED = {"gbk": "GBK", "gb18030": "GB18030", "utf-8": "UTF-8"}
"""What the XML declaration says of each encoding."""
DEEPEST = 16
"""Elements inside each other, in a layout and in any file."""
_TAG = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Xml:
    """The elements of a file.

    Parameters
    ----------
    header, trailer : tuple of str
        Element under which the tags of their fields are looked up.
    rows : tuple of str
        Element that is repeated, once a row.
    """

    header: Path
    rows: Path
    trailer: Path

    @classmethod
    def from_toml(cls, raw: Mapping[str, Any]) -> Xml:
        """From paths like ``A/B/C``; header and trailer are under the root when nothing is said."""
        rows = tuple(raw["rows"].split("/"))
        under = {part: tuple(raw.get(part, rows[0]).split("/")) for part in ("header", "trailer")}
        return cls(rows=rows, **under)


def below(base: Path, tags: Sequence[str]) -> list[Path]:
    """Path of every tag; a tag may be a path itself."""
    return [(*base, *tag.split("/")) for tag in tags]


def problems(
    xml: Xml, header: Sequence[str], row: Sequence[str], trailer: Sequence[str]
) -> Iterator[str]:
    """What cannot be in a declaration with these tags.

    Written in their order, every element is opened once; so a file that is read can be refused
    for an element that comes twice.
    """
    order = [*below(xml.header, header), xml.rows, *below(xml.trailer, trailer)]
    for path in order:
        if any(not _TAG.fullmatch(tag) for tag in path):
            yield f"{'/'.join(path)} is not formed of names of elements"
        if not 1 < len(path) < DEEPEST or path[0] != xml.rows[0]:
            yield f"{'/'.join(path)} is not 1-{DEEPEST - 2} elements below the root {xml.rows[0]}"
    for base in (xml.header, xml.trailer):
        if base[0] != xml.rows[0]:
            yield f"{'/'.join(base)} is not the root {xml.rows[0]}, nor below it"
    if any(not _TAG.fullmatch(tag) for tag in row):
        yield "the tag of a field in rows is one name of an element"
    if len(set(row)) != len(row):
        yield "two fields of a row have the same tag"
    opened: set[Path] = {xml.rows[:1]}
    inside: Path = ()
    for path in order:
        shared = len(_shared(inside, path[:-1]))
        new = [path[:depth] for depth in range(max(shared, 1) + 1, len(path) + 1)]
        twice = next((one for one in new if one in opened), None)
        if twice:
            yield f"{'/'.join(twice)} would be there twice: what is in it stands together"
        opened |= set(new)
        inside = path[:-1]


def _shared(one: Path, other: Path) -> Path:
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return one[:at]
    return min(one, other, key=len)


def way(start: Path, goal: Path) -> tuple[Path, Path]:
    """Which elements to close, innermost first, and which to open to come from one to another.

    Examples
    --------
    >>> way(("A", "B", "C"), ("A", "D"))
    (('C', 'B'), ('D',))
    """
    shared = len(_shared(start, goal))
    return start[shared:][::-1], goal[shared:]
