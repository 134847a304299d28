"""The virtual PSAM in bare bytes; nothing here goes through the code it is used to check."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cardkit.errors import UsageError
from cardkit.virtual.card import CardRemovedError, Fault, FaultKind, PowerLostError
from cardkit.virtual.psam import Place, StoredKey, VirtualPsam

MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CARD, CITY, PROVINCE = "8684371700BF7C7A", "3337313730307378", "3337303030307368"
R8, D8, ZEROS = "1122334455667788", "0102030405060708", "0000000000000000"

# Keys of the described rules: root, its province key for 370000sh, its city key for 371700sx.
ROOT = "404142434445464748494A4B4C4D4E4F"
DES_PROVINCE = "AE44B6E45F7679735D5C9CA92B7165F7"
DES_CITY = "45B9007AAF9C98FDCD575D387D71E38A"
SM4_PROVINCE = "B24CB99D0FAE9A2F4D8311D0976FCE61"

DES_ADF = "00A4040006D15600000590"
SM4_ADF = ("00A404000F7378332E73682EC9E7BBE1B1A3D5CF", "00A4000002DF01")
SSF33_ADF = ("00A404000F7378322E73682EC9E7BBE1B1A3D5CF", "00A4000002DF01")


def key(place: Place, usage: int, number: int, value: str) -> StoredKey:
    algorithm = {Place.DES: 0, Place.SSF33: 2, Place.SM4: 3}[place]
    return StoredKey(place, usage, number, algorithm, bytes.fromhex(value))


@pytest.fixture
def psam() -> VirtualPsam:
    made = VirtualPsam.blank(
        master=MASTER,
        serial=bytes.fromhex("00112233445566778899"),
        terminal=bytes.fromhex("410100813475"),
        random=lambda n: bytes.fromhex("5D72B3FD00000000")[:n],
    )
    made.chip.keys += [
        key(Place.DES, 0x67, 0x0B, ROOT),
        key(Place.DES, 0x48, 0x12, DES_PROVINCE),
        key(Place.DES, 0x28, 0x13, DES_CITY),
        key(Place.DES, 0x47, 0x24, DES_PROVINCE),
        key(Place.DES, 0x46, 0x25, DES_PROVINCE),
        key(Place.DES, 0x22, 0x26, DES_CITY),
        key(Place.SM4, 0x48, 0x12, SM4_PROVINCE),
        key(Place.SSF33, 0x48, 0x12, ROOT),
    ]
    made.power_on()
    return made


def send(psam: VirtualPsam, *commands: str) -> str:
    """Answer of the last of some commands."""
    answer = b""
    for command in commands:
        answer = psam.transmit(bytes.fromhex(command))
    return answer.hex().upper()


@pytest.mark.parametrize(
    "derive",
    [
        f"BFDE670B20{CARD}{CITY}{PROVINCE}{R8}",
        f"BFDE481218{CARD}{CITY}{R8}",
        f"BFDE281310{CARD}{R8}",
    ],
    ids=["ministry", "province", "city"],
)
def test_des_at_every_level_gives_the_same_proof(psam: VirtualPsam, derive: str) -> None:
    assert send(psam, DES_ADF, derive) == "9000"
    assert send(psam, f"80FA000008{D8}") == "6108"
    assert send(psam, "00C0000008") == "8F91A74CA5CADD5C9000"


def test_sm4_gives_a_block_whose_halves_are_the_proof(psam: VirtualPsam) -> None:
    assert send(psam, *SM4_ADF) == "610A"
    assert send(psam, f"BFDE481220{CARD}{CITY}{R8}{ZEROS}") == "9000"
    assert send(psam, f"80FA000010{R8}{ZEROS}") == "6110"
    assert send(psam, "00C0000010") == "46C3C96689283B7BC8E9969333471B5F9000"


def test_ssf33_can_be_entered_and_computes_nothing(psam: VirtualPsam) -> None:
    assert send(psam, *SSF33_ADF) == "610A"
    assert send(psam, f"BFDE481220{CARD}{CITY}{R8}{ZEROS}") == "6A81"


def test_mac_of_one_or_several_commands(psam: VirtualPsam) -> None:
    derive = f"BFDE481218{CARD}{CITY}{R8}"
    once = send(psam, DES_ADF, derive, f"80FA050018{R8}841E000004800000{D8}", "00C0000004")
    first = send(psam, derive, f"80FA070010{R8}841E000004800000")
    last = send(psam, f"80FA010008{D8}", "00C0000004")
    assert first == "9000"
    assert once == last
    assert len(once) == 12


def test_answers_when_a_rule_is_broken(psam: VirtualPsam) -> None:
    derive = f"BFDE481218{CARD}{CITY}{R8}"
    assert send(psam, derive) == "6985"  # not in an application
    assert send(psam, DES_ADF, f"80FA000008{D8}") == "6985"  # nothing derived
    assert send(psam, f"BFDE48FF18{CARD}{CITY}{R8}") == "6A88"  # no such id
    assert send(psam, f"BFDE281210{CARD}{R8}") == "6985"  # the id, at another level
    assert send(psam, f"BFDE471218{CARD}{CITY}{R8}") == "6985"  # and with another type
    assert send(psam, f"BFDE222610{CARD}{R8}") == "6985"  # a purchase key
    assert send(psam, f"BFDE481210{CARD}{R8}") == "6700"  # a factor is missing
    assert send(psam, f"BFDE481220{CARD}{CITY}{R8}{ZEROS}") == "6700"  # SM4's length
    assert send(psam, f"80DE481218{CARD}{CITY}{R8}") == "6E00"
    assert send(psam, derive, "80FA00000701020304050607") == "6700"  # no whole block
    assert send(psam, f"80FA000008{D8}") == "6985"  # a refusal forgets the process key
    assert send(psam, derive, f"80FA020008{D8}") == "6A86"
    assert send(psam, derive, f"80FA010008{D8}") == "6985"  # the end of a MAC that never began
    assert send(psam, derive, f"80FA050008{R8}") == "6700"  # a vector and nothing else
    assert send(psam, "00C0000008") == "6F00"
    assert send(psam, "0020000003123456") == "6D00"


def test_types_6_and_7_do_one_thing_only(psam: VirtualPsam) -> None:
    encrypts, macs = (f"BFDE{place}18{CARD}{CITY}{R8}" for place in ("4724", "4625"))
    assert send(psam, DES_ADF, encrypts, f"80FA000008{D8}") == "6108"
    assert send(psam, encrypts, f"80FA050010{R8}{D8}") == "6985"
    assert send(psam, macs, f"80FA050010{R8}{D8}") == "6104"
    assert send(psam, macs, f"80FA000008{D8}") == "6985"


@pytest.mark.parametrize("event", [DES_ADF, "00A40000023F00", f"BFDE48FF18{CARD}{CITY}{R8}", ""])
def test_the_process_key_ends_with_select_derivation_and_reset(
    psam: VirtualPsam, event: str
) -> None:
    send(psam, DES_ADF, f"BFDE481218{CARD}{CITY}{R8}")
    assert send(psam, f"80FA000008{D8}", f"80FA000008{D8}") == "6108"  # it may be used again
    if event:
        send(psam, event)
    else:
        psam.reset()
    assert send(psam, f"80FA000008{D8}") == "6985"


def test_t0(psam: VirtualPsam) -> None:
    send(psam, DES_ADF, f"BFDE481218{CARD}{CITY}{R8}")
    assert send(psam, f"80FA000008{D8}08") == "6108"  # Le behind data is dropped
    assert send(psam, "00C0000004") == "6C08"
    assert send(psam, "00C0000008").endswith("9000")
    assert send(psam, "00C0000008") == "6F00"
    assert send(psam, "00C00000") == "6F00"
    assert send(psam, "00B0") == "6700"


def test_serial_and_terminal_number_are_in_the_mf(psam: VirtualPsam) -> None:
    assert send(psam, "00B0960006") == "4101008134759000"
    assert send(psam, "00B0960000") == "6C06"
    assert send(psam, "00A40000020015", "00B000000A") == "001122334455667788999000"
    assert send(psam, DES_ADF, "00B0960006") == "6A82"
    assert send(psam, "00A40000023F00", "00B0960006") == "4101008134759000"
    assert send(psam, "00A4040003010203") == "6A82"


# The published key load under 00112233…: usage 22, id 00, 3DES, key = the master key's bytes.
LOAD = (
    "84D400001CDCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD8A9D4ADB"  # with challenge 5D72B3FD
)


def test_the_published_key_load_is_taken(psam: VirtualPsam) -> None:
    assert send(psam, DES_ADF, "0084000004") == "5D72B3FD9000"
    assert send(psam, LOAD) == "9000"
    loaded = psam.chip.keys[-1]
    assert (loaded.usage, loaded.id, loaded.algorithm) == (0x22, 0x00, 0x00)
    assert loaded.value == MASTER
    assert MASTER.hex() not in repr(loaded) + repr(psam.chip) + repr(psam)


def test_a_wrong_mac_spends_tries_for_good(psam: VirtualPsam) -> None:
    wrong = LOAD[:-2] + "00"
    before = len(psam.chip.keys)
    assert send(psam, LOAD) == "6984"  # without a challenge
    assert [send(psam, "0084000004", wrong) for _ in range(2)] == ["6988", "6988"]
    psam.reset()
    assert send(psam, DES_ADF, "0084000004", LOAD) == "9000"  # all three tries again
    assert psam.chip.tries == 3
    psam.arm(Fault(FaultKind.TORN, at=2))
    with pytest.raises(PowerLostError):
        send(psam, "0084000004", wrong)
    psam.power_on()
    assert psam.chip.tries == 2, "a power cut does not give a try back"
    assert [send(psam, "0084000004", wrong) for _ in range(3)] == ["6988", "6988", "6983"]
    assert send(psam, "0084000004", LOAD) == "6983"
    assert len(psam.chip.keys) == before + 1


def test_a_torn_load_leaves_no_key_and_a_finished_psam_takes_none(psam: VirtualPsam) -> None:
    before = len(psam.chip.keys)
    psam.arm(Fault(FaultKind.TORN, at=3))
    with pytest.raises(PowerLostError):
        send(psam, DES_ADF, "0084000004", LOAD)
    assert len(psam.chip.keys) == before
    psam.power_on()
    psam.finish()
    assert send(psam, DES_ADF, "0084000004", LOAD) == "6901"


def test_power_and_removal(psam: VirtualPsam) -> None:
    psam.arm(Fault(FaultKind.REMOVED, at=2))
    send(psam, DES_ADF)
    with pytest.raises(CardRemovedError):
        send(psam, f"BFDE481218{CARD}{CITY}{R8}")
    assert not psam.inserted
    with pytest.raises(CardRemovedError):
        psam.power_on()
    psam.insert()
    psam.power_on()
    assert send(psam, f"BFDE481218{CARD}{CITY}{R8}") == "6985"  # selected is the MF again
    with pytest.raises(ValueError, match="no such fault"):
        psam.arm(Fault(FaultKind.WORN, directory=0x3F00, file=0x16))


def test_an_image_is_private_whole_and_used_again(psam: VirtualPsam, tmp_path: Path) -> None:
    path = tmp_path / "one.psam"
    psam.save(path)
    again = VirtualPsam.load(path)
    assert again.snapshot() == psam.snapshot()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.glob("*psam*")] == ["one.psam"]
    again.power_on()
    derive = f"BFDE481218{CARD}{CITY}{R8}"
    assert send(again, DES_ADF, derive, f"80FA000008{D8}", "00C0000008")[:16] == "8F91A74CA5CADD5C"


@pytest.mark.parametrize(
    "damage",
    [
        {"tries": 4}, {"tries": "3"}, {"finished": 1}, {"atr": "00"}, {"master": "00"},
        {"keys": [{}]}, {"keys": 1}, {"serial": "zz"},
        {"keys": [{"environment": "AES", "usage": "48", "id": "12", "algorithm": "00",
                   "value": ROOT}]},
        {"keys": [{"environment": "DES", "usage": "48", "id": "12", "algorithm": "03",
                   "value": ROOT}]},
        {"keys": [{"environment": "DES", "usage": "48", "id": "12", "algorithm": "00",
                   "value": ROOT}] * 2},
    ],
)  # fmt: skip
def test_a_damaged_image_is_refused_without_its_content(
    psam: VirtualPsam, tmp_path: Path, damage: dict[str, object]
) -> None:
    header, _, body = psam.snapshot().partition("\n")
    path = tmp_path / "bad.psam"
    path.write_text(f"{header}\n{json.dumps(json.loads(body) | damage)}")
    with pytest.raises(UsageError, match="is no PSAM image") as refused:
        VirtualPsam.load(path)
    assert ROOT not in refused.value.line()


def test_an_image_cut_anywhere_is_refused(psam: VirtualPsam, tmp_path: Path) -> None:
    text = psam.snapshot().rstrip()
    path = tmp_path / "cut.psam"
    for length in range(0, len(text), 7):
        path.write_text(text[:length])
        with pytest.raises(UsageError):
            VirtualPsam.load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        VirtualPsam.load(tmp_path / "none.psam")
