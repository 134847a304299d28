"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE."""

from __future__ import annotations

from cardkit.crypto.ssc import authentication_data, authentication_data_sm4
from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.keys import Key, KeyType, prove
from cardkit.virtual.card.security import FREE
from cardkit.virtual.card.status import Refusal, require

_CHALLENGE_LENGTHS = (4, 8, 16)
_USUAL_CHALLENGE = 8
_PLAIN, _WITH_VERSION = 0x10, 0x11


def get_challenge(context: Context) -> bytes:
    """``0084 0000 04|08|10``: good for one command; any other Le answers 6C08."""
    context.require_p1p2(0)
    length = context.request.p3
    require(length in _CHALLENGE_LENGTHS, status.WRONG_LE | _USUAL_CHALLENGE)
    challenge = context.random(length)
    context.session.set_challenge(challenge)
    return challenge


def external(context: Context) -> bytes:
    """``0082 00 KID 10 C8 D8``: C8 = DES_SK(D8), SK = 3DES_K(challenge). KID 00 is the MK.

    A key of SM4 wants ``0082 00 KID 11 X8 D8 version``, X8 the halves of SM4_SK(D8 ‖ 00 × 8) XORed,
    SK = SM4_K(challenge ‖ 00 × 8); another version than its own is no such key.
    """
    request = context.request
    require(request.p1 == 0, status.WRONG_P1P2)
    context.require_length(_PLAIN, _WITH_VERSION)
    kind = KeyType.EXTERNAL if request.p2 else KeyType.MASTER
    key = _key(context, kind, request.p2)
    context.require_length(_WITH_VERSION if key.is_sm4 else _PLAIN)
    proof, data, version = request.data[:8], request.data[8:16], request.data[16:]
    require(version in {b"", bytes((key.version,))}, status.KEY_NOT_FOUND)
    challenge = context.session.take_challenge()
    context.state.keys.discard(key.opens)
    prove(context.memory, key, proof, _answer(key, challenge, data))
    if key.opens != FREE:
        context.state.keys.add(key.opens)
    return b""


def internal(context: Context) -> bytes:
    """``0088 00 KID 10 factor8 D8`` → DES_SK(D8), SK = 3DES_IRK(factor); SM4 as above, folded."""
    request = context.request
    require(request.p1 == 0, status.WRONG_P1P2)
    context.require_length(_PLAIN)
    key = _key(context, KeyType.INTERNAL, request.p2)
    return _answer(key, request.data[:8], request.data[8:])


def _answer(key: Key, factor: bytes, data: bytes) -> bytes:
    rule = authentication_data_sm4 if key.is_sm4 else authentication_data
    return rule(key.secret, factor, data)


def _key(context: Context, kind: KeyType, kid: int) -> Key:
    key = context.directory.key(kind, kid)
    if key is None:
        raise Refusal(status.KEY_NOT_FOUND)
    return key
