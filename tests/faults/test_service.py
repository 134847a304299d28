"""The PC/SC service: not there, not for this user, gone and back while cards are made."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardkit.virtual import service
from cardkit.virtual.card import VirtualCard
from tests.bench import READERS
from tests.faults.conftest import Stack
from tests.faults.rights import UNPRIVILEGED, as_root, give_away
from tests.faults.window import Told, Window

NOWHERE = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
UPDATE = 0xDC


def test_without_pcscd_it_says_so_and_makes_nothing(window: Window) -> None:
    roster = window.people(1)

    done = window.run(*window.issuing(roster, "Virtual"), environment=NOWHERE)

    assert done.code == 3
    assert done.complaint == "the PC/SC service does not run"
    assert "→ start it: " in done.err
    assert not window.registry.exists()


@pytest.mark.parametrize("command", [["reader", "list"], ["card", "read"], ["pin", "verify"]])
def test_every_command_that_needs_a_reader_says_so(window: Window, command: list[str]) -> None:
    done = window.run(*command, environment=NOWHERE)
    assert (done.code, done.complaint) == (3, "the PC/SC service does not run")


@as_root
def test_without_permission_it_says_so_and_makes_nothing(window: Window, foreign: Path) -> None:
    shut = foreign / "pcscd"
    shut.mkdir()
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(shut / "pcscd.comm"))
        daemon.listen()
        give_away(shut, 0o700)
        here = {"PCSCLITE_CSOCK_NAME": str(shut / "pcscd.comm")}
        roster = window.people(1)
        issue = window.issuing(roster, "Virtual")
        done = window.run(*issue, environment=here, wrapper=UNPRIVILEGED)
        examined = window.run("doctor", environment=here, wrapper=UNPRIVILEGED)

    assert done.code == 4, done.err
    assert done.complaint == f"this user may not use the PC/SC service at {shut}/pcscd.comm"
    assert "cardkit doctor" in done.err
    assert not window.registry.exists()
    assert examined.code == 4
    assert f"{shut} (mode 0700) keeps root out" in examined.out


# --- gone and back while cards are made ----------------------------------------------------------


@pytest.fixture
def restarting(pcsc_service: service.Service) -> Iterator[service.Service]:
    """A service that may be stopped and changed; as it was, afterwards."""
    yield pcsc_service
    pcsc_service.start_daemon(READERS)


def after(card: VirtualCard, updates: int, act: Callable[[], None]) -> threading.Event:
    """Do something, in a thread, when a card has got so many UPDATE RECORD."""
    done, seen = threading.Event(), 0

    def acting() -> None:
        act()
        done.set()

    def count(command: bytes, _: bytes) -> None:
        nonlocal seen
        seen += command[1] == UPDATE
        if command[1] == UPDATE and seen == updates:
            threading.Thread(target=acting).start()
            threading.Event().wait(0.2)  # the answer comes too late

    card.on_exchange.append(count)
    return done


@pytest.mark.pcsc
def test_a_daemon_restarted_while_the_batch_waits_for_a_card(
    window: Window, stack: Stack, restarting: service.Service
) -> None:
    slot = 5
    reader = restarting.readers[slot]
    told = Told(window.start(*window.issuing(window.people(1), reader, idle=None)))
    told.wait_for("no card")
    restarting.stop_daemon()
    told.wait_for("the PC/SC service does not run")
    restarting.start_daemon()
    card = window.premade(1)
    stack(card, slot=slot)

    assert told.end() == 0
    window.correct(card)


@pytest.mark.pcsc
def test_a_daemon_restarted_while_a_card_is_written(
    window: Window, stack: Stack, restarting: service.Service
) -> None:
    first, second = window.premade(1), window.premade(2)
    stopped = after(first, 6, restarting.stop_daemon)
    at = stack(first, second)
    told = Told(window.start(*window.issuing(window.people(2), at.reader, idle=None)))
    assert stopped.wait(15)
    told.wait_for("the PC/SC service does not run")
    assert window.states() == ["writing", "planned"]
    restarting.start_daemon()

    assert told.end() == 0, told.lines
    window.correct(first, second)
    assert "Traceback" not in "".join(told.lines)


@pytest.mark.pcsc
def test_a_reader_unplugged_while_a_card_is_written(
    window: Window, stack: Stack, restarting: service.Service
) -> None:
    first, second, other = window.premade(1), window.premade(2), window.premade(3)
    stopped = after(first, 3, lambda: restarting.start_daemon(4))
    there = stack(first, second, slot=6)
    told = Told(
        window.start(
            *window.issuing(window.people(3), restarting.readers[1], there.reader, idle=None)
        )
    )
    assert stopped.wait(15)
    told.wait_for(f"{there.reader} is")
    stack(other, slot=1)  # the other reader goes on
    told.wait_for("[1/3]")
    restarting.start_daemon(READERS)

    assert told.end() == 0, told.lines
    window.correct(first, second, other)


@pytest.mark.pcsc
def test_a_busy_reader_is_named_with_its_holder_and_waited_for(
    window: Window, stack: Stack, hold: Callable[[str], int]
) -> None:
    card = window.premade(1)
    at = stack(card)
    holder = hold(at.reader)
    told = Told(window.start(*window.issuing(window.people(1), at.reader, idle=None)))
    line = told.wait_for(f"the card in {at.reader} is in use by another program")
    assert f"(process {holder})" in line
    assert window.states() == ["planned"]
    os.kill(holder, signal.SIGTERM)

    assert told.end() == 0
    window.correct(card)


@pytest.mark.pcsc
def test_a_reader_that_is_not_there_is_named_with_those_that_are(
    window: Window, pcsc_service: service.Service
) -> None:
    roster = window.people(1)
    done = window.issue(roster, "ACR39")
    assert done.code == 3
    assert "'ACR39'" in done.complaint
    assert pcsc_service.readers[0] in done.err
    assert not window.registry.exists()


# --- doctor --------------------------------------------------------------------------------------


def test_doctor_without_pcscd(window: Window) -> None:
    done = window.run("doctor", environment=NOWHERE)
    assert done.code == 3
    (line,) = [line for line in done.out.splitlines() if line.startswith("FAIL")]
    assert "the PC/SC service does not run, there is no /nonexistent/pcscd.comm" in line


@pytest.mark.pcsc
def test_doctor_with_a_busy_reader(
    window: Window, stack: Stack, hold: Callable[[str], int]
) -> None:
    reader = stack(window.premade(1)).reader
    holder = hold(reader)
    done = window.run("doctor")
    assert done.code == 1
    assert f"{reader}: held by python (process" in done.out
    assert f"(process {holder})" in done.out


@pytest.mark.pcsc
def test_doctor_with_everything_well(window: Window, stack: Stack) -> None:
    reader = stack(window.premade(1)).reader
    done = window.run("doctor", "--profile", "test", "--json")
    wrong = [f for f in done.document["findings"] if f["state"] != "ok" and f["name"] != "network"]
    assert wrong == []
    assert f"{reader}: T=0, up to 9,600 bit/s" in [f["message"] for f in done.document["findings"]]
