"""Cards that the registry has planned already, without any roster: what a window makes of them.

A confirmed application and a replacement leave such records; so does a roster that was enrolled and
not issued.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from cardkit.errors import UsageError
from cardkit.issuance.job import Job
from cardkit.issuance.roster.recorded import of_people
from cardkit.issuance.roster.remarks import Language
from cardkit.registry.errors import UnknownCardError
from cardkit.registry.lifecycle.reach import elsewhere
from cardkit.registry.people import Applicant
from cardkit.registry.records import CardRecord, Enrolment
from cardkit.registry.registry import Registry
from cardkit.registry.states import State

Outside = Callable[[Sequence[int]], Collection[int]]
"""Which of some people belong to another place than the window's."""

_TO_MAKE = (State.PLANNED, State.WRITING)


class NotWaitingError(UsageError):
    """A card record that was named and wants no card from this window."""

    def __init__(self, card_id: int, state: str) -> None:
        super().__init__(
            f"card record {card_id} is {state}: no card is to be made for it",
            hint="`cardkit registry list --state planned` shows those that wait",
            zh=f"记录{card_id}的状态为 {state}，没有待制的卡："
            "请用 cardkit registry list --state planned 查看待制记录",
        )


def everybody_is_here(_person_ids: Sequence[int]) -> Collection[int]:
    """The window is bound to no place."""
    return ()


def records(
    registry: Registry, card_ids: Sequence[int] = (), outside: Outside = everybody_is_here
) -> list[CardRecord]:
    """The records that want a card, in order, nothing changed.

    Parameters
    ----------
    card_ids : sequence of int
        Only these, each once; a failed one too, for somebody has looked at it. Otherwise all that
        are planned or begun.
    outside : callable
        People of other places are left out; a record that is named is refused.

    Raises
    ------
    UnknownCardError, NotWaitingError, NotAllowedError
        About a record that is named.
    """
    if not card_ids:
        found = list(registry.list(_TO_MAKE))
        away = outside([record.person_id for record in found])
        return [record for record in found if record.person_id not in away]
    found = registry.get_many(sorted(set(card_ids)))
    unknown = set(card_ids) - {record.card_id for record in found}
    if unknown:
        raise UnknownCardError(min(unknown))
    if outside([record.person_id for record in found]):
        raise elsewhere()
    for record in found:
        if record.state not in (*_TO_MAKE, State.FAILED):
            raise NotWaitingError(record.card_id, record.state)
    return found


def job_of(registry: Registry, found: Sequence[CardRecord], lang: Language = "zh") -> Job:
    """A run for some records; failed ones get another chance. Rows are numbers of records."""
    for record in found:
        if record.state == State.FAILED:
            registry.retry(record.card_id)
    wanted = [record.card_id for record in found]
    roster = of_people([applicant(record) for record in found], lang)
    enrolment = Enrolment(card_ids=list(wanted), existing=list(wanted))
    return Job(roster, enrolment, {each: each for each in wanted}, wanted, by_record=True)


def applicant(record: CardRecord) -> Applicant:
    """The person of a record; ``row`` is the number of the record."""
    return Applicant(
        row=record.card_id,
        name=record.name,
        citizen_number=record.citizen_number,
        insurance_number=record.insurance_number,
        sex=record.sex,
        birth_date=record.birth_date,
        birthplace=record.birthplace,
        nation=record.nation,
        address=record.address,
        phone=record.phone,
        status=record.status,
        card_kind=record.kind,
        bank_card_number=record.bank_card_number,
        items=record.items,
    )
