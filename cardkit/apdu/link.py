"""Links: what carries bytes to one chip, and the chain of small links, one concern each.

Every link takes the bytes of a command APDU and returns the bytes of the answer with its status
word. A chain is built from the chip outwards by `chain`; what a link does not care about it passes
on.
"""

from __future__ import annotations

from typing import Protocol

from cardkit.apdu.command import SHORT_DATA, Command
from cardkit.apdu.response import Response
from cardkit.errors import UnreachableError

_GET_RESPONSE = 0xC0
_CHAINING_BIT = 0x10


class LinkLostError(UnreachableError):
    """The chip no longer answers: removed, reset, reader unplugged or service gone."""

    zh = "卡片没有应答（被取出或断电）：请把卡放回，会继续完成"


class Link(Protocol):
    """Carries bytes to one chip."""

    @property
    def atr(self) -> bytes:
        """Answer to reset of the chip."""

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command, return data and status word.

        Raises
        ------
        LinkLostError
            The chip cannot be reached any more.
        """

    def reset(self) -> bytes:
        """Reset the chip, return its new ATR.

        Raises
        ------
        LinkLostError
            The chip cannot be reached any more.
        """


class _Wrapper:
    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def atr(self) -> bytes:
        return self._link.atr

    def reset(self) -> bytes:
        return self._link.reset()


class T0Link(_Wrapper):
    """T=0 (ISO 7816-3 12.2): P3 of case 1 is 00, and the Le of case 4 is not sent."""

    def transmit(self, apdu: bytes) -> bytes:
        """See `Link`."""
        if len(apdu) == 4:
            apdu += b"\x00"
        elif len(apdu) > 5 and len(apdu) == 6 + apdu[4] and apdu[4]:
            apdu = apdu[:-1]
        return self._link.transmit(apdu)


class RightLengthLink(_Wrapper):
    """6Cxx: ask again with the length the card names (ISO 7816-3 12.2.3)."""

    def transmit(self, apdu: bytes) -> bytes:
        """See `Link`."""
        answer = self._link.transmit(apdu)
        if len(answer) == 2 and answer[0] == 0x6C:
            has_le = len(apdu) > 4 and (len(apdu) == 5 or len(apdu) == 6 + apdu[4])
            short = apdu[:-1] if has_le else apdu
            answer = self._link.transmit(short + answer[1:])
        return answer


class GetResponseLink(_Wrapper):
    """61xx, and warnings that leave data behind: fetch with GET RESPONSE until nothing is left.

    ``fetch_after_warning`` asks once for data after a bare 62xx or 63xx answer to a command that
    expects data; some T=0 cards announce their data only that way (ISO 7816-3 12.2.5).
    """

    def __init__(self, link: Link, *, fetch_after_warning: bool = True) -> None:
        super().__init__(link)
        self._fetch_after_warning = fetch_after_warning

    def transmit(self, apdu: bytes) -> bytes:
        """See `Link`."""
        answer = self._link.transmit(apdu)
        if len(answer) >= 2 and answer[-2] == 0x61:
            return self._collect(apdu[0], answer)
        if len(answer) == 2 and self._fetch_after_warning and self._left_behind(apdu, answer):
            more = self._link.transmit(_get_response(apdu[0], 0))
            if len(more) > 2 and more[-2:] == b"\x90\x00":
                return more[:-2] + answer
        return answer

    @staticmethod
    def _left_behind(apdu: bytes, answer: bytes) -> bool:
        warned = answer[0] == 0x62 or (answer[0] == 0x63 and answer[1] & 0xF0 != 0xC0)
        return warned and Command.parse(apdu).case == 4

    def _collect(self, cla: int, answer: bytes) -> bytes:
        data = b""
        while answer[-2] == 0x61:
            data += answer[:-2]
            answer = self._link.transmit(_get_response(cla, answer[-1]))
            if len(answer) == 2 and answer[0] == 0x6C:
                answer = self._link.transmit(_get_response(cla, answer[1]))
        return data + answer


def _get_response(cla: int, le: int) -> bytes:
    # The class of GET RESPONSE is that of the command without secure messaging and chaining
    # bits for interindustry classes; proprietary commands of these chips use class 00.
    return bytes((cla & 0x03 if cla < 0x80 else 0x00, _GET_RESPONSE, 0, 0, le))


class ChainingLink(_Wrapper):
    """Send an extended command as a chain of short ones (ISO 7816-4 5.3.3)."""

    def transmit(self, apdu: bytes) -> bytes:
        """See `Link`."""
        if len(apdu) < 7 or apdu[4]:
            return self._link.transmit(apdu)
        command = Command.parse(apdu)
        if len(command.data) <= SHORT_DATA:
            return self._link.transmit(apdu)
        pieces = [
            command.data[at : at + SHORT_DATA] for at in range(0, len(command.data), SHORT_DATA)
        ]
        first = (command.cla | _CHAINING_BIT, command.ins, command.p1, command.p2)
        for piece in pieces[:-1]:
            answer = self._link.transmit(Command(*first, piece).to_bytes())
            if not Response.parse(answer).sw.ok:
                return answer
        le = None if command.le is None else min(command.le, 256)
        last = Command(command.cla, command.ins, command.p1, command.p2, pieces[-1], le)
        return self._link.transmit(last.to_bytes())


def chain(link: Link, *, t0: bool = True) -> Link:
    """Wrap a bare link in the usual chain: chaining, GET RESPONSE, right length, T=0."""
    inner: Link = T0Link(link) if t0 else link
    return ChainingLink(GetResponseLink(RightLengthLink(inner)))


def exchange(link: Link, command: Command) -> Response:
    """Send one command through a link."""
    return Response.parse(link.transmit(command.to_bytes()))
