"""What is written down about acts: the table ``acts``, the history, money, agents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.lifecycle.many import block
from cardkit.registry.lifecycle.requests import Act, Agent, Request
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.life import acts, agents, charges
from cardkit.registry.statements import Statement, Value

_ACT = tuple(column.name for column in acts.c)
_CHARGE = tuple(column.name for column in charges.c)
_ROWS = 10_000

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Move(NamedTuple):
    """One subject, and what an act makes of it."""

    rule: Transition
    subject: int
    card_id: int | None
    person_id: int | None
    from_state: str  # of the subject
    to_state: str
    card_from: str | None = None  # of the card, for the history
    card_to: str | None = None
    bank_from: str = ""
    bank_to: str = ""
    fee: int = 0
    waived: int = 0
    deposit: int = 0
    due: str = ""
    lapses_at: str = ""
    new_card: int | None = None
    follow_up: str = ""


class Bookkeeper:
    """Writes acts down, many at a time."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._add_acts = Statement(insert(acts).inline(), _ACT)
        self._add_charges = Statement(insert(charges).inline(), _CHARGE)

    def agent(self, connection: Connection, now: str, agent: Agent | None) -> int | None:
        """Number of the agent in the books; the same person with the same data has one."""
        if agent is None:
            return None
        known = (agent.name, agent.citizen_number, agent.phone, agent.relation)
        names = ("name", "citizen_number", "phone", "relation")
        same = (agents.c[name] == value for name, value in zip(names, known, strict=True))
        found = connection.execute(select(agents.c.id).where(*same)).scalar()
        if found is not None:
            return int(found)
        number = self._books.counters.draw(connection, agents.name)
        values = dict(zip(names, known, strict=True))
        connection.execute(insert(agents).values(id=number, seen_at=now, **values))
        return number

    def write(
        self,
        connection: Connection,
        now: str,
        moves: Sequence[Move],
        request: Request,
        operator: Operator,
        *,
        approver: str,
        day: str,
    ) -> list[Act]:
        """Acts, charges and history of moves that were made."""
        agent = self.agent(connection, now, request.appearance.agent)
        counters = self._books.counters
        first = block(counters, connection, acts.name, len(moves))
        with_receipt = [move for move in moves if move.rule.receipt]
        next_receipt = block(counters, connection, f"receipt:{day[:4]}", len(with_receipt))
        done: list[Act] = []
        for number, move in enumerate(moves, first):
            receipt = ""
            if move.rule.receipt:
                receipt = f"{day.replace('-', '')}{next_receipt:07d}"
                next_receipt += 1
            done.append(_act(number, now, move, request.action, receipt))
        rows = (
            _row(act, move, request, operator, approver=approver, agent=agent)
            for act, move in zip(done, moves, strict=True)
        )
        self._insert(connection, self._add_acts, rows)
        self._charge(connection, now, list(zip(done, moves, strict=True)))
        journal = self._books.journal.by(operator.login)
        journal.append_many(connection, now, _events(done, moves, request, approver))
        return done

    def write_refusals(
        self,
        connection: Connection,
        now: str,
        refused: Sequence[tuple[Move, str]],
        request: Request,
        actor: str,
        place: str = "",
    ) -> None:
        """Attempts that were refused, with the code of why; nothing else was changed.

        The agent is not kept: nothing was done for which that person has to be known.
        """
        first = block(self._books.counters, connection, acts.name, len(refused))
        operator = Operator(0, actor, "", frozenset(), place)
        rows = (
            _row(
                _act(number, now, move, request.action, ""),
                move, request, operator, approver="", agent=None, result=f"refused:{code}",
            )
            for number, (move, code) in enumerate(refused, first)
        )  # fmt: skip
        self._insert(connection, self._add_acts, rows)
        events = (
            Event(
                "refused",
                move.card_id,
                move.person_id,
                move.card_from,
                move.card_from,
                _encode(
                    {"act": number, "asked": request.action, "channel": request.channel}
                    | {"why": code}
                    | _subject(move)
                ),
            )
            for number, (move, code) in enumerate(refused, first)
        )
        self._books.journal.by(actor).append_many(connection, now, events)

    def _charge(self, connection: Connection, now: str, done: Sequence[tuple[Act, Move]]) -> None:
        money = [
            (act, move, kind, amount, state)
            for act, move in done
            for kind, amount, state in (
                ("fee", move.fee, "paid"),
                ("fee", move.waived, "waived"),
                ("deposit", max(move.deposit, 0), "paid"),
                ("refund", -min(move.deposit, 0), "paid"),
            )
            if amount
        ]
        first = block(self._books.counters, connection, charges.name, len(money))
        rows = (
            (number, act.act_id, move.card_id, move.person_id, kind, amount, state, "", now, now)
            for number, (act, move, kind, amount, state) in enumerate(money, first)
        )
        self._insert(connection, self._add_charges, rows)

    def _insert(
        self, connection: Connection, statement: Statement, rows: Iterable[tuple[Value, ...]]
    ) -> None:
        remaining = iter(rows)
        while chunk := list(islice(remaining, _ROWS)):
            statement.run_many(connection, chunk)


def _act(number: int, now: str, move: Move, action: str, receipt_number: str) -> Act:
    rule = move.rule
    return Act(
        act_id=number,
        instant=now,
        action=action,
        subject_kind=rule.subject,
        subject=move.subject,
        card_id=move.card_id,
        person_id=move.person_id,
        from_state=move.from_state,
        to_state=move.to_state,
        bank_from=move.bank_from,
        bank_to=move.bank_to,
        form=rule.form,
        receipt=rule.receipt,
        receipt_number=receipt_number,
        fee=move.fee,
        deposit=move.deposit,
        due=move.due,
        lapses_at=move.lapses_at,
        chip=rule.chip,
        new_card=move.new_card,
        follow_up=move.follow_up,
    )


def _row(
    act: Act,
    move: Move,
    request: Request,
    operator: Operator,
    *,
    approver: str,
    agent: int | None,
    result: str = "done",
) -> tuple[Value, ...]:
    """The values of ``acts`` in the order of its columns."""
    done = result == "done"
    return (
        act.act_id, act.instant, act.action, act.subject_kind, act.subject, move.card_id,
        move.person_id, act.from_state, act.to_state, act.bank_from, act.bank_to, operator.login,
        operator.place, request.approval, approver, request.appearance.who.value, agent,
        " ".join(sorted(request.appearance.papers)), act.form if done else "",
        act.receipt if done else "", act.receipt_number, act.fee, act.deposit, act.due,
        act.lapses_at, act.chip if done else "", "", request.channel, request.reason, result,
        act.new_card,
    )  # fmt: skip


def _events(
    done: Sequence[Act], moves: Sequence[Move], request: Request, approver: str
) -> Iterator[Event]:
    common: dict[str, Any] = {
        "appeared": request.appearance.who.value,
        "channel": request.channel,
    }
    if request.approval is not None:
        common |= {"approval": request.approval, "approver": approver}
    if request.reason:
        common["reason"] = request.reason
    tail = _encode(common)[1:]
    for act, move in zip(done, moves, strict=True):
        detail = f'{{"act":{act.act_id},{tail}'
        more = _more(act) | _subject(move)
        if more:
            detail = f"{detail[:-1]},{_encode(more)[1:]}"
        yield Event(act.action, move.card_id, move.person_id, move.card_from, move.card_to, detail)


def _more(act: Act) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if act.bank_from != act.bank_to:
        found |= {"bank_from": act.bank_from, "bank_to": act.bank_to}
    if act.lapses_at:
        found["lapses_at"] = act.lapses_at
    if act.new_card is not None:
        found["new_card"] = act.new_card
    return found


def _subject(move: Move) -> dict[str, Any]:
    """What an act on something else than a card was about."""
    kind = move.rule.subject
    if kind in ("card", "bank"):
        return {}
    return {"from": move.from_state, kind: move.subject, "to": move.to_state}
