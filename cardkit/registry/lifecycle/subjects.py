"""Acts on applications and on temporary cards: one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Table, insert, literal, select, update

from cardkit.codec.numbers import TEMPORARY_PREFIX
from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle.bookkeeping import Bookkeeper, Move
from cardkit.registry.lifecycle.errors import NotAllowedError
from cardkit.registry.lifecycle.judging import Judge, Where
from cardkit.registry.lifecycle.many import block
from cardkit.registry.lifecycle.reach import elsewhere, reach_of
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.numbering import card_number
from cardkit.registry.operators.approvals import Approvals
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.schema.base import metadata
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.life import acts, temporary_cards, temporary_loans
from cardkit.registry.states import DEAD
from cardkit.registry.stock.automatic import TemporaryStock


class Found(NamedTuple):
    """An application or a temporary card, and the person it is about."""

    state: str
    person_id: int | None
    address: str = ""


class OtherActs:
    """The acts on whatever is no card record."""

    def __init__(self, books: Books, rules: RuleSet, approvals: Approvals) -> None:
        self._books = books
        self._rules = rules
        self._approvals = approvals
        self._keeper = Bookkeeper(books)
        self._stock = TemporaryStock(books)

    def do(self, connection: Connection, request: Request, operator: Operator) -> Act:
        """Judge, change the state, write it down.

        Raises
        ------
        NotAllowedError, OutOfOrderError
            It is refused; whatever the transaction changed before has to be rolled back.
        """
        now = self._books.store.now()
        kind = self._rules.of_action(request.action)[0].subject
        found = self.find(connection, kind, request.subject)
        judge = Judge(self._rules, request, operator)
        rule = judge.transition(request.subject, Where(kind, found.state))
        self._check_others(connection, request, rule, operator)
        if kind == "application":
            reach = reach_of(connection, self._rules, operator)
            if not reach.reaches_address(connection, rule.roles, found.address):
                raise elsewhere()
        approver = self._approve(connection, request, rule, operator)
        day = self._rules.calendar.day_of(now)
        days = rule.working_days or rule.days
        due = self._rules.calendar.due(day, days, working=bool(rule.working_days)) if days else None
        move = Move(
            rule, request.subject, None, found.person_id, found.state, rule.target,
            fee=rule.fee, due=due.isoformat() if due else "",
        )  # fmt: skip
        if kind == "temporary":
            move = self._lend(connection, now, request, move)
        table = _table(kind)
        change = {"state": rule.target} | ({"changed_at": now} if "changed_at" in table.c else {})
        connection.execute(update(table).where(table.c.id == request.subject).values(**change))
        (act,) = self._keeper.write(
            connection, now, [move], request, operator, approver=approver, day=day.isoformat()
        )
        if kind == "temporary":
            serial = connection.execute(
                select(temporary_cards.c.serial).where(temporary_cards.c.id == request.subject)
            ).scalar_one()
            self._stock.follow(
                connection, serial, rule.target, act=act.act_id, operator=operator.login
            )
        return act

    def find(self, connection: Connection, kind: str, number: int) -> Found:
        """The state of a subject, and whose it is."""
        table = _table(kind)
        address = table.c.address if "address" in table.c else literal("")
        row = connection.execute(select(table.c.state, address).where(table.c.id == number)).first()
        if row is None:
            what = "application" if kind == "application" else "temporary card"
            raise RegistryError(
                f"the registry has no {what} {number}",
                hint="give the number of the record",
                zh=f"登记库没有这个编号（{number}）：请核对",
            )
        person = None
        if kind == "temporary":
            query = select(temporary_loans.c.person).where(
                temporary_loans.c.temporary_card == number, temporary_loans.c.back_at == ""
            )
            person = connection.execute(query).scalar()
        return Found(row[0], person, row[1])

    def _approve(
        self, connection: Connection, request: Request, rule: Transition, operator: Operator
    ) -> str:
        if not rule.second or request.approval is None:
            return ""
        return self._approvals.use(
            connection,
            request.approval,
            action=request.action,
            subject=request.subject,
            operator=operator,
        ).decided_by

    def _check_others(
        self, connection: Connection, request: Request, rule: Transition, operator: Operator
    ) -> None:
        """Whoever did one step must not do the other that checks it."""
        if not rule.not_by:
            return
        query = select(acts.c.id).where(
            acts.c.subject == rule.subject,
            acts.c.subject_id == request.subject,
            acts.c.action.in_(rule.not_by),
            acts.c.operator == operator.login,
            acts.c.result == "done",
        )
        if connection.execute(query.limit(1)).first() is not None:
            raise NotAllowedError(
                "same-person",
                f"{rule.action} is for somebody who did not work on it before",
                hint="let another person do it",
                zh=f"{rule.zh}不能由经办同一业务的人办理：请换人",
            )

    def stock_pool(self, connection: Connection, serials: Iterable[str], by: Operator) -> list[int]:
        """Put temporary cards into the pool; returns their numbers."""
        if not by.has(Role.WINDOW, Role.COUNTY):
            raise NotAllowedError("role", "the pool is kept by a window", zh="备用临时卡由窗口管理")
        now = self._books.store.now()
        given = list(serials)
        _refuse_known(connection, given)
        first = block(self._books.counters, connection, temporary_cards.name, len(given))
        for number, serial in enumerate(given, first):
            connection.execute(
                insert(temporary_cards).values(
                    id=number, serial=serial, state="pool", place=by.place, changed_at=now
                )
            )
        journal = self._books.journal.by(by.login)
        journal.append(connection, now, Event("temporary-pool", detail={"count": len(given)}))
        return list(range(first, first + len(given)))

    # -- temporary cards ------------------------------------------------------------------------

    def _lend(self, connection: Connection, now: str, request: Request, move: Move) -> Move:
        """Open or close the loan that goes with the move; a deposit is taken or given back."""
        rule = move.rule
        if rule.target == "out":
            person = self._borrower(connection, request)
            self._open_loan(connection, now, request.subject, person, rule, move.due)
            return move._replace(person_id=person, deposit=rule.deposit)
        loan = select(temporary_loans.c.id, temporary_loans.c.deposit).where(
            temporary_loans.c.temporary_card == request.subject, temporary_loans.c.back_at == ""
        )
        row = connection.execute(loan).first()
        if row is None:
            return move
        connection.execute(
            update(temporary_loans)
            .where(temporary_loans.c.id == row[0])
            .values(back_at=now, ended=rule.target)
        )
        return move._replace(deposit=-row[1] if rule.deposit_end == "give-back" else 0)

    def _borrower(self, connection: Connection, request: Request) -> int:
        text = request.details.get("person", "")
        query = select(people.c.id).where(people.c.id == (int(text) if text.isdecimal() else 0))
        person = connection.execute(query).scalar()
        if person is None:
            raise UsageError(
                "who borrows the temporary card?",
                hint="give the number of the person",
                zh="请指明借用临时卡的人",
            )
        card = select(cards.c.id).where(cards.c.person == person, cards.c.state.not_in(DEAD))
        if connection.execute(card.limit(1)).first() is None:
            raise NotAllowedError(
                "no-card",
                "this person has no card and none is planned",
                hint="a temporary card bridges the time until the next one: plan that first",
                zh="此人没有有效的卡，也没有待制的卡：不能借用临时卡",
            )
        has = select(temporary_loans.c.id).where(
            temporary_loans.c.person == person, temporary_loans.c.back_at == ""
        )
        if connection.execute(has).first() is not None:
            raise NotAllowedError(
                "has-one",
                "this person has a temporary card",
                hint="it has to come back first",
                zh="此人已借用一张临时卡：请先归还",
            )
        return int(person)

    def _open_loan(
        self,
        connection: Connection,
        now: str,
        card: int,
        person: int,
        rule: Transition,
        due: str,
    ) -> None:
        running = self._books.counters.draw(connection, "temporary_number")
        connection.execute(
            insert(temporary_loans).values(
                id=self._books.counters.draw(connection, temporary_loans.name),
                temporary_card=card,
                number=card_number(TEMPORARY_PREFIX, running),  # terminals check it like any other
                person=person,
                deposit=rule.deposit,
                out_at=now,
                due=due,
            )
        )


def _refuse_known(connection: Connection, serials: list[str]) -> None:
    """Refuse serials that the pool has, or that are given twice."""
    query = select(temporary_cards.c.serial).where(temporary_cards.c.serial.in_(serials))
    known = set(connection.execute(query).scalars())
    known |= {serial for serial in serials if serials.count(serial) > 1}
    if known:
        names = ", ".join(sorted(known))
        raise RegistryError(
            f"the pool has {names} already, or it is given twice",
            hint="leave it out; none of them was added",
            zh=f"临时卡 {names} 已登记或重复：请去掉后重新办理（本次均未登记）",
        )


def _table(kind: str) -> Table:
    if kind == "temporary":
        return temporary_cards
    return metadata.tables["applications"]
