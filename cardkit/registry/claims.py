"""Which window makes which record next: a lease on the record, in the database.

A claim keeps windows out of each other's way, no more: that no card is made twice is held by the
intent, which is durable and refused to the second who comes. So a claim need not survive a power
cut, is not in the history, and passes by itself when its window was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, Update, or_, select, update

from cardkit.registry.errors import BeingMadeError
from cardkit.registry.schema import cards
from cardkit.registry.states import State
from cardkit.registry.store import Store

LEASE = timedelta(minutes=10)
"""How long a window that does not say a word keeps its records."""

_PLANNED = cards.c.state == State.PLANNED.value
_UNDER_WAY = cards.c.state.in_((State.PLANNED.value, State.WRITING.value))
_MOST_IN = 5_000  # values of one IN


def nobody_is_dead(_window: str) -> bool:
    """For windows of which nothing is known: their leases have to pass."""
    return False


class Claims:
    """The claims of one window.

    Parameters
    ----------
    store : Store
    window : str
        Its name; claims of that name from before are given up by `begin`.
    dead : callable
        Tells of another window's name whether that window has certainly ended.
    lease : timedelta
    """

    def __init__(
        self,
        store: Store,
        window: str,
        dead: Callable[[str], bool] = nobody_is_dead,
        lease: timedelta = LEASE,
    ) -> None:
        self._store = store
        self._window = window
        self._dead = dead
        self._lease = lease

    def begin(self) -> None:
        """Free what this window had before it was killed, and what dead windows had."""
        with self._store.passing() as connection:
            asked = (
                select(cards.c.claimed_by).where(_UNDER_WAY, cards.c.claimed_by != "").distinct()
            )
            names = set(connection.execute(asked).scalars())
            ended = [name for name in names if name == self._window or self._dead(name)]
            if ended:
                connection.execute(_freed().where(_UNDER_WAY, cards.c.claimed_by.in_(ended)))

    def take(self, count: int, among: Collection[int] | None = None) -> list[int]:
        """Claim up to `count` free planned records, the first of the registry or some of `among`.

        Records that another window is just about to take are passed over, not waited for.
        """
        with self._store.passing() as connection:
            now = self._store.now()
            free = or_(cards.c.claimed_by == "", cards.c.claimed_until <= now)
            query = select(cards.c.id).where(_PLANNED, free)
            if among is not None:
                query = query.where(cards.c.id.in_(among))
            query = query.order_by(cards.c.id).limit(count).with_for_update(skip_locked=True)
            found = list(connection.execute(query).scalars())
            if found:
                self._mark(connection, found, now)
        return found

    def renew(self, card_ids: Collection[int]) -> list[int]:
        """Keep claims that are still this window's; returns those."""
        with self._store.passing() as connection:
            query = select(cards.c.id).where(
                _PLANNED, cards.c.claimed_by == self._window, cards.c.id.in_(card_ids)
            )
            kept = list(connection.execute(query.with_for_update()).scalars())
            if kept:
                self._mark(connection, kept, self._store.now())
        return kept

    def elsewhere(self, card_ids: Collection[int]) -> dict[int, str]:
        """Those of the records that another living window has, each with its name."""
        wanted, found = list(card_ids), dict[int, str]()
        with self._store.reading() as connection:
            for start in range(0, len(wanted), _MOST_IN):
                some = wanted[start : start + _MOST_IN]
                found |= self._living(connection, some)
        return found

    def refuse_elsewhere(self, connection: Connection, card_id: int) -> None:
        """Refuse what a person wants to do to a record that another living window has.

        Raises
        ------
        BeingMadeError
        """
        window = self._living(connection, [card_id]).get(card_id)
        if window is not None:
            raise BeingMadeError(card_id, window)

    def end(self, card_ids: Collection[int]) -> None:
        """Give back at the end: these, and what was begun here and not finished."""
        with self._store.passing() as connection:
            mine = cards.c.claimed_by == self._window
            begun = cards.c.state == State.WRITING.value
            connection.execute(_freed().where(mine, or_(begun, cards.c.id.in_(card_ids))))

    def give_back(self, card_ids: Collection[int]) -> None:
        """Let others have them."""
        if not card_ids:
            return
        with self._store.passing() as connection:
            connection.execute(
                _freed().where(cards.c.claimed_by == self._window, cards.c.id.in_(card_ids))
            )

    def due(self) -> str:
        """Instant at which claims made now should be renewed: a third of the lease is over."""
        return _later(self._store.now(), self._lease / 3)

    def now(self) -> str:
        """The instant, to compare with `due`."""
        return self._store.now()

    def _living(self, connection: Connection, card_ids: Collection[int]) -> dict[int, str]:
        query = select(cards.c.id, cards.c.claimed_by).where(
            _UNDER_WAY,
            cards.c.id.in_(card_ids),
            cards.c.claimed_by.not_in(("", self._window)),
            cards.c.claimed_until > self._store.now(),
        )
        rows = connection.execute(query).all()
        ended = {name for name in {row[1] for row in rows} if self._dead(name)}
        return {row[0]: row[1] for row in rows if row[1] not in ended}

    def _mark(self, connection: Connection, card_ids: Collection[int], now: str) -> None:
        connection.execute(
            update(cards)
            .where(cards.c.id.in_(card_ids))
            .values(claimed_by=self._window, claimed_until=_later(now, self._lease))
        )


def _freed() -> Update:
    return update(cards).values(claimed_by="", claimed_until="")


def _later(instant: str, by: timedelta) -> str:
    """An instant of the registry, moved on.

    Examples
    --------
    >>> _later("2012-05-01T08:00:00.000Z", timedelta(minutes=10))
    '2012-05-01T08:10:00.000Z'
    """
    moved = datetime.fromisoformat(instant) + by
    return moved.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
