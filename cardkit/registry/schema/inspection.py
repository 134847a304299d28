"""Samples for inspection, their results, and volumes of the archive with their loans."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

samples = Table(
    "samples",
    metadata,
    key(),
    words("instant"),
    words("operator"),
    Column("seed", Text, nullable=False),
    words("action"),
    Column("place", ForeignKey("places.id")),
    words("since"),
    words("until"),
    number("population"),
    number("size"),
)

sample_items = Table(
    "sample_items",
    metadata,
    Column("sample", ForeignKey("samples.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("card", ForeignKey("cards.id"), nullable=False),
    Column("entry", BigInteger, nullable=False),  # sequence in the history
)

sample_results = Table(
    "sample_results",
    metadata,
    key(),
    Column("sample", ForeignKey("samples.id"), nullable=False),
    Column("position", Integer, nullable=False),
    words("instant"),
    words("operator"),
    words("result"),
    words("note"),
    Column("corrects", ForeignKey("sample_results.id"), unique=True),
)
Index(  # the first word on an item is said once; every other one corrects
    "sample_results_first",
    sample_results.c.sample,
    sample_results.c.position,
    unique=True,
    sqlite_where=sample_results.c.corrects.is_(None),
    postgresql_where=sample_results.c.corrects.is_(None),
)

volumes = Table(
    "volumes",
    metadata,
    key(),
    Column("place", ForeignKey("places.id"), nullable=False),
    number("number"),  # within the place, from 1
    words("bound_at"),
    Index("volumes_number", "place", "number", unique=True),
)

volume_people = Table(
    "volume_people",
    metadata,
    Column("volume", ForeignKey("volumes.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 1 to 100
    Column("person", ForeignKey("people.id"), nullable=False, unique=True),
)

loans = Table(
    "loans",
    metadata,
    key(),
    Column("volume", ForeignKey("volumes.id"), nullable=False),
    words("lent_to"),
    words("lent_at"),
    words("lent_by"),
    words("purpose"),
    words("back_at"),
    words("back_by"),
)
Index(  # a volume is lent to one person at a time
    "loans_open",
    loans.c.volume,
    unique=True,
    sqlite_where=loans.c.back_at == "",
    postgresql_where=loans.c.back_at == "",
)
