"""READ, UPDATE and APPEND RECORD, and WRITE RECORD of the FCI file.

P2 is SFI·8 plus 4 (P1 = record number) or plus 0 (P1 = tag); SFI 0 is the current file. A file
reached by its SFI becomes the current one.
"""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.directory import parse_fci_record
from cardkit.virtual.card.files import (
    FCI_FILE,
    CyclicFile,
    ElementaryFile,
    FileType,
    RecordFile,
    RecordsFile,
)
from cardkit.virtual.card.messaging import Channel
from cardkit.virtual.card.status import Refusal, require

_BY_NUMBER = 0x04
_BY_TAG = 0x00
_MODE = 0x07


def addressed(context: Context, sfi: int) -> ElementaryFile:
    """The file of an SFI, or the current one for 0; 6A82 or 6986 when there is none."""
    if sfi:
        file = context.directory.short(sfi)
        require(file is not None, status.FILE_NOT_FOUND)
        context.session.file = file
    if context.session.file is None:
        raise Refusal(status.NO_CURRENT_FILE)
    return context.session.file


def record_file(context: Context) -> RecordsFile:
    """The record file that P2 names; 6981 for any other kind, internal ones included."""
    file = addressed(context, context.request.p2 >> 3)
    if not isinstance(file, RecordsFile) or file.creation[7] == FileType.INTERNAL:
        raise Refusal(status.WRONG_FILE_TYPE)
    return file


def read(context: Context) -> bytes:
    """``00B2 P1 P2 Le``; with class 04 ``04B2 P1 P2 04 MAC``, the answer ends with a MAC."""
    file = record_file(context)
    _check_mode(context, file)
    channel = context.messaging_key() if context.secured else None
    require(file.read.satisfied(context.state), status.SECURITY_NOT_SATISFIED)
    require(not context.unprotect(channel), status.WRONG_LENGTH)
    index = _existing(context, file)
    context.sw = context.wear.read_status(file, index + 1)
    record = file.records[index]
    return record + channel.mac(record) if channel else record


def update(context: Context) -> bytes:
    """``00DC P1 P2 Lc record``; in pre-issue number n + 1 makes a record."""
    file = record_file(context)
    _check_mode(context, file)
    require(context.may_write(file), status.SECURITY_NOT_SATISFIED)
    record = protected_data(context)
    number = context.request.p1
    if _makes_record(context, file):
        context.wear.check_write(file, number)
        file.add(record, context.memory)
        return b""
    index = _existing(context, file)
    context.wear.check_write(file, index + 1)
    file.overwrite(index, record, context.memory)
    return b""


def append(context: Context) -> bytes:
    """``00E2 00 P2 Lc record`` on a cyclic file: the new record 1."""
    file = record_file(context)
    if not isinstance(file, CyclicFile):
        raise Refusal(status.WRONG_FILE_TYPE)
    mode = context.request.p2 & _MODE
    require(context.request.p1 == 0 and mode in (_BY_TAG, _BY_NUMBER), status.WRONG_P1P2)
    require(context.may_write(file), status.SECURITY_NOT_SATISFIED)
    record = protected_data(context)
    context.wear.check_write(file, 1)
    file.append(record, context.memory)
    return b""


def write_fci(context: Context) -> bytes:
    """``00D2 rec 23 Lc 70 L FID L 6F L ...``: FCI of this directory file or one below it."""
    request = context.request
    require(request.p2 == FCI_FILE, status.WRONG_P1P2)
    file = context.directory.fci_records
    if file is None:
        raise Refusal(status.FILE_NOT_FOUND)
    require(context.directory.pre_issue, status.CONDITIONS_NOT_SATISFIED)
    context.require_builder()
    parse_fci_record(request.data)
    context.wear.check_write(file, request.p1)
    if request.p1 == len(file.records) + 1:
        file.add(request.data, context.memory)
    else:
        require(0 < request.p1 <= len(file.records), status.RECORD_NOT_FOUND)
        file.overwrite(request.p1 - 1, request.data, context.memory)
    return b""


def protected_data(context: Context) -> bytes:
    """Data to be written: plain, with MAC (class 04), or encrypted with MAC (class 84)."""
    channel: Channel | None = context.messaging_key() if context.secured else None
    data = context.unprotect(channel)
    if channel and context.request.cla & 0x80:
        data = channel.decrypt(data)
    require(data, status.WRONG_LENGTH)
    return data


def _check_mode(context: Context, file: RecordsFile) -> None:
    mode = context.request.p2 & _MODE
    require(mode in (_BY_NUMBER, _BY_TAG) and context.request.p1, status.WRONG_P1P2)
    by_tag_possible = isinstance(file, RecordFile) and file.tlv
    require(mode == _BY_NUMBER or by_tag_possible, status.WRONG_FILE_TYPE)


def _existing(context: Context, file: RecordsFile) -> int:
    request = context.request
    if request.p2 & _MODE == _BY_NUMBER:
        index: int | None = request.p1 - 1
        require(request.p1 <= len(file.records), status.RECORD_NOT_FOUND)
    else:
        index = file.find(request.p1) if isinstance(file, RecordFile) else None
    if index is None:
        raise Refusal(status.RECORD_NOT_FOUND)
    return index


def _makes_record(context: Context, file: RecordsFile) -> bool:
    by_number = context.request.p2 & _MODE == _BY_NUMBER
    next_number = context.request.p1 == len(file.records) + 1
    return context.directory.pre_issue and by_number and next_number
