"""Is there a person of this name and number? Asked of an outside system, through a port.

The agency or the bank has such a system (身份核查系统, domain.md [D1]); this room knows only the
port. What comes back is a verdict: no data of the outside system are kept, only what it said, which
system said so, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, func, insert, select

from cardkit.errors import UnreachableError
from cardkit.registry.books import Books
from cardkit.registry.journal import Event
from cardkit.registry.schema.intake import applications, identity_checks
from cardkit.registry.statements import Statement

CORRECTED = "corrected"
"""Stands where a verdict would: name or number were corrected, it has to be asked again."""

CHUNK = 500
"""People asked about at a time."""


class Verdict(StrEnum):
    """What the outside system says."""

    MATCH = "match"
    NAME_DIFFERS = "name_differs"
    NUMBER_UNKNOWN = "number_unknown"
    PHOTO_DIFFERS = "photo_differs"
    DEAD = "dead"
    NUMBER_CANCELLED = "number_cancelled"

    @property
    def ok(self) -> bool:
        """Whether a card may be made."""
        return self is Verdict.MATCH

    @property
    def zh(self) -> str:
        """What an operator reads."""
        return _CHINESE[self]


_CHINESE: Mapping[Verdict, str] = {
    Verdict.MATCH: "姓名与号码一致",
    Verdict.NAME_DIFFERS: "号码存在，姓名不符",
    Verdict.NUMBER_UNKNOWN: "查无此号",
    Verdict.PHOTO_DIFFERS: "姓名与号码一致，照片不符",
    Verdict.DEAD: "该人已死亡",
    Verdict.NUMBER_CANCELLED: "该号码已注销",
}


class Asked(NamedTuple):
    """Whom to ask about; nothing of it is shown by ``repr``."""

    name: str
    citizen_number: str
    photo: bytes = b""

    def __repr__(self) -> str:
        return "Asked(...)"


class IdentityUnavailableError(UnreachableError):
    """The outside system does not answer; whoever waits for it goes on waiting."""

    def __init__(self, system: str, why: str) -> None:
        super().__init__(
            f"the identity system {system} does not answer ({why})",
            hint="try again later: the applications wait, nothing was recorded",
            zh=f"身份核查系统 {system} 没有应答（{why}）：申请保留等待，请稍后再核查",
        )


class IdentityCheck(Protocol):
    """The port: an outside system that knows who exists."""

    @property
    def name(self) -> str:
        """What the history calls it."""

    def check_many(self, people: Sequence[Asked]) -> Sequence[Verdict]:
        """One verdict a person, in the order asked.

        Raises
        ------
        IdentityUnavailableError
            No answer, or not to all of them.
        """


@dataclass(slots=True)
class IdentityRun:
    """What a run over waiting applications did: applications by verdict."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    waiting: int = 0
    problem: str = ""
    problem_zh: str = ""

    def counts(self) -> Mapping[str, int]:
        """How many of each verdict.

        Examples
        --------
        >>> IdentityRun({7: Verdict.MATCH}).counts()["match"]
        1
        """
        found = dict.fromkeys((verdict.value for verdict in Verdict), 0)
        for verdict in self.verdicts.values():
            found[verdict.value] += 1
        return found


class Identities:
    """Identity checks of one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books
        names = ("id", "person", "application", "verdict", "system", "checked_at", "actor")
        self._insert = Statement(insert(identity_checks).inline(), names)

    def check_waiting(self, system: IdentityCheck) -> IdentityRun:
        """Ask about every open application without a verdict; each chunk is one durable commit.

        When the system stops answering, the verdicts so far stay and the rest waits: the run says
        so, it does not raise.
        """
        run = IdentityRun()
        waiting = iter(self._waiting())
        while chunk := list(islice(waiting, CHUNK)):
            if run.problem:
                run.waiting += len(chunk)
                continue
            try:
                verdicts = self._ask(system, [asked for _, asked in chunk])
            except IdentityUnavailableError as error:
                run.problem, run.problem_zh = error.line(), error.line("zh")
                run.waiting += len(chunk)
                continue
            numbers = [number for number, _ in chunk]
            self._record(system.name, list(zip(numbers, verdicts, strict=True)))
            run.verdicts.update(zip(numbers, verdicts, strict=True))
        return run

    def check(self, application: int, system: IdentityCheck) -> Verdict:
        """Ask about one application, again if need be.

        Raises
        ------
        IdentityUnavailableError
            No answer; nothing was recorded.
        KeyError
            No such application.
        """
        with self._books.store.reading() as connection:
            row = connection.execute(_QUESTION.where(applications.c.id == application)).first()
        if row is None:
            raise KeyError(application)
        verdicts = self._ask(system, [Asked(row.name, row.citizen_number)])
        self._record(system.name, [(application, verdicts[0])])
        return verdicts[0]

    @staticmethod
    def last_in(connection: Connection, application: int) -> Verdict | None:
        """What was said last about an application, inside a transaction."""
        found = connection.execute(
            select(identity_checks.c.verdict)
            .where(identity_checks.c.application == application)
            .order_by(identity_checks.c.id.desc())
            .limit(1)
        ).scalar()
        return None if found in (None, CORRECTED) else Verdict(found)

    @staticmethod
    def _ask(system: IdentityCheck, people: Sequence[Asked]) -> Sequence[Verdict]:
        verdicts = system.check_many(people)
        if len(verdicts) != len(people):
            raise IdentityUnavailableError(system.name, "not an answer for each")
        return verdicts

    def _waiting(self) -> list[tuple[int, Asked]]:
        last = (
            select(identity_checks.c.verdict)
            .where(identity_checks.c.application == applications.c.id)
            .order_by(identity_checks.c.id.desc())
            .limit(1)
            .correlate(applications)
            .scalar_subquery()
        )
        query = _QUESTION.where(
            applications.c.state.in_(("applied", "checked")),
            func.coalesce(last, CORRECTED) == CORRECTED,
        ).order_by(applications.c.id)
        with self._books.store.reading() as connection:
            return [
                (row.id, Asked(row.name, row.citizen_number)) for row in connection.execute(query)
            ]

    def _record(self, system: str, verdicts: Iterable[tuple[int, Verdict]]) -> None:
        books = self._books
        with books.store.writing() as connection:
            now = books.store.now()
            following = books.counters.peek(connection, identity_checks.name)
            rows: list[tuple[str | int | None, ...]] = []
            events = []
            for number, (application, verdict) in enumerate(verdicts, following):
                rows.append(
                    (number, None, application, verdict.value, system, now, books.journal.actor)
                )
                detail: dict[str, str | int | list[str]] = {
                    "application": application,
                    "system": system,
                    "verdict": verdict.value,
                }
                events.append(Event("identity-check", detail=detail))
            self._insert.run_many(connection, rows)
            books.counters.store(connection, identity_checks.name, following + len(rows))
            books.journal.append_many(connection, now, events)


_QUESTION = select(applications.c.id, applications.c.name, applications.c.citizen_number)
