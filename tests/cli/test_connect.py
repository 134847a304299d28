"""From what a person says to the one reader that is meant."""

from __future__ import annotations

import pytest

from cardkit.apdu.pcsc import NoCardError, NoServiceError, NoSuchReaderError, ReaderState
from cardkit.cli.connect import choose_reader, open_reader
from cardkit.errors import ExitCode, UsageError

EMPTY = ReaderState("ACS ACR39U 00 00", present=False)
FULL = ReaderState("ACS ACR39U 01 00", present=True)
OTHER = ReaderState("Virtual 00", present=True)


@pytest.mark.parametrize(
    ("part", "states", "name"),
    [
        (None, [EMPTY], EMPTY.name),
        (None, [EMPTY, FULL], FULL.name),
        ("acr39", [EMPTY, FULL, OTHER], FULL.name),
        ("u 00", [EMPTY, FULL, OTHER], EMPTY.name),
        (EMPTY.name.lower(), [EMPTY, FULL], EMPTY.name),
        ("virtual", [EMPTY, FULL, OTHER], OTHER.name),
    ],
)
def test_the_reader_that_is_meant(part: str | None, states: list[ReaderState], name: str) -> None:
    assert choose_reader(part, states) == name


def test_an_exact_name_comes_before_one_that_contains_it() -> None:
    longer = ReaderState(OTHER.name + " second", present=True)

    assert choose_reader(OTHER.name, [longer, OTHER]) == OTHER.name


def test_two_cards_are_a_question() -> None:
    with pytest.raises(UsageError) as raised:
        choose_reader(None, [FULL, OTHER])

    assert FULL.name in raised.value.hint
    assert OTHER.name in raised.value.hint


@pytest.mark.parametrize("part", [None, "ACR"])
def test_no_card_is_unreachable(part: str | None) -> None:
    with pytest.raises(NoCardError) as raised:
        choose_reader(part, [EMPTY, ReaderState("ACS ACR39U 02 00", present=False)])

    assert raised.value.exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize(("part", "states"), [(None, []), ("nix", [FULL]), ("virtual", [FULL])])
def test_no_such_reader_is_unreachable(part: str | None, states: list[ReaderState]) -> None:
    with pytest.raises(NoSuchReaderError) as raised:
        choose_reader(part, states)

    assert raised.value.hint


@pytest.mark.parametrize("states", [[], [EMPTY]])
def test_a_virtual_reader_that_is_not_there_points_to_image_files(
    states: list[ReaderState],
) -> None:
    with pytest.raises(NoSuchReaderError, match="no virtual reader") as raised:
        choose_reader("virtual", states)

    assert "--image" in raised.value.hint
    assert "--image" in raised.value.zh


def test_it_points_there_without_a_service_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_service() -> list[ReaderState]:
        raise NoServiceError("the PC/SC service does not run", hint="start it")

    monkeypatch.setattr("cardkit.apdu.pcsc.reader_states", no_service)

    with pytest.raises(NoSuchReaderError) as raised, open_reader("virtual"):
        pass
    assert "--image" in raised.value.hint
    with pytest.raises(NoServiceError), open_reader("ACS"):
        pass
