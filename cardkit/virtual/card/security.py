"""Access conditions, and the security state they are compared with.

The state of a directory file is a *set* of levels, one for each key or PIN that was presented, not
a maximum. It lives as long as the directory file is on the path from the MF to the current one; a
SELECT of the directory file itself starts with an empty set.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

FREE = 0x00
NEVER = 0xEF
MASTER = 0xFF  # the level that authentication with the master key gives


class Levels(Protocol):
    """What has been reached in one directory file and, for it, in its parent."""

    @property
    def own(self) -> set[int]:
        """Levels of keys and PIN kept in the directory file."""

    @property
    def parent(self) -> set[int]:
        """Levels of the parent that count here."""


class Access(NamedTuple):
    """One access condition of a file: a level of the parent and one of its own directory file.

    Parameters
    ----------
    parent, own : int
        00 free, EF never, FF master key, anything else the level of a key or PIN.
    both : bool
        True: both levels are needed (AND); False: one is enough (OR).
    """

    parent: int
    own: int
    both: bool

    def satisfied(self, state: Levels) -> bool:
        """Whether the state opens the file."""
        parent = _reached(self.parent, state.parent)
        own = _reached(self.own, state.own)
        return parent and own if self.both else parent or own


def _reached(level: int, reached: set[int]) -> bool:
    if level == NEVER:
        return False
    return level == FREE or level in reached
