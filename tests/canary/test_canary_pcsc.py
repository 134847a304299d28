"""The canary test through a real PC/SC service: its processes and its log are searched too."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.profile import load
from cardkit.virtual import service
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.factory import CardFactory
from tests.bench import SOON, Insert, Inserted
from tests.canary.markers import INITIAL_PIN, WRONG_PIN
from tests.canary.materials import card_keys, good_rows
from tests.canary.sandbox import Sandbox
from tests.canary.story import Story

pytestmark = pytest.mark.pcsc


class Window(Story):
    """A window with readers: cards that break, are pulled, and lose their power."""

    def __init__(self, box: Sandbox, insert: Insert) -> None:
        super().__init__(box)
        self._insert = insert
        self._factory = CardFactory(load(str(self.brought.profile)))
        self._cards: list[VirtualCard] = []

    def put_in(self, *faults: Fault, blank: bool = False) -> Inserted:
        """A new card in a reader."""
        make = self._factory.blank if blank else self._factory.premade
        card = make((0x40000000 + len(self._cards)).to_bytes(4, "big"))
        for fault in faults:
            card.arm(fault)
        self._cards.append(card)
        return self._insert(card)

    def issue(self, code: int, name: str, rows: list[tuple[str, ...]], *readers: Inserted) -> None:
        """A roster of its own, at some readers, until no card comes any more."""
        roster = self.brought.roster(f"roster-{name}.csv", rows)
        where = [word for one in readers for word in ("--reader", one.reader)]
        options = (*self.profile, "--registry", f"{name}.db", "--out", name, "--idle", "1.5")
        self.expect(code, "issue", roster, *options, *where)

    def finish(self) -> None:
        for card in self._cards:
            self.box.markers += card_keys(self.brought.keys, card.atr[-8:])


def test_cards_in_readers_leak_nothing(
    tmp_path: Path, insert: Insert, pcsc_service: service.Service, empty_reader: str
) -> None:
    with Sandbox(tmp_path) as box:
        window = Window(box, insert)
        good, worn = window.put_in(), window.put_in(
            Fault(FaultKind.WORN, at=10, directory=0xDDF1, file=0xEF06)
        )  # fmt: skip
        blank = window.put_in(blank=True)
        window.issue(0, "several", good_rows(1, 2), good, worn, blank)
        window.issue(1, "cut", good_rows(11, 1), window.put_in(Fault(FaultKind.UNANSWERED, at=12)))
        _at_one_reader(window, good)
        _killed(window)
        _played(window, pcsc_service, empty_reader)
        window.finish()
        assert pcsc_service._directory is not None
        box.keep("pcscd.log", pcsc_service._directory.log.read_bytes())

    leaks = box.leaks()
    assert not leaks, "\n".join(leaks)
    command_lines = {piece.data for piece in box.evidence() if piece.place == "command line"}
    assert any(b"pcscd\0--foreground" in line for line in command_lines)
    assert any(b"cardkit\0issue\0" in line for line in command_lines)


def _at_one_reader(window: Window, at: Inserted) -> None:
    """A card that was issued, read and checked in its reader."""
    reader, brought, expect = ("--reader", at.reader), window.brought, window.expect
    expect(0, "reader", "list", "--json")
    expect(0, "card", "read", *reader, *window.profile, "--with-keys", "--trace", "masked.trace")
    expect(0, "card", "verify", *reader, *window.profile, "--registry", "several.db")
    expect(4, "pin", "verify", *reader, "--pin-file", brought.wrong)
    expect(4, "pin", "verify", *reader, "--pin-stdin", stdin=WRONG_PIN)
    expect(0, "pin", "change", *reader, "--pin-file", brought.change, "--trace", "masked.trace")
    lines = f"select SSSE\nverify\n{INITIAL_PIN}\nread\n"
    expect(4, "card", "shell", *reader, *window.profile, stdin=lines)


def _killed(window: Window) -> None:
    """The program is killed in front of the card."""
    box, at = window.box, window.put_in()
    roster = window.brought.roster("roster-killed.csv", good_rows(31, 1))
    options = (*window.profile, "--registry", "killed.db", "--reader", at.reader)
    program = box.start("issue", roster, *options)
    window._cards[-1].on_exchange.append(
        lambda command, _: program.send_signal(signal.SIGKILL) if command[1] == 0xDC else None
    )
    assert box.finish(program, "issue").code == -signal.SIGKILL


def _played(window: Window, running: service.Service, reader: str) -> None:
    """A card that `virtual card` plays: as it should be, and with a bug in it."""
    assert running._directory is not None
    where = ("--slot", running.readers.index(reader), "--runtime-dir", running._directory.path)
    window._cards[0].save(window.box.work / "first.card")
    card = ("virtual", "card", *window.profile, *where, "--image", "first.card")
    for before in ("", _BROKEN):
        program = window.box.start(*card, before=before)
        pcsc.wait_for_card(reader, SOON)
        window.box.run("card", "read", "--reader", reader)
        if not before:
            program.send_signal(signal.SIGINT)
        done = window.box.finish(program, *card)
        assert done.code == (70 if before else 0), done.err
        pcsc.wait_for_removal(reader, SOON)


_BROKEN = """
import cardkit.virtual.card.card as card
from cardkit.virtual.card.image import encode
def broken(context, **_):
    raise RuntimeError(encode(context.chip))
card.execute = broken
"""
