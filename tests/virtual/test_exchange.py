"""A card that is pulled in the middle of a command and put back at once, over a real pcscd."""

from __future__ import annotations

import pytest

from cardkit.apdu import pcsc
from cardkit.apdu.link import LinkLostError
from cardkit.profile import load
from cardkit.virtual import vpcd
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.service import Service
from tests.bench import SOON, Insert, eventually

CHALLENGE = bytes.fromhex("0084000008")


def answers(reader: str) -> bool:
    """Whether a program that opens the card anew gets through to it."""
    try:
        with pcsc.open_card(reader) as link:
            return link.transmit(CHALLENGE)[-2:] == b"\x90\x00"
    except (pcsc.PcscError, LinkLostError):
        return False


@pytest.mark.pcsc
@pytest.mark.parametrize("other", [False, True], ids=["the same card", "another"])
def test_it_is_noticed_however_quick_the_hand(
    pcsc_service: Service, insert: Insert, *, other: bool
) -> None:
    factory = CardFactory(load("test"))
    card = factory.premade(bytes.fromhex("00000001"))
    there = insert(card, 3)
    seen = next(s for s in pcsc.reader_states() if s.name == there.reader)
    link = pcsc.open_card(there.reader)
    card.arm(Fault(FaultKind.REMOVED, at=1))
    with pytest.raises(LinkLostError):
        link.transmit(CHALLENGE)
    assert there.thread.wait(SOON)

    again: VirtualCard = factory.premade(bytes.fromhex("00000002")) if other else card
    again.insert()
    back = vpcd.insert(again, lambda: pcsc_service.attach(3))
    try:
        assert eventually(lambda: answers(there.reader))
        now = next(s for s in pcsc.reader_states() if s.name == there.reader)
        assert now.atr[-4:] == bytes.fromhex("00000002" if other else "00000001")
        assert now.events > seen.events, "pcscd has counted that it left"
    finally:
        link.close()
        back.remove()


@pytest.mark.pcsc
def test_it_is_noticed_when_nobody_talks_to_it(pcsc_service: Service, insert: Insert) -> None:
    """Whoever waits for the card to leave sees that it did."""
    factory = CardFactory(load("test"))
    there = insert(factory.premade(bytes.fromhex("00000001")), 3)
    seen = next(s for s in pcsc.reader_states() if s.name == there.reader)
    there.thread.remove()
    back = vpcd.insert(factory.premade(bytes.fromhex("00000002")), lambda: pcsc_service.attach(3))
    try:
        assert pcsc.wait_for_removal(there.reader, SOON, seen=seen)
        assert pcsc.wait_for_card(there.reader, SOON)
        (state,) = [s for s in pcsc.reader_states() if s.name == there.reader]
        assert state.atr[-4:] == bytes.fromhex("00000002")
    finally:
        back.remove()
