"""A card issued by the toolkit, read back with bare bytes, against a dump written by hand.

Only `tests/golden/conftest.py` calls the toolkit, to issue; reading, keys and expected bytes owe it
nothing.
"""

from __future__ import annotations

import pytest

from cardkit.virtual.card import VirtualCard
from tests.golden.handwritten import DUMP, GoldenFile, read_dump
from tests.golden.raw import RawCard, card_key, id_code_mac

FILES = read_dump()
DIRECTORIES = ("SSSE", "DF01", "DF02", "DF03", "DF04")

# Name and identifier of the read keys: card.md 2.6 and 5.2, cos.md 7.2 decision 4.
READ_KEYS = {
    ("SSSE", "RKSSSE"): ("SSSE.RKSSSE", 0x0A),
    ("DF01", "RK"): ("DF01.RK", 0x88),
    ("DF02", "RK"): ("DF02.RK", 0x88),
    ("DF03", "RK"): ("DF03.RK2", 0x85),
    ("DF03", "RK1"): ("DF03.RK1", 0x84),
    ("DF04", "RK"): ("DF04.RK1", 0x84),
    ("DF04", "RK1"): ("DF04.RK1", 0x84),
}
NOT_ALLOWED = "6982"
NO_FILE = "6A82"


@pytest.fixture
def card(issued: VirtualCard) -> RawCard:
    """The issued card after a reset."""
    atr = issued.power_on()
    return RawCard(issued.transmit, atr)


def every_file(opened_by: str = "") -> pytest.MarkDecorator:
    """Once for each file of the dump whose read condition has these words in it."""
    return pytest.mark.parametrize("file", [f for f in FILES if opened_by in f.opened_by], ids=str)


def open_file(card: RawCard, file: GoldenFile) -> None:
    """Select a file and meet its read condition; of "PIN or RK" the PIN."""
    card.select(file.directory)
    if "PIN" in file.opened_by:
        card.verify_pin()
    condition = file.opened_by.rpartition(" ")[2]
    if condition in ("RK1", "RKSSSE"):
        card.authenticate(*READ_KEYS[file.directory, condition])
    card.done(f"00A4020002{file.label}")


def content(card: RawCard, file: GoldenFile) -> list[str]:
    """Everything in the selected file."""
    return [card.read_binary(file.size)] if file.kind == "binary" else card.read_records()


@every_file()
def test_a_file_holds_what_was_written_by_hand(card: RawCard, file: GoldenFile) -> None:
    open_file(card, file)
    assert content(card, file) == file.records


@every_file()
def test_a_file_stays_closed_until_its_condition_is_met(card: RawCard, file: GoldenFile) -> None:
    card.select(file.directory)
    card.done(f"00A4020002{file.label}")
    answer = card.send("00B0000001" if file.kind == "binary" else "00B2010401")
    if file.opened_by == "free":
        assert answer != NOT_ALLOWED
    else:
        assert answer == NOT_ALLOWED


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_there_is_no_other_file(card: RawCard, directory: str) -> None:
    written = {file.label for file in FILES if file.directory == directory}
    # EF1E lists the applications below a directory (DIR) and is no data file.
    others = {f"EF{n:02X}" for n in range(1, 0x1E)} - written
    card.select(directory)
    assert {card.send(f"00A4020002{other}") for other in others} == {NO_FILE}


@every_file("PIN and")
def test_one_half_of_a_double_condition_does_not_open(card: RawCard, file: GoldenFile) -> None:
    first = "00B2010400"
    card.select(file.directory)
    card.verify_pin()
    card.done(f"00A4020002{file.label}")
    assert card.send(first) == NOT_ALLOWED
    card.select(file.directory)
    card.authenticate(*READ_KEYS[file.directory, "RK1"])
    card.done(f"00A4020002{file.label}")
    assert card.send(first) == NOT_ALLOWED


@every_file("or RK")
def test_the_read_key_opens_in_place_of_the_pin(card: RawCard, file: GoldenFile) -> None:
    card.select(file.directory)
    card.authenticate(*READ_KEYS[file.directory, "RK"])
    card.done(f"00A4020002{file.label}")
    assert content(card, file) == file.records


def test_a_pin_counts_in_one_directory_only(card: RawCard) -> None:
    card.select("DF01")
    card.verify_pin()
    card.done("00A4000002DF02")
    card.done("00A4020002EF05")
    assert card.send("00B2010400") == NOT_ALLOWED


def test_the_id_code_carries_a_mac_under_this_cards_key(card: RawCard) -> None:
    code = bytes.fromhex(FILES[0].records[0][4:])
    assert card.atr.hex().upper() == "3B6D00000087BF10028649" + "6399" + "00A00139"
    assert code[12:] == id_code_mac(card_key("SSSE.IRK", card.atr), code[:12])


# The hand-written file itself: typing errors in it would otherwise be looked for in the toolkit.


@every_file()
def test_lengths_in_the_dump_agree_with_the_bytes(file: GoldenFile) -> None:
    if file.kind != "file":
        assert all(len(record) == 2 * file.size for record in file.records)
        return
    for record in file.records:
        tag, length, value = record[:2], int(record[2:4], 16), bytes.fromhex(record[4:])
        assert length == len(value)
        if tag in ("40", "43", "44", "4A", "79", "99"):  # templates are made of records again
            while value:
                assert len(value) >= 2 + value[1]
                value = value[2 + value[1] :]


def test_the_dump_has_every_directory_and_file() -> None:
    labels = {d: " ".join(f.label[2:] for f in FILES if f.directory == d) for d in DIRECTORIES}
    assert labels == {
        "SSSE": "05 06 07 08",
        "DF01": "05 06 07 08 09 0A 15 16 17 18 19 1A",
        "DF02": "05 06 07 09 15 16",
        "DF03": "05 06 07 15 16 17 18 19",
        "DF04": "05 06 08 15",
    }
    assert len(FILES) == sum(len(names.split()) for names in labels.values())


def test_a_changed_byte_in_the_dump_would_be_noticed(card: RawCard) -> None:
    changed = DUMP.read_text(encoding="utf-8").replace("05 04 20 26 11 21", "05 04 20 26 11 22")
    issuer = read_dump(changed)[0]
    open_file(card, issuer)
    found = content(card, issuer)
    pairs = zip(found, issuer.records, strict=True)
    assert [n for n, (on_card, written) in enumerate(pairs, 1) if on_card != written] == [5]
