"""Corrections that comparisons propose [D17]: accepted through the lifecycle, or declined."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from cardkit.registry.books import Books
from cardkit.registry.exchange.errors import ExchangeError
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.exchange.refusals import kept_refusals
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle import Act, Appearance, Lifecycle, Request
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.cards import people
from cardkit.registry.schema.exchange import proposals

OPEN, ACCEPTED, DECLINED = "open", "accepted", "declined"
ACTION = "change-data"
"""What the lifecycle does when a proposal is accepted; it needs a second person."""

REASONS = {
    "ours-right": "登记库数据正确",
    "other-person": "不是同一人",
    "holder-asked": "须由本人提供材料",
    "corrected-already": "已另行更正",
}
"""Why a proposal is declined."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One field of one person in which a list differs from the registry.

    Parameters
    ----------
    wins : str
        ``theirs`` (the police's data), or ``check``.
    why : str
        Of one that was declined, one of `REASONS`.
    """

    id: int
    batch: int
    person: int
    card: int | None
    field: str
    ours: str = dataclasses.field(repr=False)
    theirs: str = dataclasses.field(repr=False)
    source: str
    wins: str
    state: str
    decided_by: str
    decided_at: str
    why: str

    def as_json(self) -> dict[str, object]:
        """For programs; what differs is personal."""
        return {name: getattr(self, name) for name in self.__slots__}


class Proposals:
    """The proposals of one registry."""

    def __init__(self, books: Books, exchange: Exchange) -> None:
        self._books = books
        self._exchange = exchange

    def all(
        self, state: str = "", *, batch: int | None = None, limit: int | None = None
    ) -> list[Proposal]:
        """Proposals in their order.

        Parameters
        ----------
        state : str
            ``open``, ``accepted``, ``declined``, or ``''`` for any.
        """
        query = select(proposals).order_by(proposals.c.id).limit(limit)
        if state:
            query = query.where(proposals.c.state == state)
        if batch is not None:
            query = query.where(proposals.c.batch == batch)
        with self._books.store.reading() as connection:
            return [Proposal(*row) for row in connection.execute(query)]

    def get(self, number: int) -> Proposal:
        """The proposal of that number.

        Raises
        ------
        ExchangeError
            There is none.
        """
        with self._books.store.reading() as connection:
            return _find(connection, number)

    def accept(
        self, number: int, *, life: Lifecycle, operator: Operator, approval: int | None
    ) -> Act:
        """Take the other side's value over: a change of data, which keeps what it corrects.

        Parameters
        ----------
        approval : int
            Granted by a second person for ``change-data`` of the card.

        Raises
        ------
        ExchangeError
            It was decided already, or the record is not any more what was compared.
        ExchangeRefusedError, NotAllowedError, OutOfOrderError
            No right, no approval; the lifecycle does not allow it.
        """
        books = self._books.by(operator.login)
        with kept_refusals(books, proposal=number):
            self._exchange.check_right(operator)
        found = self.get(number)
        _check_changeable(life, found)
        request = Request(
            ACTION,
            found.card or 0,
            operator,
            Appearance(),
            approval,
            "file",
            f"proposal-{number}",
            {found.field: found.theirs},
        )
        with life.attempt(request) as connection:
            found = _undecided(connection, number)
            _check_unchanged(connection, found)
            act = life.perform_in(connection, request)
            self._decide(connection, books, found, ACCEPTED, operator, act=act.act_id)
        return act

    def decline(self, number: int, *, why: str, operator: Operator) -> None:
        """Keep the registry's value.

        Parameters
        ----------
        why : str
            One of `REASONS`.

        Raises
        ------
        ExchangeError
            It was decided already.
        ExchangeRefusedError
            No right.
        """
        if why not in REASONS:
            raise ValueError(f"no reason {why!r}")
        books = self._books.by(operator.login)
        with kept_refusals(books, proposal=number), books.store.writing() as connection:
            self._exchange.check_right(operator)
            found = _undecided(connection, number)
            self._decide(connection, books, found, DECLINED, operator, why=why)

    def _decide(
        self,
        connection: Connection,
        books: Books,
        found: Proposal,
        state: str,
        operator: Operator,
        **more: str | int,
    ) -> None:
        now = books.store.now()
        connection.execute(
            update(proposals)
            .where(proposals.c.id == found.id)
            .values(
                state=state,
                decided_by=operator.login,
                decided_at=now,
                why=str(more.get("why", "")),
            )
        )
        detail: dict[str, str | int | list[str]] = {
            "batch": found.batch,
            "field": found.field,
            "proposal": found.id,
            **more,
        }
        event = Event(f"proposal-{state}", person_id=found.person, detail=detail)
        books.journal.append(connection, now, event)


def _find(connection: Connection, number: int) -> Proposal:
    row = connection.execute(select(proposals).where(proposals.c.id == number)).first()
    if row is None:
        raise ExchangeError(
            f"there is no proposal {number}",
            hint="`cardkit registry exchange proposals list` shows them",
            zh=f"没有第{number}号更正建议",
        )
    return Proposal(*row)


def _undecided(connection: Connection, number: int) -> Proposal:
    found = _find(connection, number)
    if found.state != OPEN:
        raise ExchangeError(
            f"proposal {number} was {found.state} by {found.decided_by}",
            hint="what was decided stays; a new comparison proposes anew",
            zh=f"第{number}号更正建议已由 {found.decided_by} 处理",
        )
    return found


def _check_changeable(life: Lifecycle, found: Proposal) -> None:
    """Whether the rules of the place let anybody change that at all."""
    if found.field not in life.rules.settings["changeable"]:
        raise ExchangeError(
            f"the rules let nobody change the {found.field} of a record: it follows from the"
            " citizen number or the card",
            hint="let the other side look at its own record, then decline the proposal",
            zh=f"{found.field} 由身份证号码或卡决定，不能变更：请与对方核对后不予采纳",
        )


def _check_unchanged(connection: Connection, found: Proposal) -> None:
    """Whether the record still says what was compared."""
    column = people.c.get(found.field)
    if column is None:  # of the card: the lifecycle says what cannot be changed
        return
    now = connection.execute(select(column).where(people.c.id == found.person)).scalar_one()
    if now != found.ours:
        raise ExchangeError(
            f"the {found.field} of the record was changed since the comparison",
            hint="decline the proposal (corrected-already); a new comparison proposes anew",
            zh="比对之后登记数据已有更改：请以“已另行更正”不予采纳",
        )
