"""From request to answer: which command it is, the T=0 rules around it, all or nothing."""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.status import Refusal, require
from cardkit.virtual.card.tpdu import GET_RESPONSE, get_response
from cardkit.virtual.psam.commands import CLASSES, COMMANDS, Context


def execute(context: Context, *, torn: bool = False) -> bytes:
    """Answer one command: data and status word.

    A refused command undoes its writes and forgets the process key; ``torn`` undoes them all.
    """
    memory = context.chip.memory
    finish = memory.commit
    try:
        answer = _answer(context)
    except Refusal as refusal:
        finish = memory.refuse
        if context.request.ins != GET_RESPONSE:
            context.session.process_key = None
        answer = refusal.sw.to_bytes(2, "big")
    (memory.rollback if torn else finish)()
    return answer


def _answer(context: Context) -> bytes:
    request, session = context.request, context.session
    require(request.cla in CLASSES, status.UNKNOWN_CLA)
    if request.ins == GET_RESPONSE:
        return get_response(request, session)
    session.waiting = b""
    declaration = COMMANDS.get(request.ins)
    if declaration is None:
        raise Refusal(status.UNKNOWN_INS)
    require(request.cla == declaration.cla, status.UNKNOWN_CLA)
    require(request.well_formed, status.WRONG_LENGTH)
    expects = not request.data if declaration.sends else request.data
    require(expects, status.WRONG_LENGTH)
    data = declaration.run(context)
    done = status.DONE.to_bytes(2, "big")
    if declaration.sends:
        require(len(data) == request.expected, status.WRONG_LE | len(data) & 0xFF)
        return data + done
    session.waiting = data
    return (status.DATA_WAITING | len(data)).to_bytes(2, "big") if data else done
