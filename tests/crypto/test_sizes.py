"""What has another size than the rule says is refused, never cut or filled in silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardkit.crypto import (
    aes,
    check_value,
    components,
    cps,
    cryptogram,
    des,
    fmcos,
    icc_key,
    mac,
    pin_block,
    purse,
    scp02,
    session_key,
    sm4,
    ssc,
)

K8, K16, K24 = bytes(8), bytes(16), bytes(24)
B3, B4, B7, B8 = bytes(3), bytes(4), bytes(7), bytes(8)
PAN = "6228000100001117"

REFUSED: dict[str, Callable[[], object]] = {
    "3DES: part of a block": lambda: des.encrypt_ecb(K16, B7),
    "3DES: nothing": lambda: des.encrypt_cbc(K16, B8, b""),
    "3DES: key of 15 bytes": lambda: des.decrypt_ecb(bytes(15), B8),
    "3DES: part of a block, CBC": lambda: des.decrypt_cbc(K16, B8, B7),
    "3DES: short vector": lambda: des.encrypt_cbc(K16, B7, B8),
    "SM4: key of 8 bytes": lambda: sm4.encrypt_ecb(K8, K16),
    "SM4: part of a block": lambda: sm4.decrypt_cbc(K16, K16, B8),
    "SM4: chain of none": lambda: sm4.encrypt_repeatedly(K16, K16, 0),
    "AES: key of 8 bytes": lambda: aes.cmac(K8, b""),
    "AES: part of a block": lambda: aes.encrypt_ecb(K16, B8),
    "retail MAC: key of 8 bytes": lambda: mac.retail_mac(K8, B8),
    "retail MAC: key of 24 bytes": lambda: mac.retail_mac(K24, B8),
    "retail MAC: unpadded": lambda: mac.retail_mac(K16, B7),
    "SM4 MAC: unpadded": lambda: mac.cbc_mac_sm4(K16, B8),
    "check value: 1 byte": lambda: check_value.check_value_3des(K16, 1),
    "check value: 9 bytes": lambda: check_value.check_value_3des(K16, 9),
    "check value SM4: 2 bytes": lambda: check_value.check_value_sm4(K16, 2),
    "one component": lambda: components.combine(K16),
    "components of two lengths": lambda: components.combine(K16, K8),
    "a component typed twice": lambda: components.combine(b"\x01" * 16, b"\x01" * 16),
    "card: factor of 7 bytes": lambda: ssc.process_key(K16, B7),
    "card: factor of 16 bytes": lambda: ssc.process_key(K16, K16),
    "card: data of 7 bytes": lambda: ssc.authentication_data_sm4(K16, B8, B7),
    "card: key version 4": lambda: ssc.external_data_sm4(K16, B8, B8, 4),
    "purse: random of 8 bytes": lambda: purse.online_input(B8, bytes(2)),
    "purse: sequence of 4 bytes": lambda: purse.offline_input(B4, B4, B4),
    "purse: terminal sequence of 1 byte": lambda: purse.offline_input(B4, bytes(2), b"0"),
    "purse: key of 8 bytes": lambda: purse.process_key(K8, B8),
    "purse: MAC with 16 bytes": lambda: purse.transaction_mac(K16, B8),
    "purse: TAC key of 8 bytes": lambda: purse.tac_key(K8),
    "purse: terminal random of 8 bytes": lambda: purse.grey_lock_process_key(K16, B8, B8),
    "FMCOS: challenge of 16 bytes": lambda: fmcos.external_authentication(K16, K16),
    "FMCOS: reload key of 8 bytes": lambda: fmcos.pin_reload_mac(K8, B3),
    "PAN: none": lambda: icc_key.option_a(K16, ""),
    "PAN: letters": lambda: icc_key.option_a(K16, "62280001000011A7"),
    "PAN: other digits": lambda: icc_key.option_b(K16, "٠" * 17),
    "PAN: 20 digits": lambda: icc_key.option_b(K16, "0" * 20),
    "PSN: 1 digit": lambda: icc_key.option_a(K16, PAN, "1"),
    "session key: counter of 4 bytes": lambda: session_key.pboc(K16, B4),
    "session key: card key of 8 bytes": lambda: session_key.vis(K8, bytes(2)),
    "session key: R of 7 bytes": lambda: session_key.common(K16, B7),
    "ARPC: response code of 3 bytes": lambda: cryptogram.arpc_method1(K16, B8, B3),
    "ARPC: cryptogram of 4 bytes": lambda: cryptogram.arpc_method2(K16, B4, B4),
    "ARPC: own data of 9 bytes": lambda: cryptogram.arpc_method2(K16, B8, B4, bytes(9)),
    "script MAC: 3 bytes": lambda: cryptogram.script_mac(K16, B8, 3),
    "PIN: 3 digits": lambda: pin_block.format2("123"),
    "PIN: 13 digits": lambda: pin_block.format2("1" * 13),
    "PIN: letters": lambda: pin_block.format0("12A4", PAN),
    "PIN: PAN of 12 digits": lambda: pin_block.format0("1234", "1" * 12),
    "PIN: short fill": lambda: pin_block.format3("1234", PAN, "AAAAAAAAA"),
    "PIN: fill of digits": lambda: pin_block.format3("1234", PAN, "0" * 10),
    "PIN: random of 7 bytes": lambda: pin_block.format4(K16, "1234", PAN, B7),
    "SCP02: answer of 27 bytes": lambda: scp02.InitializeUpdate.parse(bytes(27)),
    "SCP02: constant of 1 byte": lambda: scp02.session_key(K16, b"\x01", bytes(2)),
    "CPS: KDD of 8 bytes": lambda: cps.static_key(K16, B8, 1),
    "CPS: key 4": lambda: cps.static_key_visa2(K16, bytes(10), 4),
    "CPS: session key of 8 bytes": lambda: cps.encrypt_keys(K8, K16),
    "CPS: part of a key": lambda: cps.check_values(B8),
    "CPS: DGI of 3 bytes": lambda: cps.grouping(0x10000, b""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_sizes_are_refused(case: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        REFUSED[case]()
    assert "\n" not in str(caught.value)


def test_one_key_in_three_lengths() -> None:
    """DES is 3DES with equal parts; 16 bytes are 24 whose third part is the first."""
    left, right = bytes(range(8)), bytes(range(8, 16))
    assert des.encrypt_ecb(left, B8) == des.encrypt_ecb(left * 3, B8)
    assert des.encrypt_ecb(left + right, B8) == des.encrypt_ecb(left + right + left, B8)


def test_parity_bits_do_not_count() -> None:
    flipped = bytes(byte ^ 1 for byte in K16)
    assert des.encrypt_ecb(K16, B8) == des.encrypt_ecb(flipped, B8)
    assert des.same_key(K16, flipped)
    assert not des.same_key(K16, b"\x02" + K16[1:])
    assert not des.same_key(K16, K8)
