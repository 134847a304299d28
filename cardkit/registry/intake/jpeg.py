"""What a JPEG file says about itself, read without decoding it (ITU-T T.81, JFIF 1.02).

A photo comes from outside: its size is known before a decoder reserves memory for it, and its kind
before a decoder guesses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"RIFF": "WebP",
    b"%PDF": "PDF",
    b"\0\0\0\x0cjP": "JPEG 2000",
}
"""What other formats begin with."""

_SOI, _EOI, _SOS = b"\xff\xd8", b"\xff\xd9", 0xDA
_NOT_FRAMES = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC lie among the SOF markers
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_HUFFMAN_SEQUENTIAL = (0xC0, 0xC1)
_PROGRESSIVE = 0xC2
_INCHES_OF = {1: 1.0, 2: 2.54}  # JFIF density unit -> multiply to get dots an inch


class JpegError(ValueError):
    """No JPEG that can be used.

    Parameters
    ----------
    code : str
        ``empty``, ``format``, ``truncated`` or ``damaged``.
    found : str
        Name of the format found, for ``format``.
    """

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.found = found


@dataclass(frozen=True, slots=True)
class Facts:
    """What the headers say.

    Parameters
    ----------
    width, height : int
        Pixels, before any rotation.
    components, bits : int
        3 components of 8 bits for colour.
    coding : str
        ``baseline``, ``progressive`` or ``other`` (arithmetic, lossless).
    dpi : tuple of int or None
        Dots an inch, None when the file does not say.
    """

    width: int
    height: int
    components: int
    bits: int
    coding: str
    dpi: tuple[int, int] | None


def inspect(data: bytes) -> Facts:
    """Read the headers.

    Raises
    ------
    JpegError
        The file is empty, of another format, cut off, or its headers make no sense.

    Examples
    --------
    >>> inspect(b"GIF89a...")
    Traceback (most recent call last):
    ...
    cardkit.registry.intake.jpeg.JpegError: format
    """
    if not data:
        raise JpegError("empty")
    if data[:2] != _SOI:
        raise JpegError("format", format_of(data))
    try:
        facts, scan = _headers(data)
    except struct.error:
        raise JpegError("truncated") from None
    if data.rfind(_EOI) < scan:
        raise JpegError("truncated")
    return facts


def format_of(data: bytes) -> str:
    """Name of the format a file begins like, ``''`` when unknown."""
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "HEIC"
    return next((name for head, name in SIGNATURES.items() if data.startswith(head)), "")


def _headers(data: bytes) -> tuple[Facts, int]:
    """Facts, and where the picture begins."""
    at, dpi = 2, None
    frame: tuple[int, ...] | None = None
    while True:
        marker, at = _marker(data, at)
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            raise JpegError("damaged")
        if marker == 0xE0 and data[at + 2 : at + 7] == b"JFIF\0":
            dpi = _density(*struct.unpack_from(">BHH", data, at + 9))
        elif 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            frame = (marker, *struct.unpack_from(">BHHB", data, at + 2))
        elif marker == _SOS:
            return _facts(frame, dpi), at
        at += length


def _marker(data: bytes, at: int) -> tuple[int, int]:
    head, marker = struct.unpack_from("BB", data, at)
    if head != 0xFF:
        raise JpegError("damaged")
    at += 1
    while marker == 0xFF:  # fill bytes
        at += 1
        (marker,) = struct.unpack_from("B", data, at)
    if marker in (0x00, 0xD8, 0xD9):
        raise JpegError("damaged")
    return marker, at + 1


def _density(unit: int, x: int, y: int) -> tuple[int, int] | None:
    factor = _INCHES_OF.get(unit)
    return (round(x * factor), round(y * factor)) if factor else None


def _facts(frame: tuple[int, ...] | None, dpi: tuple[int, int] | None) -> Facts:
    if frame is None:
        raise JpegError("damaged")
    marker, bits, height, width, components = frame
    if not width or not height:
        raise JpegError("damaged")
    coding = "baseline" if marker in _HUFFMAN_SEQUENTIAL else "other"
    if marker == _PROGRESSIVE:
        coding = "progressive"
    return Facts(width, height, components, bits, coding, dpi)
