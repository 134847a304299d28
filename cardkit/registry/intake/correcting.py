"""An application put right before it is confirmed; what it said before stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from cardkit.registry.books import Books
from cardkit.registry.intake.application import TEXTS, ApplicationError, applicant_of, set_in
from cardkit.registry.intake.identity import CORRECTED
from cardkit.registry.journal import Detail, Event
from cardkit.registry.people import Applicant
from cardkit.registry.schema.intake import OPEN_APPLICATION, applications, identity_checks

FIELDS = (*TEXTS, "card_kind")
"""What can be corrected."""

_ASKED_ABOUT = {"name", "citizen_number"}


def corrected(row: Mapping[str, Any], details: Mapping[str, str]) -> tuple[Applicant, list[str]]:
    """The person as corrected, and the fields that change.

    Raises
    ------
    ApplicationError
        It is decided already, a field is unknown, or nothing changes; no value is repeated.
    """
    number = row["id"]
    if row["state"] not in OPEN_APPLICATION:
        raise ApplicationError(
            "state",
            f"application {number} is {row['state']}: it is not corrected any more",
            hint="data of a person are changed with `cardkit lifecycle change-data`",
            zh=f"申请{number}已办结（{row['state']}），不能更正",
        )
    if not set(details) <= set(FIELDS):
        raise ApplicationError(
            "field",
            "a field is named that an application does not have",
            hint=f"these can be corrected: {', '.join(FIELDS)}",
            zh="更正项目有误：可更正" + "、".join(FIELDS),
        )
    changed = sorted(name for name, value in details.items() if value != row[name])
    if not changed:
        raise ApplicationError(
            "same",
            f"application {number} says so already",
            hint="name what is to be corrected",
            zh=f"申请{number}内容没有变化",
        )
    person = applicant_of(row)
    for name in changed:
        setattr(person, name, details[name])
    return person, changed


def correct_in(
    connection: Connection,
    books: Books,
    row: Mapping[str, Any],
    person: Applicant,
    changed: list[str],
) -> None:
    """Write a correction; the checks that rested on what was wrong have to be made anew.

    These are the first check 初审, and the identity check where name or number change. The earlier
    data stay in a row of their own, withdrawn for the
    reason ``corrected``; the history names fields, never what they say.
    """
    number, now = row["id"], books.store.now()
    kept = books.counters.draw(connection, applications.name)
    before = dict(row) | {
        "id": kept,
        "state": "withdrawn",
        "reason": CORRECTED,
        "decided_by": books.journal.actor,
        "decided_at": now,
    }
    connection.execute(insert(applications).values(before))
    values: dict[str, object] = {name: getattr(person, name) for name in changed}
    set_in(connection, number, **values, state="applied", checked_by="", checked_at="")
    if not _ASKED_ABOUT.isdisjoint(changed):
        connection.execute(
            insert(identity_checks).values(
                id=books.counters.draw(connection, identity_checks.name),
                person=None,
                application=number,
                verdict=CORRECTED,
                system="",
                checked_at=now,
                actor=books.journal.actor,
            )
        )
    detail: Detail = {"application": number, "before": kept, "fields": changed}
    books.journal.append(connection, now, Event("correct-application", detail=detail))
