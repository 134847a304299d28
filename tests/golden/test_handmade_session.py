"""The recorded session against one that was worked out by hand from the fact sheets.

``handmade-session.txt`` was written by somebody who had not seen toolkit or recording; where the
documents leave two readings it may differ. Those differences are told below, and no others.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from cardkit.apdu.trace import Event, Reset, load
from cardkit.virtual.link import VirtualLink
from tests.golden.blank_session import FILE, blank_chip, record_session

HANDMADE = Path(__file__).with_name("handmade-session.txt")

Hunk = tuple[tuple[str, ...], tuple[str, ...]]

DIFFERENCES: tuple[Hunk, ...] = (
    # DF03 EF19 is "PIN or RK2", and the PIN stands: RK2 presented by hand, recorded without.
    (
        (
            "> 0084000008",
            "< 07162388D32E4A669000",
            "> 0082008510D2B7CF57A15F8D2707162388D32E4A66",
            "< 9000",
        ),
        (),
    ),
    # So the next challenge is another one, and the answer to it.
    (
        ("< 2B9A8D3DF7F4ED929000", "> 008200841017BAFAD9CDC25F402B9A8D3DF7F4ED92"),
        ("< 07162388D32E4A669000", "> 008200841001307832C0D7A67C07162388D32E4A66"),
    ),
)


def by_hand() -> list[str]:
    text = HANDMADE.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def as_lines(events: list[Event]) -> list[str]:
    lines = []
    for event in events:
        if isinstance(event, Reset):
            lines.append(f"* {event.atr.value.hex().upper()}")
        else:
            assert event.answer is not None
            lines.append(f"> {event.command.value.hex().upper()}")
            lines.append(f"< {event.answer.value.hex().upper()}")
    return lines


def differences(left: list[str], right: list[str]) -> tuple[Hunk, ...]:
    codes = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return tuple(
        (tuple(left[a:b]), tuple(right[c:d])) for kind, a, b, c, d in codes if kind != "equal"
    )


def test_the_recording_differs_from_the_handmade_session_only_where_told() -> None:
    assert differences(by_hand(), as_lines(load(FILE).events)) == DIFFERENCES


def test_the_session_run_again_differs_from_the_handmade_one_only_where_told(
    tmp_path: Path,
) -> None:
    recorded = record_session(VirtualLink(blank_chip()), tmp_path)
    assert differences(by_hand(), as_lines(recorded.events)) == DIFFERENCES
