"""Holds a mirror to the program: how all looks that its functions get, keep and give back."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, Self

from tests.canary.search import Evidence

_PACKAGE = "cardkit"
_CALLS = 600
"""Calls of each function that are followed; a chip is made in 330 commands, then it is read."""

_SAMPLES = 20
"""Objects of each class that are looked at in each function."""


class Mirror:
    """Takes down ``str`` and ``repr`` of every object of the program, and every traceback.

    While it is entered, each call of a function of the program is followed: its parameters and
    variables when it returns, what it returns, and what it raises. Objects in lists and other
    objects are looked at as they come by.
    """

    def __init__(self) -> None:
        self.evidence: set[Evidence] = set()
        self.classes: set[type] = set()
        self._looks: Counter[tuple[type, object]] = Counter()
        self._calls: Counter[object] = Counter()
        self._busy = threading.local()

    def __enter__(self) -> Self:
        threading.setprofile(self._follow)
        sys.setprofile(self._follow)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def show(self, thing: object, where: object = None) -> None:
        """Look at one object."""
        kind = type(thing)
        if not kind.__module__.startswith(_PACKAGE) or self._looks[kind, where] >= _SAMPLES:
            return
        self._looks[kind, where] += 1
        self.classes.add(kind)
        for how in (str, repr):
            self._keep(f"{how.__name__} of {kind.__module__}.{kind.__qualname__}", how(thing))
        if isinstance(thing, BaseException):
            self.raised(thing)

    def raised(self, error: BaseException) -> None:
        """Look at an exception as it would be printed, with those it came from."""
        text = "".join(traceback.format_exception(error))
        self._keep(f"traceback of {type(error).__qualname__}", text)

    def _keep(self, place: str, text: str) -> None:
        self.evidence.add(Evidence(place, text.encode("utf-8", "backslashreplace")))

    def _follow(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "return" or getattr(self._busy, "now", False):
            return
        if not frame.f_globals.get("__name__", "").startswith(_PACKAGE):
            return
        self._calls[frame.f_code] += 1
        if self._calls[frame.f_code] > _CALLS:
            return
        self._busy.now = True
        try:
            for thing in _within([argument, *frame.f_locals.values()]):
                self.show(thing, frame.f_code)
        finally:
            self._busy.now = False


def _within(things: Sequence[object]) -> Iterator[object]:
    """The things, and the first of what the containers among them hold."""
    for thing in things:
        yield thing
        if isinstance(thing, Mapping):
            yield from list(thing.values())[:3]
        elif isinstance(thing, (list, tuple)):
            yield from thing[:3]
