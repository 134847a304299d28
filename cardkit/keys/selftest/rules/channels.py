"""SCP02, SCP03, CPS."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from cardkit.crypto import cps, scp02, scp03
from cardkit.crypto.check_value import check_value_3des
from cardkit.keys.selftest.rule import Choices, ContradictionError, Rule, Unread, agree, inputs

_SCP02 = "GlobalPlatform 2.2 annex E"
_SCP03 = "GlobalPlatform amendment D"
_CPS = "EMV CPS clause 4"

_FIVE = "enc:des mac:des dek:des host_challenge init_update_response"
_FIVE_AES = "enc mac dek init_update response"

_NO_DEK = Unread("dek", slice(None), "encrypts keys only")
_NO_ENC = Unread("enc", slice(None), "not used for this key or answer")
_ENC_11 = Unread("enc", slice(None), "at levels without encryption of commands")
_NO_MAC = Unread("mac", slice(None), "not used for this key or answer")
_DATA_02 = Unread("init_update_response", slice(0, 11), "diversification data and key version")
_DATA_03 = Unread("response", slice(0, 10), "diversification data")
_OPTIONS_03 = Unread("response", slice(12, 13), "whether the card could encrypt answers")
_COUNTER_03 = Unread("response", slice(29, None), "the counter made the challenge, which is given")
_R_MAC = 0x10  # levels from here on protect answers
_LE = Unread("after", None, "Le is not covered by a MAC")


# --- SCP02 ----------------------------------------------------------------------------------------


def _session_key(constant: bytes, static: int) -> Callable[..., bytes]:
    def compute(*five: bytes) -> bytes:
        _cryptogram_02(*five)  # the card's answer proves that key, challenge and counter fit
        sequence = scp02.InitializeUpdate.parse(five[4]).sequence
        return scp02.session_key(five[static], constant, sequence)

    return compute


def _cryptogram_02(enc: bytes, _mac: bytes, _dek: bytes, challenge: bytes, answer: bytes) -> bytes:
    parsed = scp02.InitializeUpdate.parse(answer)
    s_enc = scp02.session_key(enc, scp02.S_ENC, parsed.sequence)
    made = scp02.card_cryptogram(s_enc, challenge, parsed)
    agree(made, parsed.card_cryptogram, "the card's answer")
    return made


def _authenticate_02(enc: bytes, mac: bytes, _dek: bytes, challenge: bytes, answer: bytes) -> bytes:
    return scp02.open_channel(enc, mac, challenge, scp02.InitializeUpdate.parse(answer))[0]


def _wrap_02(apdu: bytes, after: Sequence[bytes], *five: bytes) -> bytes:
    enc, mac, _, challenge, answer = five
    _, channel = scp02.open_channel(enc, mac, challenge, scp02.InitializeUpdate.parse(answer))
    for command in after:
        _, channel = channel.wrap(command)
    return channel.wrap(apdu)[0]


def _wrap_02_encrypted(apdu: bytes, after: Sequence[bytes], *five: bytes) -> bytes:
    channel = _open_02(0x03, *five)
    for command in after:
        _, channel = channel.wrap(command)
    return channel.wrap(apdu)[0]


def _open_02(level: int, *five: bytes) -> scp02.Channel:
    enc, mac, _, challenge, answer = five
    parsed = scp02.InitializeUpdate.parse(answer)
    return scp02.open_channel(enc, mac, challenge, parsed, level)[1]


def _answer_02(answer: bytes, after: Sequence[bytes], *five: bytes) -> bytes:
    """Data of the answer to the last command; those before it were answered without data."""
    channel = _open_02(0x11, *five)
    for command in after:
        _, channel = channel.wrap(command)
    return channel.unwrap(answer)[0]


def _key_check_value(static: bytes, const: bytes) -> bytes:
    if const not in (scp02.S_ENC, scp02.S_MAC, scp02.S_DEK, scp02.S_RMAC):
        raise ValueError("no key of SCP02 has that constant")
    return check_value_3des(scp02.session_key(static, const, bytes(2)))


def _put_key(static_dek: bytes, seq: bytes, key: bytes) -> bytes:
    return cps.encrypt_keys(scp02.session_key(static_dek, scp02.S_DEK, seq), key)


def _store_keys(keys: bytes, *five: bytes) -> bytes:
    dek, answer = five[2], five[4]
    sequence = scp02.InitializeUpdate.parse(answer).sequence
    value = cps.encrypt_keys(scp02.session_key(dek, scp02.S_DEK, sequence), keys)
    return _wrap_02(cps.store_data(cps.grouping(0x8000, value), 0, encrypted=True), [], *five)


# --- SCP03 ----------------------------------------------------------------------------------------


def _cryptogram_03(_enc: bytes, mac: bytes, _dek: bytes, command: bytes, answer: bytes) -> bytes:
    parsed = scp03.InitializeUpdate.parse(command, answer)
    made = scp03.card_cryptogram(mac, command, parsed)
    agree(made, parsed.card_cryptogram, "the card's answer")
    return made


def _wrap_03(apdu: bytes | None, after: Sequence[bytes], *five: bytes) -> Choices:
    """The last command of a session at every level: only the name of a vector tells its own."""
    enc, mac, _, command, answer = five
    parsed = scp03.InitializeUpdate.parse(command, answer)
    answers = Choices()
    for level in parsed.levels:
        made, channel = scp03.open_channel(enc, mac, command, parsed, level)
        for before in after:
            _, channel = channel.wrap(before)
        answers[f"level{level:02x}"] = made if apdu is None else channel.wrap(apdu)[0]
    return answers


def _answer_03(answer: bytes, after: Sequence[bytes], *five: bytes) -> Choices:
    """Data of the answer to the last command, at every level with an R-MAC that fits it."""
    enc, mac, _, command, response = five
    parsed = scp03.InitializeUpdate.parse(command, response)
    answers = Choices()
    for level in parsed.levels:
        if level < _R_MAC:
            continue
        _, channel = scp03.open_channel(enc, mac, command, parsed, level)
        for before in after:
            _, channel = channel.wrap(before)
        with contextlib.suppress(ValueError):
            answers[f"level{level:02x}"] = channel.unwrap(answer)[0]
    if not answers:
        raise ContradictionError("the R-MAC fits at no level")
    return answers


def _authenticate_03(*five: bytes) -> Choices:
    return _wrap_03(None, [], *five)


# --- CPS ------------------------------------------------------------------------------------------


def _visa2(kmc: bytes, kdd: bytes) -> Choices:
    words = {"kenc": cps.ENC, "kmac": cps.MAC, "kdek": cps.DEK}
    return Choices({
        word: check_value_3des(cps.static_key_visa2(kmc, kdd, number))
        for word, number in words.items()
    })  # fmt: skip


RULES = (
    Rule(
        "SCP02 session key ENC", inputs(_FIVE), _session_key(scp02.S_ENC, 0), f"{_SCP02}.4.1",
        also=("3DES-CBC(KENC, 0182||seq||0*12)",),
        unread=(_NO_MAC, _NO_DEK, _DATA_02),
    ),
    Rule(
        "SCP02 session key MAC", inputs(_FIVE), _session_key(scp02.S_MAC, 1), f"{_SCP02}.4.1",
        also=("0101",), unread=(_NO_DEK, _DATA_02),
    ),
    Rule(
        "SCP02 session key DEK", inputs(_FIVE), _session_key(scp02.S_DEK, 2), f"{_SCP02}.4.1",
        also=("0181",), unread=(_NO_MAC, _DATA_02),
    ),
    Rule(
        "SCP02 session key, check value", inputs("static:des const"), _key_check_value,
        f"{_SCP02}.4.1, counter 0000", also=("session key KCV (seq 0000)",),
    ),
    Rule(
        "SCP02 card cryptogram", inputs(_FIVE), _cryptogram_02, f"{_SCP02}.4.2",
        also=("3DES-CBC-MAC(S-ENC, host8||seq2||card6) pad80",),
        unread=(_NO_MAC, _NO_DEK, _DATA_02),
    ),
    Rule(
        "SCP02 EXTERNAL AUTHENTICATE", inputs(_FIVE), _authenticate_02, f"{_SCP02}.4.4, level 01",
        also=("EXTERNAL AUTHENTICATE level 01",), unread=(_NO_DEK, _DATA_02),
    ),
    Rule(
        "SCP02 command", inputs(f"apdu after:commands {_FIVE}"), _wrap_02, f"{_SCP02}.4.4",
        also=("retail MAC, ICV = DES(S-MAC left, previous MAC), on the modified APDU",),
        unread=(_NO_DEK, _DATA_02, _LE),
    ),
    Rule(
        "SCP02 command, level 03", inputs(f"apdu after:commands {_FIVE}"), _wrap_02_encrypted,
        f"{_SCP02}.4.6", unread=(_NO_DEK, _DATA_02, _LE),
    ),
    Rule(
        "SCP02 answer", inputs(f"answer after:commands {_FIVE}"), _answer_02, f"{_SCP02}.4.5",
        unread=(_NO_DEK, _DATA_02, _LE),
    ),
    Rule(
        "PUT KEY under the session DEK", inputs("static_dek:des seq key"), _put_key,
        f"{_SCP02}.4.7", also=("3DES-ECB(S-DEK, key)",),
    ),
    Rule(
        "SCP03 card cryptogram", inputs(_FIVE_AES), _cryptogram_03, f"{_SCP03} 6.2.2, SP 800-108",
        also=("SP800-108 CMAC KDF, const 00",),
        unread=(_NO_ENC, _NO_DEK, _DATA_03, _OPTIONS_03, _COUNTER_03),
    ),
    Rule(
        "SCP03 EXTERNAL AUTHENTICATE", inputs(_FIVE_AES), _authenticate_03, f"{_SCP03} 7.1.2",
        also=("S8",), unread=(_NO_ENC, _NO_DEK, _DATA_03, _OPTIONS_03, _COUNTER_03),
    ),
    Rule(
        "SCP03 command", inputs(f"apdu after:commands {_FIVE_AES}"), _wrap_03, f"{_SCP03} 6.2",
        also=("wrapped command (running counter)",),
        unread=(_ENC_11, _NO_DEK, _DATA_03, _OPTIONS_03, _COUNTER_03, _LE),
    ),
    Rule(
        "SCP03 answer", inputs(f"answer after:commands {_FIVE_AES}"), _answer_03, f"{_SCP03} 6.2",
        unread=(_ENC_11, _NO_DEK, _DATA_03, _OPTIONS_03, _COUNTER_03, _LE),
    ),
    Rule(
        "CPS static key", inputs("kmc:des kdd n:number"), cps.static_key, f"{_CPS}.1",
        also=("EMV CPS: 3DES(KMC, KDD[4:10]||F0||n || KDD[4:10]||0F||n)",),
        unread=(Unread("kdd", slice(0, 4), "the rule takes the last 6 bytes"),),
    ),
    Rule(
        "VISA2 static key, check value", inputs("kmc:des kdd"), _visa2, "GlobalPlatform tools",
        also=("VISA2 diversification KCV",),
        unread=(
            Unread("kdd", slice(2, 4), "the rule takes bytes 0, 1 and 4 to 7"),
            Unread("kdd", slice(8, 10), "the rule takes bytes 0, 1 and 4 to 7"),
        ),
    ),
    Rule(
        "DGI 8000, keys", inputs("s_dek:des keys"), cps.encrypt_keys, _CPS,
        also=("3DES-ECB(SKUdek, UDK-AC||UDK-MAC||UDK-ENC), no padding",),
    ),
    Rule(
        "DGI 8010, PIN block", inputs("s_dek:des pin_block"), cps.encrypt_keys, _CPS,
        also=("3DES-ECB(SKUdek, format-2 PIN block 26123456FFFFFFFF)",),
    ),
    Rule(
        "DGI 9000, check values", inputs("keys:des"), cps.check_values, _CPS,
        also=("KCV3 of AC||MAC||ENC keys",),
    ),
    Rule(
        "STORE DATA of DGI 8000", inputs(f"keys {_FIVE}"), _store_keys, f"{_CPS}, {_SCP02}",
        also=("84E26000 | C-MAC, first command after EXTERNAL AUTHENTICATE level 01",),
        unread=(_DATA_02,),
    ),
)  # fmt: skip
