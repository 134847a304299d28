"""The desk where questions are answered: many at once, from one snapshot of the registry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from cardkit.registry.books import Books
from cardkit.registry.inquiry import clients, holdings
from cardkit.registry.inquiry.clients import Client, Credential
from cardkit.registry.inquiry.holdings import Holding
from cardkit.registry.inquiry.limits import RateLimits
from cardkit.registry.inquiry.questions import NEEDED, By, Question
from cardkit.registry.inquiry.record import Asked, Record
from cardkit.registry.inquiry.refusals import problem
from cardkit.registry.inquiry.regions import Regions
from cardkit.registry.inquiry.rights import Right, visible

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one client.

    Parameters
    ----------
    address : str
        IP address it came from.
    several : bool
        Whether the right to ask in a batch is needed.
    passed_on : bool
        Whether another region passed it on: then it goes no further.
    """

    credential: Credential
    address: str
    questions: tuple[Question, ...] = field(repr=False)
    several: bool = False
    passed_on: bool = False


@dataclass(slots=True)
class Reply:
    """What a call gets.

    Parameters
    ----------
    refusal : str
        Code of `cardkit.registry.inquiry.refusals`, ``''`` when it was answered.
    answers : list
        One a question: an answer, or a problem.
    elsewhere : dict
        Position of a question → code of the region that has to be asked; its place in `answers`
        holds what to say when that region is not asked.
    holders : dict
        Position of a question → the card that answered it, for the record of who was asked about.
    """

    client: Client | None
    refusal: str = ""
    retry_after: int = 0
    answers: list[Json] = field(default_factory=list, repr=False)
    elsewhere: dict[int, str] = field(default_factory=dict)
    holders: dict[int, Holding] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> dict[str, tuple[str, ...]]:
        """Fields of each group that the client may see."""
        return visible(self.client.rights if self.client else frozenset())


class Desk:
    """Answers calls. Safe to use from several threads.

    Parameters
    ----------
    books : Books
    regions : Regions
    limits : RateLimits
    record : Record
        Gets every question.
    """

    def __init__(self, books: Books, regions: Regions, limits: RateLimits, record: Record) -> None:
        self._store = books.store
        self._regions = regions
        self._limits = limits
        self._record = record

    def answer(self, calls: Sequence[Call]) -> list[Reply]:
        """Answer several calls from one snapshot; what came of each is recorded.

        Raises
        ------
        RegistryError
            The registry cannot be asked now.
        """
        with self._store.reading(snapshot=True) as connection:
            instant = self._store.now()
            known = clients.find(connection, [call.credential for call in calls])
            replies = [self._admit(known.get(call.credential), call, instant) for call in calls]
            admitted = [
                (call, reply)
                for call, reply in zip(calls, replies, strict=True)
                if not reply.refusal
            ]
            found = self._look(connection, admitted, instant)
        for call, reply in admitted:
            self._fill(call, reply, found, instant)
        for call, reply in zip(calls, replies, strict=True):
            if reply.client is not None:
                self._record.add(self._asked(call, reply, instant))
        return replies

    def client_with(self, call: Call, right: Right) -> Reply:
        """Admit a call that asks no question about one card, but needs a right."""
        with self._store.reading() as connection:
            client = clients.find(connection, [call.credential]).get(call.credential)
            reply = self._admit(client, call, self._store.now())
        if reply.client is not None and not reply.refusal and right not in reply.client.rights:
            reply.refusal = "right"
        return reply

    def now(self) -> str:
        """The instant, when the registry answers.

        Raises
        ------
        RegistryError
            It does not.
        """
        with self._store.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
        return self._store.now()

    def _admit(self, client: Client | None, call: Call, instant: str) -> Reply:
        reply = Reply(client)
        if client is None:
            reply.refusal = "unknown-client"
        elif client.valid_until and client.valid_until <= instant:
            reply.refusal = "expired-client"
        elif not client.admits(call.address):
            reply.refusal = "network"
        elif call.several and Right.BATCH not in client.rights:
            reply.refusal = "right"
        elif wait := self._limits.wait(
            client.client_id, client.per_second, max(1, len(call.questions))
        ):
            reply.refusal, reply.retry_after = "too-many", wait
        return reply

    def _look(
        self, connection: Connection, admitted: Sequence[tuple[Call, Reply]], instant: str
    ) -> dict[By, dict[str, Holding]]:
        """Everything that was asked for, a statement a kind of number."""
        keys: defaultdict[By, set[str]] = defaultdict(set)
        for call, reply in admitted:
            for question in call.questions:
                if not self._refused(question, reply, call) and self._is_ours(question):
                    keys[question.by].add(question.key)
        return {by: holdings.find(connection, by, some, instant) for by, some in keys.items()}

    def _is_ours(self, question: Question) -> bool:
        return self._regions.named(question) in ("", self._regions.own)

    def _refused(self, question: Question, reply: Reply, call: Call) -> str:
        """Why a question is not answered, ``''`` when it is."""
        rights = reply.client.rights if reply.client else frozenset()
        needed = NEEDED[question.by]
        if not question.well_formed:
            return "malformed"
        if not visible(rights) or (needed is not None and needed not in rights):
            return "right"
        if question.region and question.region not in self._regions:
            return "unknown-region"
        return "" if self._is_ours(question) else _far(rights, call)

    def _fill(
        self, call: Call, reply: Reply, found: dict[By, dict[str, Holding]], instant: str
    ) -> None:
        rights = reply.client.rights if reply.client else frozenset()
        shown = reply.shown
        for place, question in enumerate(call.questions):
            code = self._refused(question, reply, call)
            if code:
                reply.answers.append(problem(code))
                continue
            holding = found.get(question.by, {}).get(question.key)
            reply.answers.append(self._answer(holding, shown, instant))
            if holding is not None:
                reply.holders[place] = holding
            region = self._elsewhere(question, holding, call, rights)
            if region:
                reply.elsewhere[place] = region

    def _elsewhere(
        self, question: Question, holding: Holding | None, call: Call, rights: frozenset[Right]
    ) -> str:
        """Code of the region to ask, ``''`` when the answer is ours."""
        region = self._regions.named(question)
        if region not in ("", self._regions.own):
            return region
        if holding is None and not region and not call.passed_on and Right.FOREIGN in rights:
            return self._regions.second(question)
        return ""

    def _answer(
        self, holding: Holding | None, shown: dict[str, tuple[str, ...]], instant: str
    ) -> Json:
        answer: Json = {
            "as_of": instant,
            "region": self._regions.own,
            "found": holding is not None,
        }
        if holding is not None:
            for group, fields in shown.items():
                answer[group] = {name: holding.value(name) for name in fields}
        return answer

    def _holder(self, holding: Holding | None) -> str:
        if holding is None:
            return ""
        number = str(holding.value("citizen_number"))
        return self._record.digest(Question(By.CITIZEN_NUMBER, number))

    def _asked(self, call: Call, reply: Reply, instant: str) -> list[Asked]:
        client = reply.client
        if client is None:
            return []
        rows = []
        for place, question in enumerate(call.questions):
            answer = reply.answers[place] if place < len(reply.answers) else {}
            result = reply.refusal or _result(answer)
            region = reply.elsewhere.get(place, "")
            if region:
                result = "passed-on"
            groups = " ".join(g for g in ("card", "person", "account") if g in answer)
            rows.append(
                Asked(
                    instant,
                    client.name,
                    question.by.value,
                    self._record.digest(question),
                    self._holder(reply.holders.get(place)),
                    groups,
                    result,
                    region,
                )
            )
        return rows


def _far(rights: frozenset[Right], call: Call) -> str:
    """Why a question about another region's card is not answered."""
    if call.passed_on:
        return "hop"
    return "" if Right.FOREIGN in rights else "right"


def _result(answer: Json) -> str:
    if "status" in answer:
        return str(answer["type"]).rpartition(":")[2]
    return "found" if answer.get("found") else "none"
