"""New data of a person 信息变更: what was there before stays in ``corrections``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.lifecycle.many import add, among, block, chunks
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import Standing
from cardkit.registry.lifecycle.values import BadValueError, problem_of
from cardkit.registry.schema.cards import people
from cardkit.registry.schema.life import corrections
from cardkit.registry.statements import Statement, Value
from cardkit.registry.states import State

Changes = Mapping[str, tuple[str, str]]
"""Field → what it was, what it is to be."""

_CORRECTION = tuple(column.name for column in corrections.c)
_NUMBER = "insurance_number"
_NUMBERS = 500  # looked up at a time
_MANY = 20  # people for whom one UPDATE ... IN is worth it


class Changed(NamedTuple):
    """One person's data change that was done."""

    at: Standing
    act: Act
    changes: Changes


class DataChange:
    """Finds out what changes, and changes it, for one person or a county."""

    def __init__(self, books: Books, rules: RuleSet) -> None:
        self._books = books
        self._rules = rules
        self._add = Statement(insert(corrections).inline(), _CORRECTION)

    def differences(
        self, connection: Connection, standings: Sequence[Standing], request: Request
    ) -> dict[int, Changes]:
        """By card: what would change; empty where the registry has these data already.

        Raises
        ------
        UsageError
            A field that cannot be changed, or none is named.
        """
        told = {at.card_id: request.details_for(at.card_id) for at in standings}
        names = sorted({name for details in told.values() for name in details})
        self._check_names(names)
        before: dict[int, dict[str, str]] = {}
        columns = [people.c[name] for name in names]
        for some in chunks([at.person_id for at in standings]):
            for row in connection.execute(
                select(people.c.id, *columns).where(among(people.c.id, some))
            ):
                before[row[0]] = dict(zip(names, row[1:], strict=True))
        return {
            at.card_id: {
                name: (before[at.person_id][name], value)
                for name, value in told[at.card_id].items()
                if value != before[at.person_id][name]
            }
            for at in standings
        }

    def problems(
        self, connection: Connection, changes: Mapping[int, Changes], standings: Sequence[Standing]
    ) -> dict[int, BadValueError]:
        """By card: the first thing that is wrong with its new data, where something is."""
        persons = {at.card_id: at.person_id for at in standings}
        citizens = self._citizen_numbers(
            connection, [persons[card] for card, new in changes.items() if "sex" in new]
        )
        numbers = {card: new[_NUMBER][1] for card, new in changes.items() if _NUMBER in new}
        owners = self._owners(connection, list(numbers.values()))
        for card, number in numbers.items():
            owners.setdefault(number, set()).add(persons[card])
        found: dict[int, BadValueError] = {}
        for card, new in changes.items():
            citizen = citizens.get(persons[card], "")
            wrong = (problem_of(name, value, citizen) for name, (_, value) in new.items())
            problem = next(filter(None, wrong), None)
            if problem is None and owners.get(numbers.get(card, ""), set()) - {persons[card]}:
                problem = BadValueError(_NUMBER, "taken")
            if problem is not None:
                found[card] = problem
        return found

    def _citizen_numbers(self, connection: Connection, person_ids: list[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for some in chunks(person_ids):
            query = select(people.c.id, people.c.citizen_number).where(among(people.c.id, some))
            found.update((row[0], row[1]) for row in connection.execute(query))
        return found

    def _owners(self, connection: Connection, numbers: list[str]) -> dict[str, set[int]]:
        """Whose these insurance numbers are in the registry."""
        found: dict[str, set[int]] = defaultdict(set)
        for start in range(0, len(numbers), _NUMBERS):
            query = select(people.c.insurance_number, people.c.id).where(
                people.c.insurance_number.in_(numbers[start : start + _NUMBERS])
            )
            for number, person in connection.execute(query):
                found[number].add(person)
        return found

    def _check_names(self, names: Sequence[str]) -> None:
        allowed = list(self._rules.settings["changeable"])
        unknown = sorted(set(names) - set(allowed))
        if unknown or not names:
            raise UsageError(
                f"{unknown[0]!r} cannot be changed" if unknown else "nothing to change is named",
                hint=f"these can: {', '.join(allowed)}",
                zh="未指明可变更的项目：可变更" + "、".join(allowed),
            )

    def follow_up(self, at: Standing, changes: Changes) -> str:
        """What has to be done so that chip, face and registry agree again."""
        settings = self._rules.settings
        if at.state == State.PLANNED.value:
            return ""
        if not set(settings["on_the_face"]).isdisjoint(changes):
            return "remake"
        return "write-chip" if not set(settings["on_the_chip"]).isdisjoint(changes) else ""

    def apply(
        self, connection: Connection, done: Sequence[Changed], *, source: str, actor: str
    ) -> None:
        """Take new data over, in a few statements however many people they are of."""
        rows: list[tuple[Value, ...]] = []
        count = sum(len(one.changes) for one in done)
        number = block(self._books.counters, connection, corrections.name, count)
        for at, act, changes in done:
            for name, (before, after) in changes.items():
                rows.append(
                    (number, act.instant, act.act_id, at.person_id, at.card_id, name, before,
                     after, source, actor)
                )  # fmt: skip
                number += 1
        add(connection, self._add, rows)
        groups: dict[tuple[tuple[str, str], ...], list[int]] = defaultdict(list)
        for at, _, changes in done:
            groups[tuple((name, after) for name, (_, after) in changes.items())].append(
                at.person_id
            )
        self._update(connection, groups)

    def _update(
        self,
        connection: Connection,
        groups: Mapping[tuple[tuple[str, str], ...], Sequence[int]],
    ) -> None:
        """Write the same data of many people at once, those of their own one after the other."""
        single: dict[tuple[str, ...], list[tuple[Value, ...]]] = defaultdict(list)
        for pairs, persons in groups.items():
            if len(persons) < _MANY:
                names, values = zip(*pairs, strict=True)
                single[names] += [(*values, person) for person in persons]
                continue
            for some in chunks(persons):
                connection.execute(
                    update(people).where(among(people.c.id, some)).values(**dict(pairs))
                )
        for names, rows in single.items():
            new: list[tuple[Any, Any]] = [
                (people.c[name], bindparam(f"new_{name}")) for name in names
            ]
            of_person = update(people).where(people.c.id == bindparam("who"))
            add(connection, Statement(of_person.ordered_values(*new)), rows)
