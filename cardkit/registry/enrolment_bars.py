"""Why a roster alone does not get somebody a card: what happened to the person before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, select

from cardkit.registry.contradictions import Problem
from cardkit.registry.people import Applicant
from cardkit.registry.schema import cards, people
from cardkit.registry.schema.intake import applications, identity_checks
from cardkit.registry.states import DEAD, State

Unfit = Callable[[Applicant], Problem | None]
"""Says why somebody cannot have a card of the kind asked for."""

_ENDED: Mapping[str, tuple[str, str]] = {
    State.CANCELLED: ("注销", "was cancelled"),
    State.TRANSFERRED: ("转出", "was transferred to another place"),
    State.REPLACED: ("补换", "was replaced"),
}
_APPLIED: Mapping[str, tuple[str, str]] = {
    "draft": ("尚未复核", "is not confirmed yet"),
    "applied": ("尚未复核", "is not confirmed yet"),
    "checked": ("尚未复核", "is not confirmed yet"),
    "refused": ("已退回", "was refused"),
    "withdrawn": ("已撤回", "was withdrawn"),
}
_GONE: Mapping[str, tuple[str, str]] = {
    "dead": ("身份核查结果：该人已死亡", "the identity system says this person is dead"),
    "number_cancelled": (
        "身份核查结果：该号码已注销",
        "the identity system says this citizen number was cancelled",
    ),
}
_NOT_BEGUN = (None, State.PLANNED.value, State.FAILED.value)


def everybody_fits(applicant: Applicant) -> Problem | None:  # noqa: ARG001
    """No card kind is looked at."""
    return None


class Bars:
    """What stands against a new card of the people of one enrolment.

    Parameters
    ----------
    connection : Connection
        Inside the transaction of the enrolment.
    by_application : bool
        Whether a confirmed application asks for the card: it has been looked at by people, so that
        only the end of a person (死亡, 终止) stands against it.
    """

    def __init__(self, connection: Connection, *, by_application: bool) -> None:
        self._connection = connection
        self._by_application = by_application
        self._ended: dict[str, str] = {}
        self._applied: dict[str, str] = {}
        self._verdicts: dict[str, str] = {}
        found = connection.execute(select(applications.c.id).limit(1)).first()
        self._applications = found is not None and not by_application

    def look_up(self, applicants: Sequence[Applicant], cardless: Iterable[str]) -> None:
        """Fetch what happened to some applicants, in one query for each question.

        Parameters
        ----------
        cardless : iterable of str
            Citizen numbers of those the registry knows and who have no living card record.
        """
        self._look_up_ended(list(cardless))
        if self._applications:
            self._look_up_applied([one.citizen_number for one in applicants])

    def _look_up_ended(self, numbers: Sequence[str]) -> None:
        if not numbers:
            return
        query = (
            select(people.c.citizen_number, cards.c.state)
            .join(cards, cards.c.person == people.c.id)
            .where(people.c.citizen_number.in_(numbers), cards.c.state.in_(DEAD))
            .order_by(cards.c.id)
        )
        for number, state in self._connection.execute(query):
            if self._ended.get(number) != State.ENDED:  # nothing comes after that
                self._ended[number] = state

    def _look_up_applied(self, numbers: Sequence[str]) -> None:
        own = applications.c.citizen_number
        said = applications.c.reason != "corrected"  # what an application said before: no wish
        last = select(func.max(applications.c.id)).where(own.in_(numbers), said).group_by(own)
        self._applied.update(
            (row[0], row[1])
            for row in self._connection.execute(
                select(own, applications.c.state).where(applications.c.id.in_(last))
            )
        )
        checked = (
            select(func.max(identity_checks.c.id))
            .join(applications, applications.c.id == identity_checks.c.application)
            .where(own.in_(numbers))
            .group_by(own)
        )
        query = (
            select(own, identity_checks.c.verdict)
            .join(identity_checks, applications.c.id == identity_checks.c.application)
            .where(identity_checks.c.id.in_(checked))
        )
        self._verdicts.update((row[0], row[1]) for row in self._connection.execute(query))

    def against(self, number: str, state: str | None) -> Problem | None:
        """What stands against a card for this citizen number.

        Parameters
        ----------
        state : str or None
            Of the living card record, if the person has one.
        """
        if state not in _NOT_BEGUN:
            return None
        verdict = self._verdicts.get(number, "")
        if verdict in _GONE:
            return Problem("citizen_number", *_GONE[verdict])
        if state is not None:
            return None
        return self._of_ended(number) or self._of_applied(number)

    def _of_ended(self, number: str) -> Problem | None:
        state = self._ended.get(number, "")
        if state == State.ENDED:
            return Problem(
                "citizen_number",
                "该人员的卡已终止，不再制卡",
                "the card of this person has ended; there will be no other",
            )
        if state not in _ENDED or self._by_application:
            return None
        chinese, english = _ENDED[state]
        return Problem(
            "citizen_number",
            f"该人员的卡已{chinese}，须凭申请重新办理",
            f"the card of this person {english}; a new one takes an application",
        )

    def _of_applied(self, number: str) -> Problem | None:
        state = self._applied.get(number, "")
        if state not in _APPLIED:
            return None
        chinese, english = _APPLIED[state]
        return Problem(
            "citizen_number",
            f"该人员的申请{chinese}，不能按花名册制卡",
            f"the application of this person {english}: no card by roster",
        )
