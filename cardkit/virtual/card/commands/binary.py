"""READ and UPDATE BINARY.

P1 with b8: SFI in its low five bits, offset P2. Without: offset P1P2 in the current file. A file
reached by its SFI becomes the current one.
"""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.commands.record import addressed, protected_data
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.files import BinaryFile
from cardkit.virtual.card.status import Refusal, require

_SFI_FORM = 0x80
_LONGEST_ANSWER = 256


def _located(context: Context) -> tuple[BinaryFile, int]:
    request = context.request
    if request.p1 & _SFI_FORM:
        sfi = request.p1 & 0x1F
        require(request.p1 & 0x60 == 0 and sfi, status.WRONG_P1P2)
        file, offset = addressed(context, sfi), request.p2
    else:
        file, offset = addressed(context, 0), request.p1p2
    if not isinstance(file, BinaryFile):
        raise Refusal(status.WRONG_FILE_TYPE)
    return file, offset


def read(context: Context) -> bytes:
    """``00B0 P1 P2 Le``; with class 04 ``04B0 P1 P2 04 MAC``: as much as fits, and a MAC."""
    file, offset = _located(context)
    channel = context.messaging_key() if context.secured else None
    require(file.read.satisfied(context.state), status.SECURITY_NOT_SATISFIED)
    require(offset < file.space, status.WRONG_OFFSET)
    require(not context.unprotect(channel), status.WRONG_LENGTH)
    context.sw = context.wear.read_status(file)
    wanted = _LONGEST_ANSWER - 4 if channel else context.request.expected
    data = bytes(file.content[offset : offset + wanted])
    return data + channel.mac(data) if channel else data


def update(context: Context) -> bytes:
    """``00D6 P1 P2 Lc data``: 6B00 outside the file, 6A84 when the data run over its end."""
    file, offset = _located(context)
    require(context.may_write(file), status.SECURITY_NOT_SATISFIED)
    require(offset < file.space, status.WRONG_OFFSET)
    data = protected_data(context)
    require(offset + len(data) <= file.space, status.NO_SPACE)
    context.wear.check_write(file)
    context.memory.splice(file.content, offset, data)
    return b""
