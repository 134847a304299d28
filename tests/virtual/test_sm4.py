"""A chip whose keys are of SM4: bare commands, answers worked out with a cipher of other people.

What is known of such cards, and what is inferred, stands in docs/established.md.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import gmalg
import pytest

from cardkit.virtual.card import Derivation, VirtualCard

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

# ssc_auth_sm4 of the vectors: key, challenge (also sent as data), proof
KEY = "8BD3502BD6C592FAF09A1724926F620D"
R8 = "1122334455667788"
X8 = "8E2A5FF5BA6F2024"
MASTER = bytes(range(16))
STK = bytes(range(0x40, 0x50))
SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"
PIN = "123456"


def ecb(key: bytes, data: bytes) -> bytes:
    """SM4-ECB of another library."""
    cipher = gmalg.SM4(key)
    return b"".join(cipher.encrypt(data[at : at + 16]) for at in range(0, len(data), 16))


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def padded(data: bytes) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


def folded_mac(key: bytes, challenge: bytes, message: bytes) -> bytes:
    """CBC-MAC from the challenge filled with 00; XOR of the four words of the last block."""
    state = challenge.ljust(16, b"\0")
    data = padded(message)
    for at in range(0, len(data), 16):
        state = ecb(key, xor(state, data[at : at + 16]))
    return reduce(xor, (state[at : at + 4] for at in range(0, 16, 4)))


def key_record(kind: int, kid: int, level: int, key: bytes, *, version: int = 1) -> bytes:
    """Key record with the algorithm byte of SM4, 03."""
    return bytes((kind, kid, version, 0xEF, 0x33, 0x03, level, 0x10)) + key


def sealed(bench: Workbench, key: bytes, header: str, data: bytes) -> bytes:
    """A command of class 84: length ‖ data encrypted, MAC folded."""
    challenge = bench.challenge()
    field = bytes((len(data),)) + data
    cipher = ecb(key, field if len(field) % 16 == 0 else padded(field))
    head = bytes.fromhex(header) + bytes((len(cipher) + 4,))
    return head + cipher + folded_mac(key, challenge, head + cipher)


def proof(key: bytes, challenge: bytes, data: bytes) -> bytes:
    """Halves of SM4_SK(data ‖ 0), SK = SM4_K(challenge ‖ 0)."""
    whole = ecb(ecb(key, challenge + bytes(8)), data + bytes(8))
    return xor(whole[:8], whole[8:])


def external(bench: Workbench, kid: int, key: bytes, *, version: int = 1) -> str:
    challenge = bench.challenge()
    data = proof(key, challenge, challenge) + challenge + bytes((version,))
    return bench.send(bytes((0x00, 0x82, 0x00, kid, 0x11)) + data)


@pytest.fixture
def chip(blank: Workbench) -> Workbench:
    """A chip in pre-issue: MF, and SSSE with keys and PIN, all loaded under a master key of SM4."""
    blank.transport()
    blank.made(blank.create_directory("3F00", "01", b"1PAY.SYS.DDF01".hex()))
    blank.made(blank.create("EF80", "C3", "80", 54, "18", "EFEF", "EFFF"))
    blank.ok(b"\x00\xd4\x01\x00\x18" + key_record(0, 0, 0xFF, MASTER))
    assert external(blank, 0, MASTER) == "9000"
    blank.made(blank.create_directory("DDF1", "01", SSSE, lock="05"))
    blank.ok("00A4000002DDF1")
    blank.made(blank.create("EF80", "C3", "80", 8 * 26 + 2, "18", "EFEF", "EFFF"))
    blank.ok(b"\x00\xd4\x01\x00\x18" + key_record(0, 0, 0xFF, MASTER))
    keys = [
        key_record(0x0D, 0x04, 0x04, bytes.fromhex(KEY)),
        key_record(0x0D, 0x06, 0x06, bytes.fromhex(KEY)),
        key_record(0x0D, 0x0A, 0x0A, bytes.fromhex(KEY), version=3),
        key_record(0x0E, 0x00, 0x00, bytes.fromhex(KEY)),
        key_record(0x07, 0x02, 0x00, STK),
        bytes((0x01, 0x00, 0x01, 0xEF, 0x33, 0x06, 0x01, 0x03))
        + bytes.fromhex(PIN).ljust(16, b"\xff"),
    ]
    for record in keys:
        blank.made(blank.send(sealed(blank, MASTER, "84D40000", record)))
    return blank


def test_the_chip_says_that_it_computes_with_sm4(chip: Workbench) -> None:
    assert chip.ok(f"00A404000F{SSSE}").endswith("9F0C03860103")


def test_an_application_without_keys_is_of_the_algorithm_above(chip: Workbench) -> None:
    chip.made(chip.create_directory("DF01", "02", "D15600000500"))
    assert chip.ok("00A4040006D15600000500").endswith("9F0C03860103")


def test_external_authentication_has_seventeen_bytes(chip: Workbench) -> None:
    """The vector, as terminals send it: challenge as data, version 01 at the end."""
    chip.card._random = lambda length: bytes.fromhex(R8)[:length]
    chip.ok("0084000008")
    assert chip.send(f"0082000411{X8}{R8}01") == "9000"


def test_internal_authentication_answers_eight_bytes(chip: Workbench) -> None:
    assert chip.ok(f"0088000010{R8}{R8}") == X8


@pytest.mark.parametrize("bit", range(0, 128, 7))
def test_one_flipped_bit_fails(chip: Workbench, bit: int) -> None:
    challenge = chip.challenge()
    wrong = bytearray(proof(bytes.fromhex(KEY), challenge, challenge) + challenge)
    wrong[bit // 8] ^= 1 << bit % 8
    assert chip.send(b"\x00\x82\x00\x04\x11" + bytes(wrong) + b"\x01") == "63C2"


def test_the_form_of_3des_is_too_short(chip: Workbench) -> None:
    chip.challenge()
    assert chip.send("0082000410" + "00" * 16) == "6700"
    assert external(chip, 0x04, bytes.fromhex(KEY)) == "9000", "no try was spent"


def test_another_version_is_no_such_key_and_costs_no_try(chip: Workbench) -> None:
    answers = [external(chip, 0x0A, bytes.fromhex(KEY), version=v) for v in (1, 2, 1, 2)]
    assert answers == ["6A88"] * 4
    assert external(chip, 0x0A, bytes.fromhex(KEY), version=3) == "9000"


def test_a_key_of_3des_refuses_the_long_form(ssse: Workbench) -> None:
    assert external(ssse, 0x04, ssse.key("SSSE 0D04")) == "6700"


def test_write_key_with_a_wrong_mac_is_refused_and_counted(chip: Workbench) -> None:
    command = bytearray(
        sealed(chip, MASTER, "84D40000", key_record(0x0D, 0x05, 0x05, bytes.fromhex(KEY)))
    )
    command[-1] ^= 1
    assert chip.send(bytes(command)) == "6988"


def test_write_key_takes_the_folded_mac_only(chip: Workbench) -> None:
    """The first four bytes of the last block are another MAC."""
    challenge = chip.challenge()
    record = key_record(0x0D, 0x05, 0x05, bytes.fromhex(KEY))
    cipher = ecb(MASTER, padded(bytes((len(record),)) + record))
    head = bytes.fromhex("84D40000") + bytes((len(cipher) + 4,))
    state = challenge.ljust(16, b"\0")
    message = padded(head + cipher)
    for at in range(0, len(message), 16):
        state = ecb(MASTER, xor(state, message[at : at + 16]))
    assert chip.send(head + cipher + state[:4]) == "6988"


def test_an_encrypted_key_without_mac_opens_under_sm4(chip: Workbench) -> None:
    record = key_record(0x0D, 0x05, 0x05, bytes.fromhex(KEY))
    cipher = ecb(MASTER, padded(bytes((len(record),)) + record))
    assert chip.send(bytes.fromhex("80D4000020") + cipher) == "9000"
    assert external(chip, 0x05, bytes.fromhex(KEY)) == "9000"


@pytest.mark.parametrize("record", ["0D04 01 EF 33 02 04 10", "0D04 01 EF 33 03 04 08"])
def test_a_key_record_of_ssf33_or_of_half_a_key_is_refused(chip: Workbench, record: str) -> None:
    command = sealed(chip, MASTER, "84D40000", bytes.fromhex(record) + bytes(16))
    assert chip.send(command) == "6A80"


def test_the_pin_is_reset_under_stk_with_a_process_key(chip: Workbench) -> None:
    """8424 0001, Lc 14: one block and the MAC (card.md 4), process key SM4_STK(R8 ‖ 0)."""
    assert external(chip, 0x06, bytes.fromhex(KEY)) == "9000"
    challenge = chip.challenge()
    used = ecb(STK, challenge + bytes(8))
    cipher = ecb(used, padded(bytes((3,)) + bytes.fromhex("654321")))
    head = bytes.fromhex("8424000114")
    assert chip.send(head + cipher + folded_mac(used, challenge, head + cipher)) == "9000"
    assert chip.send("0020000003654321") == "9000"


def test_an_update_with_mac_under_a_challenge_of_sixteen_bytes(chip: Workbench) -> None:
    """With the key itself the vector may fill the block (PKI application of 3.0 cards)."""
    chip.card.chip.derivation = Derivation.DIRECT
    chip.made(chip.create("EF15", "C4", "15", 40, "00", "0000", "0000"))
    challenge = chip.challenge(16)
    head = bytes.fromhex("04D6950006AABB")
    assert chip.send(head + folded_mac(STK, challenge, head)) == "9000"
    assert chip.ok("00B0950002") == "AABB"


def test_an_image_keeps_the_algorithm(chip: Workbench, tmp_path: Path) -> None:
    chip.card.save(tmp_path / "card")
    again = type(chip)(VirtualCard.load(tmp_path / "card"))
    again.card.power_on()
    assert again.ok(f"00A404000F{SSSE}").endswith("9F0C03860103")
    assert external(again, 0x04, bytes.fromhex(KEY)) == "9000"
