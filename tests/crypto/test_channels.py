"""Secure channels of GlobalPlatform: chaining, wrong keys, what is no command; values of CPS."""

from __future__ import annotations

import dataclasses

import pytest
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
