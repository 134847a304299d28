"""What acts want done to chips 卡片待办: pending until somebody, or the reader, says it is done.

The act comes first, durably; the chip after it. A crash between leaves the act pending here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, update

from cardkit.errors import UsageError
from cardkit.registry.books import Books
from cardkit.registry.journal import Detail, Event
from cardkit.registry.lifecycle.errors import NotAllowedError, OutOfOrderError
from cardkit.registry.lifecycle.reach import elsewhere, reach_of
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.standing import STANDING, Standing, lapsed
from cardkit.registry.operators.accounts import Operators
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.schema.base import columns
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.life import acts

_WORKING = frozenset({Role.WINDOW, Role.TOWNSHIP, Role.COUNTY})


@dataclass(frozen=True, slots=True)
class ChipWork:
    """What an act leaves to be done to a chip.

    Parameters
    ----------
    chip : str
        ``unlock-pin``, ``reset-pin``, ``dead``, ``blacklist``, ``write`` ...
    subject : str
        ``card`` or ``temporary``; `number` is that of the record.
    person_id : int, optional
        The holder.
    """

    act_id: int
    instant: str
    action: str
    chip: str
    subject: str
    number: int
    person_id: int | None
    operator: str

    def as_json(self) -> dict[str, Any]:
        """The work for programs; nothing of it is personal."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "person_id"}


_OPEN = select(
    *columns(acts, "id", "instant", "action", "chip", "subject", "subject_id", "person", "operator")
).where(acts.c.chip != "", acts.c.chip_done_at == "", acts.c.result == "done")


class ChipBook:
    """The chip side of the acts of a registry."""

    def __init__(self, books: Books, rules: RuleSet, people: Operators) -> None:
        self._books = books
        self._rules = rules
        self._people = people

    def pending(self, *, operator: Operator, limit: int = 1000) -> list[ChipWork]:
        """What is to be done, oldest first; of their own place for those who are bound to it."""
        with self._books.store.reading() as connection:
            by = self._people.current(connection, operator.login)
            reach = reach_of(connection, self._rules, by)
            found = _found(connection, _OPEN.order_by(acts.c.id).limit(limit))
            persons = [one.person_id for one in found if one.person_id is not None]
            away = reach.outside(connection, by.roles, persons)
        return [one for one in found if one.person_id not in away]

    def latest(self, number: int, chip: str, *, subject: str = "card") -> ChipWork | None:
        """The newest pending work of a kind on a card that is not too old to be done now."""
        query = _OPEN.where(acts.c.subject == subject, acts.c.subject_id == number)
        with self._books.store.reading() as connection:
            found = _found(
                connection, query.where(acts.c.chip == chip).order_by(acts.c.id.desc()).limit(1)
            )
        return found[0] if found and not self._late(found[0]) else None

    def check(self, work: ChipWork, *, operator: Operator) -> None:
        """Whether somebody may do now what an act left: asked before any key is used.

        Raises
        ------
        NotAllowedError
            The role is not that of the rule, or the holder belongs to another place.
        OutOfOrderError
            The card was lost, frozen ... since.
        """
        self.check_role(work, operator=operator)
        rules = self._rules.of_action(work.action)
        with self._books.store.reading() as connection:
            row = connection.execute(STANDING.where(cards.c.id == work.number)).one()
        at = lapsed(Standing(*row), self._books.store.now())
        if all(at.state not in rule.sources for rule in rules):
            legal = self._rules.legal(work.subject, at.state)
            raise OutOfOrderError(
                work.number,
                (at.state, self._rules.zh("state", at.state)),
                (work.action, rules[0].zh),
                [(rule.action, rule.zh) for rule in legal],
            )

    def check_role(self, work: ChipWork, *, operator: Operator) -> None:
        """Whether somebody is one of those who do what an act left; raises NotAllowedError."""
        rules = self._rules.of_action(work.action)
        roles = frozenset(role for rule in rules for role in rule.roles)
        with self._books.store.reading() as connection:
            by = self._people.current(connection, operator.login)
            self._check(connection, work, by, roles)

    def done(self, act_id: int, *, operator: Operator, at_reader: bool = False) -> None:
        """The chip now is as an act wanted it, and as earlier ones of its kind on it did.

        Parameters
        ----------
        at_reader : bool
            The chip answered here; otherwise somebody says so.

        Raises
        ------
        UsageError
            The act leaves nothing to do on a chip.
        NotAllowedError
            The person has no role for it, or the holder belongs to another place.
        """
        with self._books.store.writing() as connection:
            by = self._people.current(connection, operator.login)
            found = _found(connection, _OPEN.where(acts.c.id == act_id))
            if not found:
                raise UsageError(
                    f"act {act_id} leaves nothing to do on a chip",
                    hint="cardkit lifecycle chip pending",
                    zh=f"业务{act_id}没有待办的卡片操作：cardkit lifecycle chip pending 可查看",
                )
            self._check(connection, found[0], by, _WORKING)
            self._settle(connection, found[0], by, at_reader=at_reader)

    def _check(
        self, connection: Connection, work: ChipWork, by: Operator, roles: Collection[Role]
    ) -> None:
        if not by.has(*roles):
            names = "、".join(self._rules.zh("role", role) for role in sorted(roles))
            raise NotAllowedError(
                "role",
                f"this is for {', '.join(sorted(roles))}",
                hint="let somebody with such a role do it",
                zh=f"您的角色不能办理：须由{names}办理",
            )
        if work.person_id is not None:
            reach = reach_of(connection, self._rules, by)
            if reach.outside(connection, roles, [work.person_id]):
                raise elsewhere()

    def _settle(
        self, connection: Connection, work: ChipWork, by: Operator, *, at_reader: bool
    ) -> None:
        now = self._books.store.now()
        connection.execute(
            update(acts)
            .where(
                acts.c.subject == work.subject,
                acts.c.subject_id == work.number,
                acts.c.chip == work.chip,
                acts.c.chip_done_at == "",
                acts.c.result == "done",
                acts.c.id <= work.act_id,
            )
            .values(chip_done_at=now)
        )
        detail: Detail = {
            "act": work.act_id,
            "chip": work.chip,
            "how": "reader" if at_reader else "told",
        }
        card = work.number if work.subject == "card" else None
        state = None
        if card is not None:
            state = connection.execute(select(cards.c.state).where(cards.c.id == card)).scalar()
        event = Event("chip-done", card, work.person_id, state, state, detail)
        self._books.journal.by(by.login).append(connection, now, event)

    def _late(self, work: ChipWork) -> bool:
        """Whether the holder has to come again: what was asked for is no pass for ever."""
        age = timedelta(hours=self._rules.settings["chip_hours"])
        now = datetime.fromisoformat(self._books.store.now())
        return now - datetime.fromisoformat(work.instant) > age


def _found(connection: Connection, query: Select[Any]) -> Sequence[ChipWork]:
    return [ChipWork(*row) for row in connection.execute(query)]
