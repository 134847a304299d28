"""One short story for every status word the card knows; a new one without a story fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from cardkit.virtual.card import Fault, FaultKind, status

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

DF01 = "D15600000500"
READ = "00B2032C06"
UPDATE = "00DC032C06 0304312E3030"


def _worn(bench: Workbench) -> str:
    bench.card.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF05))
    return bench.send(UPDATE)


def _corrupt(bench: Workbench) -> str:
    bench.card.arm(Fault(FaultKind.CORRUPT, directory=0xDDF1, file=0xEF05))
    return bench.send(READ)[-4:]


def _locked(bench: Workbench, *headers: str) -> str:
    bench.ok(f"00A4040006{DF01}")
    bench.open(0x83, bench.key("DF01 0D83"))
    answers = [bench.send(bench.secured(h, bench.key("DF01 STK"))) for h in headers]
    return answers[-1]


def _blocked_select(bench: Workbench, header: str) -> str:
    _locked(bench, header)
    return bench.send(f"00A4040006{DF01}")


def _three_times(bench: Workbench, command: str) -> str:
    return [bench.send(command) for _ in range(4)][-1]


STORIES: dict[int, Callable[[Workbench], str]] = {
    status.DONE: lambda b: b.send(READ)[-4:],
    status.DATA_WAITING: lambda b: b.send(f"00A4040006{DF01}")[:2] + "00",
    status.DATA_MAY_BE_CORRUPT: _corrupt,
    status.SELECTED_BUT_BLOCKED: lambda b: _blocked_select(b, "841E0000"),
    status.WRONG_TRIES: lambda b: b.send("0020000003000000")[:3] + "0",
    status.NOTHING_CHANGED: lambda b: _locked(b, "84180000"),
    status.MEMORY_FAILURE: _worn,
    status.WRONG_LENGTH: lambda b: b.send("00DC032C05 0303312E30"),
    status.CLASS_AND_PROTECTION: lambda b: b.send("8024000004 00000000"),
    status.WRONG_LIFE_STATE: lambda b: b.send("80E0020000"),
    status.WRONG_FILE_TYPE: lambda b: b.send("00B2013C01"),
    status.SECURITY_NOT_SATISFIED: lambda b: b.send("00B2013414"),
    status.BLOCKED: lambda b: _three_times(b, "0020000003000000"),
    status.CHALLENGE_UNUSABLE: lambda b: b.send("0082000410" + "00" * 16),
    status.CONDITIONS_NOT_SATISFIED: lambda b: b.send("80E1000102EF05"),
    status.NO_CURRENT_FILE: lambda b: b.send("00B2030406"),
    status.MAC_MISSING: lambda b: b.send("04DC032C03 000000"),
    status.MAC_WRONG: lambda b: b.send(b.secured("04DC032C", bytes(16), bytes(6))),
    status.WRONG_DATA: lambda b: b.send("00DC032C06 0305312E3030"),
    status.NOT_SUPPORTED: lambda b: _locked(b, "841E0000") and b.send("00B0950001"),
    status.FILE_NOT_FOUND: lambda b: b.send("00A4020002EFAA"),
    status.RECORD_NOT_FOUND: lambda b: b.send("00B2092C01"),
    status.NO_SPACE: lambda b: b.send("00D6870058 " + "00" * 0x58) and b.send("00D6025702AABB"),
    status.WRONG_P1P2: lambda b: b.send("0084000108"),
    status.KEY_NOT_FOUND: lambda b: b.send("0082007710" + "00" * 16),
    status.WRONG_OFFSET: lambda b: b.ok("00D6870001AA") + b.send("00D60FFF01AA"),
    status.WRONG_LE: lambda b: b.send("00B2032C00")[:2] + "00",
    status.UNKNOWN_INS: lambda b: b.send("00FF000000"),
    status.UNKNOWN_CLA: lambda b: b.send("FF84000008"),
    status.NO_DATA: lambda b: b.send("00C0000001"),
    status.PERMANENTLY_BLOCKED: lambda b: _blocked_select(b, "841E0001"),
}
OPEN = {status.WRONG_LENGTH, status.MEMORY_FAILURE, status.MAC_MISSING, status.MAC_WRONG,
        status.WRONG_DATA, status.NO_SPACE, status.WRONG_OFFSET}  # fmt: skip


def test_every_status_word_has_its_story() -> None:
    known = {value for name, value in vars(status).items() if name.isupper()}
    assert known == set(STORIES)


@pytest.mark.parametrize("sw", STORIES, ids=lambda sw: f"{sw:04X}")
def test_each_is_answered_where_it_belongs(ssse: Workbench, sw: int) -> None:
    if sw in OPEN:
        ssse.open(0x04, ssse.key("SSSE 0D04"))
    assert STORIES[sw](ssse) == f"{sw:04X}"
