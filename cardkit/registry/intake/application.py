"""What an application says, and the rows it is kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from cardkit.registry.errors import RegistryError
from cardkit.registry.intake.form import FormProblem
from cardkit.registry.intake.identity import Identities, Verdict
from cardkit.registry.people import Applicant
from cardkit.registry.schema.cards import people
from cardkit.registry.schema.intake import applications, photos

TEXTS = (
    "citizen_number",
    "name",
    "insurance_number",
    "sex",
    "birth_date",
    "birthplace",
    "nation",
    "address",
    "phone",
    "status",
    "bank_card_number",
)
COLUMNS = (
    "id",
    "state",
    "channel",
    "card_kind",
    *TEXTS,
    "items",
    "kind_data",
    "applied_by",
    "applied_at",
    "checked_by",
    "checked_at",
    "decided_by",
    "decided_at",
    "reason",
    "card",
)


class ApplicationError(RegistryError):
    """An application cannot be taken or go on as it is."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        zh: str = "",
        problems: Sequence[FormProblem] = (),
    ) -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.code = code
        self.problems = tuple(problems)

    def details(self) -> dict[str, object]:
        """For programs."""
        return {
            "code": self.code,
            "problems": [{"field": one.field, "code": one.code} for one in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Application:
    """An application as it stands; ``repr`` shows number and state only.

    Parameters
    ----------
    applicant : Applicant
        Its row is the number of the application.
    kind_data : mapping
        What its card kind asks for (school, employer ...).
    verdict : Verdict or None
        What the identity system said last.
    card_id : int or None
        The record it became.
    """

    number: int
    state: str
    channel: str = field(repr=False)
    applicant: Applicant = field(repr=False)
    kind_data: Mapping[str, str] = field(repr=False)
    has_photo: bool = field(repr=False)
    verdict: Verdict | None = field(repr=False)
    applied_by: str = field(repr=False)
    applied_at: str = field(repr=False)
    checked_by: str = field(repr=False)
    checked_at: str = field(repr=False)
    decided_by: str = field(repr=False)
    decided_at: str = field(repr=False)
    reason: str = field(repr=False)
    card_id: int | None = field(repr=False)

    def as_json(self) -> dict[str, object]:
        """For programs, with personal data."""
        person = self.applicant
        return {
            "application": self.number,
            "state": self.state,
            "channel": self.channel,
            "card_kind": person.card_kind,
            **{name: getattr(person, name) for name in TEXTS},
            "kind_data": dict(self.kind_data),
            "photo": self.has_photo,
            "identity": self.verdict.value if self.verdict else "",
            "applied_by": self.applied_by,
            "applied_at": self.applied_at,
            "checked_by": self.checked_by,
            "checked_at": self.checked_at,
            "decided_by": self.decided_by,
            "decided_at": self.decided_at,
            "reason": self.reason,
            "card_id": self.card_id,
        }


def new_row(
    number: int, applicant: Applicant, kind_data: Mapping[str, str] | None
) -> dict[str, object]:
    """The row of an application that nobody has taken yet."""
    return {
        "id": number,
        "state": "draft",
        "card_kind": applicant.card_kind or "adult",
        "items": _json(applicant.items),
        "kind_data": _json(kind_data or {}),
        **{name: getattr(applicant, name) for name in TEXTS},
    }


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values), ensure_ascii=False) if values else ""


def set_in(connection: Connection, number: int, **values: object) -> None:
    """Change columns of an application."""
    connection.execute(update(applications).where(applications.c.id == number).values(**values))


def get_in(connection: Connection, number: int) -> Mapping[str, Any]:
    """Its row.

    Raises
    ------
    ApplicationError
        There is none.
    """
    row = (
        connection.execute(
            select(*(applications.c[name] for name in COLUMNS)).where(applications.c.id == number)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise ApplicationError(
            "unknown",
            f"there is no application {number}",
            hint="`cardkit intake list` shows them",
            zh=f"没有申请{number}：请用 cardkit intake list 查看",
        )
    return dict(row)


def applicant_of(row: Mapping[str, Any]) -> Applicant:
    """The person of a row."""
    return Applicant(
        row=row["id"],
        card_kind=row["card_kind"],
        items=json.loads(row["items"] or "{}"),
        **{name: row[name] for name in TEXTS},
    )


def has_photo_in(connection: Connection, number: int) -> bool:
    """Whether it, or the person if the registry knows one, has a photo."""
    found = select(photos.c.id).where(photos.c.application == number, photos.c.current == 1)
    owner = (
        select(photos.c.id)
        .join_from(photos, people, photos.c.person == people.c.id)
        .join(applications, applications.c.citizen_number == people.c.citizen_number)
        .where(applications.c.id == number, photos.c.current == 1)
    )
    return any(connection.execute(query).first() is not None for query in (found, owner))


def application_of(row: Mapping[str, Any], connection: Connection) -> Application:
    """The application of a row, with photo and verdict looked up."""
    return Application(
        number=row["id"],
        applicant=applicant_of(row),
        kind_data=json.loads(row["kind_data"] or "{}"),
        has_photo=has_photo_in(connection, row["id"]),
        verdict=Identities.last_in(connection, row["id"]),
        card_id=row["card"],
        **{
            name: row[name]
            for name in (
                "state",
                "channel",
                "applied_by",
                "applied_at",
                "checked_by",
                "checked_at",
                "decided_by",
                "decided_at",
                "reason",
            )
        },
    )
