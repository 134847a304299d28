"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardkit.crypto.des import encrypt_ecb
from cardkit.virtual.card import VirtualCard

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

# card.txt D: card key, R8, D8, C8
KEY = "D8CE3551A46E242C20C4D81CD6E534C1"
R8, D8, C8 = "1122334455667788", "0102030405060708", "8F91A74CA5CADD5C"


@pytest.fixture
def published(building: Workbench) -> Workbench:
    """DF01 with the key of the vectors as external 0A and internal 00; the challenge is R8."""
    master = building.key("DF01")
    for header in ("0D0A01EF33000A10", "0E0001EF33000010"):
        building.made(building.write_key(master, bytes.fromhex(header + KEY)))
    building.card._random = lambda length: bytes.fromhex(R8)[:length]
    return building


def test_external_authentication_of_the_vectors(published: Workbench) -> None:
    assert published.send("0084000008") == R8 + "9000"
    assert published.send(f"0082000A10{C8}{D8}") == "9000"


@pytest.mark.parametrize("bit", range(0, 128, 9))
def test_one_flipped_bit_fails(published: Workbench, bit: int) -> None:
    published.ok("0084000008")
    proof = bytearray.fromhex(C8 + D8)
    proof[bit // 8] ^= 1 << bit % 8
    assert published.send(bytes.fromhex("0082000A10") + proof) == "63C2"


def test_internal_authentication_of_the_vectors(published: Workbench) -> None:
    assert published.send(f"0088000010{R8}{D8}") == "6108"
    assert published.send("00C0000008") == C8 + "9000"


def test_one_challenge_serves_one_authentication(published: Workbench) -> None:
    published.ok("0084000008")
    published.ok(f"0082000A10{C8}{D8}")
    assert published.send(f"0082000A10{C8}{D8}") == "6984"


def test_a_failed_authentication_uses_the_challenge_up_too(published: Workbench) -> None:
    published.ok("0084000008")
    assert published.send("0082000A10" + "00" * 16) == "63C2"
    assert published.send(f"0082000A10{C8}{D8}") == "6984"


def test_without_challenge_no_try_is_lost(published: Workbench) -> None:
    for _ in range(4):
        assert published.send(f"0082000A10{C8}{D8}") == "6984"
    published.ok("0084000008")
    published.ok(f"0082000A10{C8}{D8}")


def test_a_reset_takes_the_challenge_away(published: Workbench) -> None:
    published.ok("0084000008")
    published.card.reset()
    published.ok("00A4040006D15600000500")
    assert published.send(f"0082000A10{C8}{D8}") == "6984"


def test_a_challenge_survives_commands_that_need_none(published: Workbench) -> None:
    published.ok("0084000008")
    published.ok("00A4020002EF15")
    published.ok(f"0082000A10{C8}{D8}")


def test_a_newer_challenge_takes_the_place_of_the_older(ssse: Workbench) -> None:
    command = ssse.external_command(0x04, ssse.key("SSSE 0D04"))
    ssse.challenge()
    assert ssse.send(command) == "63C2"


@pytest.mark.parametrize("length", [4, 8, 16])
def test_challenges_come_in_three_lengths(ssse: Workbench, length: int) -> None:
    first, second = ssse.challenge(length), ssse.challenge(length)
    assert len(first) == length
    assert first != second


@pytest.mark.parametrize("le", ["00", "01", "07", "20"])
def test_other_lengths_are_told_eight(ssse: Workbench, le: str) -> None:
    assert ssse.send(f"00840000{le}") == "6C08"


def test_a_challenge_of_sixteen_bytes_fits_no_3des_rule(ssse: Workbench) -> None:
    ssse.challenge(16)
    assert ssse.send("0082000410" + "00" * 16) == "6984"


def test_a_challenge_of_four_bytes_is_filled_with_zeros(published: Workbench) -> None:
    published.ok("0084000004")
    session = encrypt_ecb(bytes.fromhex(KEY), bytes.fromhex("1122334400000000"))
    proof = encrypt_ecb(session, bytes.fromhex(D8)).hex()
    published.ok(f"0082000A10{proof}{D8}")


def test_three_wrong_answers_block_a_key_for_good(ssse: Workbench) -> None:
    wrong = [ssse.external(0x04, bytes(16)) for _ in range(4)]
    assert wrong == ["63C2", "63C1", "63C0", "6983"]
    assert ssse.external(0x04, ssse.key("SSSE 0D04")) == "6983"
    ssse.card.reset()
    ssse.ok("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
    assert ssse.external(0x04, ssse.key("SSSE 0D04")) == "6983"
    ssse.open(0x0A, ssse.key("SSSE 0D0A"))


def test_the_right_answer_gives_the_tries_back(ssse: Workbench) -> None:
    ssse.external(0x04, bytes(16))
    ssse.open(0x04, ssse.key("SSSE 0D04"))
    assert ssse.external(0x04, bytes(16)) == "63C2"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0082000B10" + "00" * 16, "6A88"),  # no such key
        ("0082000210" + "00" * 16, "6A88"),  # STK is no external authentication key
        ("0082010410" + "00" * 16, "6A86"),
        ("0082000408" + "00" * 8, "6700"),
        ("0088000410" + "00" * 16, "6A88"),
        ("0088010010" + "00" * 16, "6A86"),
        ("0088000008" + "00" * 8, "6700"),
        ("0084000108", "6A86"),
        ("0084000008" + "00" * 8, "6700"),
    ],
)
def test_refusals(ssse: Workbench, command: str, sw: str) -> None:
    assert ssse.send(command) == sw


def test_keys_are_looked_for_in_the_current_directory_file_only(df01: Workbench) -> None:
    assert df01.external(0x04, df01.key("SSSE 0D04")) == "6A88"
    assert df01.send("0088000010" + "00" * 16) == "6A88"


def test_mk_and_irk_share_id_00(ssse: Workbench) -> None:
    ssse.open(0x00, ssse.key("SSSE"))
    session = encrypt_ecb(ssse.key("SSSE 0E00"), bytes.fromhex(R8))
    assert ssse.ok(f"0088000010{R8}{D8}") == encrypt_ecb(session, bytes.fromhex(D8)).hex().upper()


def test_a_card_without_injected_randomness_has_its_own() -> None:
    card = VirtualCard.blank(transport_key=bytes(8))
    card.power_on()
    assert card.transmit(bytes.fromhex("0084000010")) != card.transmit(bytes.fromhex("0084000010"))
