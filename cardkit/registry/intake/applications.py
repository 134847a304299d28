"""Applications: handed in, checked by the township, confirmed by the county, then a card record.

The states and who may move them belong to the rules of the lifecycle (`cardkit.registry.lifecycle`,
subject *application*); this room holds what an application says, and what must be there before it
becomes a card record: no other card, a photo, a person who exists.
"""

from __future__ import annotations

import builtins
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, insert, select, update

from cardkit.codec.text import STRICT, TextRules
from cardkit.profile.schema import Intake as IntakeRules
from cardkit.registry.books import Books
from cardkit.registry.enrolment import Enroller
from cardkit.registry.intake.application import (
    COLUMNS,
    Application,
    ApplicationError,
    applicant_of,
    application_of,
    get_in,
    has_photo_in,
    new_row,
    set_in,
)
from cardkit.registry.intake.correcting import correct_in, corrected
from cardkit.registry.intake.duplicates import Candidate, Duplicates, Likeness
from cardkit.registry.intake.form import problems_of
from cardkit.registry.intake.identity import CORRECTED, Identities
from cardkit.registry.intake.photos import Photos
from cardkit.registry.lifecycle.kinds import CardKind
from cardkit.registry.lifecycle.kinds import problems as kind_problems
from cardkit.registry.lifecycle.requests import Act, Request
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.intake import applications, identity_checks
from cardkit.registry.schema.life import acts, agents

if TYPE_CHECKING:
    from cardkit.registry.intake.photo import Prepared

REFUSAL_REASONS = ("incomplete", "photo", "identity", "duplicate", "not-entitled", "withdrawn")
"""Why an application is refused or withdrawn; free text would bring personal data in."""


class Acting(Protocol):
    """The part of the lifecycle that this room needs: an act within a transaction."""

    def attempt(self, request: Request) -> AbstractContextManager[Connection]:
        """A transaction for the act and what belongs to it; a refusal is kept all the same."""

    def perform_in(self, connection: Connection, request: Request) -> Act:
        """Do what is asked for, or refuse it; see `cardkit.registry.lifecycle.Lifecycle`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An application that was taken, with whoever may be the same person."""

    number: int
    act: Act
    candidates: tuple[Candidate, ...] = ()


class Applications:
    """Applications of one registry.

    Parameters
    ----------
    books : Books
        In the hands of the operator (``books.by(operator.login)``).
    lifecycle : Acting
        Decides who may do what, and writes it down.
    rules : IntakeRules
        What has to be there before an application is confirmed.
    text : TextRules
        What a card may carry.
    kinds : mapping, optional
        Card kinds of the rule set: what each asks of its holder.
    """

    def __init__(
        self,
        books: Books,
        lifecycle: Acting,
        rules: IntakeRules = IntakeRules(),  # noqa: B008 - frozen
        text: TextRules = STRICT,
        kinds: Mapping[str, CardKind] | None = None,
    ) -> None:
        self._books = books
        self._lifecycle = lifecycle
        self._rules = rules
        self._text = text
        self._kinds = kinds or {}
        self._photos = Photos(books)
        self._duplicates = Duplicates(books)
        self._enroller = Enroller(books.store, books.journal, books.counters)

    # -- what people do ---------------------------------------------------------------------------

    def apply(
        self,
        applicant: Applicant,
        request: Request,
        *,
        today: dt.date,
        photo: Prepared | None = None,
        kind_data: Mapping[str, str] | None = None,
    ) -> Taken:
        """Take an application 受理.

        Parameters
        ----------
        applicant : Applicant
            Who wants a card.
        request : Request
            Who takes it, who appeared; its action is ``apply``, its subject is set here.
        photo : Prepared, optional
            A photo that was checked; it may come later.

        Raises
        ------
        ApplicationError
            The data are wrong, or the person has a card or another application on its way.
        CardkitError
            The rules of the lifecycle refuse it.
        """
        self._refuse_wrong(applicant, today)
        self._refuse_kind(applicant, kind_data or {}, today)
        books = self._books
        with self._lifecycle.attempt(request) as connection:
            candidates = self._refuse_second(connection, applicant)
            number = books.counters.draw(connection, applications.name)
            connection.execute(insert(applications).values(new_row(number, applicant, kind_data)))
            act = self._act(connection, request, number)
            set_in(
                connection,
                number,
                channel=request.channel,
                applied_by=books.journal.actor,
                applied_at=act.instant,
            )
            if photo is not None:
                self._photos.take_in(connection, photo, application=number)
        return Taken(number, act, tuple(candidates))

    def add_photo(self, number: int, photo: Prepared) -> int:
        """Give an application on its way a photo, or another one; returns the photo's number.

        Raises
        ------
        ApplicationError
            No such application, or it is decided already.
        """
        with self._books.store.writing() as connection:
            row = get_in(connection, number)
            if row["state"] not in ("applied", "checked"):
                raise ApplicationError(
                    "state",
                    f"application {number} is {row['state']}: it takes no photo any more",
                    hint="import the photo for the person instead",
                    zh=f"申请{number}已办结（{row['state']}）：请按人员导入照片",
                )
            return self._photos.take_in(connection, photo, application=number)

    def correct(self, number: int, details: Mapping[str, str], *, today: dt.date) -> list[str]:
        """Correct an application on its way; returns the fields that changed.

        See `cardkit.registry.intake.correcting`: what it said before is kept, and the first check
        has to be made anew.

        Raises
        ------
        ApplicationError
            It is decided already, the data are wrong, or they are those of somebody who has a card.
        """
        with self._books.store.writing() as connection:
            row = get_in(connection, number)
            person, changed = corrected(row, details)
            self._refuse_wrong(person, today)
            self._refuse_kind(person, json.loads(row["kind_data"] or "{}"), today)
            self._refuse_second(connection, person, number)
            correct_in(connection, self._books, row, person, changed)
        return changed

    def check(self, number: int, request: Request) -> Act:
        """The first check 初审, by the township; errors as `apply`."""
        with self._attempt(request, number) as connection:
            get_in(connection, number)
            act = self._act(connection, request, number)
            set_in(connection, number, checked_by=self._books.journal.actor, checked_at=act.instant)
        return act

    def confirm(self, number: int, request: Request, numbering: Numbering) -> tuple[Act, int]:
        """The second check 复核, by the county: the card record is planned in the same commit.

        Returns
        -------
        act, card_id

        Raises
        ------
        ApplicationError
            A photo or the identity check is missing, or the data contradict the registry.
        CardkitError
            The rules of the lifecycle refuse it.
        """
        with self._attempt(request, number) as connection:
            row = get_in(connection, number)
            act = self._act(connection, request, number)
            self._refuse_unready(connection, number)
            self._refuse_second(connection, applicant_of(row), number)
            card_id = self._plan(connection, row, numbering)
            self._decided(connection, number, act, "", card_id)
        return act, card_id

    def end(self, number: int, request: Request) -> Act:
        """Refuse 退回 or withdraw 撤回 an application: ``refuse-application`` or ``withdraw``.

        Raises
        ------
        ApplicationError
            The reason is not one of `REFUSAL_REASONS`.
        """
        if request.reason not in REFUSAL_REASONS:
            raise ApplicationError(
                "reason",
                "an application ends for a reason of the list",
                hint=f"one of {', '.join(REFUSAL_REASONS)}",
                zh=f"须注明原因：{'、'.join(REFUSAL_REASONS)}",
            )
        with self._attempt(request, number) as connection:
            get_in(connection, number)
            act = self._act(connection, request, number)
            self._decided(connection, number, act, request.reason, None)
        return act

    # -- questions --------------------------------------------------------------------------------

    def get(self, number: int) -> Application:
        """One application.

        Raises
        ------
        ApplicationError
            There is none.
        """
        with self._books.store.reading(snapshot=True) as connection:
            return application_of(get_in(connection, number), connection)

    def list(
        self, states: Iterable[str] = (), limit: int | None = None
    ) -> builtins.list[Application]:
        """Applications in the order in which they came."""
        query = select(*(applications.c[name] for name in COLUMNS)).order_by(applications.c.id)
        query = query.where(applications.c.reason != CORRECTED)  # what one said before
        wanted = list(states)
        if wanted:
            query = query.where(applications.c.state.in_(wanted))
        with self._books.store.reading(snapshot=True) as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
            return [application_of(dict(row), connection) for row in rows]

    def appeared(self, number: int) -> dict[str, object]:
        """Who appeared for an application, as what, and with which papers."""
        query = select(acts.c.appeared, acts.c.papers, agents.c.name, agents.c.relation)
        query = (
            query.select_from(acts)
            .join(agents, agents.c.id == acts.c.agent, isouter=True)
            .where(
                acts.c.subject == "application",
                acts.c.subject_id == number,
                acts.c.action == "apply",
                acts.c.result == "done",
            )
            .order_by(acts.c.id)
        )
        with self._books.store.reading() as connection:
            row = connection.execute(query).first()
        who, papers, agent, relation = row or ("", "", None, None)
        return {
            "appeared": who,
            "papers": papers.split(),
            "agent": agent or "",
            "agent_relation": relation or "",
        }

    # -- small things -----------------------------------------------------------------------------

    def _attempt(self, request: Request, number: int) -> AbstractContextManager[Connection]:
        return self._lifecycle.attempt(replace(request, subject=number))

    def _act(self, connection: Connection, request: Request, number: int) -> Act:
        return self._lifecycle.perform_in(connection, replace(request, subject=number))

    def _refuse_wrong(self, applicant: Applicant, today: dt.date) -> None:
        problems = problems_of(applicant, today=today, rules=self._text)
        if problems:
            raise ApplicationError(
                "form",
                "the application cannot be taken: " + "; ".join(p.text("en") for p in problems),
                hint="correct these fields",
                zh="申请不能受理：" + "；".join(p.text() for p in problems),
                problems=problems,
            )

    def _refuse_kind(
        self, applicant: Applicant, kind_data: Mapping[str, str], today: dt.date
    ) -> None:
        kind = self._kinds.get(applicant.card_kind or "adult")
        if kind is None:
            return
        person = {
            "name": applicant.name,
            "citizen_number": applicant.citizen_number,
            "birth_date": applicant.birth_date,
        }
        found = list(kind_problems(kind, person | dict(kind_data), today))
        if found:
            raise ApplicationError(
                "kind",
                "not for this card kind: " + "; ".join(problem.en for problem in found),
                hint="choose the kind that fits, or give the data it asks for",
                zh="卡类别不符：" + "；".join(problem.zh for problem in found),
            )

    def _refuse_second(
        self, connection: Connection, applicant: Applicant, own: int | None = None
    ) -> builtins.list[Candidate]:
        """Whoever else may be this person; one who certainly is and has a card ends it."""
        candidates = self._duplicates.find_in(
            connection,
            applicant.citizen_number,
            name=applicant.name,
            birth_date=applicant.birth_date,
            sex=applicant.sex,
            insurance_number=applicant.insurance_number,
            but_application=own,
        )
        for one in candidates:
            if one.likeness is Likeness.NUMBER and one.card_id is not None:
                raise ApplicationError(
                    "has_card",
                    f"this person has a card already, record {one.card_id}",
                    hint="a lost or damaged card is replaced: `cardkit lifecycle replace`",
                    zh=f"此人已有卡（记录{one.card_id}）：遗失或损坏请办理补换卡",
                )
            if one.likeness is Likeness.NUMBER and one.application is not None:
                raise ApplicationError(
                    "has_application",
                    f"this person has an application on its way, number {one.application}",
                    hint="go on with that one, or withdraw it first",
                    zh=f"此人已有在办申请（{one.application}）：请继续办理或先撤回",
                )
        return candidates

    def _refuse_unready(self, connection: Connection, number: int) -> None:
        if self._rules.photo_required and not has_photo_in(connection, number):
            raise ApplicationError(
                "photo",
                f"application {number} has no photo",
                hint="add one, or set [intake] photo_required = false in the profile",
                zh=f"申请{number}没有照片：请先采集照片",
            )
        if not self._rules.identity_required:
            return
        verdict = Identities.last_in(connection, number)
        if verdict is None:
            raise ApplicationError(
                "identity",
                f"the identity of application {number} was not checked",
                hint="run `cardkit intake identity`",
                zh=f"申请{number}尚未进行身份核查：请先核查",
            )
        if not verdict.ok:
            raise ApplicationError(
                "identity",
                f"the identity system said {verdict.value} about application {number}",
                hint="`cardkit intake correct`, then `intake identity --again`; or refuse it",
                zh=f"申请{number}身份核查结果：{verdict.zh}。请更正后重新核查，或退回申请",
            )

    def _plan(self, connection: Connection, row: Mapping[str, Any], numbering: Numbering) -> int:
        number = row["id"]
        digest = hashlib.sha256(f"application {number} {row['applied_at']}".encode()).hexdigest()
        batch = BatchInfo(f"application-{number}", digest, 1)
        result = self._enroller.enrol_in(connection, [applicant_of(row)], numbering, batch)
        card_id = result.card_ids[0]
        if card_id is None:
            conflict = result.conflicts[0]
            raise ApplicationError(
                "conflict",
                f"application {number} contradicts the registry: {conflict.reason_en}",
                hint="correct the application or the data of the person",
                zh=f"申请{number}与登记库不一致：{conflict.reason}",
            )
        person_id = connection.execute(
            select(cards.c.person).where(cards.c.id == card_id)
        ).scalar_one()
        self._photos.hand_over_in(connection, number, person_id)
        connection.execute(
            update(identity_checks)
            .where(identity_checks.c.application == number)
            .values(person=person_id)
        )
        return card_id

    def _decided(
        self, connection: Connection, number: int, act: Act, reason: str, card_id: int | None
    ) -> None:
        set_in(
            connection,
            number,
            decided_by=self._books.journal.actor,
            decided_at=act.instant,
            reason=reason,
            card=card_id,
        )
