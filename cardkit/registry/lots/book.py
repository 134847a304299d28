"""The rows of a lot, who has it, and its lines in the history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, update

from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.lots import selection
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.records import Lot, State
from cardkit.registry.numbering import lot_name
from cardkit.registry.operators import NotAllowedError, Operator
from cardkit.registry.schema.lots import lot_custody, lots


class LotBook:
    """What every step of a lot needs, inside its transaction."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def lot(self, connection: Connection, lot_id: int, *, counted: bool = False) -> Lot:
        """The lot; LotError where there is none.

        Parameters
        ----------
        counted : bool
            With the counts of how its cards ended: that looks at each of them.
        """
        ask = selection.lot_rows if counted else selection.bare_rows
        found = ask(connection, lots.c.id == lot_id)
        if not found:
            raise LotError(
                "unknown", f"there is no lot {lot_name(lot_id)}", zh=f"没有批次 {lot_name(lot_id)}"
            )
        return found[0]

    def untouched(self, connection: Connection, lot_id: int) -> Lot:
        """A lot that nothing has come back of: all its cards are open."""
        lot = self.lot(connection, lot_id)
        return replace(lot, unknown=lot.count)

    def in_state(
        self, connection: Connection, lot_id: int, state: State, *, counted: bool = False
    ) -> Lot:
        """The same, refused in another state."""
        lot = self.lot(connection, lot_id, counted=counted)
        if lot.state != state:
            raise LotError(
                "order",
                f"{lot.name} is {lot.state}, not {state}",
                hint="a lot goes packed → out → back → closed",
                zh=f"批次{lot.name}当前为 {lot.state}，不能执行此操作（装袋→带出→带回→核销）",
            )
        return lot

    def holder(self, connection: Connection, lot_id: int) -> str:
        """Who has the cards: the end of the chain."""
        chain = [one for one in selection.custody_rows(connection, lot_id) if one.what == "cards"]
        return chain[-1].to_who

    def hand(
        self, connection: Connection, lot_id: int, what: str, giver: str, taker: str, count: int
    ) -> None:
        """A link of the chain of custody."""
        connection.execute(
            insert(lot_custody).values(
                id=self._books.counters.draw(connection, lot_custody.name),
                lot=lot_id,
                instant=self._books.store.now(),
                what=what,
                from_who=giver,
                to_who=taker,
                count=count,
            )
        )

    def note(
        self,
        connection: Connection,
        operator: Operator,
        action: str,
        lot_id: int,
        detail: dict[str, Any],
    ) -> None:
        """A line of the history."""
        event = Event(action, detail={"lot": lot_id, **detail})
        journal = self._books.journal.by(operator.login)
        journal.append(connection, self._books.store.now(), event)

    def set(self, connection: Connection, lot_id: int, **values: Any) -> None:  # noqa: ANN401
        """Change the row of a lot."""
        connection.execute(update(lots).where(lots.c.id == lot_id).values(**values))


def refuse_same(giver: str, taker: str) -> None:
    """Nobody hands cards over to themselves.

    Raises
    ------
    NotAllowedError
        It is one person.
    """
    if giver == taker:
        raise NotAllowedError(
            "same-person",
            "nobody hands cards over to themselves",
            hint="name two people",
            zh="交接双方不能是同一人：请指定两个人",
        )
