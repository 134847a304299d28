"""Where the cards of a roster stand at the end of a run, whoever made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from cardkit.issuance.batch import Tally
from cardkit.registry.registry import Registry
from cardkit.registry.states import NOT_MADE, State
from cardkit.registry.worklist import Worklist


@dataclass(frozen=True, slots=True)
class Standing:
    """Numbers of card records of one roster.

    Parameters
    ----------
    issued : int
        Made by this run.
    elsewhere : int
        Wanted by this run and made by other windows meanwhile.
    earlier : int
        Made before.
    waiting, begun : int
        Still open.
    failed : int
        Wait for somebody who looks at them.
    away : frozenset of int
        Records that another living window has in hand: nothing is missing of those.
    """

    issued: int
    elsewhere: int
    earlier: int
    waiting: int
    begun: int
    failed: int
    away: frozenset[int] = frozenset()

    @property
    def open(self) -> int:
        """Records that still want a card."""
        return self.waiting + self.begun


def standing(
    registry: Registry,
    worklist: Worklist,
    card_ids: Collection[int],
    wanted: Collection[int],
    tally: Tally,
) -> Standing:
    """Ask the registry.

    Parameters
    ----------
    card_ids : collection of int
        Of the whole roster.
    wanted : collection of int
        Those among them that had no card when the run began.

    Raises
    ------
    RegistryError
    """
    states = registry.states(set(card_ids))
    count = Counter(states.values())
    made = {card_id for card_id, state in states.items() if state not in NOT_MADE}
    here = len(tally.issued)
    elsewhere = len(made.intersection(wanted).difference(tally.issued))
    begun = {card_id for card_id, state in states.items() if state == State.WRITING}
    return Standing(
        issued=here,
        elsewhere=elsewhere,
        earlier=max(0, len(made) - here - elsewhere),
        waiting=count[State.PLANNED],
        begun=len(begun),
        failed=count[State.FAILED],
        away=frozenset(worklist.elsewhere(begun)),
    )


def by_the_tally(wanted: Collection[int], tally: Tally) -> Standing:
    """What this run knows by itself, for when the registry cannot be asked any more."""
    issued, failed = len(tally.issued), len(tally.failed)
    return Standing(issued, 0, 0, len(wanted) - issued - failed, 0, failed)
