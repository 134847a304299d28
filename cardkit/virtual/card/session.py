"""What a reset takes away: selection, security state, challenge, data waiting for GET RESPONSE."""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.directory import DirectoryFile
from cardkit.virtual.card.files import ElementaryFile
from cardkit.virtual.card.security import MASTER
from cardkit.virtual.card.status import Refusal


class State:
    """Levels reached in one directory file on the path (see `cardkit.virtual.card.security`)."""

    __slots__ = ("directory", "inherited", "keys", "pin", "pin_of_parent")

    def __init__(self, directory: DirectoryFile, inherited: set[int]) -> None:
        self.directory = directory
        self.inherited = inherited  # keys presented in the parent before coming here
        self.keys: set[int] = set()
        self.pin: set[int] = set()
        self.pin_of_parent: set[int] = set()  # PIN of the parent, presented here

    @property
    def own(self) -> set[int]:
        """Levels of keys and PIN that lie in this directory file."""
        return self.keys | self.pin

    @property
    def parent(self) -> set[int]:
        """Levels of the parent that count here; its PIN only when presented here."""
        return self.inherited | self.pin_of_parent

    @property
    def master(self) -> bool:
        """The master key of this directory file was presented."""
        return MASTER in self.keys


class Session:
    """From one reset to the next."""

    def __init__(self, atr: bytes, mf: DirectoryFile | None) -> None:
        self.atr = atr
        self.path: list[State] = [State(mf, set())] if mf else []
        self.file: ElementaryFile | None = None
        self.transport_verified = False
        self.waiting = b""
        self._challenge: bytes | None = None

    @property
    def state(self) -> State:
        """Of the current directory file."""
        if not self.path:
            raise Refusal(status.NOT_SUPPORTED)
        return self.path[-1]

    def enter(self, directory: DirectoryFile) -> None:
        """Make a directory file current.

        Its own state starts empty, even when it was current before. Those above it on the path
        keep theirs; all that were left lose theirs.
        """
        kept: list[State] = []
        for above in directory.path()[:-1]:
            depth = len(kept)
            if depth < len(self.path) and self.path[depth].directory is above:
                kept.append(self.path[depth])
            else:
                kept.append(State(above, set(kept[-1].keys) if kept else set()))
        inherited = set(kept[-1].keys) if kept else set()
        self.path = [*kept, State(directory, inherited)]
        self.file = None

    def set_challenge(self, challenge: bytes) -> None:
        """Remember what GET CHALLENGE gave; an older one is forgotten."""
        self._challenge = challenge

    def take_challenge(self, length: int = 8) -> bytes:
        """The bytes for the one command that may use them; 6984 when there is no usable one.

        A shorter challenge is filled with 00 on the right. One of 16 bytes fits only the initial
        vector of SM4.
        """
        challenge, self._challenge = self._challenge, None
        if challenge is None or len(challenge) > length:
            raise Refusal(status.CHALLENGE_UNUSABLE)
        return challenge.ljust(length, b"\0")
