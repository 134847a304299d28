"""A chip and a registry that tell a `Watch` of every place, and are hit where it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from copy import deepcopy
from typing import Literal, Self

from cardkit.registry.journal import Detail
from cardkit.registry.registry import Registry
from cardkit.virtual.card import Fault, FaultKind, PowerLostError, VirtualCard
from tests.crash.places import RESET, Hit, Place, Point

_GET_RESPONSE = 0xC0
_UNNAMED = "unnamed"  # a commit that no list knows


class PowerCut(BaseException):
    """The computer loses its power; like KeyboardInterrupt, nobody handles it."""


class Watch:
    """Counts the places that a run goes through, and says what happens at one of them.

    Parameters
    ----------
    place : int
        Number of the place that is hit, from 1; 0 for none.
    hit : Hit
        What happens there.
    """

    def __init__(self, place: int = 0, hit: Hit = Hit.CUT_BEFORE) -> None:
        self.places: list[Place] = []
        self._place, self._hit = place, hit

    @classmethod
    def of(cls, point: Point) -> Self:
        """Let a point of a list happen."""
        return cls(point.place, point.hit)

    @property
    def happened(self) -> bool:
        """Whether the place was reached."""
        return 0 < self._place <= len(self.places)

    def passes(self, place: Place) -> Hit | None:
        """Note a place; what happens there, None for nothing."""
        self.places.append(place)
        return self._hit if len(self.places) == self._place else None

    def cut(self) -> None:
        """End the program on the spot."""
        raise PowerCut


class FragileCard(VirtualCard):
    """A virtual card that loses its power at any command, GET RESPONSE included, or reset."""

    def __init__(self, card: VirtualCard, serial: bytes, random: Callable[[int], bytes]) -> None:
        super().__init__(card.chip, random=random)
        self.factory_serial = serial
        self.watch = Watch()

    def twin(self) -> FragileCard:
        """A second chip with the same content, without power."""
        return FragileCard(VirtualCard(deepcopy(self.chip)), self.factory_serial, self._random)

    def transmit(self, apdu: bytes) -> bytes:
        """See `VirtualCard.transmit`."""
        hit = self.watch.passes(Place(apdu[:4].hex().upper()))
        return super().transmit(apdu) if hit is None else self.hit(apdu, hit)

    def hit(self, apdu: bytes, hit: Hit) -> bytes:
        """Lose the power at a command."""
        if apdu[1] != _GET_RESPONSE:
            self.arm(Fault(FaultKind(hit.value)))
            return super().transmit(apdu)
        if hit is not Hit.CUT_BEFORE:  # faults of the card do not count it; it writes nothing
            super().transmit(apdu)
        self.power_off()
        raise PowerLostError

    def reset(self) -> bytes:
        """See `VirtualCard.reset`."""
        hit = self.watch.passes(Place(RESET))
        if hit is Hit.CUT_BEFORE:
            self.power_off()
        atr = super().reset()
        if hit is Hit.UNANSWERED:
            self.power_off()
            raise PowerLostError
        return atr


class WatchedRegistry(Registry):
    """A registry whose computer loses its power before or after a commit."""

    @classmethod
    def at(cls, url: str, watch: Watch, now: dt.datetime) -> Self:
        """Open one."""
        commits = _Commits(watch)
        registry = cls.open(url, clock=lambda: now, actor="tester", on_commit=commits)
        registry._commits = commits
        return registry

    _commits: _Commits

    def intent(
        self,
        card_id: int,
        *,
        id_code: bytes,
        atr: bytes,
        factory_atr: bytes | None,
        reader: str,
        chip_kind: str,
    ) -> None:
        """See `Registry.intent`."""
        self._commits.name = "intent"
        super().intent(
            card_id,
            id_code=id_code,
            atr=atr,
            factory_atr=factory_atr,
            reader=reader,
            chip_kind=chip_kind,
        )

    def milestone(self, card_id: int, step: str) -> None:
        """See `Registry.milestone`."""
        self._commits.name = f"milestone-{step}"
        super().milestone(card_id, step)

    def result(
        self, card_id: int, *, ok: bool, id_code: bytes, detail: Detail | None = None
    ) -> None:
        """See `Registry.result`."""
        self._commits.name = "result"
        super().result(card_id, ok=ok, id_code=id_code, detail=detail)


class _Commits:
    """The place of a commit: noted before it, hit before or after it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._hit: Hit | None = None
        self.name = _UNNAMED

    def __call__(self, when: Literal["before", "after"]) -> None:
        if when == "before":
            self._hit = self._watch.passes(Place(self.name, is_commit=True))
            self.name = _UNNAMED
        if self._hit == f"{when}-commit":
            self._watch.cut()
