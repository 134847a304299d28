"""What a registry knows about the people of a roster, found without changing anything."""

from __future__ import annotations

from cardkit.issuance.roster import Problem, Roster
from cardkit.registry.contradictions import between
from cardkit.registry.records import CardRecord
from cardkit.registry.registry import Registry
from cardkit.registry.states import DEAD, NOT_MADE


def compare(roster: Roster, registry: Registry) -> dict[str, int]:
    """Compare, and turn applicants who contradict the registry into rejects.

    Returns
    -------
    dict
        How many of the remaining applicants are ``issued`` already, are ``waiting`` for their card,
        or are ``new``.
    """
    known = _known(registry, set(roster.citizen_numbers))
    roster.refuse(
        {
            applicant.row: Problem(problem.field, "registry")
            for applicant in roster.applicants
            if (record := known.get(applicant.citizen_number))
            and (problem := between(record, applicant))
        }
    )
    records = [known.get(number) for number in roster.citizen_numbers]
    issued = sum(
        record is not None and record.state not in (*NOT_MADE, *DEAD) for record in records
    )
    new = sum(record is None or record.state in DEAD for record in records)
    return {"issued": issued, "waiting": len(records) - issued - new, "new": new}


def _known(registry: Registry, numbers: set[str]) -> dict[str, CardRecord]:
    """The record that counts of each person: one read through the registry, however long."""
    known: dict[str, CardRecord] = {}
    for record in registry.list():
        if record.citizen_number not in numbers:
            continue
        before = known.get(record.citizen_number)
        if before is None or before.state in DEAD:
            known[record.citizen_number] = record
    return known
