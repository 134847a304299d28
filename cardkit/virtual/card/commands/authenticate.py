"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE."""

from __future__ import annotations

from cardkit.crypto.ssc import authentication_data
from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.keys import Key, KeyType, prove
from cardkit.virtual.card.security import FREE
from cardkit.virtual.card.status import Refusal, require

_CHALLENGE_LENGTHS = (4, 8, 16)
_USUAL_CHALLENGE = 8


def get_challenge(context: Context) -> bytes:
    """``0084 0000 04|08|10``: good for one command; any other Le answers 6C08."""
    context.require_p1p2(0)
    length = context.request.p3
    require(length in _CHALLENGE_LENGTHS, status.WRONG_LE | _USUAL_CHALLENGE)
    challenge = context.random(length)
    context.session.set_challenge(challenge)
    return challenge


def external(context: Context) -> bytes:
    """``0082 00 KID 10 C8 D8``: C8 = DES_SK(D8), SK = 3DES_K(challenge). KID 00 is the MK."""
    request = context.request
    require(request.p1 == 0, status.WRONG_P1P2)
    context.require_length(0x10)
    kind = KeyType.EXTERNAL if request.p2 else KeyType.MASTER
    key = _key(context, kind, request.p2)
    challenge = context.session.take_challenge()
    proof, data = request.data[:8], request.data[8:]
    context.state.keys.discard(key.opens)
    prove(context.memory, key, proof, authentication_data(key.secret, challenge, data))
    if key.opens != FREE:
        context.state.keys.add(key.opens)
    return b""


def internal(context: Context) -> bytes:
    """``0088 00 KID 10 factor8 D8`` → DES_SK(D8), SK = 3DES_IRK(factor)."""
    request = context.request
    require(request.p1 == 0, status.WRONG_P1P2)
    context.require_length(0x10)
    key = _key(context, KeyType.INTERNAL, request.p2)
    return authentication_data(key.secret, request.data[:8], request.data[8:])


def _key(context: Context, kind: KeyType, kid: int) -> Key:
    key = context.directory.key(kind, kid)
    if key is None:
        raise Refusal(status.KEY_NOT_FOUND)
    return key
