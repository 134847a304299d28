"""Moves of things in stock: every one is a line in the book that stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.operators import Approvals, NotAllowedError, Operator
from cardkit.registry.places import Place
from cardkit.registry.places.fund import place_of
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.stock import counting, ledger
from cardkit.registry.stock.counting import Count
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import Kind, kind_named
from cardkit.registry.stock.ledger import Balance, Ledger, Leg
from cardkit.registry.stock.numbers import MOST, Range, parse_range
from cardkit.registry.stock.records import MOVES, REASONS, Move, Order, move_of, read
from cardkit.registry.stock.rules import RULES, Action, Rule, State

__all__ = ["Order", "Stock"]


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
        self._ledger = Ledger(books.store.engine)

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
        action = _action(order.action)
        rule = RULES[action]
        need_role(operator, order.approved_as, *rule.roles)
        _check(order, action, rule)
        second = self._second(connection, order, rule, operator, approval)
        kind = kind_named(order.kind)
        pieces = _pieces(kind, order)
        here = place_of(connection, order.at)
        there = place_of(connection, order.to) if action is Action.MOVE else here
        before = _before(rule, spoilt=order.spoilt)
        after = rule.after or before
        assert after is not None  # noqa: S101 - a rule without `after` has a `before`
        move_id = self._books.counters.draw(connection, stock_moves.name)
        move = {
            "id": move_id,
            "instant": self._books.store.now(),
            "action": action.value,
            "kind": kind.name,
            "series": pieces.series,
            "first": pieces.first,
            "last": pieces.last,
            "width": pieces.width,
            "count": pieces.size,
            "from_place": here.place_id if before else None,
            "from_state": before.value if before else "",
            "to_place": there.place_id,
            "to_state": after.value,
            "operator": operator.login,
            "second": second,
            "approval": approval,
            "act": order.act,
            "card": order.card,
            "minutes": order.minutes,
            "reason": order.reason,
        }
        connection.execute(insert(stock_moves).values(**move))
        self._ledger.book(connection, kind, pieces, Leg(move_id, here, there, before, after))
        self._note(connection, move, kind, pieces, here, there)
        return move_of(kind, move, here.code if before else "", there.code)

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

    def _note(
        self,
        connection: Connection,
        move: Mapping[str, Any],
        kind: Kind,
        pieces: Range,
        here: Place,
        there: Place,
    ) -> None:
        detail: dict[str, str | int | list[str]] = {
            "move": move["id"],
            "kind": kind.name,
            "count": pieces.size,
            "at": here.code,
        }
        if pieces.width:
            detail["numbers"] = pieces.shown(kind)
        if there is not here:
            detail["to"] = there.code
        for name in ("second", "minutes", "reason"):
            if move[name]:
                detail[name] = move[name]
        for name in ("act", "card"):
            if move[name] is not None:
                detail[name + "_id"] = move[name]
        journal = self._books.journal.by(move["operator"])
        event = Event(f"stock-{move['action']}", detail=detail)
        journal.append(connection, move["instant"], event)

    # -- questions ------------------------------------------------------------------------------

    def balance(self, place: str = "", kind: str = "") -> list[Balance]:
        """How many of what are where, added up from the moves."""
        with self._books.store.reading(snapshot=True) as connection:
            place_id = place_of(connection, place).place_id if place else None
            return ledger.balance(connection, place_id, kind_named(kind).name if kind else "")

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

    def verify(self) -> list[str]:
        """Where the books contradict themselves, in words; empty when they agree."""
        with self._books.store.reading(snapshot=True) as connection:
            return ledger.contradictions(connection)

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


def _action(name: str) -> Action:
    try:
        return Action(name)
    except ValueError:
        raise StockError(
            "action", f"stock has no action {name!r}", hint=f"actions are {', '.join(Action)}"
        ) from None


def _check(order: Order, action: Action, rule: Rule) -> None:
    if rule.minutes and not order.minutes:
        raise StockError(
            "minutes",
            f"stock-{action} needs the number of its minutes",
            hint="--minutes",
            zh="须填写销毁（核销）记录编号：--minutes",
        )
    if rule.reason and order.reason not in REASONS:
        raise StockError(
            "reason",
            f"stock-{action} needs a reason of the list",
            hint=", ".join(REASONS),
            zh="须填写原因：" + "、".join(REASONS.values()),
        )
    if order.reason and order.reason not in REASONS:
        raise StockError("reason", "that reason is not on the list", hint=", ".join(REASONS))
    if (action is Action.MOVE) != bool(order.to) or (order.to and order.to == order.at):
        raise StockError(
            "place",
            "a move goes from one place to another, everything else stays at its place",
            hint="--at and, for a move, --to",
        )


def _pieces(kind: Kind, order: Order) -> Range:
    if order.first:
        if (
            order.count
            and order.count != (found := parse_range(kind, order.first, order.last)).size
        ):
            raise StockError(
                "count",
                f"{order.count} pieces were named, the numbers are of {found.size}",
                hint="count again",
                zh=f"数量{order.count}与号码段{found.size}不符：请重新清点",
            )
        return parse_range(kind, order.first, order.last)
    if kind.numbered:
        raise StockError(
            "number",
            f"{kind.name} is kept by number",
            hint="--first and --last",
            zh=f"{kind.zh}按编号管理：请填写起止号码",
        )
    if not 0 < order.count <= MOST:
        raise StockError("count", f"a move is of 1 to {MOST} pieces", hint="--count")
    return Range("", 1, order.count, 0)


def _before(rule: Rule, *, spoilt: bool) -> State | None:
    if not rule.before:
        return None
    return State.SPOILT if spoilt and State.SPOILT in rule.before else rule.before[0]
