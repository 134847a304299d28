"""The states of a card record and of a chip, and what leads from one to the next: data, no code.

docs/registry.md shows the same table; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cardkit.registry.errors import IllegalMoveError


class State(StrEnum):
    """Where a card record stands."""

    PLANNED = "planned"  # numbers given, no chip in work
    WRITING = "writing"  # a chip is being written, or was when the power failed
    WRITTEN = "written"  # every item sent (only ever seen in the history)
    VERIFIED = "verified"  # every item read back and compared (only in the history)
    ISSUED = "issued"  # a correct card exists
    SPOILT = "spoilt"  # the record is given up with its card number
    FAILED = "failed"  # stopped for a reason that somebody has to look at


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
}

DEAD = (State.SPOILT,)
"""States that do not count as having a card; `cancelled` joins them with the lifecycle."""

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
