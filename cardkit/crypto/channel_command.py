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
