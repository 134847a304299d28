"""SELECT (选择) and GET RESPONSE's half of it: directory files answer their FCI, files 9000."""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.directory import MF, Blocked, DirectoryFile
from cardkit.virtual.card.files import ElementaryFile
from cardkit.virtual.card.status import Refusal, require

_NEXT_OCCURRENCE = 0x02
_FID_LENGTH = 2


def select(context: Context) -> bytes:
    """``00A4 P1 P2 Lc data``: P1 00 by FID, 01 child, 02 file here, 03 parent, 04 by name."""
    request = context.request
    if request.p1 == 0x04:
        return _by_name(context)
    require(request.p2 == 0 and request.p1 <= 0x03, status.WRONG_P1P2)
    if request.p1 == 0x03 or (request.p1 == 0x00 and not request.data):
        context.require_length(0)
        parent = context.directory.parent if request.p1 else context.chip.mf
        return _enter(context, parent)
    context.require_length(_FID_LENGTH)
    fid = int.from_bytes(request.data, "big")
    if request.p1 == 0x02:
        return _open(context, context.directory.file(fid))
    if request.p1 == 0x01:
        return _enter(context, context.directory.child(fid))
    file = context.directory.file(fid)
    return _open(context, file) if file else _enter(context, _near(context, fid))


def _by_name(context: Context) -> bytes:
    """Whole names only, anywhere on the card; a name is unique, so there is no next one."""
    request = context.request
    require(request.p2 in (0, _NEXT_OCCURRENCE), status.WRONG_P1P2)
    require(1 <= request.p3 <= 16, status.WRONG_LENGTH)
    require(request.p2 == 0, status.FILE_NOT_FOUND)
    return _enter(context, context.chip.named(request.data))


def _near(context: Context, fid: int) -> DirectoryFile | None:
    """A directory file seen from here: MF, child, itself, parent, sibling."""
    here = context.directory
    if fid == MF:
        return context.chip.mf
    if (child := here.child(fid)) is not None:
        return child
    for directory in (here, here.parent):
        if directory is not None and directory.fid == fid:
            return directory
    return here.parent.child(fid) if here.parent else None


def _open(context: Context, file: ElementaryFile | None) -> bytes:
    require(file is not None, status.FILE_NOT_FOUND)
    context.session.file = file
    return b""


def _enter(context: Context, directory: DirectoryFile | None) -> bytes:
    if directory is None:
        raise Refusal(status.FILE_NOT_FOUND)
    require(directory.blocked != Blocked.FOR_EVER, status.PERMANENTLY_BLOCKED)
    context.session.enter(directory)
    if directory.blocked:
        context.sw = status.SELECTED_BUT_BLOCKED
    return directory.fci()
