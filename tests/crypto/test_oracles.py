"""The same answers as other people's code: psec, pyemv and the pure Python of gmalg."""

from __future__ import annotations

import gmalg
import psec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyemv import ac, kd, sm

from cardkit.crypto import (
    aes,
    cryptogram,
    des,
    icc_key,
    mac,
    padding,
    pin_block,
    session_key,
    sm2,
    sm3,
    sm4,
)
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.secure_messaging import FieldPadding, Rules, encrypt_field

# Both packages take 3DES by a name that `cryptography` warns of, and keys of 16 bytes.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

KEYS = st.binary(min_size=16, max_size=16)
EIGHT = st.binary(min_size=8, max_size=8)
DATA = st.binary(max_size=80)
DIGITS = st.text("0123456789")
PANS = st.text("0123456789", min_size=13, max_size=19)
PINS = st.text("0123456789", min_size=4, max_size=12)
PSNS = st.text("0123456789", min_size=2, max_size=2)
PADDINGS = st.sampled_from([(1, padding.method1), (2, padding.method2), (3, padding.method3)])


@given(KEYS, DATA.filter(bool), PADDINGS)
def test_codes_of_iso_9797(key: bytes, data: bytes, method: tuple[int, object]) -> None:
    number, pad = method
    assert callable(pad)
    padded = pad(data)
    assert mac.retail_mac(key, padded) == psec.mac.generate_retail_mac(
        key[:8], key[8:], data, number
    )
    single = psec.mac.generate_cbc_mac(key[:8], data, number)
    assert mac.cbc_mac(key[:8], padded) == single
    assert mac.cbc_mac(key, padded) == psec.mac.generate_cbc_mac(key, data, number)


@given(KEYS, EIGHT, st.binary(min_size=1, max_size=5).map(lambda b: b * 8))
def test_3des(key: bytes, iv: bytes, data: bytes) -> None:
    assert des.encrypt_ecb(key, data) == psec.des.encrypt_tdes_ecb(key, data)
    assert des.encrypt_cbc(key, iv, data) == psec.des.encrypt_tdes_cbc(key, iv, data)
    assert des.decrypt_cbc(key, iv, des.encrypt_cbc(key, iv, data)) == data
    assert des.decrypt_ecb(key, des.encrypt_ecb(key, data)) == data
    assert check_value_3des(key, 8) == psec.des.generate_kcv(key, 8)
    assert des.same_key(key, psec.des.adjust_key_parity(key))


@given(KEYS, KEYS, st.binary(min_size=1, max_size=5).map(lambda b: b * 16))
def test_sm4(key: bytes, iv: bytes, data: bytes) -> None:
    cipher = gmalg.SM4(key)
    blocks = [data[at : at + 16] for at in range(0, len(data), 16)]
    assert sm4.encrypt_ecb(key, data) == b"".join(cipher.encrypt(block) for block in blocks)
    assert sm4.decrypt_ecb(key, sm4.encrypt_ecb(key, data)) == data
    assert sm4.decrypt_cbc(key, iv, sm4.encrypt_cbc(key, iv, data)) == data
    assert aes.decrypt_cbc(key, iv, aes.encrypt_cbc(key, iv, data)) == data


@given(DATA)
def test_sm3(data: bytes) -> None:
    other = gmalg.SM3()
    other.update(data)
    assert sm3.digest(data) == other.value()


@given(st.integers(1, sm2.Curve.SM2P256V1.order - 2), DATA, st.binary(min_size=1, max_size=20))
@settings(max_examples=4)
def test_sm2_signatures_hold_for_gmalg(number: int, message: bytes, user_id: bytes) -> None:
    private = number.to_bytes(32)
    public = sm2.public_key(private)
    signature = sm2.sign(private, message, user_id)
    other = gmalg.SM2(private, user_id, b"\x04" + public)
    assert other.verify(message, signature[:32], signature[32:])
    r, s = other.sign(message)
    assert sm2.verify(public, message, r.rjust(32, b"\0") + s.rjust(32, b"\0"), user_id)


@given(KEYS, PANS, PSNS)
def test_card_keys(imk: bytes, pan: str, psn: str) -> None:
    assert des.same_key(icc_key.option_a(imk, pan, psn), kd.derive_icc_mk_a(imk, pan, psn))
    assert des.same_key(icc_key.option_b(imk, pan, psn), kd.derive_icc_mk_b(imk, pan, psn))


@given(KEYS, EIGHT, st.binary(min_size=2, max_size=2))
def test_session_keys(key: bytes, r: bytes, atc: bytes) -> None:
    assert des.same_key(session_key.common(key, r), kd.derive_common_sk(key, r))
    assert des.same_key(session_key.vis(key, atc), kd.derive_visa_sm_sk(key, atc))


@given(KEYS, DATA, EIGHT, st.binary(min_size=2, max_size=2), st.binary(max_size=8))
def test_cryptograms(key: bytes, data: bytes, arqc: bytes, arc: bytes, own: bytes) -> None:
    assert cryptogram.application_cryptogram(key, data) == ac.generate_ac(key, data)
    assert cryptogram.arpc_method1(key, arqc, arc) == ac.generate_arpc_1(key, arqc, arc)
    assert cryptogram.arpc_method2(key, arqc, arqc[:4], own) == ac.generate_arpc_2(
        key, arqc, arqc[:4], own
    )


@given(KEYS, EIGHT, st.binary(min_size=2, max_size=2))
def test_the_answer_to_a_cryptogram_of_sm4(key: bytes, arqc: bytes, arc: bytes) -> None:
    """The rule is inferred; the cipher is somebody else's."""
    block = bytes(a ^ b for a, b in zip(arqc, arc + bytes(6), strict=True)) + bytes(8)
    assert cryptogram.arpc_method1_sm4(key, arqc, arc) == gmalg.SM4(key).encrypt(block)[:8]


@given(KEYS, DATA, st.integers(4, 8))
def test_script_mac(key: bytes, message: bytes, length: int) -> None:
    assert cryptogram.script_mac(key, message, length) == sm.generate_command_mac(
        key, message, length
    )


@given(KEYS, st.binary(min_size=1, max_size=40))
def test_the_field_of_a_visa_script_is_that_of_pboc_with_padding_always(
    key: bytes, data: bytes
) -> None:
    rules = Rules(padding=FieldPadding.ALWAYS)
    other = sm.encrypt_command_data(key, data, sm.EncryptionType.VISA)
    assert encrypt_field(key, data, rules) == other


@given(PINS, PANS)
def test_pin_blocks(pin: str, pan: str) -> None:
    assert pin_block.format0(pin, pan) == psec.pinblock.encode_pinblock_iso_0(pin, pan)
    assert pin_block.format2(pin) == psec.pinblock.encode_pinblock_iso_2(pin)
    block = pin_block.format3(pin, pan, ("ABCDEF" * 2)[: 14 - len(pin)])
    assert psec.pinblock.decode_pinblock_iso_3(block, pan) == pin


@given(KEYS, PINS, st.text("0123456789", min_size=1, max_size=19), EIGHT)
def test_pin_block_format_4(key: bytes, pin: str, pan: str, random: bytes) -> None:
    block = pin_block.format4(key, pin, pan, random)
    assert psec.pinblock.decipher_pinblock_iso_4(key, block, pan) == pin
