"""The life of cards: `Lifecycle` does what the table of transitions allows, and nothing else.

A refused attempt changes nothing, and is written down in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, select

from cardkit.errors import CardkitError, UsageError
from cardkit.registry.attempts import attempted
from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError, UnknownCardError
from cardkit.registry.lifecycle.bookkeeping import Bookkeeper, Move
from cardkit.registry.lifecycle.cardacts import CardActs
from cardkit.registry.lifecycle.chips import ChipBook
from cardkit.registry.lifecycle.errors import NotAllowedError
from cardkit.registry.lifecycle.judging import legal
from cardkit.registry.lifecycle.kinds import outgrown_before
from cardkit.registry.lifecycle.lapsing import Lapsing
from cardkit.registry.lifecycle.pool import Loan, loans_of
from cardkit.registry.lifecycle.requests import (
    NONE_EACH,
    NONE_SINCE,
    NOTHING,
    Act,
    Appearance,
    BulkResult,
    Request,
)
from cardkit.registry.lifecycle.ruled import Refused
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import Standing, lapsed
from cardkit.registry.lifecycle.subjects import OtherActs
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.operators.accounts import Operators
from cardkit.registry.operators.approvals import Approvals
from cardkit.registry.operators.reasons import reason_code
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.states import DEAD

_ON_CARDS = ("card", "bank")


class _Undone(Exception):  # noqa: N818 - nothing went wrong
    """Takes back what was only tried."""


class Lifecycle:
    """What may be done with cards, applications and temporary cards.

    Parameters
    ----------
    books : Books
    rules : RuleSet
        From `cardkit.registry.lifecycle.load`.
    """

    def __init__(self, books: Books, rules: RuleSet) -> None:
        self.rules = rules
        self.people = Operators(books, rules.operators)
        self.approvals = Approvals(books, rules=rules.operators, approvers=rules.approvers())
        self._books = books
        self.chips = ChipBook(books, rules, self.people)
        self._cards = CardActs(books, rules, self.approvals)
        self._others = OtherActs(books, rules, self.approvals)
        self._lapsing = Lapsing(books)
        self._keeper = Bookkeeper(books)

    # -- one ------------------------------------------------------------------------------------

    def perform(self, request: Request) -> Act:
        """Do one act, durably; or refuse it, and keep that it was asked for.

        Raises
        ------
        NotAllowedError
            Role, second person, appearance, papers or channel are not those of the rule.
        OutOfOrderError
            The state does not allow it; the error names what it allows.
        """
        with self.attempt(request) as connection:
            return self.perform_in(connection, request)

    def check(self, request: Request) -> None:
        """Judge a request as `perform` does and raise what it raises, but do nothing.

        For acts that touch a chip: nothing is asked of it before the rules allow the act.
        """
        with suppress(_Undone), self.attempt(request) as connection:
            self.perform_in(connection, request)
            raise _Undone

    @contextmanager
    def attempt(self, request: Request) -> Iterator[Connection]:
        """A transaction for a room that does more than the act: a refusal is kept all the same."""
        try:
            with self._books.store.writing() as connection:
                yield connection
        except (NotAllowedError, RegistryError) as error:
            if code := getattr(error, "code", ""):
                self._keep_refusal(request, str(code))
            raise

    def perform_in(self, connection: Connection, request: Request) -> Act:
        """The same as `perform` inside a transaction that `attempt` began."""
        operator = self.people.current(connection, request.operator.login)
        asked = self._with_second(connection, _with_code(request), operator)
        act = self._one(connection, asked, operator)
        if asked.approval is not None and request.second is not None:
            self.approvals.take_back_in(connection, asked.approval)
        return act

    def _one(self, connection: Connection, request: Request, operator: Operator) -> Act:
        if self.rules.of_action(request.action)[0].subject not in _ON_CARDS:
            return self._others.do(connection, request, operator)
        outcome = self._cards.do(connection, request, [request.subject], operator)
        if outcome.refused:
            raise outcome.refused[0][2]
        return outcome.acts[0]

    def _with_second(self, connection: Connection, request: Request, operator: Operator) -> Request:
        """The request with the approval of a second person who is here, where one is wanted."""
        wanted = any(rule.second for rule in self.rules.of_action(request.action))
        if request.second is None or request.approval is not None or not wanted:
            return request
        granted = self.approvals.on_the_spot_in(
            connection, request.action, request.subject, operator=operator, second=request.second
        )
        return replace(request, approval=granted.number)

    # -- many -----------------------------------------------------------------------------------

    def perform_many(  # noqa: PLR0913 - what a request has
        self,
        action: str,
        card_ids: Iterable[int],
        *,
        operator: Operator,
        appearance: Appearance,
        approval: int | None = None,
        channel: str = "file",
        reason: str = "",
        details: Mapping[str, str] = NOTHING,
        each: Mapping[int, Mapping[str, str]] = NONE_EACH,
    ) -> BulkResult:
        """Do one action on many cards in one transaction; those that are refused stay as they are.

        Parameters
        ----------
        details, each : mapping
            What the action needs: for all of them, and by card record.

        Raises
        ------
        NotAllowedError
            The person may not work, or the approval is for something else: nothing was done.
        """
        wanted = list(card_ids)
        request = Request(
            action, wanted[0] if wanted else 0, operator, appearance, approval, channel, reason,
            details, each,
        )  # fmt: skip
        with self.attempt(request) as connection:
            return self._many(connection, request, wanted)

    def perform_many_in(  # noqa: PLR0913 - as `perform_many`, and where
        self,
        connection: Connection,
        action: str,
        card_ids: Iterable[int],
        *,
        operator: Operator,
        appearance: Appearance,
        approval: int | None = None,
        channel: str = "file",
        reason: str = "",
        details: Mapping[str, str] = NOTHING,
        each: Mapping[int, Mapping[str, str]] = NONE_EACH,
        since: Mapping[int, str] = NONE_SINCE,
        lot: int = 0,
    ) -> BulkResult:
        """The same as `perform_many` inside another transaction; `since`, `lot`: see `Request`."""
        wanted = list(card_ids)
        request = Request(
            action, wanted[0] if wanted else 0, operator, appearance, approval, channel, reason,
            details, each, since=since, lot=lot,
        )  # fmt: skip
        return self._many(connection, request, wanted)

    def _many(
        self, connection: Connection, request: Request, card_ids: Sequence[int]
    ) -> BulkResult:
        if self.rules.of_action(request.action)[0].subject not in _ON_CARDS:
            raise UsageError(f"{request.action} is not done on many cards at once")
        operator = self.people.current(connection, request.operator.login)
        request = _with_code(request)
        outcome = self._cards.do(connection, request, card_ids, operator)
        self._note_refused(connection, request, outcome.refused, operator)
        refused = [(card_id, error.message) for card_id, _, error in outcome.refused]
        return BulkResult(len(outcome.acts), refused)

    # -- questions ------------------------------------------------------------------------------

    def standing(self, card_id: int) -> Standing:
        """Where a card stands on both sides now; what has lapsed counts no more.

        Raises
        ------
        UnknownCardError
            There is no such record.
        """
        with self._books.store.reading() as connection:
            found = self._cards.standings(connection, [card_id])
        if card_id not in found:
            raise UnknownCardError(card_id)
        return lapsed(found[card_id], self._books.store.now())

    def legal(self, card_id: int) -> list[Transition]:
        """What may be done with a card now, on either side of it."""
        at = self.standing(card_id)
        return list(legal(self.rules, at.state, at.bank_state))

    def outgrown(self, day: date | None = None) -> list[int]:
        """Cards of a kind that their holders have grown out of (monthly change of kind)."""
        on = day or self._rules_day()
        found: list[int] = []
        with self._books.store.reading() as connection:
            for kind in self.rules.kinds.values():
                limit = outgrown_before(kind, on)
                if not kind.next or not limit:
                    continue
                query = (
                    select(cards.c.id)
                    .join_from(cards, people, cards.c.person == people.c.id)
                    .where(
                        cards.c.kind == kind.code,
                        cards.c.state.not_in(DEAD),
                        people.c.birth_date != "",
                        people.c.birth_date <= limit,
                    )
                )
                found += connection.execute(query.order_by(cards.c.id)).scalars()
        return found

    # -- what happens by itself -----------------------------------------------------------------

    def lapse(self) -> int:
        """Write down every temporary loss that has run out; returns how many cards."""
        with self._books.store.writing() as connection:
            return self._lapsing.all(connection, self._books.store.now())

    def chip_done(self, act_id: int, *, operator: Operator) -> None:
        """Somebody says that the chip now is as an act wanted it; see `ChipBook.done`."""
        self.chips.done(act_id, operator=operator)

    def loans(self, number: int) -> list[Loan]:
        """The loans of a temporary card, newest first."""
        return loans_of(self._books, number)

    def stock_pool(self, serials: Iterable[str], *, operator: Operator) -> list[int]:
        """Put temporary cards into the pool, by the serials printed on them."""
        with (
            attempted(self._books, operator, "temporary-pool"),
            self._books.store.writing() as connection,
        ):
            by = self.people.current(connection, operator.login)
            return self._others.stock_pool(connection, serials, by)

    # -- refusals -------------------------------------------------------------------------------

    def _keep_refusal(self, request: Request, code: str) -> None:
        """Write a refused attempt down; the transaction that it broke is gone."""
        with self._books.store.writing() as connection:
            now = self._books.store.now()
            rule = self.rules.of_action(request.action)[0]
            if rule.subject in _ON_CARDS:
                at = self._cards.standings(connection, [request.subject]).get(request.subject)
                move = _refused_move(rule, request.subject, at)
            else:
                try:
                    state, person, _ = self._others.find(connection, rule.subject, request.subject)
                except RegistryError:  # an application that was never taken
                    state, person = "", None
                move = Move(rule, request.subject, None, person, state, state)
            self._keeper.write_refusals(
                connection, now, [(move, code)], request, request.operator.login,
                request.operator.place,
            )  # fmt: skip

    def _note_refused(
        self,
        connection: Connection,
        request: Request,
        refused: Sequence[Refused],
        operator: Operator,
    ) -> None:
        rule = self.rules.of_action(request.action)[0]
        told = [
            (_refused_move(rule, card_id, at), _code(error))
            for card_id, at, error in refused
            if at is not None
        ]
        if told:
            now = self._books.store.now()
            self._keeper.write_refusals(
                connection, now, told, request, operator.login, operator.place
            )

    def _rules_day(self) -> date:
        return self.rules.calendar.day_of(self._books.store.now())


def _refused_move(rule: Transition, card_id: int, at: Standing | None) -> Move:
    if at is None:
        return Move(rule, card_id, None, None, "", "")
    state = at.bank_state if rule.subject == "bank" else at.state
    return Move(
        rule, card_id, card_id, at.person_id, state, state, at.state, at.state,
        at.bank_state, at.bank_state,
    )  # fmt: skip


def _with_code(request: Request) -> Request:
    """The request with the code of its reason; raises UsageError where that is no code."""
    code = reason_code(request.reason)
    return request if code == request.reason else replace(request, reason=code)


def _code(error: CardkitError) -> str:
    return str(getattr(error, "code", "unknown"))
