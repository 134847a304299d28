"""What every room of the registry works with: its database, its history and its counters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import Connection

from cardkit.registry.counters import Counters
from cardkit.registry.journal import Detail, Event, Journal
from cardkit.registry.store import Store


@dataclass(frozen=True, slots=True)
class Books:
    """The open books of one registry; `Registry.books` gives them.

    A room (lifecycle, stock, exchange ...) is a class made with these. Each of its public methods
    that changes something is one ``with books.store.writing() as connection`` block: change and
    history entry become durable together, or not at all.
    """

    store: Store
    journal: Journal
    counters: Counters

    def by(self, actor: str) -> Self:
        """The same books in the hands of another person, for the history."""
        return replace(self, journal=self.journal.by(actor))

    def note(self, connection: Connection, login: str, action: str, detail: Detail) -> None:
        """Say in the history what somebody did that is about no single card."""
        entry = Event(action, detail=detail)
        self.journal.by(login).append(connection, self.store.now(), entry)
