"""The in-process link, alone and under the chain of small links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.apdu.link import Link, LinkLostError, chain
from cardkit.virtual.card import Fault, FaultKind
from cardkit.virtual.link import VirtualLink

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SELECT = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF00")


def test_it_gives_power_and_carries_bytes(issued: Workbench) -> None:
    issued.card.power_off()
    link: Link = VirtualLink(issued.card)
    assert link.atr == issued.card.atr
    assert link.transmit(SELECT).hex() == "611e", "the card side is T=0"


def test_the_chain_completes_what_t0_leaves_open(issued: Workbench) -> None:
    link = chain(VirtualLink(issued.card))
    assert link.transmit(SELECT)[-2:].hex() == "9000"
    assert link.transmit(bytes.fromhex("00B2032C00")).hex() == "0304322e30309000"


def test_the_chain_fetches_the_fci_of_a_blocked_application(df01: Workbench) -> None:
    df01.open(0x83, df01.key("DF01 0D83"))
    df01.ok(df01.secured("841E0000", df01.key("DF01 STK")))
    answer = chain(VirtualLink(df01.card)).transmit(bytes.fromhex("00A4040006D1560000050000"))
    assert answer.hex() == "6f108406d15600000500a5069f0c038601016283"


@pytest.mark.parametrize("kind", [FaultKind.CUT_BEFORE, FaultKind.REMOVED, FaultKind.UNANSWERED])
def test_a_lost_link_stays_lost(issued: Workbench, kind: FaultKind) -> None:
    link = VirtualLink(issued.card)
    issued.card.arm(Fault(kind))
    with pytest.raises(LinkLostError) as caught:
        link.transmit(SELECT)
    assert caught.value.hint
    issued.card.insert()
    again = VirtualLink(issued.card)
    assert again.transmit(SELECT).hex() == "611e"
    with pytest.raises(LinkLostError):
        link.transmit(SELECT)


def test_no_link_to_a_card_that_is_not_there(issued: Workbench) -> None:
    issued.card.remove()
    with pytest.raises(LinkLostError, match="taken out"):
        VirtualLink(issued.card)


def test_reset(issued: Workbench) -> None:
    link = VirtualLink(issued.card)
    assert link.reset() == link.atr
    link.card.power_off()
    with pytest.raises(LinkLostError):
        link.reset()
