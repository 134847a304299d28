"""Secure channels of GlobalPlatform: chaining, wrong keys, what is no command; values of CPS."""

from __future__ import annotations

import dataclasses

import psec
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from cardkit.crypto import aes, channel_command, cps, scp02, scp03
from cardkit.crypto.des import decrypt_ecb
from cardkit.crypto.padding import method2

ENC_02, MAC_02 = (bytes.fromhex(f"{n:02X}0102030405060708090A0B0C0D0E0F") for n in (0x10, 0x11))
HOST_02 = bytes.fromhex("40A62C37FA6304F8")
ANSWER_02 = bytes.fromhex("00000000000000000000700200016B4524ABEE7CF32EA3838BC148F3")
ENC_03, MAC_03 = bytes(range(16)), bytes(range(0x10, 0x20))
UPDATE = bytes.fromhex("8050300008B13E5F938FC108C400")
ANSWER_03 = bytes.fromhex("000000000000000000003003703EB51047495B249F66C484C1D2EF1948000002")

DATA = st.binary(min_size=1, max_size=200)
COMMANDS = st.builds(
    lambda data, le: bytes.fromhex("80E20000") + bytes((len(data),)) + data + le,
    DATA,
    st.sampled_from([b"", b"\x00"]),
)


def open_02() -> scp02.Channel:
    answer = scp02.InitializeUpdate.parse(ANSWER_02)
    return scp02.open_channel(ENC_02, MAC_02, HOST_02, answer)[1]


def open_03(level: int) -> scp03.Channel:
    answer = scp03.InitializeUpdate.parse(UPDATE, ANSWER_03)
    return scp03.open_channel(ENC_03, MAC_03, UPDATE, answer, level)[1]


@given(st.lists(COMMANDS, min_size=2, max_size=4))
def test_every_command_depends_on_those_before(commands: list[bytes]) -> None:
    for channel in (open_02(), open_03(0x01), open_03(0x03)):
        lonely, _ = channel.wrap(commands[-1])
        after = channel
        for command in commands[:-1]:
            _, after = after.wrap(command)
        assert after.wrap(commands[-1])[0] != lonely


@given(COMMANDS)
def test_a_wrapped_command_carries_what_it_carried(command: bytes) -> None:
    plain = channel_command.split(command)
    for wrap in (open_02().wrap, open_03(0x01).wrap):
        wrapped = wrap(command)[0]
        assert wrapped[:5] == bytes((0x84, *plain.header[1:], len(plain.data) + 8))
        assert wrapped[5 : 5 + len(plain.data)] == plain.data
        assert wrapped[5 + len(plain.data) + 8 :] == plain.le


@given(DATA)
def test_level_03_encrypts_under_the_counter(data: bytes) -> None:
    channel = dataclasses.replace(open_03(0x03), counter=6)
    command = bytes.fromhex("80E20000") + bytes((len(data),)) + data
    wrapped, after = channel.wrap(command)
    vector = aes.encrypt_ecb(channel.s_enc, (7).to_bytes(16))
    assert aes.decrypt_cbc(channel.s_enc, vector, wrapped[5:-8]) == method2(data, 16)
    assert after.counter == 7


def test_a_card_with_other_keys_is_noticed() -> None:
    with pytest.raises(ValueError, match="does not fit the keys"):
        scp02.open_channel(ENC_03, MAC_02, HOST_02, scp02.InitializeUpdate.parse(ANSWER_02))
    answer = scp03.InitializeUpdate.parse(UPDATE, ANSWER_03)
    with pytest.raises(ValueError, match="does not fit the keys"):
        scp03.open_channel(ENC_03, ENC_03, UPDATE, answer, 0x01)


@pytest.mark.parametrize(
    "command",
    [
        "80E200",
        "84E20000",  # protected already
        "81E20000",  # another channel
        "C0E20000",
        "80E2000002AA",
        "80E2000001AABBCC",
        "80E200000000",  # extended
        "80E20000F8" + "00" * 0xF8,
    ],
)
def test_what_cannot_be_wrapped_is_refused(command: str) -> None:
    for wrap in (open_02().wrap, open_03(0x03).wrap):
        with pytest.raises(ValueError, match="command"):
            wrap(bytes.fromhex(command))


@pytest.mark.parametrize(
    ("at", "value"),
    [(11, 2), (12, 0x71), (12, 0x60), (12, 0x50), (12, 0xF0), (10, 0x31)],
    ids=["SCP02", "S16", "no counter", "R-ENC without R-MAC", "reserved", "other key version"],
)
def test_answers_that_are_not_of_this_scp03(at: int, value: int) -> None:
    answer = ANSWER_03[:at] + bytes((value,)) + ANSWER_03[at + 1 :]
    with pytest.raises(ValueError, match=r"SCP03|key version"):
        scp03.InitializeUpdate.parse(UPDATE, answer)


@pytest.mark.parametrize(
    ("options", "levels"),
    [(0x00, [0x01, 0x03]), (0x20, [0x01, 0x03, 0x11, 0x13]), (0x60, list(scp03.LEVELS))],
)
def test_levels_are_those_the_card_offers(options: int, levels: list[int]) -> None:
    answer = scp03.InitializeUpdate(bytes(10), 0x30, options, bytes(8), bytes(8), b"")
    assert list(answer.levels) == levels
    with pytest.raises(ValueError, match="level"):
        scp03.open_channel(ENC_03, MAC_03, UPDATE, answer, 0x02)


@pytest.mark.parametrize("update", ["80503000", "8050300008B13E5F938FC108C401", "80CA006600"])
def test_only_initialize_update_opens_a_channel(update: str) -> None:
    with pytest.raises(ValueError, match="INITIALIZE UPDATE"):
        scp03.InitializeUpdate.parse(bytes.fromhex(update), ANSWER_03)


def test_longer_keys_take_more_blocks_of_the_derivation() -> None:
    key = bytes(32)
    whole = scp03.derive(key, scp03.S_MAC, bytes(16), 32)
    assert len(whole) == 32
    assert whole[:16] != scp03.derive(key, scp03.S_MAC, bytes(16), 16), "the length is an input"


def test_channels_show_no_key() -> None:
    for channel in (open_02(), open_03(0x01)):
        assert "s_mac" not in repr(channel)
        assert "s_enc" not in repr(channel)


# --- levels with encryption and R-MAC -----------------------------------------------------------


def retail(key: bytes, vector: bytes, data: bytes) -> bytes:
    """MAC of SCP02 by another library: the vector goes into the first block."""
    first = bytes(a ^ b for a, b in zip(data[:8], vector, strict=True))
    mac: bytes = psec.mac.generate_retail_mac(key[:8], key[8:], first + data[8:], 1)
    return mac


@given(DATA, DATA, st.sampled_from([b"\x90\x00", b"\x63\x10"]))
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_scp02_encrypts_commands_and_checks_answers(
    data: bytes, answer: bytes, status: bytes
) -> None:
    parsed = scp02.InitializeUpdate.parse(ANSWER_02)
    authenticate, channel = scp02.open_channel(ENC_02, MAC_02, HOST_02, parsed, 0x13)
    assert authenticate[:3] == bytes.fromhex("848213")
    header = bytes.fromhex("80E20000")
    wrapped, after = channel.wrap(header + bytes((len(data),)) + data)

    covered = b"\x84" + header[1:] + bytes((len(data) + 8,)) + data
    vector = psec.des.encrypt_tdes_ecb(channel.s_mac[:8] * 2, authenticate[-8:])
    padded = method2(data)
    assert wrapped[5:-8] == psec.des.encrypt_tdes_cbc(channel.s_enc, bytes(8), padded)
    assert wrapped[4] == len(padded) + 8
    assert wrapped[-8:] == retail(channel.s_mac, vector, method2(covered))

    asked = header + bytes((len(data),)) + data
    both = method2(asked + bytes((len(answer),)) + answer + status)
    mac = retail(channel.s_rmac, authenticate[-8:], both)
    assert after.unwrap(answer + mac + status)[0] == answer
    second = retail(channel.s_rmac, mac, both)
    _, later = after.unwrap(answer + mac + status)[1].wrap(header + bytes((len(data),)) + data)
    assert later.unwrap(answer + second + status)[0] == answer, "R-MACs are chained"
    for wrong in (answer + mac + b"\x69\x82", answer + bytes(8) + status, b"\x90\x00"):
        with pytest.raises(ValueError, match="MAC"):
            after.unwrap(wrong)


def test_scp02_keeps_a_command_without_data_as_it_is() -> None:
    parsed = scp02.InitializeUpdate.parse(ANSWER_02)
    plain, encrypting = (
        scp02.open_channel(ENC_02, MAC_02, HOST_02, parsed, level)[1] for level in (0x01, 0x03)
    )
    command = bytes.fromhex("80F22002")
    lengths = {len(channel.wrap(command)[0]) for channel in (plain, encrypting)}
    assert lengths == {4 + 1 + 8}
    with pytest.raises(ValueError, match="security level"):
        scp02.open_channel(ENC_02, MAC_02, HOST_02, parsed, 0x02)


def s16_session(options: int) -> tuple[bytes, bytes, bytes]:
    """INITIALIZE UPDATE, its answer, and the context, worked out with the CMAC of a library."""
    host, card = bytes(range(16)), bytes(range(16, 32))
    s_mac = cmac(MAC_03, bytes(11) + b"\x06\x00\x00\x80\x01" + host + card)
    cryptogram = cmac(s_mac, bytes(11) + b"\x00\x00\x00\x80\x01" + host + card)
    update = bytes.fromhex("8050300010") + host + b"\0"
    return update, bytes(10) + bytes((0x30, 0x03, options)) + card + cryptogram, host + card


def cmac(key: bytes, data: bytes) -> bytes:
    code = CMAC(AES(key))
    code.update(data)
    return code.finalize()


@pytest.mark.parametrize("options", [0x61, 0x68])
def test_s16_has_challenges_cryptograms_and_macs_of_16_bytes(options: int) -> None:
    update, answer, context = s16_session(options)
    parsed = scp03.InitializeUpdate.parse(update, answer)
    authenticate, channel = scp03.open_channel(ENC_03, MAC_03, update, parsed, 0x33)
    s_mac = cmac(MAC_03, bytes(11) + b"\x06\x00\x00\x80\x01" + context)
    s_rmac = cmac(MAC_03, bytes(11) + b"\x07\x00\x00\x80\x01" + context)
    proof = cmac(s_mac, bytes(11) + b"\x01\x00\x00\x80\x01" + context)
    assert authenticate[:-16] == bytes.fromhex("8482330020") + proof
    assert authenticate[-16:] == cmac(s_mac, bytes(16) + authenticate[:-16])
    wrapped, after = channel.wrap(bytes.fromhex("80F22002"))
    assert wrapped == bytes.fromhex("84F2200210") + cmac(
        s_mac, authenticate[-16:] + bytes.fromhex("84F2200210")
    )
    status = b"\x90\x00"
    mac = cmac(s_rmac, wrapped[-16:] + status)
    assert after.unwrap(mac + status)[0] == b""
    assert after.unwrap(b"\x69\x82")[0] == b"", "an error has no R-MAC"
    with pytest.raises(ValueError, match="R-MAC"):
        after.unwrap(bytes(16) + status)


@pytest.mark.parametrize("options", [0x60, 0x69, 0x71, 0x64])
def test_s16_that_does_not_fit_its_length_is_refused(options: int) -> None:
    update, answer, _ = s16_session(options)
    with pytest.raises(ValueError, match="SCP03"):
        scp03.InitializeUpdate.parse(update, answer)
    with pytest.raises(ValueError, match="SCP03"):
        scp03.InitializeUpdate.parse(UPDATE, answer)


@pytest.mark.parametrize("place", range(0, 31, 5))
def test_a_changed_answer_of_scp03_is_noticed(place: int) -> None:
    update = bytes.fromhex("8050300008FDF38259A1E0DE4400")
    response = "000000000000000000003003703B1ACA81E821F219081CDC01C26B372D000003"
    parsed = scp03.InitializeUpdate.parse(update, bytes.fromhex(response))
    _, channel = scp03.open_channel(ENC_03, MAC_03, update, parsed, 0x33)
    _, after = channel.wrap(bytes.fromhex("80E2910006BF3E035C015A00"))
    answer = bytearray.fromhex(
        "F3BA2B1013AA6224F5E1C138D71805C569E5439B47576260B75FC021B25097CB2E68F8A0144975B99000"
    )
    answer[place] ^= 0x10
    with pytest.raises(ValueError, match="R-MAC"):
        after.unwrap(bytes(answer))


# --- CPS ------------------------------------------------------------------------------------------


@given(st.integers(0, 0xFFFF), st.binary(max_size=600))
def test_a_grouping_says_how_long_it_is(identifier: int, value: bytes) -> None:
    group = cps.grouping(identifier, value)
    assert group[:2] == identifier.to_bytes(2)
    if len(value) < 255:
        assert group[2:] == bytes((len(value),)) + value
    else:
        assert group[2:] == b"\xff" + len(value).to_bytes(2) + value


def test_padding_of_components_is_a_switch() -> None:
    key, aligned = bytes(range(16)), bytes(64)
    always = cps.component(key, aligned, always_pad=True)
    assert decrypt_ecb(key, always) == aligned + bytes.fromhex("8000000000000000")
    assert decrypt_ecb(key, cps.component(key, aligned, always_pad=False)) == aligned


def test_store_data_says_whether_it_is_the_last() -> None:
    group = cps.grouping(0x8000, bytes(48))
    assert cps.store_data(group, 0, encrypted=True)[:5] == bytes.fromhex("80E2600033")
    assert cps.store_data(group, 7, encrypted=False, last=True)[:5] == bytes.fromhex("80E2800733")
    for sequence, content in ((256, group), (-1, group), (0, b""), (0, bytes(256))):
        with pytest.raises(ValueError, match="sequence"):
            cps.store_data(content, sequence, encrypted=False)
