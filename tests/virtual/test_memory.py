"""The EEPROM: undo notes against a copy of everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.status import Refusal


class Cells:
    """Something of each kind that is kept in memory."""

    def __init__(self) -> None:
        self.number = 7
        self.records = [b"one", b"two"]
        self.content = bytearray(16)

    def copy(self) -> tuple[int, list[bytes], bytes]:
        return self.number, list(self.records), bytes(self.content)


def change(memory: Memory, cells: Cells, what: int) -> None:
    """One write of one kind, with a value that tells it from others."""
    kind, value = what % 5, bytes((what,))
    if kind == 0:
        memory.assign(cells, "number", what, 1)
    elif kind == 1:
        memory.insert(cells.records, what % (len(cells.records) + 1), value, 1)
    elif kind == 2 and cells.records:
        memory.remove(cells.records, what % len(cells.records))
    elif kind == 3 and cells.records:
        memory.replace(cells.records, what % len(cells.records), value, 1)
    else:
        memory.splice(cells.content, what % 14, value * 2)
    memory.allocate(what % 3)


CHANGES = st.lists(st.integers(0, 255), max_size=12)


@given(kept=CHANGES, lost=CHANGES)
def test_a_power_cut_goes_back_to_the_last_commit(kept: list[int], lost: list[int]) -> None:
    memory, cells = Memory(1000), Cells()
    for what in kept:
        change(memory, cells, what)
    memory.commit()
    before, used = cells.copy(), memory.used
    for what in lost:
        change(memory, cells, what)
    memory.rollback()
    assert (cells.copy(), memory.used, memory.dirty) == (before, used, False)


@given(kept=CHANGES, lost=CHANGES)
def test_a_refusal_goes_back_to_what_was_kept(kept: list[int], lost: list[int]) -> None:
    memory, cells = Memory(1000), Cells()
    for what in kept:
        change(memory, cells, what)
    memory.keep()
    before = cells.copy()
    for what in lost:
        change(memory, cells, what)
    memory.refuse()
    assert cells.copy() == before
    memory.rollback()
    assert cells.copy() == before, "a refused command has ended"


@given(kept=CHANGES, lost=CHANGES)
def test_a_power_cut_takes_what_was_kept_too(kept: list[int], lost: list[int]) -> None:
    memory, cells = Memory(1000), Cells()
    before = cells.copy()
    for what in kept:
        change(memory, cells, what)
    memory.keep()
    for what in lost:
        change(memory, cells, what)
    memory.rollback()
    assert (cells.copy(), memory.used) == (before, 0)


def test_no_more_than_there_is() -> None:
    memory = Memory(10)
    memory.allocate(10)
    with pytest.raises(Refusal, match="6A84"):
        memory.allocate(1)
    memory.release(4)
    assert memory.free == 4
