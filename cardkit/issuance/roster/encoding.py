"""Recognises how the text of a roster is encoded, and points at the byte that spoils it."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

from cardkit.errors import UsageError

_CHUNK = 1 << 18
_CERTAIN = 12
"""So many bytes of non-ASCII text that are valid UTF-8 are not GB18030 by accident."""

_ASCII = bytes(range(0x80))
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect(name: str, file: BinaryIO) -> str:
    """Encoding of a text file; the file is at its beginning again afterwards.

    A byte order mark decides. Otherwise the file is UTF-8 when all of it is valid UTF-8, or when
    enough of it is before the first bad byte; else GB18030, of which GBK and GB2312 are parts.

    Returns
    -------
    str
        ``utf-8``, ``utf-8-sig``, ``utf-16`` or ``gb18030``.

    Raises
    ------
    UsageError
        It is none of them; the message names line and column of the first bad byte.
    """
    file.seek(0)
    head = file.read(4)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), "")
    bad = _first_bad_byte(file, marked or "utf-8")
    encoding = marked or "utf-8"
    if bad is not None and not marked and not _is_text_before(file, bad):
        encoding = "gb18030"
        bad = _first_bad_byte(file, encoding)
    if bad is not None:
        raise _unreadable(name, file, encoding, bad)
    file.seek(0)
    return encoding


def _first_bad_byte(file: BinaryIO, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    while True:
        chunk = file.read(_CHUNK)
        at = file.tell() - len(chunk) - len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return at + error.start
        except UnicodeError:  # utf-16 without its mark; cannot be, but names no position
            return at
        if not chunk:
            return None


def _is_text_before(file: BinaryIO, bad: int) -> bool:
    file.seek(0)
    seen = 0
    while seen < _CERTAIN and bad > 0 and (chunk := file.read(min(bad, _CHUNK))):
        bad -= len(chunk)
        seen += len(chunk.translate(None, delete=_ASCII))
    return seen >= _CERTAIN


def _unreadable(name: str, file: BinaryIO, encoding: str, bad: int) -> UsageError:
    line, column = position(file, encoding, bad)
    shown = {"gb18030": "neither UTF-8 nor GB18030", "utf-16": "not valid UTF-16"}
    return UsageError(
        f"{name}, line {line}, column {column}: {shown.get(encoding, 'not valid UTF-8')}",
        hint="repair that line, or export the roster again as UTF-8 or GB18030",
        zh=f"{name} 第{line}行第{column}列：编码有误：请修正该行，或重新导出为 UTF-8 或 GB18030",
    )


def position(file: BinaryIO, encoding: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a byte of the file."""
    inner = codecs.getincrementaldecoder(encoding)("replace")
    decoder = io.IncrementalNewlineDecoder(inner, translate=True)
    line, column = 1, 1
    file.seek(0)
    while offset > 0 and (chunk := file.read(min(offset, _CHUNK))):
        offset -= len(chunk)
        text = decoder.decode(chunk)
        line += text.count("\n")
        tail = len(text) - text.rfind("\n") - 1
        column = tail + 1 if "\n" in text else column + tail
    return line, column
