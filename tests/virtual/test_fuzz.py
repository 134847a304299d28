"""Whatever bytes come, the card answers and stays a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.virtual.card import VirtualCard, image
from cardkit.virtual.card.commands import CLASSES, COMMANDS

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

Template = tuple[str, Callable[[VirtualCard], "Workbench"]]

_INS = sorted({*COMMANDS, 0xC0, 0xE0})
_PLAUSIBLE = st.builds(
    lambda cla, ins, p1, p2, data, cut: bytes((cla, ins, p1, p2, len(data) & 0xFF)) + data[:cut],
    st.sampled_from(sorted(CLASSES)),
    st.sampled_from(_INS),
    st.one_of(st.integers(0, 5), st.integers(0, 255)),
    st.one_of(st.sampled_from([0x00, 0x04, 0x2C, 0x34, 0x3C, 0x4C, 0x23]), st.integers(0, 255)),
    st.binary(max_size=255),
    st.integers(0, 255),
)
_COMMANDS = st.one_of(st.binary(max_size=300), _PLAUSIBLE)


@settings(max_examples=300, deadline=None)
@given(commands=st.lists(_COMMANDS, max_size=15), building=st.booleans())
def test_random_commands_are_answered(
    template: Template, commands: list[bytes], building: bool
) -> None:
    text, workbench = template
    bench = workbench(VirtualCard(image.decode(text)))
    bench.card.power_on()
    if building:
        bench.transport()
    bench.send("00A4040006D15600000500")
    if building:
        bench.send(bench.external_command(0x00, bench.key("DF01")))
    for command in commands:
        answer = bench.card.transmit(command)
        assert len(answer) >= 2
        assert answer[-2] >> 4 in (6, 9)
    chip = bench.card.chip
    assert image.encode(image.decode(bench.card.snapshot())) == bench.card.snapshot()
    assert chip.memory.used == (chip.mf.whole_size if chip.mf else 0) <= chip.memory.capacity


@settings(max_examples=100, deadline=None)
@given(apdu=st.binary(max_size=12))
def test_a_blank_chip_answers_too(apdu: bytes) -> None:
    card = VirtualCard.blank(transport_key=bytes(8))
    card.power_on()
    assert len(card.transmit(apdu)) >= 2
