"""Hand-out lots 发放批次: packs of cards that leave the office, and come back counted ([D11])."""

from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.files import (
    Outcome,
    OutcomeRow,
    Pack,
    PackedCard,
    read_outcome,
    read_pack,
)
from cardkit.registry.lots.leaving import Clerk
from cardkit.registry.lots.records import Conflict, Custody, Lot, LotStory, MergeResult
from cardkit.registry.lots.room import Lots
from cardkit.registry.lots.taking_down import take_down

__all__ = [
    "Clerk",
    "Conflict",
    "Custody",
    "Lot",
    "LotError",
    "LotStory",
    "Lots",
    "MergeResult",
    "Outcome",
    "OutcomeRow",
    "Pack",
    "PackedCard",
    "read_outcome",
    "read_pack",
    "take_down",
]
