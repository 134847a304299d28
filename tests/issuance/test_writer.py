"""One card at one reader: the command budget, and everything that has to be refused or repaired."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cardkit.apdu.link import LinkLostError, chain
from cardkit.card.card import AuthenticationFailedError, Card
from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import RecordFile
from cardkit.card.procedure import run
from cardkit.card.procedures.check import FactoryDataError
from cardkit.card.procedures.identify import WrongCardError
from cardkit.card.procedures.personalize import open_for_update
from cardkit.issuance.matching import CardAlreadyIssuedError, NothingToDoError
from cardkit.issuance.writer import Failed, Issued, Spoilt
from cardkit.keys import CardKeySet
from cardkit.keys.open_store import factors_above
from cardkit.keys.soft import SoftKeyStore
from cardkit.registry.errors import WrongChipError
from cardkit.registry.states import State
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.workshop import Workshop, applicant, master_keys

SERIAL = bytes.fromhex("40000001")
SELECT, READ, UPDATE, INTERNAL, EXTERNAL, CHALLENGE = 0xA4, 0xB2, 0xDC, 0x88, 0x82, 0x84


def exchanges_of(card: VirtualCard) -> list[bytes]:
    """Commands that arrive from now on, GET RESPONSE left out."""
    seen: list[bytes] = []
    card.on_exchange.append(lambda command, _: seen.append(command) if command[1] != 0xC0 else None)
    return seen


def write_item(shop: Workshop, chip: VirtualCard, address: str, value: str) -> None:
    """Something that was on the chip before it came to this window."""
    link = chain(VirtualLink(chip))
    card = Card(GENERATION_2, link.atr)
    keys = CardKeySet.on_demand(shop.store, factors_above(shop.profile), card.factor)
    run(open_for_update(card), link, keys)
    run(card.update(GENERATION_2.find(address), value), link, keys)
    chip.power_off()


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, [applicant(2), applicant(3)])


def test_budget_of_the_window(shop: Workshop) -> None:
    """Identify 5, write 12, check 12; the id code has no MAC yet: one UPDATE and one READ more."""
    card = shop.factory.premade(SERIAL)
    seen = exchanges_of(card)
    assert isinstance(shop.process(card), Issued)
    assert [command[1] for command in seen] == (
        [SELECT, READ, READ, READ, INTERNAL]
        + [CHALLENGE, EXTERNAL, *[UPDATE] * 10, UPDATE]
        + [READ] * 12 + [READ]
    )  # fmt: skip
    assert len(seen) == 31
    assert card.counters.get_responses == 2


def test_budget_when_the_id_code_is_complete(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    card = shop.factory.premade(SERIAL, complete=True)
    seen = exchanges_of(card)
    assert isinstance(shop.process(card), Issued)
    identify = ["A404", "B201", "B203", "B207", "8800"]
    write = ["8400", "8200"]
    write += ["DC05", "DC06", "DC07", "DC08", "DC09", "DC4E", "DC0A", "DC0B", "DC0C", "DC0D"]
    check = ["B202", "B204"]
    check += ["B205", "B206", "B207", "B208", "B209", "B24E", "B20A", "B20B", "B20C", "B20D"]
    assert [command[1:3].hex().upper() for command in seen] == identify + write + check
    assert len(seen) == card.counters.commands == 29
    assert card.counters.get_responses == 2


def test_no_item_is_written_twice_or_read_twice_after_its_last_write(shop: Workshop) -> None:
    card = shop.factory.premade(SERIAL)
    seen = exchanges_of(card)
    shop.process(card)
    writes = [command[2] for command in seen if command[1] == UPDATE]
    assert len(set(writes)) == len(writes)
    last_write = max(at for at, command in enumerate(seen) if command[1] == UPDATE)
    reads = [command[2] for command in seen[last_write:] if command[1] == READ]
    assert len(set(reads)) == len(reads)
    assert set(writes) <= set(reads)


def test_items_nobody_supplies_are_not_written(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2, name="王芳", nation="")])
    card = shop.factory.premade(SERIAL)
    seen = exchanges_of(card)
    assert isinstance(shop.process(card), Issued)
    written = {command[2] for command in seen if command[1] == UPDATE}
    assert not written & {0x4E, 0x0B}


def test_left_over_of_a_used_card_is_emptied(tmp_path: Path) -> None:
    """A name extension that somebody left on the chip does not stay under a short name."""
    shop = Workshop(tmp_path, [applicant(2, name="王芳")])
    chip = shop.factory.premade(SERIAL)
    write_item(shop, chip, "SSSE.EF06.4E", "left over")
    assert isinstance(shop.process(chip), Issued)
    chip.power_off()
    link = chain(VirtualLink(chip))
    card = Card(GENERATION_2, link.atr)
    keys = CardKeySet.on_demand(shop.store, factors_above(shop.profile), card.factor)
    assert run(card.read(GENERATION_2.find("SSSE.EF06.4E")), link, keys) is None


def test_blank_chip_is_made_with_the_sum_of_the_tree(shop: Workshop) -> None:
    """Commands of a blank chip, worked out from the specification tree alone."""
    card = shop.factory.blank(SERIAL)
    seen = exchanges_of(card)
    assert isinstance(shop.process(card), Issued)
    directories = GENERATION_2.directories
    keys = sum(len(d.keys) for d in directories)
    files = sum(len(d.files) for d in directories)
    records = sum(len(f.items) for d in directories for f in d.files if isinstance(f, RecordFile))
    below = sum(1 for d in directories if d.parent)
    with_dir = sum(1 for d in directories if GENERATION_2.children(d))
    ssse = 14
    assert len(seen) == (
        3  # SELECT SSSE, GET CHALLENGE (empty or locked?), SELECT MF
        + 1 + 2  # transport key, serial, ATR
        + len(directories)  # CREATE
        + below  # SELECT
        + 2 * len(directories)  # key file, FCI file
        + keys + (keys - len(directories))  # WRITE KEY; a challenge for all but the first
        + with_dir + below  # DIR files and their records
        + 2 * len(directories)  # challenge and MK
        + len(directories)  # FCI record
        + files + records
        + (2 * len(directories) - 1)  # end of pre-issue everywhere; the last one is selected
        + 1 + 1 + ssse  # check: SELECT, INTERNAL AUTHENTICATE, every item of SSSE
    )  # fmt: skip
    written = [command[:4] for command in seen if command[1] == UPDATE]
    assert len(written) == records + below
    assert len(card.atr) == 17
    assert card.atr[-6:-4].hex() == "6399"


def test_blank_chip_gets_its_own_serial(shop: Workshop) -> None:
    card = shop.factory.blank(SERIAL)
    outcome = shop.process(card)
    assert isinstance(outcome, Issued)
    assert card.atr[-4:] == outcome.id_code[8:12] != SERIAL


def test_issued_card_is_refused_and_untouched(shop: Workshop) -> None:
    card = shop.factory.premade(SERIAL)
    shop.process(card)
    before = card.snapshot()
    with pytest.raises(CardAlreadyIssuedError):
        shop.process(card)
    assert card.snapshot() == before


def test_card_issued_elsewhere_is_refused(shop: Workshop, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Workshop(elsewhere, [applicant(9)])
    card = other.factory.premade(SERIAL)
    other.process(card)
    with pytest.raises(CardAlreadyIssuedError):
        shop.process(card)


def test_wrong_master_key_is_found_before_anything_is_written(shop: Workshop) -> None:
    """EXTERNAL AUTHENTICATE is not even sent when INTERNAL AUTHENTICATE fails."""
    card = shop.factory.premade(SERIAL)
    before = card.snapshot()
    seen = exchanges_of(card)
    wrong = SoftKeyStore({(n, 1): bytes(range(16)) for n in shop.store.names()}, test=True)
    with shop.registry() as registry, pytest.raises(AuthenticationFailedError, match="IRK"):
        shop.writer(registry, wrong).process(chain(VirtualLink(card)), "virtual")
    assert EXTERNAL not in {command[1] for command in seen}
    assert card.snapshot() == before
    with shop.registry() as registry:
        assert registry.counts()[State.PLANNED] == 2


def test_wrong_update_key_costs_one_try_and_says_how_many_are_left(shop: Workshop) -> None:
    card = shop.factory.premade(SERIAL)
    keys = master_keys()
    keys["SSSE.UKSSSE", 1] = bytes(range(16))
    seen = exchanges_of(card)
    with (
        shop.registry() as registry,
        pytest.raises(AuthenticationFailedError, match="2 tries left") as caught,
    ):
        shop.writer(registry, SoftKeyStore(keys, test=True)).process(
            chain(VirtualLink(card)), "virtual"
        )
    assert [command[1] for command in seen].count(EXTERNAL) == 1
    assert "剩余2次" in caught.value.line("zh")
    with shop.registry() as registry:
        assert registry.counts()[State.PLANNED] == 2
        assert registry.chip_counts()["bound"] == 0


def test_wrong_transport_key_is_found_before_anything_is_written(shop: Workshop) -> None:
    card = VirtualCard.blank(
        atr=bytes.fromhex("3B6D00000087BF10028649639940000009"), transport_key=bytes(8)
    )
    with pytest.raises(AuthenticationFailedError, match="transport key"):
        shop.process(card)
    with shop.registry() as registry:
        assert registry.counts()[State.PLANNED] == 2


def test_chip_with_files_of_another_maker_is_refused(shop: Workshop) -> None:
    transport_key = bytes(8)
    card = VirtualCard.blank(transport_key=transport_key)
    card.power_on()
    master_file = "00EF00FF013F00010001230000800081" + b"1PAY.SYS.DDF01".hex()
    for command in ("80E0030008" + transport_key.hex(), "80E001001E" + master_file):
        assert card.transmit(bytes.fromhex(command)) == b"\x90\x00"
    with pytest.raises(WrongCardError, match="files of another maker"):
        shop.process(card)


def test_another_kind_of_chip_is_refused(shop: Workshop) -> None:
    card = VirtualCard.blank(
        transport_key=bytes(8), atr=bytes.fromhex("3B7D94000087BF1002864963990000000955")[:18]
    )
    with pytest.raises(WrongCardError, match="neither a social-security card nor a blank chip"):
        shop.process(card)


def test_worn_out_chip_is_spoilt_and_the_person_gets_another(shop: Workshop) -> None:
    card = shop.factory.premade(SERIAL)
    card.arm(Fault(FaultKind.WORN, at=12, directory=0xDDF1, file=0xEF06))
    with shop.registry() as registry:
        writer = shop.writer(registry)
        outcome = writer.process(chain(VirtualLink(card)), "virtual")
        assert isinstance(outcome, Spoilt)
        card.disarm()
        with pytest.raises(WrongCardError, match="spoilt"):
            writer.process(chain(VirtualLink(card)), "virtual")
        second = shop.factory.premade(bytes.fromhex("40000002"))
        again = writer.process(chain(VirtualLink(second)), "virtual")
        assert isinstance(again, Issued)
        assert again.record.card_id == outcome.record.card_id


def test_pulled_card_is_finished_when_it_comes_back(shop: Workshop) -> None:
    card = shop.factory.premade(SERIAL)
    card.arm(Fault(FaultKind.REMOVED, at=15))
    with pytest.raises(LinkLostError):
        shop.process(card)
    with shop.registry() as registry:
        (begun,) = registry.unfinished()
    card.insert()
    outcome = shop.process(card)
    assert isinstance(outcome, Issued)
    assert outcome.record.card_id == begun.card_id


def test_nothing_to_do(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    assert isinstance(shop.process(shop.factory.premade(SERIAL)), Issued)
    with pytest.raises(NothingToDoError):
        shop.process(shop.factory.premade(bytes.fromhex("40000002")))


def test_data_of_other_applications_are_written_under_their_keys(tmp_path: Path) -> None:
    items = {
        "DF01.EF05.20": "10",
        "DF03.EF05.61": "201201",
        "DF01.EF15.40.2.57": "ABC",
        "DF04.EF06.92": "12345",
    }
    for make in ("premade", "blank"):
        folder = tmp_path / make
        folder.mkdir()
        shop = Workshop(folder, [applicant(2, items=items)])
        outcome = shop.process(getattr(shop.factory, make)(SERIAL))
        assert isinstance(outcome, Issued), outcome


def test_pre_printed_card_is_never_given_to_the_next_person(shop: Workshop) -> None:
    """Its record is in work on another chip: the card is refused, not used for somebody else."""
    first = shop.factory.premade(SERIAL)
    first.arm(Fault(FaultKind.REMOVED, at=20))
    with pytest.raises(LinkLostError):
        shop.process(first)
    with shop.registry() as registry:
        (begun,) = registry.unfinished()
    printed = shop.factory.premade(bytes.fromhex("40000002"))
    write_item(shop, printed, "SSSE.EF05.07", begun.card_number)
    before = printed.snapshot()
    with pytest.raises(WrongChipError):
        shop.process(printed)
    assert printed.snapshot() == before
    with shop.registry() as registry:
        assert registry.counts()[State.PLANNED] == 1


def test_pre_printed_card_is_matched_with_its_record(shop: Workshop) -> None:
    with shop.registry() as registry:
        second = registry.next_planned(2)[1]
    printed = shop.factory.premade(SERIAL)
    write_item(shop, printed, "SSSE.EF05.07", second.card_number)
    outcome = shop.process(printed)
    assert isinstance(outcome, Issued)
    assert outcome.record.card_id == second.card_id


def test_data_that_do_not_fit_the_card_fail_the_record_and_leave_the_chip(tmp_path: Path) -> None:
    """Enrolled under other rules: what the roster check would refuse is found before writing."""
    shop = Workshop(tmp_path, [applicant(2, items={"DF01.EF05.20": "too long"})])
    card = shop.factory.premade(SERIAL)
    seen = exchanges_of(card)
    outcome = shop.process(card)
    assert isinstance(outcome, Failed)
    assert UPDATE not in {command[1] for command in seen}
    with shop.registry() as registry:
        assert registry.counts()[State.FAILED] == 1


def test_factory_data_of_another_profile_do_not_spoil_the_chip(shop: Workshop) -> None:
    """The chip is sound: the run stops, and the card is finished once the profile is right."""
    card = shop.factory.premade(SERIAL)
    right = shop.profile
    shop.profile = replace(right, card=replace(right.card, institution="91" * 12))
    with pytest.raises(FactoryDataError, match=r"SSSE\.EF05\.04"):
        shop.process(card)
    with shop.registry() as registry:
        assert registry.counts()[State.WRITING] == 1
        assert registry.chip_counts()["spoilt"] == 0
    shop.profile = right
    assert isinstance(shop.process(card), Issued)


def test_nothing_to_do_names_the_begun_cards_that_are_missing(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [applicant(2)])
    begun = shop.factory.premade(SERIAL)
    begun.arm(Fault(FaultKind.REMOVED, at=20))
    with pytest.raises(LinkLostError):
        shop.process(begun)
    with pytest.raises(NothingToDoError, match="639900D15600000540000001") as caught:
        shop.process(shop.factory.premade(bytes.fromhex("40000002")))
    assert "639900D15600000540000001" in caught.value.line("zh")


def test_spoilt_blank_chip_that_comes_back_is_refused_without_a_try(shop: Workshop) -> None:
    """It has its serial but no MF: it looks blank, and another transport key would cost a try."""
    chip = shop.factory.blank(SERIAL)
    chip.arm(Fault(FaultKind.CUT_BEFORE, at=7))  # after serial and ATR head
    with pytest.raises(LinkLostError):
        shop.process(chip)
    with shop.registry() as registry:
        (begun,) = registry.unfinished()
        registry.spoil(begun.card_id, "lost")
    before = chip.snapshot()
    with pytest.raises(WrongCardError, match="spoilt"):
        shop.process(chip)
    assert chip.snapshot() == before
