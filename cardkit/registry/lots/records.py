"""What the lots hand out: lots, who had them, and what came of a merge."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from cardkit.registry.numbering import lot_name


class Kind(StrEnum):
    """How the cards of a lot reach their holders."""

    VILLAGE_DAY = "village-day"  # 进村发放
    TOWNSHIP = "township"  # 乡镇发放
    EMPLOYER = "employer"  # 单位领取


class State(StrEnum):
    """Where a lot stands."""

    PACKED = "packed"  # 已装袋
    OUT = "out"  # 已带出
    BACK = "back"  # 已带回
    CLOSED = "closed"  # 已核销
    UNPACKED = "unpacked"  # 已拆袋: packed by mistake, it never left


class Taken(StrEnum):
    """What became of a card of a lot."""

    UNKNOWN = ""
    HANDED = "handed"  # 已发放
    RETURNED = "returned"  # 带回
    MISSING = "missing"  # 缺失
    UNPACKED = "unpacked"  # 拆袋: free again before the lot left


CAME_BACK = "handed out by the file, and came back"
"""Why a card counts as handed out although it lies in the office again."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A pack of cards.

    Parameters
    ----------
    place : str
        Code of the village, township or employer.
    digest : str
        SHA-256 of its list, hex.
    handed, returned, missing, unknown : int
        How many cards ended how; `count` is their sum.
    conflicts : int
        Cards that were handed out although the registry could not follow.
    """

    lot_id: int
    kind: str
    place: str
    state: str
    count: int
    digest: str
    machine: str
    card_carrier: str
    machine_carrier: str
    packed_at: str
    out_at: str
    back_at: str
    closed_at: str
    minutes: str
    handed: int = 0
    returned: int = 0
    missing: int = 0
    unknown: int = 0
    conflicts: int = 0

    @property
    def name(self) -> str:
        """``L000012``."""
        return lot_name(self.lot_id)

    def as_json(self) -> dict[str, Any]:
        """The lot for programs."""
        return {"lot": self.name} | asdict(self)


@dataclass(frozen=True, slots=True)
class Custody:
    """A hand-over: who gave what to whom, how many, when."""

    instant: str
    what: str
    from_who: str
    to_who: str
    count: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something an outcome file says that the registry cannot follow.

    Parameters
    ----------
    kind : str
        ``state`` (the card is lost, frozen, replaced ... at the centre), ``twice``,
        ``unknown-card``, ``other-lot``, ``other-card``, ``contradicts``, ``refused``; and of no
        file, but of the count of what came back: ``came-back``.
    """

    position: int
    card_id: int | None
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What merging an outcome file did.

    Parameters
    ----------
    already : int
        Rows that an earlier file had said the same way.
    again : bool
        This very file was merged before: nothing was changed.
    """

    lot_id: int
    handed: int
    returned: int
    already: int
    conflicts: tuple[Conflict, ...]
    again: bool = False

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {"lot": lot_name(self.lot_id)} | asdict(self)


@dataclass(frozen=True, slots=True)
class LotStory:
    """A lot with its chain of custody, its difference and its conflicts.

    Parameters
    ----------
    open_cards : tuple of (int, int)
        Position and card record of cards of which nothing is known yet, or that are missing.
    clerk : str
        Of an employer, who collected the cards.
    """

    lot: Lot
    custody: tuple[Custody, ...]
    open_cards: tuple[tuple[int, int], ...]
    conflicts: tuple[Conflict, ...] = field(default=())
    clerk: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """The story for programs."""
        return self.lot.as_json() | {
            "custody": [asdict(one) for one in self.custody],
            "open_cards": [{"position": p, "card_id": c} for p, c in self.open_cards],
            "clerk": self.clerk,
            "conflicts_named": [asdict(one) for one in self.conflicts],
        }
