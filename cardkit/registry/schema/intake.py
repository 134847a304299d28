"""Applications, photos, identity checks and printed faces: what comes before a card is made."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, text

from cardkit.registry.schema.base import key, metadata, number, one_of, words
from cardkit.registry.schema.cards import people

OPEN_APPLICATION = ("applied", "checked")
"""States of an application that is on its way: a person has one of them at a time."""

applications = Table(
    "applications",
    metadata,
    key(),
    words("state"),
    words("channel"),  # window, township, employer, bank, file
    words("card_kind"),
    words("citizen_number"),
    words("name"),
    words("insurance_number"),
    words("sex"),
    words("birth_date"),
    words("birthplace"),
    words("nation"),
    words("address"),
    words("phone"),
    words("status"),
    words("bank_card_number"),
    words("items"),  # JSON: item address -> value, as in people
    words("kind_data"),  # JSON: school, employer ...: what the card kind asks for
    words("applied_by"),
    words("applied_at"),
    words("checked_by"),
    words("checked_at"),
    words("decided_by"),  # who confirmed, refused or withdrew it
    words("decided_at"),
    words("reason"),
    Column("card", ForeignKey("cards.id"), index=True),  # once confirmed
)
_open = text(one_of("state", OPEN_APPLICATION))
Index(
    "applications_one_open",
    applications.c.citizen_number,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)
Index("applications_citizen_number", applications.c.citizen_number)
Index("applications_state", applications.c.state, applications.c.id)
Index("applications_birth", applications.c.birth_date, applications.c.name)
Index("people_birth", people.c.birth_date, people.c.name)  # duplicates by name and birth date

photos = Table(
    "photos",
    metadata,
    key(),
    Column("person", ForeignKey("people.id")),
    Column("application", ForeignKey("applications.id"), index=True),
    number("current"),  # 1: the one that counts; earlier ones stay
    words("original_digest"),  # SHA-256 of the file as it came, hex
    number("original_bytes"),
    number("original_width"),
    number("original_height"),
    Column("print", LargeBinary, nullable=False),  # JPEG of the ID standard, for the face
    Column("chip", LargeBinary, nullable=False),  # JPEG of at most 4,096 bytes
    words("source"),  # window, import
    words("actor"),
    words("taken_at"),
)
_current = text("current = 1 AND person IS NOT NULL")
Index(
    "photos_one_current",
    photos.c.person,
    unique=True,
    sqlite_where=_current,
    postgresql_where=_current,
)
Index("photos_original", photos.c.original_digest)

identity_checks = Table(
    "identity_checks",
    metadata,
    key(),
    Column("person", ForeignKey("people.id"), index=True),
    Column("application", ForeignKey("applications.id"), index=True),
    words("verdict"),
    words("system"),
    words("checked_at"),
    words("actor"),
)

face_prints = Table(
    "face_prints",
    metadata,
    key(),
    Column("card", ForeignKey("cards.id"), nullable=False, index=True),
    Column("photo", ForeignKey("photos.id"), nullable=False),
    words("state"),  # printing, printed, failed, spoilt
    words("reason"),
    words("printer"),
    words("layout"),
    Column("issue_date", Text, nullable=False),  # YYYYMMDD as it stands on the face
    words("content_digest"),  # SHA-256 of what the face says, photo included, hex
    words("image_digest"),  # SHA-256 of the picture sent to the printer, hex
    words("actor"),
    words("begun_at"),
    words("ended_at"),
)
_unsettled = text(one_of("state", ("printing", "printed")))
Index(  # a record has one face at a time
    "face_prints_one_a_card",
    face_prints.c.card,
    unique=True,
    sqlite_where=_unsettled,
    postgresql_where=_unsettled,
)
__all__ = ["OPEN_APPLICATION", "applications", "face_prints", "identity_checks", "photos"]
