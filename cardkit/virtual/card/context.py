"""What a command works on: chip, session and request, and questions often asked of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardkit.virtual.card import status
from cardkit.virtual.card.chip import Chip, key_with_parent
from cardkit.virtual.card.directory import DirectoryFile
from cardkit.virtual.card.faults import Wear
from cardkit.virtual.card.files import ElementaryFile
from cardkit.virtual.card.keys import KeyType
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.messaging import Channel
from cardkit.virtual.card.security import MASTER
from cardkit.virtual.card.session import Session, State
from cardkit.virtual.card.status import Refusal, require
from cardkit.virtual.card.tpdu import Request

SECURE_BIT = 0x04


@dataclass(slots=True)
class Context:
    """One command in progress.

    Parameters
    ----------
    random : callable
        Gives n random bytes.
    wear : Wear
        Which files and records are worn out or corrupt.
    sw : int
        Answered when nothing was refused.
    """

    chip: Chip
    session: Session
    request: Request
    random: Callable[[int], bytes]
    wear: Wear
    sw: int = status.DONE

    @property
    def memory(self) -> Memory:
        """EEPROM of the chip."""
        return self.chip.memory

    @property
    def state(self) -> State:
        """Security state of the current directory file."""
        return self.session.state

    @property
    def directory(self) -> DirectoryFile:
        """Current directory file."""
        return self.session.state.directory

    @property
    def secured(self) -> bool:
        """Whether the class byte announces secure messaging."""
        return bool(self.request.cla & SECURE_BIT)

    def require_length(self, *lengths: int) -> None:
        """6700 unless Lc is one of these."""
        require(self.request.p3 in lengths, status.WRONG_LENGTH)

    def require_p1p2(self, *values: int) -> None:
        """6A86 unless P1 P2 is one of these."""
        require(self.request.p1p2 in values, status.WRONG_P1P2)

    def require_builder(self) -> None:
        """6982 unless structure may be changed: transport key, or own or parent's master key."""
        state = self.session.state
        may = self.session.transport_verified or state.master or MASTER in state.parent
        require(may, status.SECURITY_NOT_SATISFIED)

    def may_write(self, file: ElementaryFile) -> bool:
        """Whether the state opens a file for writing; the master key opens all in pre-issue."""
        state = self.session.state
        if state.directory.pre_issue and state.master:
            return True
        return file.write.satisfied(state)

    def messaging_key(self) -> Channel:
        """Channel under the STK of the current directory file, else of its parent; 6A88 without."""
        found = key_with_parent(self.directory, KeyType.SECURE_MESSAGING)
        if found is None:
            raise Refusal(status.KEY_NOT_FOUND)
        return Channel(found[0], self.chip.derivation, self.chip.form)

    def unprotect(self, channel: Channel | None) -> bytes:
        """Command data without its MAC; as it is when no secure messaging was used."""
        if channel is None:
            return self.request.data
        return channel.open(self.request, self.session, self.memory)
