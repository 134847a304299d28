"""Bank applications: card keys, session keys, cryptograms, scripts."""

from __future__ import annotations

from cardkit.crypto import cryptogram, icc_key, session_key
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.des import same_key
from cardkit.crypto.diversify import diversify_sm4
from cardkit.keys.selftest.rule import ContradictionError, Rule, Unread, agree, inputs

_A, _B = "EMV book 2 annex A1.4.1", "EMV book 2 annex A1.4.2"
_PBOC = "JR/T 0025.7"
_SM4 = "by analogy, JR/T 0025.17 governs; medium"
_R = Unread("r", slice(2, 3), "the rule puts F0 and 0F in its place")
_ATC = Unread("atc", slice(None), "it becomes a parity bit of the key", bits=0x01)
_SHORT_PAN = Unread("pan", slice(None, -14), "of a PAN of up to 16 digits, as option A")
_PAN = Unread("pan", slice(None, -14), "only the rightmost 16 digits of PAN and PSN count")


def _option_a(imk: bytes, pan: str, psn: str, y: bytes | None) -> bytes:
    if y is not None:
        agree(y, icc_key.option_a_block(pan, psn), "Y")
    return icc_key.option_a(imk, pan, psn)


def _option_b(imk: bytes, pan: str, psn: str, y: bytes | None) -> bytes:
    if y is not None:
        agree(y, icc_key.option_b_block(pan, psn), "Y")
    return icc_key.option_b(imk, pan, psn)


def _option_b_value(imk: bytes, pan: str, psn: str) -> bytes:
    return check_value_3des(icc_key.option_b(imk, pan, psn), 8)


def _common_value(icc_mk: bytes, r: bytes) -> bytes:
    return check_value_3des(session_key.common(icc_mk, r), 8)


def _vis_value(icc_mk: bytes, atc: bytes) -> bytes:
    return check_value_3des(session_key.vis(icc_mk, atc), 8)


def _script_by_common_key(imk: bytes, pan: str, psn: str, r: bytes, data: bytes) -> bytes:
    card_key = icc_key.option_a(imk, pan, psn)
    return cryptogram.script_mac(session_key.common(card_key, r), data)


def _script_with_keys(udk: bytes, atc: bytes, sk: bytes, data: bytes) -> bytes:
    if not same_key(sk, session_key.pboc(udk, atc)):
        raise ContradictionError("the session key does not fit card key and counter")
    return cryptogram.script_mac(sk, data)


def _arpc2(sk: bytes, arqc: bytes, csu: bytes, proprietary: bytes | None) -> bytes:
    return cryptogram.arpc_method2(sk, arqc, csu, proprietary or b"")


RULES = (
    Rule(
        "PBOC card key", inputs("imk:des pan:text psn:text y?"), _option_a, f"{_A}, {_PBOC}",
        also=(
            "PBOC UDK 3DES (13-digit PAN: Y left-padded with 0)",
            "UDK = 3DES(IMK,Y)||3DES(IMK,~Y), Y=rightmost 16 digits of PAN||PSN",
        ),
        unread=(_PAN,),
    ),
    Rule(
        "EMV card key, option A", inputs("imk:des pan:text psn:text y?"), _option_a, _A,
        also=("EMV Book 2 A1.4 option A",), des_result=True, unread=(_PAN,),
    ),
    Rule(
        "EMV card key, option B", inputs("imk:des pan:text psn:text y?"), _option_b, _B,
        also=("EMV Book 2 A1.4 option B",), des_result=True, unread=(_SHORT_PAN,),
    ),
    Rule(
        "EMV card key, option B, check value", inputs("imk:des pan:text psn:text"), _option_b_value,
        _B, kept=(2, 3),
    ),
    Rule(
        "PBOC card key SM4", inputs("imk y"), diversify_sm4, _SM4, also=("UDK = SM4(IMK, Y||~Y)",),
    ),
    Rule(
        "PBOC card key SM4", inputs("imk pan:text psn:text"), icc_key.option_a_sm4, _SM4,
        unread=(_PAN,),
    ),
    Rule(
        "PBOC session key", inputs("udk:des atc"), session_key.pboc, _PBOC,
        also=(
            "SK = 3DES(UDK, 0*6||ATC||0*6||~ATC)", "script session key",
            "SK = 3DES(UDK, 0*6||ATC) || 3DES(UDK, 0*6||(ATC xor FFFF))",
        ),
    ),
    Rule(
        "PBOC session key SM4", inputs("udk atc"), session_key.pboc_sm4, _SM4,
        also=("SK = SM4(UDK, 0*6||ATC||0*6||~ATC)",),
    ),
    Rule(
        "EMV common session key", inputs("icc_mk:des r"), session_key.common,
        "EMV book 2 annex A1.3.1", also=("EMV CSK key value",), des_result=True, unread=(_R,),
    ),
    Rule(
        "EMV common session key, check value", inputs("icc_mk:des r"), _common_value,
        "EMV book 2 annex A1.3.1", also=("EMV CSK (R[2]=F0/0F), KCV",), kept=(2, 3), unread=(_R,),
    ),
    Rule(
        "VIS session key, check value", inputs("icc_mk:des atc"), _vis_value, "VIS 1.5 annex B",
        also=("VIS: SK = MK xor (ATC..|~ATC..)",), kept=(2, 3), unread=(_ATC,),
    ),
    Rule(
        "Application cryptogram", inputs("sk:des data"), cryptogram.application_cryptogram,
        f"EMV book 2 clause 8.1, {_PBOC}",
        also=(
            "ISO 9797-1 alg 3 pad 80", "ISO 9797-1 alg 3, pad 80",
            "alg 3 MAC, pad 80.. over CDOL data||AIP||ATC||CVR",
        ),
    ),
    Rule(
        "Application cryptogram SM4", inputs("sk data"), cryptogram.application_cryptogram_sm4,
        _SM4, also=("SM4-CBC-MAC (iv 0, pad 80 to 16), first 8 bytes",),
    ),
    Rule(
        "ARPC method 1", inputs("sk:des arqc arc"), cryptogram.arpc_method1,
        f"EMV book 2 clause 8.2.1, {_PBOC}",
        also=("3DES(SK, ARQC xor (ARC||0*6))", "ARPC = 3DES(SK, ARQC xor (ARC||0*6))"),
    ),
    Rule(
        "ARPC method 1 SM4", inputs("sk arqc arc"), cryptogram.arpc_method1_sm4, _SM4,
    ),
    Rule(
        "ARPC method 1 with the card key", inputs("icc_mk:des arqc arc"), cryptogram.arpc_method1,
        "EMV book 2 clause 8.2.1", also=("ARPC method 1 = 3DES(ICC MK, ARQC xor ARC||0)",),
    ),
    Rule(
        "ARPC method 2", inputs("sk:des arqc csu proprietary?"), _arpc2, "EMV book 2 clause 8.2.2",
        also=("ARPC method 2 = alg3 MAC(SK, ARQC||CSU)[:4]",),
    ),
    Rule(
        "Script MAC", inputs("sk:des data"), cryptogram.script_mac,
        f"EMV book 2 clause 9.2, {_PBOC}", also=("alg 3 MAC over header||ATC||ARQC",), kept=(4, 8),
    ),
    Rule(
        "Script MAC with its session key", inputs("udk:des atc sk:des data"), _script_with_keys,
        _PBOC, also=("4-byte alg 3 MAC over header||ATC||AC||data, pad 80",), kept=(4, 8),
    ),
    Rule(
        "Script MAC from the issuer key", inputs("imk:des pan:text psn:text r data"),
        _script_by_common_key, "EMV book 2 clauses 9.2 and A1.3, A1.4.1",
        also=("CSK then alg 3 MAC",), unread=(_R, _PAN),
    ),
)  # fmt: skip
