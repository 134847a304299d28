"""The commands that need a reader, over a real PC/SC service with virtual readers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.service import SOCKET_VARIABLE, Service
from tests.bench import SOON, Insert, Inserted
from tests.cli.conftest import CARD_NUMBER, Run

pytestmark = pytest.mark.pcsc


@pytest.fixture
def card(insert: Insert, images: Path) -> Inserted:
    """The issued card, in a virtual reader."""
    inserted: Inserted = insert(VirtualCard.load(images / "issued.card"))
    return inserted


def test_readers_are_listed_with_what_is_in_them(run: Run, card: Inserted) -> None:
    listed = {reader["name"]: reader for reader in run("reader", "list", "--json").document}

    assert listed[card.reader]["card"] is True
    assert listed[card.reader]["atr"].startswith("3B6D")
    assert listed[card.reader]["in_use"] is False
    assert any(not reader["card"] for reader in listed.values())
    assert card.reader in run("reader", "list").out


def test_a_busy_reader_is_shown_with_who_holds_it(
    run: Run, card: Inserted, hold: Callable[[str], int]
) -> None:
    holder = hold(card.reader)

    listed = {reader["name"]: reader for reader in run("reader", "list", "--json").document}
    refused = run("card", "read", "--reader", card.reader, "--json")

    assert listed[card.reader]["exclusive"] is True
    assert holder in [h["pid"] for h in listed[card.reader]["holders"]]
    assert refused.code == 3
    assert refused.document["error"]["type"] == "CardBusyError"
    assert holder in [h["pid"] for h in refused.document["error"]["holders"]]


def test_a_card_is_read_through_its_reader(run: Run, card: Inserted) -> None:
    read = run("card", "read", "--reader", card.reader, "--json")

    assert read.document["SSSE"]["EF05"]["card_number"] == CARD_NUMBER


def test_without_a_name_it_is_the_reader_that_has_a_card(
    run: Run, card: Inserted, pcsc_service: Service
) -> None:
    for reader in pcsc_service.readers:
        if reader != card.reader:
            pcsc.wait_for_removal(reader, SOON)  # of the tests before

    read = run("card", "read", "--json")

    assert read.document["SSSE"]["EF05"]["card_number"] == CARD_NUMBER


def test_a_card_is_verified_dumped_and_spoken_to(run: Run, card: Inserted) -> None:
    reader = ("--reader", card.reader)

    assert run("card", "verify", *reader, "--profile", "test").code == 0
    assert "directory DF04" in run("card", "dump", *reader).out
    assert run("card", "apdu", "0084000008", *reader).code == 0
    assert CARD_NUMBER in run("card", "shell", *reader, stdin="read SSSE.EF05.07\n").out


def test_nothing_stays_open_for_the_next_program(run: Run, card: Inserted) -> None:
    reader = ("--reader", card.reader)
    assert run("pin", "verify", *reader, "--pin-stdin", stdin="123456\n").code == 0

    # DF01 EF05 by number, in whatever directory the card is now: only open with the PIN.
    assert run("card", "apdu", "00B2012C04", *reader).out.split()[0] in ("6A82", "6982")


def test_an_empty_reader_is_unreachable(run: Run, empty_reader: str) -> None:
    result = run("card", "read", "--reader", empty_reader)

    assert result.code == 3
    assert empty_reader in result.err


def test_no_such_reader_names_those_there_are(run: Run, card: Inserted) -> None:
    result = run("card", "read", "--reader", "no such thing")

    assert result.code == 3
    assert card.reader in result.err


@pytest.fixture
def program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``cardkit …`` in the background; stopped after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cardkit", *map(str, arguments)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_virtual_card_stays_until_it_is_stopped_and_keeps_its_image(
    run: Run,
    pcsc_service: Service,
    empty_reader: str,
    program: Callable[..., subprocess.Popen[str]],
    images: Path,
) -> None:
    runtime = Path(os.environ[SOCKET_VARIABLE]).parents[1]
    slot = pcsc_service.readers.index(empty_reader)
    reader, image = empty_reader, images / "issued.card"
    process = program("virtual", "card", "--slot", slot, "--image", image, "--runtime-dir", runtime)
    pcsc.wait_for_card(reader, SOON)

    typed = "123456\n654321\n"
    changed = run("pin", "change", "--reader", reader, "--pin-stdin", stdin=typed)
    second = program("virtual", "card", "--slot", slot, "--runtime-dir", runtime)
    _, taken = second.communicate(timeout=SOON)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=SOON)
    pcsc.wait_for_removal(reader, SOON)

    assert changed.code == 0, changed.err
    assert second.returncode == 3
    assert "has a card in it" in taken
    assert process.returncode == 0, told
    assert "card taken out" in told
    again = run("pin", "verify", "--image", image, "--pin-stdin", stdin="654321\n")
    assert again.code == 0
