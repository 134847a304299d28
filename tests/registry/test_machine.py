"""Any sequence of actions: no state the table does not allow, no number and no chip twice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cardkit.registry.errors import (
    ChipTakenError,
    IllegalMoveError,
    UnknownCardError,
    WrongChipError,
)
from cardkit.registry.registry import Registry
from cardkit.registry.states import TRANSITIONS, Action, State
from tests.registry.support import (
    MAC,
    assert_consistent,
    begin,
    begin_premade,
    crowd,
    enrol,
    open_at,
    premade_code,
)

REFUSALS = (ChipTakenError, IllegalMoveError, UnknownCardError, WrongChipError)
card_ids = st.integers(1, 6)
serials = st.integers(1, 12)  # among the reserved ones and beyond


class RegistryMachine(RuleBasedStateMachine):
    """A registry under somebody who does everything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="cardkit-machine-"))
        self.registry: Registry = open_at(self.directory / "registry.db")
        self.numbers: dict[int, str] = {}
        self.dead_codes: set[bytes] = set()

    def teardown(self) -> None:
        self.registry.close()
        shutil.rmtree(self.directory)

    def attempt(self, card_id: int, move: Callable[[], object]) -> None:
        """A refusal leaves the record exactly as it was."""
        known = card_id in self.numbers
        before = self.registry.show(card_id) if known else None
        try:
            move()
        except REFUSALS:
            after = self.registry.show(card_id) if known else None
            assert after == before
        else:
            assert known

    @rule(first=st.integers(0, 3), count=st.integers(1, 3))
    def enrol(self, first: int, count: int) -> None:
        result = enrol(self.registry, crowd(count, first))
        assert not result.conflicts
        for card_id in result.new:
            record = self.registry.get(card_id)
            assert record.card_number not in self.numbers.values()
            self.numbers[card_id] = record.card_number

    @rule(card_id=card_ids)
    def begin_blank(self, card_id: int) -> None:
        self.attempt(card_id, lambda: begin(self.registry, self.registry.get(card_id)))

    @rule(card_id=card_ids, serial=serials)
    def begin_premade(self, card_id: int, serial: int) -> None:
        code = premade_code(serial)
        self.attempt(card_id, lambda: begin_premade(self.registry, card_id, code))
        bound = self.registry.find_by_id_code(code)
        if bound is not None and bound.state != State.ISSUED:
            assert code not in self.dead_codes

    @rule(card_id=card_ids)
    def milestone(self, card_id: int) -> None:
        self.attempt(card_id, lambda: self.registry.milestone(card_id, "MF"))

    @rule(card_id=card_ids)
    def result(self, card_id: int) -> None:
        def move() -> None:
            code = self.registry.get(card_id).id_code
            self.registry.result(card_id, ok=True, id_code=code + MAC)
            self.dead_codes.add(code)

        self.attempt(card_id, move)

    @rule(card_id=card_ids)
    def fail(self, card_id: int) -> None:
        self.attempt(card_id, lambda: self.registry.fail(card_id, "x"))

    @rule(card_id=card_ids)
    def retry(self, card_id: int) -> None:
        self.attempt(card_id, lambda: self.registry.retry(card_id))

    @rule(card_id=card_ids)
    def spoil(self, card_id: int) -> None:
        def move() -> None:
            code = self.registry.get(card_id).id_code
            self.registry.spoil(card_id, "x")
            self.dead_codes.add(code)

        self.attempt(card_id, move)

    @rule(card_id=card_ids)
    def release(self, card_id: int) -> None:
        self.attempt(card_id, lambda: self.registry.release(card_id, "x"))

    @rule(card_id=card_ids)
    def discard(self, card_id: int) -> None:
        def move() -> None:
            code = self.registry.get(card_id).id_code
            self.registry.discard(card_id, "x")
            self.dead_codes.add(code)

        self.attempt(card_id, move)

    @precondition(lambda self: self.numbers)
    @rule()
    def reopen(self) -> None:
        """What was done is still there for the next program."""
        before = list(self.registry.list())
        self.registry.close()
        self.registry = open_at(self.directory / "registry.db")
        assert list(self.registry.list()) == before

    @invariant()
    def everything_promised_holds(self) -> None:
        assert_consistent(self.registry)

    @invariant()
    def the_history_tells_a_legal_story(self) -> None:
        for card_id, number in self.numbers.items():
            story = self.registry.show(card_id)
            assert story.record.card_number == number
            state: State | None = None
            for entry in story.history:
                assert entry.from_state == state
                state = TRANSITIONS[state, Action(entry.action)]
                assert entry.to_state == state
            assert story.record.state == state


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
