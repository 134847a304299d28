"""Power cuts, pulled cards and kill -9 of the real program: the next run finishes the same card.

The whole matrix of such points is in tests/crash; here a clerk's program is hit from outside, over
a real PC/SC service.
"""

from __future__ import annotations

import signal
import subprocess

import pytest

from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from tests.faults.conftest import Stack
from tests.faults.window import Told, Window, holder

pytestmark = pytest.mark.pcsc

READ, UPDATE = 0xB2, 0xDC


def kill_at(card: VirtualCard, instruction: int, times: int) -> list[subprocess.Popen[str]]:
    """Kill the program in the list when a card has got an instruction so many times."""
    victims: list[subprocess.Popen[str]] = []
    seen = 0

    def count(command: bytes, _: bytes) -> None:
        nonlocal seen
        seen += command[1] == instruction
        if seen == times and victims:
            victims.pop().send_signal(signal.SIGKILL)

    card.on_exchange.append(count)
    return victims


@pytest.mark.parametrize(
    ("instruction", "times"),
    [(UPDATE, 1), (UPDATE, 7), (READ, 9)],
    ids=["at the first write", "half written", "while it is checked"],
)
def test_kill_9_in_the_middle_of_a_batch(
    window: Window, stack: Stack, instruction: int, times: int
) -> None:
    done, hit, last = window.premade(1), window.premade(2), window.premade(3)
    roster = window.people(3)
    victims = kill_at(hit, instruction, times)
    program = window.start(*window.issuing(roster, stack(done, hit).reader))
    victims.append(program)
    assert Told(program).end() == -signal.SIGKILL
    assert window.states() == ["issued", "writing", "planned"]

    again = window.issue(roster, stack(last, hit).reader)

    assert again.code == 0, again.err
    window.correct(done, hit, last)
    assert window.records()[1].citizen_number == holder(hit)


def test_kill_9_while_a_blank_chip_is_made(window: Window, stack: Stack) -> None:
    chip = window.factory.blank(bytes.fromhex("00000009"))
    roster = window.people(2)
    victims: list[subprocess.Popen[str]] = []
    chip.on_exchange.append(
        lambda *_: (
            victims.pop().send_signal(signal.SIGKILL)
            if victims and chip.counters.commands == 180
            else None
        )
    )
    program = window.start(*window.issuing(roster, stack(chip).reader))
    victims.append(program)
    assert Told(program).end() == -signal.SIGKILL
    assert window.states() == ["writing", "planned"]

    other = window.factory.blank(bytes.fromhex("0000000A"))
    again = window.issue(roster, stack(other, chip).reader)

    assert again.code == 0, again.err
    window.correct(chip, other)
    assert window.records()[0].citizen_number == holder(chip)


@pytest.mark.parametrize("kind", [FaultKind.CUT_BEFORE, FaultKind.TORN, FaultKind.UNANSWERED])
def test_a_card_that_loses_its_power_is_finished_when_it_is_put_in_again(
    window: Window, stack: Stack, kind: FaultKind
) -> None:
    card = window.premade(1)
    card.arm(Fault(kind, at=12))
    at = stack(card)
    told = Told(window.start(*window.issuing(window.people(1), at.reader, idle=None)))

    told.wait_for(f"{at.reader}  ")  # it is named; the card has left its reader
    stack(card, slot=at.slot)

    assert told.end() == 0
    window.correct(card)


def test_a_card_that_was_pulled_is_finished_by_the_next_run(window: Window, stack: Stack) -> None:
    card, other = window.premade(1), window.premade(2)
    card.arm(Fault(FaultKind.REMOVED, at=15))
    roster = window.people(2)
    reader = stack(card).reader
    first = window.issue(roster, reader)
    assert first.code == 1
    assert f"waiting: the card that was in {reader} is not finished" in first.err
    assert "put the next one in" not in first.err
    assert window.states() == ["writing", "planned"]
    card.insert()

    again = window.issue(roster, stack(other, card).reader)

    assert again.code == 0, again.err
    window.correct(card, other)
    assert window.records()[0].citizen_number == holder(card)


def test_ctrl_c_ends_after_the_current_card_and_the_next_run_goes_on(
    window: Window, stack: Stack
) -> None:
    cards = [window.premade(order) for order in range(1, 5)]
    roster = window.people(4)
    told = Told(window.start(*window.issuing(roster, stack(*cards[:2]).reader, idle=None)))
    told.wait_for("[1/4]")
    told.program.send_signal(signal.SIGINT)
    assert told.end() == 1
    states = window.states()
    assert "writing" not in states
    assert 1 <= states.count("issued") <= 2

    left = cards[states.count("issued") :]
    assert window.issue(roster, stack(*left).reader).code == 0

    window.correct(*cards)
