"""Looks for markers in whatever a run has left behind."""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.canary.forms import forms
from tests.canary.markers import Kind, Marker

_BETWEEN_DIGITS = re.compile(rb"[\s:|]+")
_BETWEEN_PIECES = bytes(8)
_HEAD = 8
"""Bytes of a form that are looked up at every position at once; shorter ones are searched for."""


@dataclass(frozen=True)
class Evidence:
    """Bytes that were somewhere."""

    place: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, order=True)
class Leak:
    """Markers of one kind where they do not belong.

    Parameters
    ----------
    place : str
        Where.
    kind : str
        Of what.
    first : str
        One of them, and its form.
    count : int
        How many, in how many forms.
    """

    place: str
    kind: str
    first: str
    count: int

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}, {self.count} times, such as {self.first}"


@dataclass(frozen=True)
class _Form:
    marker: Marker
    name: str
    data: bytes


class Searcher:
    """Finds markers in every form.

    Blanks, line ends and colons between digits hide nothing, nor does a workbook (ZIP).
    """

    def __init__(self, markers: Iterable[Marker]) -> None:
        self._forms: dict[Kind, list[_Form]] = {kind: [] for kind in Kind}
        for marker in markers:
            for name, data in forms(marker.value).items():
                self._forms[marker.kind].append(_Form(marker, name, data))

    def find(
        self, evidence: Iterable[Evidence], allowed: Mapping[str, Collection[Kind]]
    ) -> set[Leak]:
        """What is where it does not belong.

        Parameters
        ----------
        evidence : iterable of Evidence
        allowed : mapping
            Place → kinds that may be there; nothing is, at a place that is missing.
        """
        groups: dict[frozenset[Kind], set[Evidence]] = defaultdict(set)
        for piece in evidence:
            groups[frozenset(allowed.get(piece.place, ()))].add(piece)
        return {leak for kinds, pieces in groups.items() for leak in self._in_group(kinds, pieces)}

    def _in_group(self, allowed: frozenset[Kind], pieces: set[Evidence]) -> Iterator[Leak]:
        known = [form for kind, some in self._forms.items() if kind not in allowed for form in some]
        views = [(piece.place, view) for piece in pieces for view in _views(piece.data)]
        everything = _BETWEEN_PIECES.join(view for _, view in views)
        starts = [0]
        for _, view in views:
            starts.append(starts[-1] + len(view) + len(_BETWEEN_PIECES))
        found: dict[tuple[str, Kind], list[str]] = defaultdict(list)
        for form, at in _positions(everything, known):
            place, _ = views[bisect_right(starts, at) - 1]
            found[place, form.marker.kind].append(f"{form.marker.label} as {form.name}")
        for (place, kind), told in found.items():
            yield Leak(place, kind.value, min(told), len(Counter(told)))


def _views(data: bytes) -> set[bytes]:
    return {view for part in _unpacked(data) for view in (part, _BETWEEN_DIGITS.sub(b"", part))}


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    if not data.startswith(b"PK\x03\x04"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    except zipfile.BadZipFile:
        return


def _positions(data: bytes, known: list[_Form]) -> Iterator[tuple[_Form, int]]:
    """Where each form begins."""
    long: dict[bytes, list[_Form]] = defaultdict(list)
    for form in known:
        if len(form.data) >= _HEAD:
            long[form.data[:_HEAD]].append(form)
            continue
        at = data.find(form.data)
        while at >= 0:
            yield form, at
            at = data.find(form.data, at + 1)
    heads = np.unique(np.frombuffer(b"".join(long), dtype="<u8"))
    for at in _look_up(data, heads):
        for form in long[data[at : at + _HEAD]]:
            if data.startswith(form.data, at):
                yield form, at


def _look_up(data: bytes, heads: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Iterator[int]:
    """Positions at which one of the heads stands."""
    if not heads.size:
        return
    for offset in range(_HEAD):
        count = (len(data) - offset) // _HEAD
        if count <= 0:
            return
        words = np.frombuffer(data, dtype="<u8", count=count, offset=offset)
        nearest = np.minimum(np.searchsorted(heads, words), heads.size - 1)
        for index in np.flatnonzero(heads[nearest] == words):
            yield offset + _HEAD * int(index)
