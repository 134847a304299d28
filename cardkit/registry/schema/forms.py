"""Papers that were printed, what stands on them, and how often they were printed again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from cardkit.registry.schema.base import key, metadata, number, one_of, words

secrets = Table(  # keys made at first use, which never leave the registry
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    key(),
    Column("number", Text, nullable=False, unique=True),
    words("kind"),
    words("subject"),  # act, lot, count, volume, card, place
    number("subject_id"),
    Column("card", Integer),
    words("content"),  # JSON, as it stands on the paper
    Column("digest", Text, nullable=False),  # SHA-256 of the content, hex
    Column("check_code", Text, nullable=False, unique=True),
    Column("entry", BigInteger, nullable=False),  # sequence in the history, which has the seal
    words("stock_number"),  # of the numbered form it was printed on
    number("copies"),
    words("made_at"),
    words("made_by"),
    words("printed_at"),  # '' while it was only begun: its number is taken, no paper is out
    words("voided_at"),
    words("voided_by"),
    words("void_reason"),  # a code
    Index("documents_card", "card"),
    Index("documents_made", "made_at"),
)
_once = text(one_of("subject", ("act", "lot", "count", "volume")) + " AND voided_at = ''")
Index(  # one act has one paper of a kind: another copy of it says that it is one
    "documents_once",
    documents.c.kind,
    documents.c.subject,
    documents.c.subject_id,
    unique=True,
    sqlite_where=_once,
    postgresql_where=_once,
)

reprints = Table(
    "reprints",
    metadata,
    key(),
    Column("document", ForeignKey("documents.id"), nullable=False),
    number("times"),  # 1 for the first time it was printed again
    words("made_at"),
    words("made_by"),
    words("reason"),  # a code
    words("stock_number"),
    Index("reprints_times", "document", "times", unique=True),
)

form_numbers = Table(  # a numbered form is used once, for a paper or for its reprint
    "form_numbers",
    metadata,
    Column("stock_number", Text, primary_key=True),
    Column("document", ForeignKey("documents.id"), nullable=False),
)
