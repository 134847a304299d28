"""Parts of a short command, as the secure channels of GlobalPlatform wrap it."""

from __future__ import annotations

from typing import NamedTuple

SECURE = 0x04
"""Bit of the class byte that says a command is protected."""


class Parts(NamedTuple):
    """CLA INS P1 P2, data, and Le as it stands at the end (empty or one byte)."""

    header: bytes
    data: bytes
    le: bytes

    def secured(self, data: bytes, mac: bytes = b"", *, mac_length: int = 0) -> bytes:
        """Command with the class of a protected one; Lc counts ``mac_length`` bytes more.

        Without ``mac`` this is what the MAC is computed over.
        """
        length = len(data) + (len(mac) or mac_length)
        if length > 255:
            raise ValueError("the command is too long for its MAC")
        head = bytes((self.header[0] | SECURE,)) + self.header[1:]
        return head + bytes((length,)) + data + mac + (self.le if mac else b"")


def split(command: bytes) -> Parts:
    r"""Parts of a short command on the basic channel.

    Examples
    --------
    >>> split(bytes.fromhex("80F28002024F0000"))
    Parts(header=b'\x80\xf2\x80\x02', data=b'O\x00', le=b'\x00')

    Raises
    ------
    ValueError
        Another length than Lc says, another channel, or protected already.
    """
    header, rest = command[:4], command[4:]
    if len(header) != 4 or header[0] & 0x4F:
        raise ValueError("not a plain short command on the basic channel")
    if len(rest) < 2:
        return Parts(header, b"", rest)
    end = 1 + rest[0]
    if not rest[0] or len(rest) not in (end, end + 1):
        raise ValueError("the command has another length than it says")
    return Parts(header, rest[1:end], rest[end:])


def split_answer(answer: bytes, mac_length: int) -> tuple[bytes, bytes, bytes]:
    r"""Data, MAC and status word of a protected answer.

    Examples
    --------
    >>> split_answer(bytes.fromhex("AABB01020304050607089000"), 8)
    (b'\xaa\xbb', b'\x01\x02\x03\x04\x05\x06\x07\x08', b'\x90\x00')

    Raises
    ------
    ValueError
        Too short to have a MAC.
    """
    end = len(answer) - 2
    if end < mac_length:
        raise ValueError("the answer has no MAC")
    return answer[: end - mac_length], answer[end - mac_length : end], answer[end:]


def unpad(padded: bytes) -> bytes:
    """Inverse of padding with 80 00...

    Raises
    ------
    ValueError
        Something else stands at the end: another key.
    """
    data = padded.rstrip(b"\0")
    if not data.endswith(b"\x80"):
        raise ValueError("the answer was not padded")
    return data[:-1]
