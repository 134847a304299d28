"""Who makes which card next: planned records, each given to one worker of this program.

A claim lives in memory only. What keeps two *programs* apart is the intent, which is durable: the
second one to bind a chip to a record is refused and takes the next record.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from cardkit.registry.queries import Queries
from cardkit.registry.records import CardRecord
from cardkit.registry.states import State

_AHEAD = 200  # records fetched at a time


class Worklist:
    """Planned records in the order of the roster, for several threads.

    Parameters
    ----------
    queries : Queries
    card_ids : iterable of int, optional
        Only these, in this order; otherwise every planned record of the registry.
    """

    def __init__(self, queries: Queries, card_ids: Iterable[int] | None = None) -> None:
        self._queries = queries
        self._lock = threading.Lock()
        self._ready: deque[CardRecord] = deque()
        self._waiting: deque[int] | None = None if card_ids is None else deque(card_ids)
        self._claimed: set[int] = set()

    def claim(self) -> CardRecord | None:
        """The next record, nobody else's; None when there is none (now)."""
        with self._lock:
            while self._ready or self._fetch():
                card_id = self._ready.popleft().card_id
                record = self._queries.get(card_id)  # another program may have been quicker
                if record.state == State.PLANNED:
                    self._claimed.add(card_id)
                    return record
            return None

    def coming(self) -> list[CardRecord]:
        """Records that will be claimed soon, as far as they were fetched: to derive their keys."""
        with self._lock:
            return list(self._ready)

    def put_back(self, card_id: int) -> None:
        """Give a claim up: the record comes next, with what the registry knows by then.

        For a record whose chip was spoilt, or which was claimed and not begun. One that is not
        planned any more is forgotten.
        """
        with self._lock:
            self._claimed.discard(card_id)
            for record in self._queries.get_many([card_id]):
                if record.state == State.PLANNED:
                    self._ready.appendleft(record)

    def _fetch(self) -> bool:
        """Read more records; whether there are any."""
        if self._waiting is None:
            self._ready.extend(self._queries.planned(_AHEAD, without=self._claimed))
            return bool(self._ready)
        while self._waiting and not self._ready:
            some = [self._waiting.popleft() for _ in range(min(_AHEAD, len(self._waiting)))]
            self._ready.extend(
                record
                for record in self._queries.get_many(some)
                if record.state == State.PLANNED and record.card_id not in self._claimed
            )
        return bool(self._ready)
