"""One line of the book: the move, the two summaries, and its entry in the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.places import Place
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.stock.kinds import Kind
from cardkit.registry.stock.ledger import Ledger, Leg
from cardkit.registry.stock.numbers import Range
from cardkit.registry.stock.records import Move, move_of
from cardkit.registry.stock.rules import Action, State


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be written.

    Parameters
    ----------
    here, there : Place
        Where the pieces are, and where they are after it.
    before, after : State or None
        None: outside the books.
    operator : str
        Login.
    """

    action: Action
    kind: Kind
    pieces: Range
    here: Place
    there: Place
    before: State | None
    after: State | None
    operator: str
    second: str = ""
    approval: int | None = None
    act: int | None = None
    card: int | None = None
    minutes: str = ""
    reason: str = ""
    corrects: int | None = None


class Booking:
    """Writes lines, inside the transaction of whatever they belong to."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._ledger = Ledger()

    def write(self, connection: Connection, line: Line) -> Move:
        """Write one line.

        Raises
        ------
        StockError
            The pieces are not where the line says, or are in the books already.
        """
        pieces, here, there = line.pieces, line.here, line.there
        move_id = self._books.counters.draw(connection, stock_moves.name)
        move: dict[str, Any] = {
            "id": move_id,
            "instant": self._books.store.now(),
            "action": line.action.value,
            "kind": line.kind.name,
            "series": pieces.series,
            "first": pieces.first,
            "last": pieces.last,
            "width": pieces.width,
            "count": pieces.size,
            "from_place": here.place_id if line.before else None,
            "from_state": line.before.value if line.before else "",
            "to_place": there.place_id if line.after else None,
            "to_state": line.after.value if line.after else "",
            "operator": line.operator,
            "second": line.second,
            "approval": line.approval,
            "act": line.act,
            "card": line.card,
            "minutes": line.minutes,
            "reason": line.reason,
            "corrects": line.corrects,
        }
        connection.execute(insert(stock_moves).values(**move))
        leg = Leg(move_id, here, there, line.before, line.after, line.corrects)
        self._ledger.book(connection, line.kind, pieces, leg)
        self._note(connection, move, line)
        return move_of(
            line.kind, move, here.code if line.before else "", there.code if line.after else ""
        )

    def _note(self, connection: Connection, move: dict[str, Any], line: Line) -> None:
        detail: dict[str, str | int | list[str]] = {
            "move": move["id"],
            "kind": line.kind.name,
            "count": line.pieces.size,
            "at": line.here.code,
        }
        if line.pieces.width:
            detail["numbers"] = line.pieces.shown(line.kind)
        if line.there is not line.here:
            detail["to"] = line.there.code
        for name in ("second", "minutes", "reason"):
            if move[name]:
                detail[name] = move[name]
        for name, shown in (("act", "act_id"), ("card", "card_id"), ("corrects", "corrects")):
            if move[name] is not None:
                detail[shown] = move[name]
        if line.action in (Action.USE, Action.SPOIL) and line.before is None:
            detail["unbooked"] = 1
        journal = self._books.journal.by(line.operator)
        journal.append(connection, move["instant"], Event(f"stock-{line.action}", detail=detail))
