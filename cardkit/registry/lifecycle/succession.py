"""A new card record in place of a dead one: its numbers, its kind, and which it follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, insert, select

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.counters import CARD
from cardkit.registry.journal import Detail, Event
from cardkit.registry.lifecycle.errors import NotAllowedError
from cardkit.registry.lifecycle.kinds import outgrown_before, problems
from cardkit.registry.lifecycle.many import add, among, block, chunks
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import Standing
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.life import successions
from cardkit.registry.statements import Statement, Value
from cardkit.registry.states import Action, State

_CARD = (
    "id", "person", "card_number", "card_id_code", "district", "kind", "state",
    "planned_at", "changed_at", "batch", "row",
)  # fmt: skip
_SUCCESSION = tuple(column.name for column in successions.c)
_PERSON_DATA = ("name", "citizen_number", "birth_date")


class Succession:
    """Plans the records that follow others."""

    def __init__(self, books: Books, rules: RuleSet) -> None:
        self._books = books
        self._rules = rules
        self._add_cards = Statement(insert(cards).inline(), _CARD)
        self._add_successions = Statement(insert(successions).inline(), _SUCCESSION)

    def reserve(self, connection: Connection, count: int) -> int:
        """The first of the numbers of new card records."""
        if self._rules.numbering is None:
            raise UsageError(
                "a new card needs the numbers of the place",
                hint="name the profile with --profile",
                zh="新卡需要配置中的号码段：请用 --profile 指明配置",
            )
        return block(self._books.counters, connection, CARD, count)

    def kinds(
        self, connection: Connection, standings: Sequence[Standing], request: Request, day: date
    ) -> dict[int, str]:
        """Kind of each new card: the one asked for, or that which the holder has grown into.

        Raises
        ------
        NotAllowedError
            The holder cannot have a card of the kind asked for.
        """
        found: dict[int, str] = {}
        open_: list[Standing] = []
        for at in standings:
            details = request.details_for(at.card_id)
            if asked := details.get("kind", ""):
                self.check_kind(connection, at.person_id, asked, details, day)
                found[at.card_id] = asked
            else:
                found[at.card_id] = at.kind
                open_.append(at)
        growing = [at for at in open_ if self._limit(at.kind, day)]
        born = _births(connection, [at.person_id for at in growing])
        for at in growing:
            if (birth := born[at.person_id]) and birth <= self._limit(at.kind, day):
                found[at.card_id] = self._rules.kinds[at.kind].next or at.kind
        return found

    def check_kind(
        self,
        connection: Connection,
        person_id: int,
        code: str,
        details: Mapping[str, str],
        day: date,
    ) -> None:
        """Refuse a kind of card that a person cannot have."""
        kind = self._rules.kinds.get(code)
        if kind is None:
            raise UsageError(
                f"there is no card kind {code!r}", hint=f"known: {', '.join(self._rules.kinds)}"
            )
        columns = [people.c[name] for name in _PERSON_DATA]
        row = connection.execute(select(*columns).where(people.c.id == person_id)).one()
        data = dict(details) | dict(zip(_PERSON_DATA, row, strict=True))
        problem = next(problems(kind, data, day), None)
        if problem is not None:
            raise NotAllowedError("card-kind", problem.en, hint=problem.field, zh=problem.zh)

    def _limit(self, code: str, day: date) -> str:
        kind = self._rules.kinds.get(code)
        return outgrown_before(kind, day) if kind is not None and kind.next else ""

    def plan(
        self,
        connection: Connection,
        now: str,
        made: Sequence[tuple[Standing, Act, str]],
        request: Request,
        actor: str,
    ) -> None:
        """Plan the records that follow dead ones, with their history.

        Parameters
        ----------
        made : sequence of (Standing, Act, str)
            The old card as it was, the act with the number of the new one, its kind.
        """
        rule = self._rules.numbering
        if rule is None or not made:
            return
        counters, count = self._books.counters, len(made)
        numbers = counters.card_numbers(connection, rule, count)
        codes = counters.id_codes(connection, rule.district, count, rule.serial_first)
        planned = State.PLANNED.value
        rows: list[tuple[Value, ...]] = []
        events: list[Event] = []
        for (at, act, kind), number, code in zip(made, numbers, codes, strict=True):
            rows.append(
                (act.new_card, at.person_id, number, code, rule.district, kind, planned, now, now,
                 at.batch, at.row)
            )  # fmt: skip
            detail: Detail = {
                "act": act.act_id,
                "card_id_code": code.hex().upper(),
                "card_number": number,
                "follows": at.card_id,
            }
            events.append(
                Event(Action.ENROL.value, act.new_card, at.person_id, None, planned, detail)
            )
        add(connection, self._add_cards, rows)
        first = block(counters, connection, successions.name, count)
        following = [
            (n, at.card_id, act.new_card, act.act_id, act.action, request.reason, now)
            for n, (at, act, _) in enumerate(made, first)
        ]
        add(connection, self._add_successions, following)
        self._books.journal.by(actor).append_many(connection, now, events)


def _births(connection: Connection, person_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in chunks(person_ids):
        query = select(people.c.id, people.c.birth_date).where(among(people.c.id, some))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found
