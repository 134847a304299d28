"""Faults on request: power cuts in three kinds, removal, slowness, worn-out cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.virtual.card import (
    CardRemovedError,
    Fault,
    FaultKind,
    PowerLostError,
    VirtualCard,
    image,
)

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

UPDATE = "00DC032C06 0304312E3030"
READ = "00B2032C06"
OLD, NEW = "0304322E3030", "0304312E3030"


def after_power_up(bench: Workbench) -> str:
    """What the record holds when the card is back."""
    bench.card.power_on()
    bench.ok("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
    return bench.ok(READ)


@pytest.mark.parametrize(
    ("kind", "left"),
    [(FaultKind.CUT_BEFORE, OLD), (FaultKind.TORN, OLD), (FaultKind.UNANSWERED, NEW)],
)
def test_three_kinds_of_power_cut(ssse_open: Workbench, kind: FaultKind, left: str) -> None:
    ssse_open.card.arm(Fault(kind))
    with pytest.raises(PowerLostError):
        ssse_open.send(UPDATE)
    with pytest.raises(PowerLostError):
        ssse_open.send(READ)
    with pytest.raises(PowerLostError):
        ssse_open.card.reset()
    assert after_power_up(ssse_open) == left


def test_a_fault_waits_for_its_command_and_happens_once(ssse: Workbench) -> None:
    ssse.card.arm(Fault(FaultKind.CUT_BEFORE, at=3))
    ssse.ok(READ)
    ssse.ok(READ)
    with pytest.raises(PowerLostError):
        ssse.send(READ)
    assert after_power_up(ssse) == OLD


def test_get_response_is_not_counted(issued: Workbench) -> None:
    issued.card.arm(Fault(FaultKind.CUT_BEFORE, at=2))
    issued.ok("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
    with pytest.raises(PowerLostError):
        issued.send(READ)


def test_a_fault_can_be_taken_back(ssse: Workbench) -> None:
    ssse.card.arm(Fault(FaultKind.CUT_BEFORE))
    ssse.card.disarm()
    ssse.ok(READ)


def test_a_removed_card_must_be_put_in_before_it_gets_power(ssse: Workbench) -> None:
    ssse.card.arm(Fault(FaultKind.REMOVED))
    with pytest.raises(CardRemovedError):
        ssse.send(READ)
    assert not ssse.card.inserted
    with pytest.raises(CardRemovedError):
        ssse.card.power_on()
    ssse.card.insert()
    with pytest.raises(PowerLostError):
        ssse.send(READ)
    assert after_power_up(ssse) == OLD


def test_a_slow_command_waits_as_long_as_it_was_told(ssse: Workbench) -> None:
    waited: list[float] = []
    ssse.card._sleep = waited.append
    ssse.card.arm(Fault(FaultKind.SLOW, at=2, seconds=3.5))
    ssse.ok(READ)
    assert waited == []
    ssse.ok(READ)
    assert waited == [3.5]


def test_a_worn_out_record_fails_at_every_write_and_can_be_read(ssse_open: Workbench) -> None:
    ssse_open.card.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF05, record=3))
    assert [ssse_open.send(UPDATE) for _ in range(2)] == ["6581", "6581"]
    assert ssse_open.ok(READ) == OLD
    ssse_open.ok("00DC022C03 020132")
    ssse_open.card.disarm()
    ssse_open.ok(UPDATE)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        (0xEF05, "00DC012C04 20025A5A"),
        (0xEF15, "00D6950001AA"),
        (0xEF07, "00E2003805 1111111111"),
    ],
)
def test_a_worn_out_file(df01_open: Workbench, file: int, command: str) -> None:
    df01_open.card.arm(Fault(FaultKind.WORN, directory=0xDF01, file=file))
    before = df01_open.card.snapshot()
    assert df01_open.send(command) == "6581"
    assert df01_open.card.snapshot() == before


def test_a_worn_out_key_file(building: Workbench) -> None:
    building.card.arm(Fault(FaultKind.WORN, directory=0xDF01, file=0xEF80, record=3))
    master = building.key("DF01")
    second = bytes.fromhex("0D8301EF33008310") + bytes(16)
    third = bytes.fromhex("0D8401EF33008410") + bytes(16)
    building.made(building.write_key(master, second))
    assert building.write_key(master, third) == "6581"
    building.open(0x84, building.key("DF01 0D84"))


@pytest.mark.parametrize(
    ("file", "record", "command"),
    [
        (0xEF09, 2, "00DC024C03 910131"),
        (0xEF09, None, "00DC024C03 910131"),
    ],
)
def test_a_cell_worn_out_before_its_first_record(
    building: Workbench, file: int, record: int | None, command: str
) -> None:
    building.card.arm(Fault(FaultKind.WORN, directory=0xDF01, file=file, record=record))
    assert building.send(command) == "6581"
    assert building.send("00B2024C03") == "6A83"


def test_worn_out_files_of_the_system(building: Workbench) -> None:
    building.card.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF23))
    building.card.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF80))
    building.ok("00A4000002DDF1")
    assert building.send("00D201230F 700D DF01 0A 6F08 8406D15600000500") == "6581"
    another = bytes.fromhex("0D0701EF33000710") + bytes(16)
    assert building.write_key(building.key("SSSE"), another) == "6581"


def test_a_corrupt_record_warns_with_its_data(ssse: Workbench) -> None:
    ssse.card.arm(Fault(FaultKind.CORRUPT, directory=0xDDF1, file=0xEF05, record=3))
    assert ssse.send(READ) == OLD + "6281"
    assert ssse.send("00B2022C03")[-4:] == "9000"


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": FaultKind.TORN, "at": 0},
        {"kind": FaultKind.WORN},
        {"kind": FaultKind.CORRUPT, "file": 0xEF05},
    ],
)
def test_faults_that_cannot_be(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"counted from 1|names a directory"):
        Fault(**arguments)


def test_a_torn_verify_has_cost_its_try(ssse: Workbench) -> None:
    for _ in range(2):
        ssse.card.arm(Fault(FaultKind.TORN))
        with pytest.raises(PowerLostError):
            ssse.send("0020000003123456")  # the right one
        after_power_up(ssse)
    assert ssse.send("0020000003000000") == "63C0"


def test_an_unanswered_verify_has_given_its_tries_back(ssse: Workbench) -> None:
    ssse.send("0020000003000000")
    ssse.card.arm(Fault(FaultKind.UNANSWERED))
    with pytest.raises(PowerLostError):
        ssse.send("0020000003123456")
    after_power_up(ssse)
    assert ssse.send("0020000003000000") == "63C2"


def test_a_torn_transport_key_has_cost_its_try(blank: Workbench) -> None:
    blank.card.arm(Fault(FaultKind.TORN))
    with pytest.raises(PowerLostError):
        blank.transport()
    blank.card.power_on()
    assert blank.send("80E0030008" + "FF" * 8) == "63C1"


# What a torn command leaves

MASTER = "DF01"


def _sealed(bench: Workbench) -> bytes:
    record = bytes.fromhex("0D8701EF33008710") + bytes(16)
    return bench.secured("84D40000", bench.key(MASTER), record, encrypt=True, process=False)


COMMANDS: list[Callable[[Workbench], bytes]] = [
    lambda _: bytes.fromhex("00A4000002DDF1"),
    lambda _: bytes.fromhex("00A4040006D15600000500"),
    lambda bench: bench.external_command(0x00, bench.key(MASTER)),
    lambda bench: bench.external_command(0x85, bytes(16)),
    lambda _: bytes.fromhex("0020000003123456"),
    lambda _: bytes.fromhex("0020000003999999"),
    lambda _: bytes.fromhex("805E010007123456FF123456"),
    lambda _: bytes.fromhex("00DC012C0420025A5A"),
    lambda _: bytes.fromhex("00DC024C03910131"),
    lambda _: bytes.fromhex("00DC034C03910132"),
    lambda _: bytes.fromhex("00E20038051122334455"),
    lambda _: bytes.fromhex("00D6950004DEADBEEF"),
    lambda bench: bench.secured("04D69500", bench.key("DF01 STK"), b"\x55" * 7),
    _sealed,
    lambda bench: bench.secured("84180000", bytes(16)),
    lambda _: bytes.fromhex("80E00100100000000014EF0AC6000A00FF0000EFFF"),
    lambda _: bytes.fromhex("80E1000102EF0A"),
    lambda _: bytes.fromhex("80E1000102EF07"),
    lambda _: bytes.fromhex("80E1000202DF01"),
    lambda _: bytes.fromhex("80E0020000"),
    lambda _: bytes.fromhex("80E00500080000639900112233"),
]


def split_tries(snapshot: str) -> tuple[Any, list[int]]:
    """The content of an image without its try counters, and those."""
    content = json.loads(snapshot.partition("\n")[2])
    tries = [content.pop("transport_tries")]

    def take(directory: dict[str, Any]) -> None:
        for file in directory["files"]:
            if file["creation"][14:20] == "c30080":
                tries.extend(int(record[9], 16) for record in file["content"])
                file["content"] = [record[:9] + record[10:] for record in file["content"]]
        for child in directory["directories"]:
            take(child)

    if content["mf"]:
        take(content["mf"])
    return content, tries


@settings(max_examples=60, deadline=None)
@given(
    before=st.lists(st.sampled_from(COMMANDS), max_size=6),
    torn=st.sampled_from(COMMANDS),
    transport=st.booleans(),
)
def test_after_a_torn_command_only_tries_may_have_gone(
    template: tuple[str, Callable[[VirtualCard], Workbench]],
    before: list[Callable[[Workbench], bytes]],
    torn: Callable[[Workbench], bytes],
    transport: bool,
) -> None:
    text, workbench = template
    bench = workbench(VirtualCard(image.decode(text)))
    bench.card.power_on()
    if transport:
        bench.transport()
    bench.send("00A4040006D15600000500")
    for command in before:
        bench.send(command(bench))
    apdu = torn(bench)
    content, tries = split_tries(bench.card.snapshot())
    used = bench.card.chip.memory.used
    bench.card.arm(Fault(FaultKind.TORN))
    with pytest.raises(PowerLostError):
        bench.send(apdu)
    content_now, tries_now = split_tries(bench.card.snapshot())
    assert content_now == content
    spent = [a - b for a, b in zip(tries, tries_now, strict=True)]
    assert sorted(spent)[:-1] == [0] * (len(spent) - 1), "at most one counter moves"
    assert max(spent) in (0, 1)
    assert bench.card.chip.memory.used == used


@settings(max_examples=40, deadline=None)
@given(commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=8), data=st.data())
def test_an_unanswered_command_was_executed_as_any_other(
    template: tuple[str, Callable[[VirtualCard], Workbench]],
    commands: list[Callable[[Workbench], bytes]],
    data: st.DataObject,
) -> None:
    text, workbench = template
    cut = data.draw(st.integers(0, len(commands) - 1))
    benches = [workbench(VirtualCard(image.decode(text))) for _ in range(2)]
    for bench in benches:
        stream = bytes(range(256)) * 64
        it = iter(stream)
        bench.card._random = lambda n, it=it: bytes(next(it) for _ in range(n))  # type: ignore[misc]
        bench.card.power_on()
        bench.transport()
        bench.send("00A4040006D15600000500")
        for command in commands[:cut]:
            bench.send(command(bench))
    answered, unanswered = benches
    answered.send(commands[cut](answered))
    apdu = commands[cut](unanswered)
    unanswered.card.arm(Fault(FaultKind.UNANSWERED))
    with pytest.raises(PowerLostError):
        unanswered.send(apdu)
    assert unanswered.card.snapshot() == answered.card.snapshot()


@settings(max_examples=60, deadline=None)
@given(commands=st.lists(st.sampled_from(COMMANDS), max_size=12))
def test_space_in_use_is_the_sum_over_what_is_there(
    template: tuple[str, Callable[[VirtualCard], Workbench]],
    commands: list[Callable[[Workbench], bytes]],
) -> None:
    text, workbench = template
    bench = workbench(VirtualCard(image.decode(text)))
    bench.card.power_on()
    bench.transport()
    bench.send("00A4040006D15600000500")
    for command in commands:
        bench.send(command(bench))
    mf = bench.card.chip.mf
    assert mf is not None
    assert bench.card.chip.memory.used == mf.whole_size
