"""The golden trace of a blank chip: still made, still right, still understood by a chip."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cardkit.apdu.mask import Pattern
from cardkit.apdu.replay import Comparison, ReplayLink, replay
from cardkit.apdu.trace import Event, Exchange, Reset, Trace, to_text
from cardkit.virtual.link import VirtualLink
from tests.golden.audit_blank_session import Audit, DeviationError
from tests.golden.blank_session import FILE, blank_chip, golden, record_session

CHIP_MEMORY = 32 * 1024
HEADER_OF_A_FILE = 16


def bare(event: Event) -> Event:
    """An event without words, times and place."""
    if isinstance(event, Reset):
        return Reset(event.atr)
    return Exchange(event.command, event.answer)


def test_issuing_the_same_row_gives_the_same_bytes(tmp_path: Path) -> None:
    recorded = record_session(VirtualLink(blank_chip()), tmp_path)

    assert to_text(Trace(tuple(recorded.events))) == to_text(
        Trace(tuple(bare(event) for event in golden().events))
    )


def test_a_fresh_chip_answers_the_recorded_commands_as_recorded() -> None:
    told = replay(golden(), VirtualLink(blank_chip()), dangerous=True)
    assert told == Comparison(len(golden().exchanges), ())


def test_the_recording_is_card_enough_to_issue_onto(tmp_path: Path) -> None:
    link = ReplayLink(golden())

    record_session(link, tmp_path)

    assert link.left == 0


def test_every_byte_follows_from_the_rules() -> None:
    audit = Audit(golden())
    audit.run()
    assert len(audit.reviewed) == len(golden().events)


def test_every_line_says_by_which_rule_it_was_reviewed() -> None:
    audit = Audit(golden())
    audit.run()
    assert [event.note for event in golden().events] == audit.reviewed


def flipped(pattern: Pattern, at: int) -> Pattern:
    """One bit wrong."""
    value = bytearray(pattern.value)
    value[at] ^= 1 << at % 8
    return Pattern(bytes(value))


def with_one_bit_flipped(event: Event, part: str, at: int) -> Event:
    if isinstance(event, Reset):
        return dataclasses.replace(event, atr=flipped(event.atr, at))
    if part == "command":
        return dataclasses.replace(event, command=flipped(event.command, at))
    assert event.answer is not None
    return dataclasses.replace(event, answer=flipped(event.answer, at))


UNUSED_CHALLENGE = 2
"""Place of the one challenge that enters no cryptogram: it only asks whether the card is locked."""


@pytest.mark.parametrize("part", ["command", "answer"])
@pytest.mark.parametrize("which", [0.0, 0.5, 0.999])
def test_one_wrong_bit_in_any_line_is_a_deviation(part: str, which: float) -> None:
    events = golden().events
    for place, event in enumerate(events):
        if place == UNUSED_CHALLENGE and part == "answer":
            continue
        whole = event.atr if isinstance(event, Reset) else getattr(event, part)
        wrong = with_one_bit_flipped(event, part, int(len(whole) * which))
        with pytest.raises(DeviationError):
            Audit(Trace((*events[:place], wrong, *events[place + 1 :]))).run()


def test_a_line_more_or_less_is_a_deviation() -> None:
    events = tuple(golden().events)
    for wrong in (events[:-1], (*events, events[-1]), events[1:], (*events[:40], *events[41:])):
        with pytest.raises(DeviationError):
            Audit(Trace(wrong)).run()


def test_no_command_is_sent_that_is_not_needed() -> None:
    exchanges = golden().exchanges
    commands = [e.command.value for e in exchanges]
    answers = [e.answer.value for e in exchanges if e.answer]

    assert not [c for c in commands if c[1] == 0xA4 and c[2] in (0x01, 0x02)]  # SELECT of an EF
    assert not [a for a in answers if a[0] == 0x6C and len(a) == 2]
    written = [(directory, c[2:4]) for directory, c in by_directory(commands) if c[1] == 0xDC]
    assert len(written) == len(set(written))


def by_directory(commands: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Commands with the name of the directory they work in."""
    here, found = b"MF", []
    for command in commands:
        if command[1] == 0xA4:
            here = command[5:]
        found.append((here, command))
    return found


def test_what_is_created_fits_the_chip() -> None:
    created = [
        e.command.value for e in golden().exchanges if e.command.value[:4] == b"\x80\xe0\1\0"
    ]
    files = [command[5:] for command in created if command[5 + 7] >= 0xC0]
    directories = [command[5:] for command in created if command[5 + 7] < 0xC0]

    assert len(directories) == 6
    spaces = sum(int.from_bytes(data[3:5], "big") + HEADER_OF_A_FILE for data in files)
    assert spaces + sum(map(len, directories)) <= CHIP_MEMORY


def test_the_file_is_written_as_the_formatter_writes() -> None:
    assert to_text(golden()) == FILE.read_text(encoding="utf-8")
