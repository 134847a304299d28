"""From request to answer: which command it is, the T=0 rules around it, all or nothing."""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.commands import (
    CLASSES,
    COMMANDS,
    MANUFACTURE,
    MANUFACTURE_INS,
    Declaration,
)
from cardkit.virtual.card.context import SECURE_BIT, Context
from cardkit.virtual.card.directory import Blocked
from cardkit.virtual.card.status import Refusal, require
from cardkit.virtual.card.tpdu import GET_RESPONSE, Request, get_response

_SELECT = 0xA4


def execute(context: Context, *, torn: bool = False) -> bytes:
    """Answer one command: data and status word.

    Parameters
    ----------
    torn : bool
        The power goes before the writes are made permanent: they are undone. Tries that were
        spent stay spent.
    """
    memory = context.memory
    finish = memory.commit
    try:
        answer = _answer(context)
    except Refusal as refusal:
        finish = memory.refuse
        answer = refusal.sw.to_bytes(2, "big")
    (memory.rollback if torn else finish)()
    return answer


def _answer(context: Context) -> bytes:
    request, session = context.request, context.session
    require(not context.chip.locked, status.NOT_SUPPORTED)
    require(request.cla in CLASSES, status.UNKNOWN_CLA)
    if request.ins == GET_RESPONSE:
        return get_response(request, session)
    session.waiting = b""
    declaration = _declaration(request)
    card_sends = declaration.sends and not request.cla & SECURE_BIT
    require(request.well_formed, status.WRONG_LENGTH)
    require(not request.data if card_sends else request.data or not request.p3, status.WRONG_LENGTH)
    _check_life(context, declaration)
    data = declaration.run(context)
    if card_sends:
        require(len(data) == request.expected, status.WRONG_LE | len(data) & 0xFF)
        return data + context.sw.to_bytes(2, "big")
    session.waiting = data
    if data and context.sw == status.DONE:
        return (status.DATA_WAITING | len(data) & 0xFF).to_bytes(2, "big")
    return context.sw.to_bytes(2, "big")


def _declaration(request: Request) -> Declaration:
    """6D00 for an unknown INS, 6900 when only the secure-messaging bit is wrong, else 6E00."""
    if request.ins == MANUFACTURE_INS:
        found = MANUFACTURE.get(request.p1)
        require(found or request.cla == 0x80, status.UNKNOWN_CLA)
        require(found, status.WRONG_P1P2)
    else:
        found = COMMANDS.get(request.ins)
    if found is None:
        raise Refusal(status.UNKNOWN_INS)
    if request.cla not in found.classes:
        other = request.cla ^ SECURE_BIT
        raise Refusal(status.CLASS_AND_PROTECTION if other in found.classes else status.UNKNOWN_CLA)
    return found


def _check_life(context: Context, declaration: Declaration) -> None:
    if not context.session.path:
        require(declaration.without_mf, status.NOT_SUPPORTED)
        return
    blocked = context.directory.blocked
    if blocked:
        selecting = context.request.ins == _SELECT
        require(blocked != Blocked.FOR_EVER or selecting, status.PERMANENTLY_BLOCKED)
        require(declaration.when_blocked, status.NOT_SUPPORTED)
