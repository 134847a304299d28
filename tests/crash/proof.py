"""What must be true in the end: exactly one correct card a person, one record a card."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from functools import cache

import pytest

from cardkit.issuance.matching import CardAlreadyIssuedError
from cardkit.issuance.writer import Issued
from cardkit.registry.records import CardRecord
from cardkit.registry.registry import Registry
from cardkit.registry.states import ChipState, State
from cardkit.virtual.card.chip import Chip
from cardkit.virtual.card.directory import DirectoryFile
from tests.crash.fragile import FragileCard
from tests.crash.scene import Program, Road, Scene, scene
from tests.golden.raw import card_key, id_code_mac

Days = dict[FragileCard, dt.datetime]
Items = dict[tuple[int, int], str]

_SELECT_SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
_ISSUER, _HOLDER = 5, 6  # short file identifiers
_NO_RECORD = "6A83"
_NAME_LENGTH = 60  # hex digits; what is longer goes on in the extension


def finish(one: Scene) -> None:
    """Start a program with the chip of the scene in the reader; afterwards all must be well.

    The chip must carry the record it was promised to, with the day of its intent.
    """
    with one.program() as program:
        make(program, one.card, one.promised)
        prove(program, one.road, {one.card: one.day})


def make(program: Program, card: FragileCard, promised: int | None = None) -> int:
    """Put a chip into the reader; returns the record that it carries then."""
    try:
        outcome = program.process(card)
    except CardAlreadyIssuedError:
        assert promised is not None, "issued without a record"
        return promised
    finally:
        card.power_off()
    assert isinstance(outcome, Issued), outcome
    assert promised in (None, outcome.record.card_id), "not the record the chip was promised to"
    return outcome.record.card_id


def prove(program: Program, road: Road, days: Days) -> None:
    """Prove that these chips are the cards of the registry, and that each is as it should be.

    Parameters
    ----------
    days : dict
        Every chip that carries something, and the day of its intent.
    """
    registry = program.registry
    records = list(registry.list())
    carried = {_prove_card(registry, road, card, day) for card, day in days.items()}
    assert len(carried) == len(days), "a person has two cards"
    issued = {record.card_id for record in records if record.state == State.ISSUED}
    planned = {record.card_id for record in records if record.state == State.PLANNED}
    assert issued == carried, "a record without a card, or a card without a record"
    assert planned == {record.card_id for record in records} - carried
    _prove_numbers(registry, records)
    chips = {state: count for state, count in registry.chip_counts().items() if count}
    assert chips == {ChipState.ISSUED: len(days)}
    assert registry.verify_history().problem == ""
    for card in days:
        _prove_refused(program, card)


def _prove_card(registry: Registry, road: Road, card: FragileCard, day: dt.datetime) -> int:
    """A card is what its record says, to the last byte of its memory; returns the record."""
    items = read_back(card)
    record = registry.find_by_id_code(bytes.fromhex(items[_ISSUER, 1][4:28]))
    assert record is not None, "a card without a record"
    assert items == expected_items(road, record, card.atr, day)
    assert card.atr[-4:] == record.serial
    assert content(card.chip) == correct(road, card.factory_serial, record.card_id, day)
    return record.card_id


def _prove_numbers(registry: Registry, records: list[CardRecord]) -> None:
    """No number was ever given to two records: not now, not in the history."""
    assert len({record.card_number for record in records}) == len(records)
    assert len({record.serial for record in records}) == len(records)
    owners = defaultdict(set)
    for record in records:
        owners[record.id_code].add(record.card_id)
        for entry in registry.show(record.card_id).history:
            code = json.loads(entry.detail).get("card_id_code", "")
            owners[bytes.fromhex(code)[:12]].add(record.card_id)
    assert all(len(owner) == 1 for code, owner in owners.items() if code)


def _prove_refused(program: Program, card: FragileCard) -> None:
    """A finished card is left alone by whoever gets it."""
    before = content(card.chip)
    with pytest.raises(CardAlreadyIssuedError):
        program.process(card)
    card.power_off()
    assert content(card.chip) == before


def content(chip: Chip) -> object:
    """Everything a chip keeps without power: structure, data, keys, try counters, phase of life.

    Directory files are sorted: one that was deleted and made anew has moved behind the others.
    """
    return (
        chip.atr,
        chip.transport,
        chip.transport_tries,
        chip.locked,
        chip.memory.used,
        _content(chip.mf) if chip.mf else None,
    )


def _content(directory: DirectoryFile) -> tuple[object, ...]:
    return (
        directory.creation,
        directory.pre_issue,
        directory.blocked,
        [(file.creation, file.content_image()) for file in directory.files],
        [_content(child) for child in sorted(directory.directories, key=lambda d: d.fid)],
    )


@cache
def correct(road: Road, serial: bytes, card_id: int, day: dt.datetime) -> object:
    """Content of the chip when nothing disturbs the making of that record's card on that day."""
    card = road.chip(serial)
    with scene(road, card) as one, one.program(None, day, [card_id]) as program:
        assert make(program, card) == card_id
    return content(card.chip)


def read_back(card: FragileCard) -> Items:
    """Every record of the issuer's and the holder's file, read with bare commands."""
    card.power_off()
    card.power_on()
    assert card.transmit(_SELECT_SSSE)[0] == 0x61
    found: Items = {}
    for sfi in (_ISSUER, _HOLDER):
        number = 1
        while (record := _read_record(card, sfi, number)) != _NO_RECORD:
            found[sfi, number] = record
            number += 1
    card.power_off()
    return found


def _read_record(card: FragileCard, sfi: int, number: int) -> str:
    head = bytes((0x00, 0xB2, number, sfi << 3 | 4))
    length = card.transmit(head + b"\x00")
    if length[0] != 0x6C:
        return length.hex().upper()
    return card.transmit(head + length[1:])[:-2].hex().upper()


def expected_items(road: Road, record: CardRecord, atr: bytes, day: dt.datetime) -> Items:
    """Both files of a person's card, worked out from the roster row and the numbers alone."""
    person = road.people[record.card_id - 1]
    name = person.name.encode("gb18030").hex()
    mac = id_code_mac(card_key("SSSE.IRK", atr), record.id_code)
    issuer = (
        "0110" + (record.id_code + mac).hex(),
        "020133",
        "0304" + b"2.00".hex(),
        "040C91560000026399006399006A",
        f"0504{day:%Y%m%d}",
        f"0604{day.year + 10}{day:%m%d}",
        "0709" + record.card_number.encode().hex(),
    )
    holder = (
        "0812" + person.citizen_number.encode().hex(),
        "091E" + name[:_NAME_LENGTH].ljust(_NAME_LENGTH, "0"),
        "4E14" + name[_NAME_LENGTH:].ljust(40, "0"),
        "0A01" + person.sex.encode().hex(),
        "0B01" + person.nation,
        "0C03" + person.birthplace,
        "0D04" + person.birth_date,
    )
    return {
        (sfi, number): record.upper()
        for sfi, file in ((_ISSUER, issuer), (_HOLDER, holder))
        for number, record in enumerate(file, start=1)
    }
