"""What an act changes beside the state: new records, chips, accounts, relations, personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, insert, select, update

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.counters import CARD
from cardkit.registry.journal import Detail, Event
from cardkit.registry.lifecycle.errors import NotAllowedError
from cardkit.registry.lifecycle.kinds import outgrown_before, problems
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import Standing
from cardkit.registry.schema.cards import cards, chips, people
from cardkit.registry.schema.life import (
    bank_accounts,
    corrections,
    insurance_relations,
    successions,
)
from cardkit.registry.statements import Statement, Value
from cardkit.registry.states import LIVE_CHIP, Action, BankState, ChipState, State

CHUNK = 5_000
"""Numbers in one IN."""

_CARD = (
    "id", "person", "card_number", "card_id_code", "district", "kind", "state",
    "planned_at", "changed_at", "batch", "row",
)  # fmt: skip
_SUCCESSION = tuple(column.name for column in successions.c)
_LIVE = [state.value for state in LIVE_CHIP]
_PERSON_DATA = ("name", "citizen_number", "birth_date")


def chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Pieces that fit into one IN."""
    return (numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK))


class Effects:
    """The effects that rules name."""

    def __init__(self, books: Books, rules: RuleSet) -> None:
        self._books = books
        self._rules = rules
        engine = books.store.engine
        self._add_cards = Statement(engine, insert(cards).inline(), _CARD)
        self._add_successions = Statement(engine, insert(successions).inline(), _SUCCESSION)

    # -- a new record in place of the old one ---------------------------------------------------

    def reserve_cards(self, connection: Connection, count: int) -> int:
        """The first of the numbers of new card records."""
        if self._rules.numbering is None:
            raise UsageError(
                "a new card needs the numbers of the place",
                hint="name the profile with --profile",
                zh="新卡需要配置中的号码段：请用 --profile 指明配置",
            )
        first = self._books.counters.peek(connection, CARD)
        self._books.counters.store(connection, CARD, first + count)
        return first

    def kinds(
        self, connection: Connection, standings: Sequence[Standing], request: Request, day: date
    ) -> dict[int, str]:
        """Kind of each new card: the one asked for, or that which the holder has grown into.

        Raises
        ------
        NotAllowedError
            The holder cannot have a card of the kind asked for.
        """
        asked = request.details.get("kind", "")
        if asked:
            for at in standings:
                self.check_kind(connection, at.person_id, asked, request.details, day)
            return dict.fromkeys((at.card_id for at in standings), asked)
        found = {at.card_id: at.kind for at in standings}
        growing = [at for at in standings if self._limit(at.kind, day)]
        born = _people(connection, "birth_date", [at.person_id for at in growing])
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

    def add_cards(
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
        self._add_cards.run_many(connection, rows)
        first = counters.peek(connection, successions.name)
        counters.store(connection, successions.name, first + count)
        self._add_successions.run_many(
            connection,
            [
                (n, at.card_id, act.new_card, act.act_id, act.action, request.reason, now)
                for n, (at, act, _) in enumerate(made, first)
            ],
        )
        self._books.journal.by(actor).append_many(connection, now, events)

    # -- what hangs on a card -------------------------------------------------------------------

    def retire_chips(self, connection: Connection, card_ids: Sequence[int]) -> None:
        """The chips of dead cards are dead for ever."""
        for some in chunks(card_ids):
            connection.execute(
                update(chips)
                .where(chips.c.card.in_(some), chips.c.state.in_(_LIVE))
                .values(state=ChipState.RETIRED.value)
            )

    def follow_bank(
        self, connection: Connection, now: str, card_ids: Sequence[int], state: str
    ) -> None:
        """The accounts on cards go where the bank's side went."""
        for some in chunks(card_ids):
            connection.execute(
                update(bank_accounts)
                .where(
                    bank_accounts.c.card.in_(some),
                    bank_accounts.c.state != BankState.CLOSED.value,
                )
                .values(state=state, changed_at=now)
            )

    def end_insurance(
        self, connection: Connection, now: str, person_ids: Sequence[int], state: str
    ) -> None:
        """Insurance relations that were active end, or go elsewhere."""
        for some in chunks(person_ids):
            connection.execute(
                update(insurance_relations)
                .where(
                    insurance_relations.c.person.in_(some),
                    insurance_relations.c.state == "active",
                )
                .values(state=state, changed_at=now)
            )

    def open_account(
        self, connection: Connection, now: str, at: Standing, request: Request
    ) -> None:
        """An account at the bank; its number is on no history."""
        details = request.details
        number = self._books.counters.draw(connection, bank_accounts.name)
        connection.execute(
            insert(bank_accounts).values(
                id=number,
                person=at.person_id,
                card=at.card_id,
                bank=details.get("bank", ""),
                account=details.get("account", ""),
                state=BankState.OPENED.value,
                opened_at=now,
                changed_at=now,
            )
        )
        if "bank_card_number" in details:
            connection.execute(
                update(cards)
                .where(cards.c.id == at.card_id)
                .values(bank_card_number=details["bank_card_number"])
            )

    # -- personal data --------------------------------------------------------------------------

    def differences(
        self, connection: Connection, at: Standing, request: Request
    ) -> dict[str, tuple[str, str]]:
        """What a data change would change: field → before, after.

        Raises
        ------
        UsageError
            A field that cannot be changed, or nothing that differs.
        """
        allowed = list(self._rules.settings["changeable"])
        unknown = sorted(set(request.details) - set(allowed))
        if unknown or not request.details:
            raise UsageError(
                f"{unknown[0]!r} cannot be changed" if unknown else "nothing to change is named",
                hint=f"these can: {', '.join(allowed)}",
                zh="未指明可变更的项目：可变更" + "、".join(allowed),
            )
        columns = [people.c[name] for name in request.details]
        row = connection.execute(select(*columns).where(people.c.id == at.person_id)).one()
        before = dict(zip(request.details, row, strict=True))
        changed = {
            name: (before[name], value)
            for name, value in request.details.items()
            if value != before[name]
        }
        if not changed:
            raise UsageError(
                "the registry has these data already",
                hint="nothing was changed",
                zh="登记库中的数据与此相同，无须变更",
            )
        return changed

    def follow_up(self, at: Standing, changed: Mapping[str, object]) -> str:
        """What has to be done so that chip, face and registry agree again."""
        settings = self._rules.settings
        if at.state == State.PLANNED.value:
            return ""
        if not set(settings["on_the_face"]).isdisjoint(changed):
            return "remake"
        return "write-chip" if not set(settings["on_the_chip"]).isdisjoint(changed) else ""

    def change_data(
        self,
        connection: Connection,
        at: Standing,
        act: Act,
        changed: Mapping[str, tuple[str, str]],
        *,
        source: str,
        actor: str,
    ) -> None:
        """Take new data over; what was there before stays in ``corrections``."""
        for name, (before, after) in changed.items():
            connection.execute(
                insert(corrections).values(
                    id=self._books.counters.draw(connection, corrections.name),
                    instant=act.instant,
                    act=act.act_id,
                    person=at.person_id,
                    card=at.card_id,
                    field=name,
                    before=before,
                    after=after,
                    source=source,
                    operator=actor,
                )
            )
        values = {name: after for name, (_, after) in changed.items()}
        connection.execute(update(people).where(people.c.id == at.person_id).values(**values))


def _people(connection: Connection, column: str, person_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in chunks(person_ids):
        query = select(people.c.id, people.c[column]).where(people.c.id.in_(some))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found
