"""Acts on cards, one or a county of them, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from cardkit.registry.books import Books
from cardkit.registry.errors import RegistryError, UnknownCardError
from cardkit.registry.lifecycle.bookkeeping import Bookkeeper, Move
from cardkit.registry.lifecycle.effects import Effects, chunks
from cardkit.registry.lifecycle.errors import NotAllowedError, OutOfOrderError
from cardkit.registry.lifecycle.judging import Judge, Where
from cardkit.registry.lifecycle.lapsing import Lapsing, save
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import STANDING, Standing, moved
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.operators.approvals import Approvals
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.life import acts
from cardkit.registry.states import DEAD
from cardkit.registry.store import instant

_DEAD = frozenset(state.value for state in DEAD)

Refused = tuple[int, Standing | None, RegistryError]
"""Card, its standing (None: there is no such record), and why."""


@dataclass(slots=True)
class Outcome:
    """What came of a request."""

    acts: list[Act] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A card, the rule that applies to it, and where that leads."""

    at: Standing
    rule: Transition
    after: Standing


class CardActs:
    """The acts on cards and on the bank's side of them."""

    def __init__(self, books: Books, rules: RuleSet, approvals: Approvals) -> None:
        self._books = books
        self._rules = rules
        self._approvals = approvals
        self._effects = Effects(books, rules)
        self._keeper = Bookkeeper(books)
        self._lapsing = Lapsing(books)

    def do(
        self, connection: Connection, request: Request, card_ids: Sequence[int], operator: Operator
    ) -> Outcome:
        """Judge every card, and do what may be done.

        Raises
        ------
        NotAllowedError
            The approval is not for this.
        """
        now = self._books.store.now()
        outcome = Outcome()
        standings = self.standings(connection, card_ids)
        standings |= self._lapsing.settle(connection, now, standings.values())
        judge = Judge(self._rules, request, operator)
        ruled = self._judge(connection, now, judge, card_ids, standings, outcome)
        if not ruled:
            return outcome
        approver = ""
        if request.approval is not None and any(one.rule.second for one in ruled):
            approver = self._approvals.use(
                connection,
                request.approval,
                action=request.action,
                subject=card_ids,
                operator=operator,
            ).decided_by
        outcome.acts = self._carry_out(connection, now, request, ruled, operator, approver)
        return outcome

    def standings(self, connection: Connection, card_ids: Sequence[int]) -> dict[int, Standing]:
        """The cards as their rows say, without those that do not exist."""
        found: dict[int, Standing] = {}
        for some in chunks(card_ids):
            for row in connection.execute(STANDING.where(cards.c.id.in_(some))):
                found[row[0]] = Standing(*row)
        return found

    # -- judging --------------------------------------------------------------------------------

    def _judge(
        self,
        connection: Connection,
        now: str,
        judge: Judge,
        card_ids: Sequence[int],
        standings: Mapping[int, Standing],
        outcome: Outcome,
    ) -> list[Ruled]:
        subject = self._rules.of_action(judge.request.action)[0].subject
        agent = self._person_of_agent(connection, judge.request)
        cached: dict[tuple[str, str], tuple[Transition, str]] = {}
        ruled: list[Ruled] = []
        for card_id in dict.fromkeys(card_ids):
            at = standings.get(card_id)
            if at is None:
                outcome.refused.append((card_id, None, UnknownCardError(card_id)))
                continue
            states = (at.state, at.bank_state)
            try:
                if at.person_id == agent:
                    raise _agent_is_holder()
                if states not in cached:
                    state = at.bank_state if subject == "bank" else at.state
                    rule = judge.transition(card_id, Where(subject, state, *states))
                    cached[states] = rule, lapse_of(rule, now)
            except (NotAllowedError, OutOfOrderError) as error:
                outcome.refused.append((card_id, at, error))
                continue
            rule, lapses_at = cached[states]
            ruled.append(Ruled(at, rule, moved(at, rule, lapses_at)))
        return ruled

    def _person_of_agent(self, connection: Connection, request: Request) -> int | None:
        agent = request.appearance.agent
        if agent is None:
            return None
        query = select(people.c.id).where(people.c.citizen_number == agent.citizen_number)
        return connection.execute(query).scalar()

    # -- doing ----------------------------------------------------------------------------------

    def _carry_out(
        self,
        connection: Connection,
        now: str,
        request: Request,
        ruled: Sequence[Ruled],
        operator: Operator,
        approver: str,
    ) -> list[Act]:
        day = self._rules.calendar.day_of(now)
        changed = {
            one.at.card_id: self._effects.differences(connection, one.at, request)
            for one in ruled
            if one.rule.changes_data
        }
        moves, kinds = self._moves(connection, request, ruled, day)
        moves = [
            move._replace(follow_up=self._effects.follow_up(one.at, changed[one.at.card_id]))
            if one.rule.changes_data else move
            for one, move in zip(ruled, moves, strict=True)
        ]  # fmt: skip
        save(connection, now, [(one.at, one.after) for one in ruled], request.reason)
        done = self._keeper.write(
            connection, now, moves, request, operator, approver=approver, day=day.isoformat()
        )
        for one, act in zip(ruled, done, strict=True):
            if one.rule.changes_data:
                self._effects.change_data(
                    connection, one.at, act, changed[one.at.card_id],
                    source=request.channel, actor=operator.login,
                )  # fmt: skip
            if one.rule.opens_account:
                self._effects.open_account(connection, now, one.at, request)
        self._follow(connection, now, ruled)
        made = [
            (one.at, act, kinds[one.at.card_id])
            for one, act in zip(ruled, done, strict=True)
            if act.new_card is not None
        ]
        self._effects.add_cards(connection, now, made, request, operator.login)
        return done

    def _moves(
        self, connection: Connection, request: Request, ruled: Sequence[Ruled], day: date
    ) -> tuple[list[Move], dict[int, str]]:
        following = [one.at for one in ruled if one.rule.new_card]
        new_card, kinds = 0, {}
        if following:
            new_card = self._effects.reserve_cards(connection, len(following))
            kinds = self._effects.kinds(connection, following, request, day)
        served = self._served(connection, request.action, ruled)
        moves: list[Move] = []
        due: dict[str, str] = {}
        for one in ruled:
            rule = one.rule
            if rule.name not in due:
                due[rule.name] = self.due(rule, day)
            free = rule.first_free and one.at.person_id not in served
            move = _move(one)._replace(
                fee=0 if free else rule.fee, waived=rule.fee if free else 0, due=due[rule.name]
            )
            if rule.new_card:
                move = move._replace(new_card=new_card)
                new_card += 1
            moves.append(move)
        return moves, kinds

    def due(self, rule: Transition, day: date) -> str:
        """The day by which something has to follow, or ``''``."""
        days = rule.working_days or rule.days
        if not days:
            return ""
        calendar = self._rules.calendar
        return calendar.due(day, days, working=bool(rule.working_days)).isoformat()

    def _served(
        self, connection: Connection, action: str, ruled: Sequence[Ruled]
    ) -> frozenset[int]:
        """People for whom the same was done before, where the first time is free."""
        persons = [one.at.person_id for one in ruled if one.rule.first_free]
        found: set[int] = set()
        for some in chunks(persons):
            query = select(acts.c.person).where(
                acts.c.action == action, acts.c.result == "done", acts.c.person.in_(some)
            )
            found.update(connection.execute(query).scalars())
        return frozenset(found)

    def _follow(self, connection: Connection, now: str, ruled: Sequence[Ruled]) -> None:
        """What hangs on the cards goes where they went."""
        dead = [one.at.card_id for one in ruled if one.after.state in _DEAD]
        self._effects.retire_chips(connection, dead)
        banks: dict[str, list[int]] = {}
        relations: dict[str, list[int]] = {}
        for one in ruled:
            if one.at.bank_state != one.after.bank_state:
                banks.setdefault(one.after.bank_state, []).append(one.at.card_id)
            if one.rule.insurance:
                relations.setdefault(one.rule.insurance, []).append(one.at.person_id)
        for state, card_ids in banks.items():
            self._effects.follow_bank(connection, now, card_ids, state)
        for state, persons in relations.items():
            self._effects.end_insurance(connection, now, persons, state)


def lapse_of(rule: Transition, now: str) -> str:
    """Instant at which what is done now lapses, or ``''``."""
    if not rule.lapse_days:
        return ""
    then = datetime.fromisoformat(now) + timedelta(days=rule.lapse_days)
    return instant(lambda: then)


def _move(one: Ruled) -> Move:
    at, after, rule = one.at, one.after, one.rule
    bank = rule.subject == "bank"
    return Move(
        rule=rule,
        subject=at.card_id,
        card_id=at.card_id,
        person_id=at.person_id,
        from_state=at.bank_state if bank else at.state,
        to_state=after.bank_state if bank else after.state,
        card_from=at.state,
        card_to=after.state,
        bank_from=at.bank_state,
        bank_to=after.bank_state,
        lapses_at=_lapses(after, bank=bank) if rule.lapse_days else "",
    )


def _lapses(after: Standing, *, bank: bool) -> str:
    return after.bank_lapses_at if bank else after.lapses_at


def _agent_is_holder() -> NotAllowedError:
    return NotAllowedError(
        "agent",
        "the agent is the holder",
        hint="let the holder appear, or name another person",
        zh="代办人与持卡人是同一人：请按本人办理",
    )
