"""Which of some cards an act may be done to, by which rule, and why not to the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cardkit.registry.errors import UnknownCardError
from cardkit.registry.lifecycle.errors import InLotError, NotAllowedError, OutOfOrderError
from cardkit.registry.lifecycle.judging import Judge, Where
from cardkit.registry.lifecycle.many import among, chunks
from cardkit.registry.lifecycle.reach import elsewhere, reach_of
from cardkit.registry.lifecycle.requests import Request
from cardkit.registry.lifecycle.ruled import Outcome, Ruled, lapse_of
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import Standing, moved
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.operators.roles import Operator
from cardkit.registry.schema.cards import people
from cardkit.registry.schema.lots import lot_cards, lots
from cardkit.registry.states import State


@dataclass(frozen=True, slots=True)
class Hearing:
    """One request about some cards.

    Parameters
    ----------
    operator : Operator
        As the registry knows this person now.
    """

    rules: RuleSet
    request: Request
    operator: Operator

    def hear(
        self,
        connection: Connection,
        now: str,
        card_ids: Collection[int],
        standings: Mapping[int, Standing],
        outcome: Outcome,
    ) -> list[Ruled]:
        """The cards that it may be done to; the others are put to the refused of the outcome."""
        judge = Judge(self.rules, self.request, self.operator)
        subject = self.rules.of_action(self.request.action)[0].subject
        agent = self._person_of_agent(connection)
        known: dict[tuple[str, str], Transition] = {}
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
                if states not in known:
                    state = at.bank_state if subject == "bank" else at.state
                    known[states] = judge.transition(card_id, Where(subject, state, *states))
            except (NotAllowedError, OutOfOrderError) as error:
                outcome.refused.append((card_id, at, error))
                continue
            rule = known[states]
            since = min(now, self.request.since.get(card_id, now))
            ruled.append(Ruled(at, rule, moved(at, rule, lapse_of(rule, since))))
        ruled = self._within_reach(connection, ruled, outcome)
        return self._in_the_office(connection, ruled, outcome)

    def _within_reach(
        self, connection: Connection, ruled: list[Ruled], outcome: Outcome
    ) -> list[Ruled]:
        """Without the cards of people who belong to another place than whoever is bound to one."""
        if not ruled:
            return ruled
        reach = reach_of(connection, self.rules, self.operator)
        rules = {one.rule.name: one.rule for one in ruled}.values()
        bound = {rule.name for rule in rules if not reach.everywhere(rule.roles)}
        if not bound:
            return ruled
        persons = [one.at.person_id for one in ruled if one.rule.name in bound]
        away = reach.outside(connection, self.operator.roles - reach.free, persons)
        kept: list[Ruled] = []
        for one in ruled:
            if one.rule.name in bound and one.at.person_id in away:
                outcome.refused.append((one.at.card_id, one.at, elsewhere()))
            else:
                kept.append(one)
        return kept

    def _in_the_office(
        self, connection: Connection, ruled: list[Ruled], outcome: Outcome
    ) -> list[Ruled]:
        """Without cards to be handed out here that left in a lot; the lot itself hands them out."""
        given = [one.at.card_id for one in ruled if one.rule.target == State.HANDED_OUT]
        if not given or self.request.lot:
            return ruled
        away: dict[int, int] = {}
        for some in chunks(given):
            query = (
                select(lot_cards.c.card, lot_cards.c.lot)
                .join_from(lot_cards, lots, lots.c.id == lot_cards.c.lot)
                .where(lot_cards.c.open == 1, lots.c.state == "out", among(lot_cards.c.card, some))
            )
            away.update((row[0], row[1]) for row in connection.execute(query))
        outcome.refused.extend(
            (one.at.card_id, one.at, InLotError(one.at.card_id, away[one.at.card_id]))
            for one in ruled
            if one.at.card_id in away
        )
        return [one for one in ruled if one.at.card_id not in away]

    def _person_of_agent(self, connection: Connection) -> int | None:
        agent = self.request.appearance.agent
        if agent is None:
            return None
        query = select(people.c.id).where(people.c.citizen_number == agent.citizen_number)
        return connection.execute(query).scalar()


def _agent_is_holder() -> NotAllowedError:
    return NotAllowedError(
        "agent",
        "the agent is the holder",
        hint="let the holder appear, or name another person",
        zh="代办人与持卡人是同一人：请按本人办理",
    )
