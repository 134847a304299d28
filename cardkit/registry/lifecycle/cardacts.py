"""Acts on cards, one or a county of them, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select

from cardkit.registry.books import Books
from cardkit.registry.lifecycle.bookkeeping import Bookkeeper, Move
from cardkit.registry.lifecycle.datachange import Changed, Changes, DataChange
from cardkit.registry.lifecycle.dependents import Dependents
from cardkit.registry.lifecycle.errors import SameDataError
from cardkit.registry.lifecycle.hearing import Hearing
from cardkit.registry.lifecycle.lapsing import Lapsing, save
from cardkit.registry.lifecycle.many import among, chunks
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.ruled import Outcome, Ruled, move_of
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import STANDING, Standing
from cardkit.registry.lifecycle.succession import Succession
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.operators.approvals import Approvals
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.life import acts
from cardkit.registry.states import DEAD

_DEAD = frozenset(state.value for state in DEAD)


class CardActs:
    """The acts on cards and on the bank's side of them."""

    def __init__(self, books: Books, rules: RuleSet, approvals: Approvals) -> None:
        self._books = books
        self._rules = rules
        self._approvals = approvals
        self._succession = Succession(books, rules)
        self._dependents = Dependents(books)
        self._data = DataChange(books, rules)
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
        hearing = Hearing(self._rules, request, operator)
        ruled = hearing.hear(connection, now, card_ids, standings, outcome)
        changes = self._differences(connection, request, ruled, outcome)
        ruled = [one for one in ruled if not one.rule.changes_data or changes[one.at.card_id]]
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
        outcome.acts = self._carry_out(
            connection, now, request, ruled, operator=operator, approver=approver, changes=changes
        )
        return outcome

    def standings(self, connection: Connection, card_ids: Sequence[int]) -> dict[int, Standing]:
        """The cards as their rows say, without those that do not exist."""
        found: dict[int, Standing] = {}
        for some in chunks(card_ids):
            for row in connection.execute(STANDING.where(among(cards.c.id, some))):
                found[row[0]] = Standing(*row)
        return found

    # -- data changes ---------------------------------------------------------------------------

    def _differences(
        self,
        connection: Connection,
        request: Request,
        ruled: Sequence[Ruled],
        outcome: Outcome,
    ) -> Mapping[int, Changes]:
        """What data changes would change; useless or impossible ones are refused."""
        standings = [one.at for one in ruled if one.rule.changes_data]
        if not standings:
            return {}
        changes = self._data.differences(connection, standings, request)
        same = [at for at in standings if not changes[at.card_id]]
        outcome.refused.extend((at.card_id, at, SameDataError()) for at in same)
        wrong = self._data.problems(connection, changes, standings)
        outcome.refused.extend(
            (at.card_id, at, wrong[at.card_id]) for at in standings if at.card_id in wrong
        )
        return {card: {} if card in wrong else new for card, new in changes.items()}

    # -- doing ----------------------------------------------------------------------------------

    def _carry_out(
        self,
        connection: Connection,
        now: str,
        request: Request,
        ruled: Sequence[Ruled],
        *,
        operator: Operator,
        approver: str,
        changes: Mapping[int, Changes],
    ) -> list[Act]:
        day = self._rules.calendar.day_of(now)
        moves, kinds = self._moves(connection, request, ruled, day)
        moves = [
            move._replace(follow_up=self._data.follow_up(one.at, changes[one.at.card_id]))
            if one.rule.changes_data else move
            for one, move in zip(ruled, moves, strict=True)
        ]  # fmt: skip
        save(connection, now, [(one.at, one.after) for one in ruled], request.reason)
        done = self._keeper.write(
            connection, now, moves, request, operator, approver=approver, day=day.isoformat()
        )
        changed = [
            Changed(one.at, act, changes[one.at.card_id])
            for one, act in zip(ruled, done, strict=True)
            if one.rule.changes_data
        ]
        self._data.apply(connection, changed, source=request.channel, actor=operator.login)
        opened = [one.at for one in ruled if one.rule.opens_account]
        self._dependents.open_accounts(connection, now, opened, request)
        self._follow(connection, now, ruled)
        made = [
            (one.at, act, kinds[one.at.card_id])
            for one, act in zip(ruled, done, strict=True)
            if act.new_card is not None
        ]
        self._succession.plan(connection, now, made, request, operator.login)
        return done

    def _moves(
        self, connection: Connection, request: Request, ruled: Sequence[Ruled], day: date
    ) -> tuple[list[Move], dict[int, str]]:
        following = [one.at for one in ruled if one.rule.new_card]
        new_card, kinds = 0, {}
        if following:
            new_card = self._succession.reserve(connection, len(following))
            kinds = self._succession.kinds(connection, following, request, day)
        served = self._served(connection, request.action, ruled)
        moves: list[Move] = []
        due: dict[str, str] = {}
        for one in ruled:
            rule = one.rule
            if rule.name not in due:
                due[rule.name] = self.due(rule, day)
            free = rule.first_free and one.at.person_id not in served
            move = move_of(one)._replace(
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
                acts.c.action == action, acts.c.result == "done", among(acts.c.person, some)
            )
            found.update(connection.execute(query).scalars())
        return frozenset(found)

    def _follow(self, connection: Connection, now: str, ruled: Sequence[Ruled]) -> None:
        """What hangs on the cards goes where they went."""
        dead = [one.at.card_id for one in ruled if one.after.state in _DEAD]
        self._dependents.retire_chips(connection, dead)
        banks: dict[str, list[int]] = {}
        relations: dict[str, list[int]] = {}
        for one in ruled:
            if one.at.bank_state != one.after.bank_state:
                banks.setdefault(one.after.bank_state, []).append(one.at.card_id)
            if one.rule.insurance:
                relations.setdefault(one.rule.insurance, []).append(one.at.person_id)
        for state, card_ids in banks.items():
            self._dependents.follow_bank(connection, now, card_ids, state)
        for state, persons in relations.items():
            self._dependents.end_insurance(connection, now, persons, state)
