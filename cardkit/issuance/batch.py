"""Cards for a worklist at several readers at once: one thread a reader, stopped between two cards.

A refusal of a key stops everything; a wrong card, a pulled card or a service that went away only
concerns the reader it happened at, which waits and goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cardkit.apdu import Link, StatusError
from cardkit.apdu.link import LinkLostError
from cardkit.card.card import AuthenticationFailedError
from cardkit.card.procedures.identify import WrongCardError
from cardkit.errors import CardkitError, RefusedError, UnreachableError, UsageError
from cardkit.issuance.feed import Feed, FeedEmpty
from cardkit.issuance.matching import NothingToDoError
from cardkit.issuance.writer import Failed, Issued, Outcome, Spoilt, Writer
from cardkit.registry.errors import (
    ChipTakenError,
    IllegalMoveError,
    RegistryError,
    WrongChipError,
)

_RETRY_SECONDS = 0.3
MOST_SPOILT = 3
"""Chips spoilt one after the other at which a run stops: it is hardly the chips' fault then."""


class TooManySpoiltError(RefusedError):
    """One chip after the other is spoilt."""

    zh = f"连续{MOST_SPOILT}张废卡，已停止：请检查卡片、读卡器和配置后再继续"

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_SPOILT} chips in a row were spoilt",
            hint="check cards, reader and profile before going on",
        )


class What(Enum):
    """What happened at a reader."""

    ISSUED = "issued"
    SPOILT = "spoilt"
    FAILED = "failed"
    REFUSED = "refused"  # wrong card: nothing was written
    LOST = "lost"  # pulled, or without power: to be finished
    WAITING = "waiting"  # for a card, a reader or the service
    STOPPED = "stopped"  # everything stops


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell the operator; ``remaining`` records of the run have no card yet."""

    what: What
    reader: str
    card_id: int | None = None
    error: CardkitError | None = None
    issued: int = 0
    remaining: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Tally:
    """Outcome of a run. ``stopped_by`` is the error that ended it early."""

    issued: list[int] = field(default_factory=list)
    failed: dict[int, CardkitError] = field(default_factory=dict)
    spoilt: list[tuple[int, CardkitError]] = field(default_factory=list)
    refused: list[CardkitError] = field(default_factory=list)
    seconds: float = 0.0
    stopped_by: CardkitError | None = None

    @property
    def cards_per_hour(self) -> float:
        """Rate of the run, all readers together."""
        return len(self.issued) * 3600 / self.seconds if self.seconds else 0.0


def _nobody(_event: Event) -> None:
    """Nobody listens."""


class Batch:
    """Runs a writer at every feed until no record of the run waits for a card.

    Parameters
    ----------
    writer : Writer
        Shared: it keeps no state between cards.
    feeds : sequence of Feed
    wanted : set of int
        Card records that the run is to finish.
    tell : callable
        Gets an `Event` from the thread it happened in.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        writer: Writer,
        feeds: Sequence[Feed],
        wanted: set[int],
        tell: Callable[[Event], None] = _nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._feeds = feeds
        self._wanted = set(wanted)
        self._tell = tell
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._tally = Tally()
        self._bug: BaseException | None = None
        self._started = 0.0
        self._busy = 0
        self._spoilt_in_a_row = 0
        self._told: dict[str, str] = {}

    def stop(self) -> None:
        """End after the cards that are being written now; may be called from a signal handler."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether no card is begun any more."""
        return self._stop.is_set()

    def run(self) -> Tally:
        """Work until everything wanted is made, the feeds are empty, or somebody stops it."""
        self._started = self._clock()
        threads = [
            threading.Thread(target=self._work, args=(feed,), name=feed.name, daemon=True)
            for feed in self._feeds
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # in slices, so that a signal reaches the main thread
                thread.join(0.2)
        self._tally.seconds = self._clock() - self._started
        if self._bug is not None:
            raise self._bug
        return self._tally

    def _finished(self) -> bool:
        return self._stop.is_set() or not self._wanted

    def _work(self, feed: Feed) -> None:
        try:
            while not self._finished():
                self._one_card(feed)
        except FeedEmpty:
            return
        except BaseException as bug:  # noqa: BLE001 - given to the main thread
            self._bug = bug
            self.stop()

    def _one_card(self, feed: Feed) -> None:
        try:
            with feed.next_card(
                self._finished, lambda e: self._note(What.WAITING, feed, e)
            ) as link:
                if link is not None:
                    self._note_outcome(feed, self._process(link, feed.name))
        except (ChipTakenError, WrongChipError, IllegalMoveError) as error:
            self._refuse(feed, error)  # about this chip, not about the registry
        except (AuthenticationFailedError, RegistryError) as error:
            self._abort(feed, error)
        except LinkLostError as error:
            self._note(What.LOST, feed, error)
        except NothingToDoError as error:
            if not self._finished():
                self._note(What.REFUSED, feed, error)
        except (WrongCardError, StatusError) as error:
            self._refuse(feed, error)
        except UnreachableError as error:
            self._note(What.WAITING, feed, error)
            self._stop.wait(_RETRY_SECONDS)
        except (RefusedError, UsageError) as error:  # the latter: key store or log cannot be used
            self._abort(feed, error)

    def _process(self, link: Link, reader: str) -> Outcome:
        """Make the card; while other readers are at work, a record may still come back for it."""
        while True:
            with self._lock:
                self._busy += 1
            try:
                return self._writer.process(link, reader)
            except NothingToDoError:
                with self._lock:
                    self._wanted -= self._writer.issued_elsewhere(self._wanted)
                if self._finished() or self._busy == 1:
                    raise
            finally:
                with self._lock:
                    self._busy -= 1
            self._stop.wait(_RETRY_SECONDS)

    def _refuse(self, feed: Feed, error: CardkitError) -> None:
        self._tally.refused.append(error)
        self._note(What.REFUSED, feed, error)

    def _abort(self, feed: Feed, error: CardkitError) -> None:
        with self._lock:
            self._tally.stopped_by = self._tally.stopped_by or error
        self.stop()
        self._note(What.STOPPED, feed, error)

    def _note_outcome(self, feed: Feed, outcome: Outcome) -> None:
        card_id = outcome.record.card_id
        with self._lock:
            if isinstance(outcome, Issued):
                self._wanted.discard(card_id)
                self._tally.issued.append(card_id)
            elif isinstance(outcome, Failed):
                self._wanted.discard(card_id)
                self._tally.failed[card_id] = outcome.error
            else:
                self._tally.spoilt.append((card_id, outcome.error))
            self._spoilt_in_a_row = self._spoilt_in_a_row + 1 if isinstance(outcome, Spoilt) else 0
        what = {Issued: What.ISSUED, Spoilt: What.SPOILT, Failed: What.FAILED}[type(outcome)]
        error = None if isinstance(outcome, Issued) else outcome.error
        self._note(what, feed, error, card_id)
        if self._spoilt_in_a_row >= MOST_SPOILT:
            raise TooManySpoiltError

    def _note(
        self,
        what: What,
        feed: Feed,
        error: CardkitError | None = None,
        card_id: int | None = None,
    ) -> None:
        with self._lock:
            message = error.message if error is not None and what is What.WAITING else ""
            if message and self._told.get(feed.name) == message:
                return  # nothing new stands in the way
            self._told[feed.name] = message
            event = Event(
                what, feed.name, card_id, error, len(self._tally.issued), len(self._wanted),
                self._clock() - self._started,
            )  # fmt: skip
            self._tell(event)
