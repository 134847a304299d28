"""Frames between a process that asks for answers and one that holds keys.

A frame is two lengths (4 bytes each, big-endian), a JSON object in UTF-8, and bytes that would be
too many for JSON: the factors of a batch, or its answers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

PROTOCOL = 2
"""Version of the frames and of what is in them; both sides compare it first."""

MOST_HEADER = 4 << 20
MOST_BLOB = 64 << 20

_LENGTHS = struct.Struct(">II")

Message = dict[str, Any]


class FrameError(Exception):
    """What came is no frame, or the other side went away in the middle of one."""


def write_frame(stream: BinaryIO, message: Mapping[str, Any], blob: bytes = b"") -> None:
    """Send one frame.

    Raises
    ------
    FrameError
        It is too long; nothing was sent.
    OSError
    """
    header = json.dumps(message, separators=(",", ":")).encode()
    if len(header) > MOST_HEADER or len(blob) > MOST_BLOB:
        raise FrameError("too much for one message")
    stream.write(_LENGTHS.pack(len(header), len(blob)) + header)
    stream.write(blob)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[Message, bytes] | None:
    """Receive one frame; None when the other side has ended.

    Examples
    --------
    >>> import io
    >>> pipe = io.BytesIO()
    >>> write_frame(pipe, {"do": "hello"}, b"123")
    >>> _ = pipe.seek(0)
    >>> read_frame(pipe), read_frame(pipe)
    (({'do': 'hello'}, b'123'), None)

    Raises
    ------
    FrameError
        Too long, cut, or not JSON.
    OSError
    """
    start = stream.read(_LENGTHS.size)
    if not start:
        return None
    if len(start) < _LENGTHS.size:
        raise FrameError("a message was cut")
    header_length, blob_length = _LENGTHS.unpack(start)
    if header_length > MOST_HEADER or blob_length > MOST_BLOB:
        raise FrameError("a message is longer than any may be")
    header, blob = stream.read(header_length), stream.read(blob_length)
    if len(header) < header_length or len(blob) < blob_length:
        raise FrameError("a message was cut")
    try:
        message = json.loads(header)
    except (ValueError, RecursionError):
        raise FrameError("a message is not JSON") from None
    if not isinstance(message, dict):
        raise FrameError("a message is no JSON object")
    return message, blob
