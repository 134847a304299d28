"""Moves of things in stock: every one is a line in the book that stays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.operators import Approvals, NotAllowedError, Operator
from cardkit.registry.places.fund import place_of
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.stock import correcting, counting, ledger, summing
from cardkit.registry.stock.booking import Booking, Line
from cardkit.registry.stock.counting import Count
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import kind_named
from cardkit.registry.stock.numbers import parse_range
from cardkit.registry.stock.orders import action_named, check, pieces_of, state_before
from cardkit.registry.stock.records import MOVES, Move, Order, read
from cardkit.registry.stock.rules import RULES, Action, Rule, State
from cardkit.registry.stock.summing import Balance


class Stock:
    """The stock of a registry.

    Parameters
    ----------
    books : Books
    approvals : Approvals, optional
        Where second persons are looked up.
    """

    def __init__(self, books: Books, approvals: Approvals | None = None) -> None:
        self._books = books
        self._approvals = approvals or Approvals(books)
        self._booking = Booking(books)

    def do(self, order: Order, *, operator: Operator, approval: int | None = None) -> Move:
        """Carry out an order.

        Raises
        ------
        NotAllowedError
            The role or the second person is missing.
        StockError
            The things are not where the order says, a number is in the books already ...
        """
        with (
            attempted(self._books, operator, order.approved_as),
            self._books.store.writing() as connection,
        ):
            return self.do_in(connection, order, operator=operator, approval=approval)

    def do_in(
        self,
        connection: Connection,
        order: Order,
        *,
        operator: Operator,
        approval: int | None = None,
    ) -> Move:
        """The same inside the transaction of an act that uses something up."""
        action = action_named(order.action)
        rule = RULES[action]
        need_role(operator, order.approved_as, *rule.roles)
        check(order, action, rule)
        second = self._second(connection, order, rule, operator, approval)
        kind = kind_named(order.kind)
        pieces = pieces_of(kind, order)
        here = place_of(connection, order.at)
        there = place_of(connection, order.to) if action is Action.MOVE else here
        before: State | None
        after: State | None
        if order.corrects is not None:
            before, after = correcting.turned(connection, order.corrects, kind, pieces, here)
        else:
            before = state_before(rule, spoilt=order.spoilt)
            after = rule.after or before
        line = Line(
            action, kind, pieces, here, there, before, after, operator.login, second, approval,
            order.act, order.card, order.minutes, order.reason, order.corrects,
        )  # fmt: skip
        return self._booking.write(connection, line)

    def _second(
        self,
        connection: Connection,
        order: Order,
        rule: Rule,
        operator: Operator,
        approval: int | None,
    ) -> str:
        if approval is None:
            if rule.second:
                raise NotAllowedError(
                    "second-person",
                    f"{order.approved_as} is never done alone",
                    hint="a second person approves it: --second LOGIN, or --approval N",
                    zh="此操作须双人办理：请另一人审批（--second 或 --approval）",
                )
            return ""
        used = self._approvals.use(
            connection,
            approval,
            action=order.approved_as,
            subject=order.subject(),
            operator=operator,
        )
        return used.decided_by

    # -- questions ------------------------------------------------------------------------------

    def balance(self, place: str = "", kind: str = "") -> list[Balance]:
        """How many of what are where, added up from the moves."""
        with self._books.store.reading(snapshot=True) as connection:
            place_id = place_of(connection, place).place_id if place else None
            return summing.balance(connection, place_id, kind_named(kind).name if kind else "")

    def holdings(self, place: str, kind: str, state: State = State.HELD) -> list[str]:
        """Ranges of numbers of a kind at a place."""
        found = kind_named(kind)
        with self._books.store.reading() as connection:
            here = place_of(connection, place).place_id
            rows = ledger.numbers_at(connection, found, here, (state,))
        return [piece.shown(found) for piece in counting.closed_up(rows)]

    def trace(self, kind: str, number: str) -> list[Move]:
        """Everything that was done with one number, oldest first.

        Raises
        ------
        StockError
            The books do not know it.
        """
        found = kind_named(kind)
        piece = parse_range(found, number)
        moves = stock_moves.c
        query = MOVES.where(
            moves.kind == found.name,
            moves.series == piece.series,
            moves.width > 0,
            moves.first <= piece.first,
            moves.last >= piece.first,
        )
        with self._books.store.reading() as connection:
            lines = list(read(connection, query.order_by(moves.id)))
        if not lines:
            raise StockError("unknown", f"{number} is not in the books of {found.name}")
        return lines

    def moves(self, *, kind: str = "", limit: int = 100) -> list[Move]:
        """The last moves, newest first."""
        query = MOVES.order_by(stock_moves.c.id.desc()).limit(limit)
        if kind:
            query = query.where(stock_moves.c.kind == kind_named(kind).name)
        with self._books.store.reading() as connection:
            return list(read(connection, query))

    def wrong_way(self, move_id: int) -> Order:
        """The order that takes a whole move back; fewer pieces of it may be named.

        Raises
        ------
        StockError
            There is no such move.
        """
        with self._books.store.reading() as connection:
            return correcting.order_against(connection, move_id)

    def verify(self) -> list[str]:
        """Where the books contradict themselves, or the cards made, in words; empty if nowhere."""
        with self._books.store.reading(snapshot=True) as connection:
            return [*summing.contradictions(connection), *correcting.unbooked(connection)]

    # -- counting -------------------------------------------------------------------------------

    def reconcile(
        self,
        place: str,
        kind: str,
        *,
        operator: Operator,
        numbers: Sequence[tuple[str, str]] = (),
        count: int = 0,
        second: Operator | None = None,
    ) -> Count:
        """Compare what was counted with the books, and name the difference; kept as a record.

        Nothing is moved by it: what is missing is written off by two people, with minutes.

        Parameters
        ----------
        numbers : sequence of (first, last)
            Ranges found on the shelf.
        count : int
            Pieces found of a kind that is only counted.

        Raises
        ------
        NotAllowedError
            The role is missing, or both people are one.
        """
        action = "stock-count"
        with attempted(self._books, operator, action):
            need_role(operator, action, *RULES[Action.MOVE].roles)
            if second is not None and second.login == operator.login:
                raise NotAllowedError("same-person", "nobody counts with themselves")
            found = kind_named(kind)
            shelf = [parse_range(found, first, last) for first, last in numbers]
            with self._books.store.writing() as connection:
                here = place_of(connection, place)
                result = counting.compare(connection, found, here, shelf, count)
                return counting.keep(
                    connection, self._books, result, operator, second.login if second else ""
                )
