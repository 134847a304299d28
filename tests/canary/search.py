"""Looks for markers in whatever a run has left behind."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tests.canary.forms import forms
from tests.canary.markers import Kind, Marker

_BETWEEN_DIGITS = re.compile(rb"[\s:|]+")


@dataclass(frozen=True, order=True)
class Leak:
    """Markers of one kind where they do not belong.

    Parameters
    ----------
    place : str
        Where.
    kind : Kind
        Of what.
    first : str
        One of them, and its form.
    count : int
        How many in how many forms.
    """

    place: str
    kind: str
    first: str
    count: int

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}, {self.count} times, such as {self.first}"


class Searcher:
    """Finds markers in every form.

    Blanks, line ends and colons between digits hide nothing, nor does a workbook (ZIP).
    """

    def __init__(self, markers: Iterable[Marker]) -> None:
        self._forms: dict[Kind, list[tuple[Marker, str, bytes]]] = {kind: [] for kind in Kind}
        for marker in markers:
            for name, form in forms(marker.value).items():
                self._forms[marker.kind].append((marker, name, form))

    def find(self, place: str, data: bytes, allowed: Collection[Kind] = ()) -> Iterator[Leak]:
        """What is in ``data`` and not allowed there, a leak for each kind."""
        views = [view for part in _unpacked(data) for view in (part, _BETWEEN_DIGITS.sub(b"", part))]
        for kind, known in self._forms.items():
            if kind in allowed:
                continue
            found = [
                f"{marker.label} as {name}"
                for marker, name, form in known
                if any(form in view for view in views)
            ]
            if found:
                yield Leak(place, kind.value, found[0], len(found))


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    if not data.startswith(b"PK\x03\x04"):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            yield archive.read(name)
