"""The card side of vpcd, against a reader driver played by the test over TCP."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator

import pytest

from cardkit.errors import UnreachableError
from cardkit.virtual.vpcd import CardInReader, Departure, feed, insert
from tests.bench import ScriptedCard

COMMAND = bytes.fromhex("00B2012C12")


class Driver:
    """What the driver inside pcscd does with one slot: listen, ask, switch power."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)
        self.attached = 0
        self._card: socket.socket | None = None

    def attach(self) -> socket.socket:
        self.attached += 1
        return socket.create_connection(self._listener.getsockname())

    def accept(self) -> None:
        if self._card is not None:
            self._card.close()
        self._card, _ = self._listener.accept()
        self._card.settimeout(5)

    @property
    def card(self) -> socket.socket:
        assert self._card is not None
        return self._card

    def send(self, message: bytes) -> None:
        # Length and data in two writes, as the driver does it.
        self.card.sendall(len(message).to_bytes(2, "big"))
        self.card.sendall(message)

    def receive(self) -> bytes:
        length = int.from_bytes(self.card.recv(2, socket.MSG_WAITALL), "big")
        return self.card.recv(length, socket.MSG_WAITALL) if length else b""

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def power_on(self) -> bytes:
        self.send(b"\x01")
        return self.ask(b"\x04")

    def eject(self) -> None:
        self.card.close()

    def close(self) -> None:
        self._listener.close()
        if self._card is not None:
            self._card.close()


@pytest.fixture
def driver() -> Iterator[Driver]:
    playing = Driver()
    yield playing
    playing.close()


def test_power_and_atr_follow_the_control_codes(driver: Driver) -> None:
    card = ScriptedCard()
    thread = insert(card, driver.attach)
    driver.accept()

    assert driver.ask(b"\x04")  # a card is there, though it has no power yet
    assert card.events == []
    assert driver.power_on() == card.ATR
    driver.send(b"\x02")
    assert driver.ask(b"\x04") == card.ATR
    driver.send(b"\x00")
    assert driver.ask(b"\x04") == card.ATR
    assert card.events == ["on", "reset", "off"]
    thread.remove()


def test_commands_are_answered_also_when_they_come_in_crumbs(driver: Driver) -> None:
    card = ScriptedCard({COMMAND: b"\x11" * 18 + b"\x90\x00"})
    thread = insert(card, driver.attach)
    driver.accept()
    driver.power_on()

    for byte in len(COMMAND).to_bytes(2, "big") + COMMAND:
        driver.card.sendall(bytes((byte,)))
    assert driver.receive() == b"\x11" * 18 + b"\x90\x00"

    two = len(COMMAND).to_bytes(2, "big") + COMMAND
    driver.card.sendall(two + two)
    assert driver.receive() == driver.receive() == b"\x11" * 18 + b"\x90\x00"
    thread.remove()


def test_the_longest_command_arrives_whole(driver: Driver) -> None:
    card = ScriptedCard()
    thread = insert(card, driver.attach)
    driver.accept()
    long_command = bytes.fromhex("00D60000 00FFF0") + bytes(0xFFF0)
    driver.power_on()

    assert driver.ask(long_command) == b"\x90\x00"
    assert card.commands == [long_command]
    thread.remove()


def test_removing_the_card_closes_the_connection(driver: Driver) -> None:
    card = ScriptedCard()
    thread = insert(card, driver.attach)
    driver.accept()
    driver.power_on()

    thread.remove()
    thread.remove()  # harmless

    assert driver.card.recv(1) == b""
    assert thread.departure is Departure.REMOVED
    assert card.events == ["on", "off"]


def test_a_power_cut_takes_the_card_out_without_an_answer(driver: Driver) -> None:
    thread = insert(ScriptedCard(cut_at=2), driver.attach)
    driver.accept()
    driver.power_on()

    assert driver.ask(COMMAND) == b"\x90\x00"
    driver.send(COMMAND)

    assert driver.card.recv(1) == b""
    assert thread.wait(5)
    assert thread.departure is Departure.POWER_LOST
    assert driver.attached == 1


def test_a_card_goes_back_in_when_its_reader_is_back(driver: Driver) -> None:
    card = ScriptedCard()
    thread = insert(card, driver.attach)
    driver.accept()
    driver.eject()
    driver.accept()
    driver.power_on()

    assert driver.ask(COMMAND) == b"\x90\x00"
    assert driver.attached == 2
    thread.remove()


def test_there_must_be_a_reader_to_insert_a_card_into() -> None:
    def no_reader() -> socket.socket:
        raise UnreachableError("no virtual readers")

    with pytest.raises(UnreachableError, match="no virtual readers"):
        insert(ScriptedCard(), no_reader)


def test_the_feeder_goes_on_when_a_used_card_is_powered_down(driver: Driver) -> None:
    cards = [ScriptedCard() for _ in range(3)]
    thread = feed(cards, driver.attach)

    for card in cards:
        driver.accept()
        driver.power_on()
        driver.send(b"\x00")  # powered down untouched: it stays
        driver.power_on()
        assert driver.ask(COMMAND) == b"\x90\x00"
        assert card.commands == [COMMAND]
        driver.send(b"\x00")
        assert driver.card.recv(1) == b""

    assert thread.wait(5)
    assert thread.served == 3
    assert thread.departure is Departure.USED


def test_the_feeder_leaves_in_a_card_that_is_not_finished(driver: Driver) -> None:
    cards = [ScriptedCard(), ScriptedCard()]
    thread = feed(cards, driver.attach, used_up=lambda card: card is not cards[0])
    driver.accept()
    driver.power_on()
    driver.ask(COMMAND)
    driver.send(b"\x00")

    assert driver.power_on() == ScriptedCard.ATR
    assert driver.ask(COMMAND) == b"\x90\x00"
    assert len(cards[0].commands) == 2
    assert cards[1].commands == []
    thread.remove()
    assert thread.departure is Departure.REMOVED


def test_the_feeder_stops_with_the_error_when_there_is_no_reader() -> None:
    def no_reader() -> socket.socket:
        raise UnreachableError("no virtual readers")

    thread = feed([ScriptedCard()], no_reader)
    assert thread.wait(5)
    assert isinstance(thread.error, UnreachableError)


# --- a card that comes between two looks of the reader --------------------------------------------


@pytest.mark.parametrize("message", [COMMAND, b"\x02"], ids=["command", "reset"])
def test_a_chip_without_power_is_not_talked_to(driver: Driver, message: bytes) -> None:
    """The reader takes it for the card before it: it leaves once more and comes back."""
    card = ScriptedCard()
    thread = insert(card, driver.attach)
    driver.accept()

    assert driver.ask(b"\x04")
    driver.send(message)
    assert driver.receive() == b"", "it has left"
    driver.accept()
    assert driver.power_on() == card.ATR
    assert card.events == ["on"]
    assert card.commands == []
    assert driver.attached == 2
    thread.remove()
    assert thread.departure is Departure.REMOVED


def test_a_chip_that_is_looked_at_twice_without_power_comes_anew(driver: Driver) -> None:
    looks = iter([0.0, 0.001, 0.4])
    card = ScriptedCard()
    inside = CardInReader(driver.attach(), card, clock=lambda: next(looks))
    left: list[Departure] = []
    thread = threading.Thread(target=lambda: left.append(inside.serve()))
    thread.start()
    driver.accept()

    assert driver.ask(b"\x04")
    assert driver.ask(b"\x04"), "the same look"
    driver.send(b"\x04")
    assert driver.receive() == b""
    thread.join()
    assert left == [Departure.UNNOTICED]


def test_a_card_with_power_is_looked_at_for_ever(driver: Driver) -> None:
    card = ScriptedCard()
    inside = CardInReader(driver.attach(), card, clock=itertools.count(0, 10).__next__)
    thread = threading.Thread(target=inside.serve)
    thread.start()
    driver.accept()

    driver.send(b"\x00")  # the reader clears up after the card before it
    assert driver.power_on() == card.ATR
    assert [driver.ask(b"\x04") for _ in range(3)] == [card.ATR] * 3
    inside.remove()
    thread.join()
