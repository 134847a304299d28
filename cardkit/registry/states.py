"""The states of a card record and of a chip, and what leads to a finished card: data, no code.

docs/registry.md shows the same table; a test compares them. What happens to a card once it is
issued is told in `cardkit.registry.lifecycle`: its table belongs to the profile, as places differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cardkit.registry.errors import IllegalMoveError


class State(StrEnum):
    """Where a card record stands."""

    PLANNED = "planned"  # numbers given, no chip in work
    ORDERED = "ordered"  # its data are with a factory
    WRITING = "writing"  # a chip is being written, or was when the power failed
    WRITTEN = "written"  # every item sent (only ever seen in the history)
    VERIFIED = "verified"  # every item read back and compared (only in the history)
    ISSUED = "issued"  # a correct card exists
    SPOILT = "spoilt"  # the record is given up with its card number
    FAILED = "failed"  # stopped for a reason that somebody has to look at

    # The life of a card that was made, on the side of social security.
    HANDED_OUT = "handed_out"  # the holder has it; it does nothing yet
    ACTIVE = "active"  # opened
    SUSPENDED = "suspended"  # stopped for a while by the agency
    FROZEN = "frozen"  # on the blacklist
    TEMPORARILY_LOST = "temporarily_lost"  # reported by phone; lapses by itself
    LOST = "lost"  # reported with papers
    CANCELLING = "cancelling"  # the first of three visits was made

    # Ends: such a card is dead for ever.
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    ENDED = "ended"


class BankState(StrEnum):
    """Where the bank's side of a card stands; it is reported apart from the other."""

    NONE = "none"  # no account
    OPENED = "opened"  # an account, not yet in use
    ACTIVE = "active"
    TEMPORARILY_LOST = "temporarily_lost"  # lapses by itself
    LOST = "lost"
    FROZEN = "frozen"  # the account is stopped by the agency
    PIN_LOCKED = "pin_locked"  # wrong tries
    PIN_LOST = "pin_lost"  # reported; no more unlocking
    CLOSED = "closed"


class ChipState(StrEnum):
    """Where a chip stands."""

    RESERVED = "reserved"  # known, carries nothing, may be bound to any record
    BOUND = "bound"  # promised to one record, may be half written
    ISSUED = "issued"  # carries its record
    SPOILT = "spoilt"  # broken; its id code is never used again
    RETIRED = "retired"  # works, but carries the data of a record that was given up


class Action(StrEnum):
    """What can be done to a card record; also the words of the history."""

    ENROL = "enrol"
    CORRECT = "correct"  # newer roster data taken over before anything was issued
    RENUMBER = "renumber"  # another chip came with the reserved id code from its factory
    INTENT = "intent"
    MILESTONE = "milestone"
    WRITE = "write"
    VERIFY = "verify"
    ISSUE = "issue"
    FAIL = "fail"
    RETRY = "retry"
    SPOIL = "spoil"  # the chip is broken: the record gets another one
    RELEASE = "release"  # the chip was not written: it may serve another record
    DISCARD = "discard"  # the record is given up (a pre-printed card that is spoilt)
    ORDER = "order"  # its data go to a factory
    RETURN = "return"  # the factory's return list has it as made
    REFUSE = "refuse"  # the factory's return list has it as not made


TRANSITIONS: Mapping[tuple[State | None, Action], State] = {
    (None, Action.ENROL): State.PLANNED,
    (State.PLANNED, Action.CORRECT): State.PLANNED,
    (State.FAILED, Action.CORRECT): State.FAILED,
    (State.PLANNED, Action.RENUMBER): State.PLANNED,
    (State.FAILED, Action.RENUMBER): State.FAILED,
    (State.PLANNED, Action.INTENT): State.WRITING,
    (State.WRITING, Action.INTENT): State.WRITING,
    (State.FAILED, Action.INTENT): State.WRITING,
    (State.WRITING, Action.MILESTONE): State.WRITING,
    (State.WRITING, Action.WRITE): State.WRITTEN,
    (State.WRITTEN, Action.VERIFY): State.VERIFIED,
    (State.VERIFIED, Action.ISSUE): State.ISSUED,
    (State.PLANNED, Action.FAIL): State.FAILED,
    (State.WRITING, Action.FAIL): State.FAILED,
    (State.FAILED, Action.RETRY): State.PLANNED,
    (State.PLANNED, Action.SPOIL): State.PLANNED,
    (State.WRITING, Action.SPOIL): State.PLANNED,
    (State.FAILED, Action.SPOIL): State.PLANNED,
    (State.PLANNED, Action.RELEASE): State.PLANNED,
    (State.WRITING, Action.RELEASE): State.PLANNED,
    (State.FAILED, Action.RELEASE): State.PLANNED,
    (State.PLANNED, Action.DISCARD): State.SPOILT,
    (State.WRITING, Action.DISCARD): State.SPOILT,
    (State.FAILED, Action.DISCARD): State.SPOILT,
    (State.PLANNED, Action.ORDER): State.ORDERED,
    (State.FAILED, Action.ORDER): State.ORDERED,
    (State.ORDERED, Action.RETURN): State.ISSUED,
    (State.ORDERED, Action.REFUSE): State.FAILED,
    (State.ORDERED, Action.DISCARD): State.SPOILT,
}

DEAD = (State.SPOILT, State.REPLACED, State.CANCELLED, State.TRANSFERRED, State.ENDED)
"""States that do not count as having a card, and that nothing leads out of."""

NOT_MADE = (
    State.PLANNED, State.ORDERED, State.WRITING, State.WRITTEN, State.VERIFIED, State.FAILED,
    State.SPOILT,
)  # fmt: skip
"""States in which no card was finished; in every other one there is, or was, a card."""

STOPPED = (State.SUSPENDED, State.FROZEN, State.TEMPORARILY_LOST, State.LOST)
"""States in which a card lives and must not be accepted."""

LIVE_CHIP = (ChipState.BOUND, ChipState.ISSUED)
"""States in which a chip belongs to exactly one record."""


def legal(state: State | None) -> frozenset[Action]:
    """Actions that `state` allows.

    Examples
    --------
    >>> sorted(legal(State.ISSUED)), sorted(legal(None))
    ([], [<Action.ENROL: 'enrol'>])
    """
    return frozenset(action for source, action in TRANSITIONS if source is state)


def after(card_id: int, state: State, action: Action) -> State:
    """State that `action` leads to.

    Raises
    ------
    IllegalMoveError
        `state` does not allow `action`; the error names what it allows.

    Examples
    --------
    >>> after(7, State.WRITING, Action.SPOIL)
    <State.PLANNED: 'planned'>
    """
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalMoveError(card_id, state.value, action.value, legal(state)) from None
