"""The basic read of a 2.0 card (card.md 3), command by command, as a T=0 card answers it.

Nothing is completed for the reader: SELECT of a directory announces its answer with 61xx, a wrong
Le is answered with 6Cxx. The bytes are those of the row in `tests/golden/conftest.py`, written by
hand.
"""

from __future__ import annotations

import pytest

from cardkit.virtual.card import VirtualCard
from tests.golden.basic_read import (
    BASIC_READ,
    FCI,
    HOLDER,
    ISSUER,
    SELECT_SSSE,
    WRONG_LENGTHS,
    compact,
)
from tests.golden.raw import RawCard


@pytest.fixture
def card(issued: VirtualCard) -> RawCard:
    """The issued card after a reset."""
    atr = issued.power_on()
    return RawCard(issued.transmit, atr)


def test_the_sequence_answers_these_bytes(card: RawCard) -> None:
    assert [(command, card.send(command)) for command, _ in BASIC_READ] == BASIC_READ


@pytest.mark.parametrize("select", ["00A4020002", "00A4000002"], ids=["here", "anywhere"])
def test_both_ways_to_select_a_file(card: RawCard, select: str) -> None:
    card.send(SELECT_SSSE)
    assert card.send(select + ISSUER) == "9000"
    assert card.send("00B2030406") == "0304322E30309000"
    assert card.send(select + HOLDER) == "9000"
    assert card.send("00B2040403") == "0A01329000"


@pytest.mark.parametrize(("file", "command", "answer"), WRONG_LENGTHS)
def test_a_wrong_length_is_answered_with_the_right_one(
    card: RawCard, file: str, command: str, answer: str
) -> None:
    card.send(SELECT_SSSE)
    card.send(f"00A4020002{file}")
    assert card.send(command) == answer


def test_the_answer_to_select_waits_for_the_right_length(card: RawCard) -> None:
    assert card.send(SELECT_SSSE) == "611E"
    assert card.send("00C0000000") == "6C1E"
    assert card.send("00C000001E") == FCI + "9000"
    assert card.send("00C000001E") == "6F00"  # fetched once


def test_any_other_command_drops_the_answer_to_select(card: RawCard) -> None:
    card.send(SELECT_SSSE)
    card.send(f"00A4020002{ISSUER}")
    assert card.send("00C000001E") == "6F00"


def test_records_are_found_by_tag_as_well(card: RawCard) -> None:
    card.send(SELECT_SSSE)
    card.send(f"00A4020002{ISSUER}")
    assert card.send("00B207000B") == compact("07 09 543030323032363135 9000")


def test_what_is_not_there(card: RawCard) -> None:
    card.send(SELECT_SSSE)
    assert card.send("00B2010412") == "6986"  # no file selected yet
    card.send(f"00A4020002{ISSUER}")
    assert card.send("00B2080400") == "6A83"
    assert card.send("00A4020002EF0C") == "6A82"
