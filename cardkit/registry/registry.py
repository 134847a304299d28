"""The registry: people, their card records, the chips, and the history of all of it.

Every method that changes something is one durable commit: when it returns, a power cut cannot take
it back; when it raises, nothing was changed. An open registry may be used from any number of
threads.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cardkit.history import Head, Verdict
from cardkit.registry import exporting
from cardkit.registry.books import Books
from cardkit.registry.claims import Claims, nobody_is_dead
from cardkit.registry.counters import Counters
from cardkit.registry.enrolment import Enroller
from cardkit.registry.enrolment_bars import Unfit, everybody_fits
from cardkit.registry.journal import CLOCK_SLACK_SECONDS, Detail, Journal
from cardkit.registry.making import Making, UsesStock
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.queries import Queries
from cardkit.registry.records import BatchInfo, CardRecord, CardStory, Chip, Enrolment
from cardkit.registry.states import State
from cardkit.registry.store import Clock, CommitHook, Store
from cardkit.registry.worklist import Worklist


def sqlite_url(path: Path) -> str:
    """URL of a registry in a file.

    Examples
    --------
    >>> sqlite_url(Path("/srv/cards/registry.db"))
    'sqlite:////srv/cards/registry.db'
    """
    return f"sqlite:///{path}"


class Registry:
    """An open registry; make one with `Registry.open`."""

    def __init__(self, store: Store, actor: str, clock_slack: float = CLOCK_SLACK_SECONDS) -> None:
        self._store = store
        self._journal = Journal(actor, clock_slack)
        counters = Counters()
        self.books = Books(store, self._journal, counters)
        self._enroller = Enroller(store, self._journal, counters)
        self._making = Making(store, self._journal, counters)
        self._queries = Queries(store, self._journal)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        actor: str,
        busy_seconds: float | None = None,
        on_commit: CommitHook | None = None,
        only_look: bool = False,
        clock_slack: float = CLOCK_SLACK_SECONDS,
    ) -> Self:
        """Open a registry, making it when there is none.

        Parameters
        ----------
        url : str
            SQLAlchemy URL; an SQLite file is made with mode 0600.
        clock : callable
            Gives the time as a `datetime` with zone.
        actor : str
            Who is accountable, for the history.
        busy_seconds : float, optional
            How long to wait for another program that is writing. Default: 10 for a file, 60 for a
            server, which windows share.
        on_commit : callable, optional
            Called with ``'before'`` and ``'after'`` around every durable commit.
        only_look : bool
            Nothing will be written: an SQLite file this user cannot write is opened all the same.
        clock_slack : float
            Seconds by which the clock may lie before the last entry of the history; a change that
            is earlier is refused.

        Raises
        ------
        RegistryError
            No such directory, no registry, newer than this program, locked, disk full ...
        """
        store = Store(
            url,
            clock=clock,
            busy_seconds=busy_seconds,
            on_commit=on_commit,
            only_look=only_look,
        )
        return cls(store, actor, clock_slack)

    def __enter__(self) -> Self:
        """Use as ``with Registry.open(...) as registry``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give files and connections back; closing twice does nothing."""
        self._store.close()

    def check_writable(self) -> None:
        """Write something for good: read-only, locked or full is found before a card is touched.

        Raises
        ------
        RegistryError
            The registry cannot take a result, so no card may be begun.
        """
        self._store.check_writable(self._journal.check_clock)

    def uses_stock(self, stock: UsesStock | None) -> None:
        """From now on every card made or spoilt here is booked out of this stock.

        In the same commit as its result: the counts agree at any time.
        """
        self._making.stock = stock

    # -- enrolment ------------------------------------------------------------------------------

    def enrol(
        self,
        applicants: Sequence[Applicant],
        numbering: Numbering,
        batch: BatchInfo,
        unfit: Unfit = everybody_fits,
    ) -> Enrolment:
        """Give every applicant a card record with its numbers; all of them or none.

        Idempotent: who has a record keeps it. Numbers are never given out twice. Who gets no card
        by roster is among the conflicts of the result: see `cardkit.registry.enrolment_bars`.

        Parameters
        ----------
        unfit : callable, optional
            Why somebody without a record cannot have a card of the kind asked for, or None.

        Raises
        ------
        UsageError
            The numbers of `numbering` are used up.
        RegistryError
            The registry cannot be written.
        """
        return self._enroller.enrol(applicants, numbering, batch, unfit)

    # -- making ---------------------------------------------------------------------------------

    def next_planned(
        self, count: int = 1, *, batch: int | None = None
    ) -> builtins.list[CardRecord]:
        """The next planned records in the order of their rosters."""
        return self._queries.planned(count, batch=batch)

    def worklist(
        self,
        card_ids: Iterable[int] | None = None,
        *,
        window: str = "",
        dead: Callable[[str], bool] = nobody_is_dead,
    ) -> Worklist:
        """Planned records for several workers and several windows, each given to one of them.

        Parameters
        ----------
        card_ids : iterable of int, optional
            Only these, in this order; otherwise all that are planned.
        window : str
            Name of this window, by which it finds again what it had when it was killed; no two
            that work at once have the same. Default: who is accountable.
        dead : callable
            Tells of the name of a window whether it has certainly ended: what it had is free.
        """
        claims = Claims(self._store, window or self._journal.actor, dead)
        return Worklist(self._queries, claims, card_ids)

    def intent(
        self,
        card_id: int,
        *,
        id_code: bytes,
        atr: bytes,
        factory_atr: bytes | None,
        reader: str,
        chip_kind: str,
    ) -> None:
        """Bind a chip to a record before the first byte is written to it.

        Binding the same chip again changes nothing but the count of attempts. Where another
        planned record had reserved this id code, that record gets a fresh one.

        Parameters
        ----------
        id_code : bytes
            12 bytes: of a pre-made chip the code in it, of a blank chip the one it will get.
        atr : bytes
            Answer to reset the chip has, or will have with its new serial.
        factory_atr : bytes or None
            Answer to reset of a blank chip as it came.
        chip_kind : str
            ``blank`` or ``premade``.

        Raises
        ------
        ChipTakenError
            The chip belongs to another record or must not be used any more.
        WrongChipError
            The record was begun on another chip.
        IllegalMoveError
            The record is issued or given up.
        """
        self._making.intent(
            card_id,
            id_code=id_code,
            atr=atr,
            factory_atr=factory_atr,
            reader=reader,
            chip_kind=chip_kind,
        )

    def milestone(self, card_id: int, step: str) -> None:
        """Note that a part of a blank chip is finished (``serial``, ``MF``, ``DF01`` ...)."""
        self._making.milestone(card_id, step)

    def milestones(self, card_id: int) -> builtins.list[str]:
        """Steps noted for the chip the record is bound to now, oldest first."""
        return self._queries.milestones(card_id)

    def result(
        self, card_id: int, *, ok: bool, id_code: bytes, detail: Detail | None = None
    ) -> None:
        """Note what reading back showed: the card is issued, or has failed.

        Parameters
        ----------
        ok : bool
            Whether everything read back was as it should be.
        id_code : bytes
            16 bytes, with the MAC.
        detail : mapping, optional
            For the history (``commands``, ``bytes`` ...); with ``ok=False`` its ``reason`` is the
            reason of the failure. Never personal data.
        """
        if not ok:
            reason = (detail or {}).get("reason", "")
            self._making.fail(card_id, str(reason))
            return
        self._making.result(card_id, id_code=id_code, detail=detail or {})

    def fail(self, card_id: int, reason: str) -> None:
        """Stop with a reason somebody has to look at; the chip stays bound to the record."""
        self._making.fail(card_id, reason)

    def retry(self, card_id: int) -> None:
        """Plan a failed record again, on the same chip if it had one."""
        self._making.retry(card_id)

    def spoil(
        self,
        card_id: int,
        reason: str,
        *,
        by_window: str | None = None,
        dead: Callable[[str], bool] = nobody_is_dead,
    ) -> None:
        """The chip is broken: its id code is dead for ever, the record waits for another chip.

        The card number stays with the record: nobody ever held a card with it.

        Parameters
        ----------
        by_window : str, optional
            Where a person asks for it: refused while another window has the record in hand.
        dead : callable
            See `worklist`.

        Raises
        ------
        BeingMadeError
        """
        claims = None if by_window is None else Claims(self._store, by_window, dead)
        self._making.spoil(card_id, reason, claims)

    def release(self, card_id: int, reason: str) -> None:
        """The chip was certainly not written: it may serve anybody, the record waits again."""
        self._making.release(card_id, reason)

    def discard(self, card_id: int, reason: str) -> None:
        """Give the record up with its card number, as when a pre-printed card is spoilt.

        The next enrolment of the person makes a new record.
        """
        self._making.discard(card_id, reason)

    # -- questions ------------------------------------------------------------------------------

    def get(self, card_id: int) -> CardRecord:
        """The record with that number.

        Raises
        ------
        UnknownCardError
            There is none.
        """
        return self._queries.get(card_id)

    def get_many(self, card_ids: Iterable[int]) -> builtins.list[CardRecord]:
        """Records in the order of `card_ids`, without those that do not exist."""
        return self._queries.get_many(card_ids)

    def states(self, card_ids: Iterable[int]) -> Mapping[int, State]:
        """State of each of many records, without reading the people: for a whole roster."""
        return self._queries.states(card_ids)

    def find_by_card_number(self, card_number: str) -> CardRecord | None:
        """Whose card number that is."""
        return self._queries.by_card_number(card_number)

    def find_by_citizen_number(self, citizen_number: str) -> CardRecord | None:
        """The record of a person that counts, or else the last one that was given up."""
        return self._queries.by_citizen_number(citizen_number)

    def find_by_id_code(self, id_code: bytes) -> CardRecord | None:
        """The record bound to, or issued on, the chip with these 12 bytes (16 will do)."""
        return self._queries.by_id_code(id_code)

    def find_by_factory_atr(self, atr: bytes) -> CardRecord | None:
        """The unfinished record on the blank chip that came with this answer to reset."""
        return self._queries.by_factory_atr(atr)

    def find_by_atr(self, atr: bytes) -> CardRecord | None:
        """The record on the chip that answers with this ATR since it got its serial."""
        return self._queries.by_atr(atr)

    def chip(self, id_code: bytes) -> Chip | None:
        """What is known about the chip with these 12 bytes, spoilt ones included."""
        return self._queries.chip(id_code)

    def unfinished(self) -> builtins.list[CardRecord]:
        """Records in state ``writing``: begun and not finished, on whatever reader."""
        return list(self._queries.list([State.WRITING]))

    def list(
        self, states: Sequence[str] | None = None, limit: int | None = None
    ) -> Iterator[CardRecord]:
        """Records in order, read as they are asked for."""
        return self._queries.list(states, limit)

    def show(self, card_id: int) -> CardStory:
        """A record with its chips and its history."""
        return self._queries.show(card_id)

    def counts(self) -> Mapping[str, int]:
        """Number of records by state."""
        return self._queries.counts()

    def chip_counts(self) -> Mapping[str, int]:
        """Number of chips by state."""
        return self._queries.chip_counts()

    def export(
        self, path: Path, form: exporting.Format, states: Sequence[str] | None = None
    ) -> int:
        """Write the records to a file (0600, complete or not at all); returns their number."""
        return exporting.export(self.list(states), path, form)

    def history_head(self) -> Head:
        """The last entry of the history, unchecked: its digest is to be kept elsewhere."""
        with self._store.reading() as connection:
            return self._journal.head(connection)

    def verify_history(self) -> Verdict:
        """Check that nobody changed the history, and that the records say what it says."""
        with self._store.reading(snapshot=True) as connection:
            return self._journal.verify(connection)
