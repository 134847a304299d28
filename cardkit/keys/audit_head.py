"""The file ``NAME.head`` beside a log: where it ends, how late it was, and seals.

::

    number digest instant           of the last entry; the latest instant of the whole log
    store number digest instant mac       a line for each soft store that writes to the log

A seal is the HMAC-SHA-256 of number, digest and instant under a key inside the encrypted store:
whoever cannot open the store can rewrite log and head, but cannot seal what they wrote.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cardkit.history import Head
from cardkit.keys.audit_entry import AuditError, instant_text
from cardkit.keys.locking import write_private
from cardkit.keys.secret import Secret, Unpicklable

_INFO = b"cardkit audit seal 1"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a log.

    Parameters
    ----------
    head : Head
        Number and digest of an entry.
    latest : datetime or None
        Latest instant up to there; None in files of earlier versions.
    mac : str
        Hexadecimal; of a seal.
    """

    head: Head = field(default_factory=Head)
    latest: dt.datetime | None = None
    mac: str = ""

    def words(self) -> list[str]:
        """How it is written."""
        latest = [] if self.latest is None else [instant_text(self.latest)]
        mac = [self.mac] if self.mac else []
        return [f"{self.head.sequence:020}", self.head.digest.hex(), *latest, *mac]

    @classmethod
    def of_words(cls, words: list[str]) -> Mark:
        """Inverse of `words`; ValueError for anything else."""
        number, digest, *more = words
        latest = dt.datetime.fromisoformat(more[0]) if more else None
        if len(more) > 2 or (latest is not None and latest.tzinfo is None):
            raise ValueError("not a mark")
        return cls(Head(int(number), bytes.fromhex(digest)), latest, more[1] if more[1:] else "")


@dataclass(frozen=True, slots=True)
class HeadFile:
    """What stands in the file: where the log ends, and the seals by store."""

    end: Mark = field(default_factory=Mark)
    seals: Mapping[str, Mark] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> HeadFile:
        """The file of a log; nothing when there is none.

        Raises
        ------
        AuditError
            It is damaged.
        """
        try:
            first, *others = (line.split() for line in path.read_text("ascii").splitlines())
            seals = {store: Mark.of_words(words) for store, *words in others}
            return cls(Mark.of_words(first), seals)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError):
            raise AuditError(
                f"{path} is damaged", hint="restore it together with the log"
            ) from None

    def write(self, path: Path) -> None:
        """Replace the file's content.

        A few hundred bytes, in place, not waited for: after a power cut they may stand behind the
        log, which is no harm. The entry itself is on the disk. A new file is put in place when it
        is on the disk, so that it is never there empty, not even where the disk is full.
        """
        lines = [self.end.words(), *([store, *m.words()] for store, m in self.seals.items())]
        text = "".join(" ".join(words) + "\n" for words in lines).encode("ascii")
        try:
            handle = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            write_private(path, text)
            return
        try:
            os.write(handle, text)
        finally:
            os.close(handle)


class Sealer(Unpicklable):
    """Seals for one store.

    Parameters
    ----------
    store : str
        Its id, hexadecimal.
    key : bytes
        From inside the store.
    """

    def __init__(self, store: str, key: bytes) -> None:
        self.store = store
        self._key = Secret(key)
        self._last: Mark | None = None

    def __repr__(self) -> str:
        return f"Sealer({self.store})"

    def seal(self, end: Mark) -> Mark:
        """The seal of a place."""
        self._last = Mark(end.head, end.latest, self._mac(end))
        return self._last

    def fits(self, seal: Mark) -> bool:
        """Whether a seal was made with this key."""
        # Usually it is the one made right before; a code costs as much as the rest of an entry.
        return seal == self._last or hmac.compare_digest(seal.mac, self._mac(seal))

    def _mac(self, mark: Mark) -> str:
        text = " ".join(Mark(mark.head, mark.latest).words()).encode("ascii")
        return hmac.digest(self._key.reveal(), _INFO + text, "sha256").hex()
