"""Places, and who belongs to which of them since when."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from cardkit.registry.schema.base import key, metadata, words

places = Table(
    "places",
    metadata,
    key(),
    Column("code", Text, nullable=False, unique=True),
    words("kind"),
    words("name"),
    Column("parent", ForeignKey("places.id"), index=True),
    words("address_prefix"),  # how the addresses of its people begin
    words("added_at"),
)

residence = Table(
    "residence",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("since", Text, primary_key=True),  # '' from the beginning
    Column("until", Text, nullable=False, server_default=""),  # '' still
    Column("place", ForeignKey("places.id"), nullable=False),
    Index("residence_place", "place", "person"),
)
Index(  # nobody belongs to two places at once
    "residence_one_now",
    residence.c.person,
    unique=True,
    sqlite_where=residence.c.until == "",
    postgresql_where=residence.c.until == "",
)

memberships = Table(  # whose people an employer collects cards for
    "memberships",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("since", Text, primary_key=True),
    Column("until", Text, nullable=False, server_default=""),
    Column("place", ForeignKey("places.id"), nullable=False),
    Index("memberships_place", "place", "person"),
)
Index(  # nobody is on the lists of two employers at once
    "memberships_one_now",
    memberships.c.person,
    unique=True,
    sqlite_where=memberships.c.until == "",
    postgresql_where=memberships.c.until == "",
)
