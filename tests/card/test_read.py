"""Reading a whole card sends nothing that is not needed, and presents nothing twice."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from cardkit.apdu.link import chain
from cardkit.card.card import Card
from cardkit.card.files import GENERATION_2
from cardkit.card.files.codings import Value
from cardkit.card.files.model import Access, Level
from cardkit.card.procedure import run
from cardkit.card.procedures.read import FileContent, Means, dump_card, read_card
from cardkit.cli.session import NoKeys
from cardkit.keys import CardKeySet
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

SELECT, VERIFY, AUTHENTICATE = 0xA4, 0x20, 0x82
KEYS, PIN, BOTH = Means(keys=True), Means(pin="123456"), Means(keys=True, pin="123456")


@pytest.fixture(scope="module")
def chip() -> VirtualCard:
    values: dict[str, Value] = {
        "SSSE.EF05.05": dt.date(2020, 5, 1),
        "SSSE.EF05.06": dt.date(2030, 5, 1),
        "SSSE.EF06.09": "张三",
        "DF01.EF08.2B": "2",
    }
    return CardFactory(load("test")).issued(bytes(4), values)


def read(chip: VirtualCard, means: Means, *, transparent: bool = False) -> list[FileContent]:
    profile = load("test")
    chip.power_off()
    chip.reset_counters()
    link = chain(VirtualLink(chip))
    keys = CardKeySet.on_demand(open_store(profile), factors_above(profile), link.atr[-8:])
    procedure = read_card(Card(GENERATION_2, link.atr), means, transparent=transparent)
    return run(procedure, link, keys)


def test_free_data_take_one_select_and_one_read_an_item(chip: VirtualCard) -> None:
    read(chip, Means())

    assert chip.counters.per_ins[SELECT] == 1
    assert chip.counters.commands == 1 + 7 + 7  # SSSE, the items of EF05 and EF06


@pytest.mark.parametrize("means", [KEYS, PIN, BOTH])
def test_a_directory_is_selected_once_and_a_pin_or_key_presented_once(
    chip: VirtualCard, means: Means
) -> None:
    presented: Counter[tuple[bytes, bytes]] = Counter()
    where = [b""]

    def watch(command: bytes, _answer: bytes) -> None:
        if command[1] == SELECT:
            where[0] = command[5:]
            presented[where[0], b"select"] += 1
        if command[1] in (VERIFY, AUTHENTICATE):
            presented[where[0], command[1:4]] += 1

    chip.on_exchange.append(watch)
    read(chip, means, transparent=True)
    chip.on_exchange.clear()

    assert set(presented.values()) == {1}
    assert len([where for where, what in presented if what == b"select"]) == 5


def test_nothing_is_presented_that_opens_nothing(chip: VirtualCard) -> None:
    read(chip, Means(), transparent=True)

    assert VERIFY not in chip.counters.per_ins
    assert AUTHENTICATE not in chip.counters.per_ins


def test_everything_opens_with_keys_and_pin(chip: VirtualCard) -> None:
    assert [one.problem for one in read(chip, BOTH, transparent=True) if one.problem] == []


def test_what_is_closed_is_said_so(chip: VirtualCard) -> None:
    problems = {f"{one.directory.label}.{one.file.label}": one.problem for one in read(chip, KEYS)}

    assert problems["DF03.EF05"] == "closed"  # PIN and key
    assert problems["DF04.EF08"] == "closed"  # PIN
    assert problems["DF01.EF05"] == ""


@pytest.mark.parametrize(
    ("access", "opened_by"),
    [
        (Access(Level.FREE, Level.FREE), {"nothing", "keys", "pin", "both"}),
        (Access(Level.PIN, Level.NEVER), {"pin", "both"}),
        (Access(Level.NEVER, 0x88), {"keys", "both"}),
        (Access(Level.PIN, 0x88), {"keys", "pin", "both"}),
        (Access(Level.PIN, 0x88, both=True), {"both"}),
        (Access(Level.NEVER, Level.NEVER), set()),
    ],
)
def test_what_opens_a_file(access: Access, opened_by: set[str]) -> None:
    means = {"nothing": Means(), "keys": KEYS, "pin": PIN, "both": BOTH}

    assert {name for name, one in means.items() if one.reach(access)} == opened_by


def test_a_pin_never_shows() -> None:
    assert "123456" not in repr(PIN)


def test_a_missing_directory_is_absent_and_not_a_failure(chip: VirtualCard) -> None:
    assert chip.chip.mf is not None
    environment = chip.chip.mf.directories[0]
    medical = environment.directories.pop()
    try:
        problems = {one.problem for one in read(chip, PIN) if one.directory.label == "DF04"}
    finally:
        environment.directories.append(medical)

    assert problems == {"absent", "closed"}


def test_a_dump_reads_records_until_there_are_no_more(chip: VirtualCard) -> None:
    chip.power_off()
    link = chain(VirtualLink(chip))
    files = run(dump_card(Card(GENERATION_2, link.atr), Means()), link, NoKeys())

    issuer = next(f for f in files if f.file.label == "EF05" and f.directory.label == "SSSE")
    assert [record[0] for record in issuer.records] == [1, 2, 3, 4, 5, 6, 7]
