"""Manufacture and pre-issue: transport key, serial and ATR, CREATE, DELETE, end of pre-issue."""

from __future__ import annotations

from cardkit.virtual.card import directory as directories
from cardkit.virtual.card import files, status
from cardkit.virtual.card.atr import is_atr
from cardkit.virtual.card.chip import (
    ATR_HEAD_LENGTH,
    SERIAL_LENGTH,
    TRANSPORT_LENGTH,
    TRANSPORT_TRIES,
)
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.directory import MF, DirectoryFile, DirectoryType
from cardkit.virtual.card.status import Refusal, require

_TYPE = 7  # position of the type byte in creation data
_ELEMENTARY, _DIRECTORY, _WHOLE = 1, 2, 3


def create(context: Context) -> bytes:
    """``80E0 0100 Lc``: an EF of 16 bytes, or a DF of 16 bytes and its name, in the current DF.

    Needs the transport key or a master key. The MF becomes current, nothing else does.
    """
    context.require_p1p2(0x0100)
    data = context.request.data
    require(len(data) >= files.CREATION_LENGTH, status.WRONG_LENGTH)
    if data[_TYPE] in DirectoryType._value2member_map_:
        _create_directory(context, data)
    else:
        _create_file(context, data)
    return b""


def _create_directory(context: Context, data: bytes) -> None:
    chip, session = context.chip, context.session
    is_mf = int.from_bytes(data[5:7], "big") == MF
    if is_mf:
        require(session.transport_verified, status.SECURITY_NOT_SATISFIED)
        require(chip.mf is None, status.WRONG_P1P2)
        parent = None
    else:
        parent = _open_directory(context)
        require(parent.type == DirectoryType.DDF, status.CONDITIONS_NOT_SATISFIED)
    made = directories.create(data, parent)
    require(chip.named(made.name) is None, status.WRONG_P1P2)
    require(parent is None or _fid_is_new(parent, made.fid), status.WRONG_P1P2)
    chip.memory.allocate(made.size)
    if parent is None:
        chip.memory.assign(chip, "mf", made, made.size)
        session.enter(made)
    else:
        chip.memory.insert(parent.directories, len(parent.directories), made, made.size)


def _create_file(context: Context, data: bytes) -> None:
    parent = _open_directory(context)
    made = files.create(data, parent.fid)
    require(_fid_is_new(parent, made.fid), status.WRONG_P1P2)
    require(parent.short(made.sfi) is None, status.WRONG_P1P2)
    context.memory.allocate(made.size)
    context.memory.insert(parent.files, len(parent.files), made, files.CREATION_LENGTH)


def _open_directory(context: Context) -> DirectoryFile:
    """The current directory file, if things may be made or deleted in it now."""
    here = context.directory
    require(here.pre_issue, status.CONDITIONS_NOT_SATISFIED)
    context.require_builder()
    return here


def _fid_is_new(parent: DirectoryFile, fid: int) -> bool:
    return parent.file(fid) is None and parent.child(fid) is None and fid != parent.fid


def end_pre_issue(context: Context) -> bytes:
    """``80E0 0200 00`` for the current directory file; a second time answers 6901."""
    context.require_p1p2(0x0200)
    context.require_length(0)
    here = context.directory
    require(here.pre_issue, status.WRONG_LIFE_STATE)
    context.require_builder()
    context.memory.assign(here, "pre_issue", value=False, size=1)
    return b""


def verify_transport_key(context: Context) -> bytes:
    """``80E0 0300 08 key``: three tries, then 6983; 6901 after the last end of pre-issue."""
    context.require_p1p2(0x0300)
    context.require_length(TRANSPORT_LENGTH)
    chip, memory = context.chip, context.memory
    require(chip.pre_issue, status.WRONG_LIFE_STATE)
    require(chip.transport_tries, status.BLOCKED)
    context.session.transport_verified = False
    memory.assign(chip, "transport_tries", chip.transport_tries - 1, 1)
    memory.commit()  # spent before comparing, for good
    if context.request.data != chip.transport:
        raise Refusal(status.WRONG_TRIES | chip.transport_tries)
    memory.assign(chip, "transport_tries", TRANSPORT_TRIES, 1)
    context.session.transport_verified = True
    return b""


def set_serial(context: Context) -> bytes:
    """``80E0 0500 08 0000 ‖ serial(6)``: the last six ATR bytes, from the next reset on."""
    context.require_p1p2(0x0500)
    context.require_length(2 + SERIAL_LENGTH)
    _check_manufacture(context)
    data = context.request.data
    require(data[:2] == b"\0\0", status.WRONG_DATA)
    _set_atr(context, context.chip.atr[:-SERIAL_LENGTH] + data[2:], SERIAL_LENGTH)
    return b""


def set_atr_head(context: Context) -> bytes:
    """``0014 0000 0B``: the first eleven ATR bytes, from the next reset on; 6A80 for no ATR."""
    context.require_p1p2(0)
    context.require_length(ATR_HEAD_LENGTH)
    _check_manufacture(context)
    atr = context.request.data + context.chip.atr[ATR_HEAD_LENGTH:]
    require(is_atr(atr), status.WRONG_DATA)
    _set_atr(context, atr, ATR_HEAD_LENGTH)
    return b""


def _check_manufacture(context: Context) -> None:
    require(context.chip.pre_issue, status.WRONG_LIFE_STATE)
    require(context.session.transport_verified, status.SECURITY_NOT_SATISFIED)


def _set_atr(context: Context, atr: bytes, size: int) -> None:
    context.memory.assign(context.chip, "atr", atr, size)


def delete(context: Context) -> bytes:
    """``80E1 00 01|02|03 02 FID``: an EF here, a DF here or this one, or the MF with everything.

    What counts is the directory file that holds the target (for the MF itself): 6985 after its
    end of pre-issue.
    """
    request = context.request
    require(request.p1 == 0 and request.p2 in _DELETERS, status.WRONG_P1P2)
    context.require_length(2)
    _DELETERS[request.p2](context, int.from_bytes(request.data, "big"))
    return b""


def _delete_file(context: Context, fid: int) -> None:
    here = _open_directory(context)
    file = here.file(fid)
    if file is None:
        raise Refusal(status.FILE_NOT_FOUND)
    context.memory.remove(here.files, here.files.index(file))
    context.memory.release(file.size)
    context.session.file = None


def _delete_directory(context: Context, fid: int) -> None:
    here = context.directory
    target = here if here.fid == fid else here.child(fid)
    if target is None or target.parent is None:
        raise Refusal(status.FILE_NOT_FOUND)
    holder = target.parent
    require(holder.pre_issue, status.CONDITIONS_NOT_SATISFIED)
    context.require_builder()
    context.memory.remove(holder.directories, holder.directories.index(target))
    context.memory.release(target.whole_size)
    if target is here:
        context.session.enter(holder)


def _delete_everything(context: Context, fid: int) -> None:
    mf = context.chip.mf
    if mf is None or fid != MF:
        raise Refusal(status.FILE_NOT_FOUND)
    require(mf.pre_issue, status.CONDITIONS_NOT_SATISFIED)
    builder = context.session.transport_verified or context.session.path[0].master
    require(builder, status.SECURITY_NOT_SATISFIED)
    context.memory.assign(context.chip, "mf", None, 1)
    context.memory.release(mf.whole_size)
    context.session.path.clear()
    context.session.file = None


_DELETERS = {
    _ELEMENTARY: _delete_file,
    _DIRECTORY: _delete_directory,
    _WHOLE: _delete_everything,
}
