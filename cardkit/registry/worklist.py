"""Who makes which card next: planned records, each given to one worker of one window.

Records are claimed some at a time (`cardkit.registry.claims`), so that windows on one registry do
not get in each other's way. What makes it certain that no card is made twice is the intent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import islice

from cardkit.registry.claims import Claims
from cardkit.registry.errors import RegistryError
from cardkit.registry.queries import Queries
from cardkit.registry.records import CardRecord
from cardkit.registry.states import State

_LEAST, _MOST = 20, 200  # records claimed by one transaction
_SHARE = 16  # part of a long list that a window claims at once: others come by something too
_AHEAD = 200  # records whose keys are derived together


class Worklist:
    """Planned records in the order of the roster, for several threads.

    Parameters
    ----------
    queries : Queries
    claims : Claims
        Those of this window.
    card_ids : iterable of int, optional
        Only these, in this order; otherwise every planned record of the registry.
    """

    def __init__(
        self, queries: Queries, claims: Claims, card_ids: Iterable[int] | None = None
    ) -> None:
        self._queries = queries
        self._claims = claims
        self._lock = threading.Lock()
        self._ready: deque[CardRecord] = deque()
        self._waiting: deque[int] | None = None if card_ids is None else deque(card_ids)
        self._with_others: list[int] = []
        self._in_hand: set[int] = set()
        self._due = ""

    def claim(self) -> CardRecord | None:
        """The next record, nobody else's; None when there is none (now)."""
        with self._lock:
            self._renew()
            while self._ready or self._fetch():
                card_id = self._ready.popleft().card_id
                record = self._queries.get(card_id)  # what a later roster corrected
                if record.state == State.PLANNED:
                    self._in_hand.add(card_id)
                    return record
            return None

    def coming(self) -> list[CardRecord]:
        """Records that will probably be claimed soon: to derive their keys all at once.

        Those that are claimed, and the next of the list, of which other windows may take some.
        """
        with self._lock:
            wanted = islice(self._waiting or (), max(0, _AHEAD - len(self._ready)))
            next_ones = self._queries.get_many(wanted)
            return [*self._ready, *(each for each in next_ones if each.state == State.PLANNED)]

    def put_back(self, card_id: int) -> None:
        """Give a record back that was claimed: it comes next, as the registry has it by then.

        For a record whose chip was spoilt, or which was claimed and not begun. One that is not
        planned any more is free for everybody, should it be planned again.
        """
        with self._lock:
            self._in_hand.discard(card_id)
            records = self._queries.get_many([card_id])
            if records and records[0].state == State.PLANNED:
                self._ready.appendleft(records[0])
            else:
                self._claims.give_back([card_id])

    def elsewhere(self, begun: Collection[int] = ()) -> dict[int, str]:
        """Which records other living windows have in hand, each with the name of its window.

        Asked of those `begun`, and of those of this list that others had when it came to them.
        """
        with self._lock:
            return self._claims.elsewhere({*begun, *self._with_others})

    def close(self) -> None:
        """Let other windows have what was claimed and not finished.

        Where the registry cannot be reached or was upgraded that has been said already, and the
        claims pass by themselves.
        """
        with self._lock:
            left = {record.card_id for record in self._ready} | self._in_hand
            self._ready.clear()
            self._in_hand.clear()
            with suppress(RegistryError):
                self._claims.end(left)

    def _renew(self) -> None:
        """Before the lease is over; after it, only what nobody has taken meanwhile is kept."""
        if not self._due or self._claims.now() < self._due:
            return
        held = {record.card_id for record in self._ready} | self._in_hand
        kept = set(self._claims.renew(held)) if held else set()
        self._ready = deque(record for record in self._ready if record.card_id in kept)
        self._in_hand &= kept
        self._due = self._claims.due()

    def _fetch(self) -> bool:
        """Claim more records; whether there were any."""
        if not self._due:
            self._claims.begin()
            self._due = self._claims.due()
        if self._waiting is None:
            taken = self._claims.take(_LEAST)
        else:
            taken = self._next_wanted(self._waiting)
        self._ready.extend(self._queries.get_many(taken))
        return bool(self._ready)

    def _next_wanted(self, waiting: deque[int]) -> list[int]:
        """Claim the next of the list; what other windows have is asked for once more at its end."""
        taken: list[int] = []
        if not waiting:
            waiting.extend(self._with_others)
            self._with_others.clear()
        while waiting and not taken:
            count = min(max(_LEAST, len(waiting) // _SHARE), _MOST, len(waiting))
            some = [waiting.popleft() for _ in range(count)]
            got = set(self._claims.take(count, some))
            taken = [card_id for card_id in some if card_id in got]
            states = self._queries.states(set(some) - got)
            self._with_others += [
                card_id for card_id, state in states.items() if state == State.PLANNED
            ]
        return taken
