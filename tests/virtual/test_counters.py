"""What the card counts, and whom it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

SELECT = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


def test_commands_are_counted_without_get_response(issued: Workbench) -> None:
    issued.card.reset_counters()
    issued.ok(SELECT)
    issued.ok("00B2032C06")
    issued.send("00B2032C07")
    issued.send("FF")
    counters = issued.card.counters
    assert (counters.commands, counters.get_responses) == (4, 1)
    assert counters.per_ins == {0xA4: 1, 0xC0: 1, 0xB2: 2}
    assert counters.bytes_in == 20 + 5 + 5 + 5 + 1
    assert counters.bytes_out == 2 + 32 + 8 + 2 + 2


def test_hooks_see_every_answered_exchange(issued: Workbench) -> None:
    seen: list[tuple[str, str]] = []
    issued.card.on_exchange.append(
        lambda command, answer: seen.append((command.hex(), answer.hex()))
    )
    issued.ok("00A40000023F00")
    assert [answer[:4] for _, answer in seen] == ["611a", "6f18"]
    assert seen[1][0] == "00c000001a"


def test_hooks_see_every_reset(issued: Workbench) -> None:
    seen: list[bytes] = []
    issued.card.on_reset.append(seen.append)
    issued.card.reset()
    issued.card.power_off()
    issued.card.power_on()
    assert seen == [issued.card.atr] * 2


def test_memory_writes_are_counted_in_bytes(ssse_open: Workbench) -> None:
    memory = ssse_open.card.chip.memory
    before = memory.bytes_written
    ssse_open.ok("00DC032C06 0304312E3030")
    assert memory.bytes_written == before + 6
    ssse_open.ok("00B2032C06")
    assert memory.bytes_written == before + 6
