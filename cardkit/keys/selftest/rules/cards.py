"""Diversification, social-security card, electronic purse, FMCOS, secure messaging."""

from __future__ import annotations

from cardkit.crypto import fmcos, purse, secure_messaging, ssc
from cardkit.crypto.algorithm import Algorithm
from cardkit.crypto.diversify import diversify, diversify_sm4
from cardkit.crypto.secure_messaging import Rules, Truncation
from cardkit.keys.selftest.rule import ContradictionError, Rule, agree, inputs

_DIVERSIFY = "PBOC 2.0 book 5 annex D.3"
_SSC = "working implementations of social-security cards; medium"
_PURSE = "PBOC 2.0 books 1 and 2, FMCOS manual"
_MESSAGING = "PBOC 2.0 book 5, FMCOS manual 7.7"
_SM4_MESSAGING = "PBOC rule with blocks of 16 bytes, public SM4 tools; medium"
_FIELDS = {
    "old_balance4": 4, "amount4": 4, "type1": 1, "terminal6": 6, "term_seq4": 4, "date4": 4,
    "time3": 3,
}  # fmt: skip
_FOLDED = "SM4-CBC-MAC, last block folded: XOR of the four 4-byte words (SSC 3.0 PKI application)"
_WRITE_KEY = bytes.fromhex("84D40100")


# --- diversification ------------------------------------------------------------------------------


def _two_levels(mk: bytes, factor1: bytes, factor2: bytes) -> bytes:
    return diversify(mk, factor1, factor2)


def _two_levels_sm4(mk: bytes, factor1: bytes, factor2: bytes) -> bytes:
    return diversify_sm4(mk, factor1, factor2)


# --- social-security card -------------------------------------------------------------------------


def _authentication_sm4(key: bytes, r8: bytes, d8: bytes | None) -> bytes:
    return ssc.authentication_data_sm4(key, r8, r8 if d8 is None else d8)


# --- electronic purse -----------------------------------------------------------------------------


def _online(key: bytes, rand: bytes, seq: bytes) -> bytes:
    return purse.process_key(key, purse.online_input(rand, seq))


def _online_sm4(key: bytes, rand: bytes, seq: bytes) -> bytes:
    return purse.process_key_sm4(key, purse.online_input(rand, seq))


def _offline(key: bytes, rand: bytes, offline_seq: bytes, term_seq: bytes) -> bytes:
    return purse.process_key(key, purse.offline_input(rand, offline_seq, term_seq))


def _grey(key: bytes, rand: bytes, offline_seq: bytes, term_seq: bytes, term_rand: bytes) -> bytes:
    block = purse.offline_input(rand, offline_seq, term_seq)
    return purse.grey_lock_process_key(key, block, term_rand)


def _transaction(session_key: bytes, data: bytes, fields: str | None) -> bytes:
    if fields is not None:
        _check_fields(data, fields)
    return purse.transaction_mac(session_key, data)


def _check_fields(data: bytes, fields: str) -> None:
    """The words that explain the data have to fit them: names, lengths, constants."""
    at = 0
    for word in fields.split("|"):
        name, stated, constant = word.partition("=")
        if name not in _FIELDS:
            raise ContradictionError("a field of that name and length is not known")
        if stated:
            agree(data[at : at + _FIELDS[name]].hex(), constant.lower(), "a field of the data")
        at += _FIELDS[name]
    agree(at, len(data), "the list of fields")


# --- secure messaging -----------------------------------------------------------------------------

_TDES = Rules()
_SM4 = Rules(Algorithm.SM4)
_SM4_FOLDED = Rules(Algorithm.SM4, truncation=Truncation.FOLD4)


def _mac(rules: Rules, key: bytes, iv: bytes, data: bytes, apdu: bytes | None) -> bytes:
    code = secure_messaging.mac(key, data, iv, rules)
    if apdu is not None and not apdu.startswith(data):
        raise ContradictionError("the command does not begin with what its MAC covers")
    if apdu is not None:
        agree(apdu, data + code, "the command")
    return code


def _mac_3des(key: bytes, iv: bytes, data: bytes, apdu: bytes | None) -> bytes:
    return _mac(_TDES, key, iv, data, apdu)


def _mac_sm4(key: bytes, iv: bytes, data: bytes, apdu: bytes | None) -> bytes:
    return _mac(_SM4, key, iv, data, apdu)


def _field(key: bytes, plaintext: bytes) -> bytes:
    return secure_messaging.encrypt_field(key, plaintext, _TDES)


def _field_sm4(key: bytes, plaintext: bytes) -> bytes:
    return secure_messaging.encrypt_field(key, plaintext, _SM4)


def _write_key_folded(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    agree(plaintext[:1], bytes((len(plaintext) - 1,)), "the length before the plain text")
    return secure_messaging.protect(key, _WRITE_KEY, plaintext[1:], iv, _SM4_FOLDED, encrypt=True)


RULES = (
    Rule(
        "PBOC diversification 3DES", inputs("mk:des factor"), diversify, _DIVERSIFY,
        also=("PBOC diversify 3DES",),
    ),
    Rule(
        "PBOC diversification 3DES, first level", inputs("mk:des factor1"), diversify,
        _DIVERSIFY, also=("PBOC diversify 3DES, level 1 of the above",),
    ),
    Rule(
        "PBOC diversification 3DES, two levels", inputs("mk:des factor1 factor2"), _two_levels,
        _DIVERSIFY, also=("PBOC diversify 3DES, 2 levels (region, then serial)",),
    ),
    Rule(
        "PBOC diversification SM4", inputs("mk factor"), diversify_sm4,
        "public SM4 tools and an HSM client; medium",
        also=("PBOC diversify SM4: SM4(MK, factor8||~factor8)",),
    ),
    Rule(
        "PBOC diversification SM4, two levels", inputs("mk factor1 factor2"), _two_levels_sm4,
        "public SM4 tools and an HSM client; medium", also=("PBOC diversify SM4, 2 levels",),
    ),
    Rule(
        "Social-security card key 3DES", inputs("root:des province city card"), diversify, _SSC,
        also=("province -> city -> card diversification, 3DES",),
    ),
    Rule(
        "Social-security card key SM4", inputs("root province city card"), diversify_sm4, _SSC,
        also=("province -> city -> card diversification, SM4",),
    ),
    Rule(
        "Social-security card process key 3DES", inputs("key:des factor"), ssc.process_key, _SSC,
        also=("3DES(key, process factor 8)",),
    ),
    Rule(
        "Social-security card process key SM4", inputs("key factor"), ssc.process_key_sm4, _SSC,
    ),
    Rule(
        "Social-security card authentication 3DES", inputs("key:des factor random"),
        ssc.authentication_data, _SSC, also=("DES(process key, random 8)",),
    ),
    Rule(
        "Social-security card authentication 3DES", inputs("key:des r8 d8"),
        ssc.authentication_data, _SSC, also=("SK8=3DES(K,R8); out=DES(SK8,D8)",),
    ),
    Rule(
        "Social-security card authentication SM4", inputs("key r8 d8?"), _authentication_sm4, _SSC,
        also=("SK=SM4(K,R8||0*8); out=SM4(SK,R8||0*8), halves XORed to 8 bytes",),
    ),
    Rule(
        "Social-security card external data SM4", inputs("key r8 d8 version:number"),
        ssc.external_data_sm4, _SSC,
    ),
    Rule(
        "Card id code MAC", inputs("key:des id_code"), ssc.id_code_mac, _SSC,
    ),
    Rule(
        "Purse process key, online", inputs("key:des rand seq"), _online, _PURSE,
        also=("3DES(load key, rand4||online_seq2||8000)",),
    ),
    Rule(
        "Purse process key, offline", inputs("key:des rand offline_seq term_seq_low2"), _offline,
        _PURSE, also=("3DES(purchase key, rand4||offline_seq2||term_seq last2)",),
    ),
    Rule(
        "Purse process key, online SM4", inputs("key rand seq"), _online_sm4,
        "one public source; medium",
    ),
    Rule(
        "Purse process key, grey lock",
        inputs("key:des rand offline_seq term_seq_low2 term_rand"), _grey,
        "FMCOS user manual; medium",
    ),
    Rule(
        "Purse MAC1, MAC2 and TAC", inputs("session_key:des data fields?:text"), _transaction,
        _PURSE, kept=(4,),
        also=("DES-CBC-MAC", "DES-CBC-MAC pad80 iv0, 4 bytes", "DES-CBC-MAC with TAC key"),
    ),
    Rule(
        "Purse TAC key", inputs("dtk"), purse.tac_key, _PURSE,
        also=("TAC key = left8 xor right8 of DTK",),
    ),
    Rule(
        "FMCOS external authentication", inputs("key:des rand"), fmcos.external_authentication,
        "FMCOS manual 7.1", also=("DES(key, rand4||00000000)", "DES(key, rand8)"),
    ),
    Rule(
        "FMCOS internal authentication, MAC", inputs("key:des data"), fmcos.internal_mac,
        "FMCOS manual 7.3", also=("DES-CBC-MAC pad80 iv0 (always padded)",), kept=(4,),
    ),
    Rule(
        "FMCOS PIN reload MAC", inputs("key:des pin"), fmcos.pin_reload_mac,
        "FMCOS manual, RELOAD PIN", kept=(4,),
    ),
    Rule(
        "Secure messaging field, 3DES", inputs("key:des plaintext"), _field, _MESSAGING,
        also=(
            "DES-ECB of LD||data||80..", "3DES-ECB of LD||data||80..",
            "DES-ECB of LD||data, no 80 block when already aligned",
        ),
    ),
    Rule(
        "Secure messaging MAC, 3DES", inputs("key:des iv data apdu?"), _mac_3des, _MESSAGING,
        also=(
            "DES-CBC-MAC iv=rand4||00000000", "X9.19", "X9.19, iv=rand4||0",
            "X9.19 / ISO 9797-1 alg 3, iv=rand4||00000000, 4 bytes",
            "X9.19 over response data, same iv as the command",
        ),
        kept=(4,),
    ),
    Rule(
        "Secure messaging field, SM4", inputs("key plaintext"), _field_sm4, _SM4_MESSAGING,
        also=("SM4-ECB of LD||data||80.. (16-byte blocks)",),
    ),
    Rule(
        "Secure messaging MAC, SM4 left 4", inputs("key iv data apdu?"), _mac_sm4, _SM4_MESSAGING,
        also=(
            "SM4-CBC-MAC pad80(16), iv=rand4||0*12, first 4 bytes", "SM4-CBC-MAC, iv=rand8||0*8",
        ),
        kept=(4,),
    ),
    Rule(
        "WRITE KEY, SM4 folded MAC", inputs("key iv plaintext"), _write_key_folded,
        "PKI application of 3.0 cards, two code bases; medium",
        also=(_FOLDED,),
    ),
)  # fmt: skip
