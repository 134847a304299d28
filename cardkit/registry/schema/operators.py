"""People who work with the registry, their sessions, and approvals."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

operators = Table(
    "operators",
    metadata,
    key(),
    Column("login", Text, nullable=False, unique=True),
    words("name"),
    words("roles"),  # codes, a space between
    words("place"),
    words("password"),  # Argon2id, PHC text
    words("password_at"),
    number("wrong"),  # wrong passwords one after the other
    words("locked_at"),
    words("locked_for"),  # a code: wrong-passwords, administrator
    words("made_at"),
    words("made_by"),
)

sessions = Table(
    "sessions",
    metadata,
    key(),
    Column("operator", ForeignKey("operators.id"), nullable=False, index=True),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the token, hex
    words("opened_at"),
    words("seen_at"),
    words("closed_at"),
    words("closed_for"),  # a code: sign-off, idle, locked, password
)

approvals = Table(
    "approvals",
    metadata,
    key(),
    words("action"),
    Column("digest", Text, nullable=False),  # of action and subjects
    number("subjects"),  # how many
    words("subject"),  # the number of the only one, '' for several
    words("state"),  # asked, granted, refused, used
    words("reason"),
    words("asked_by"),
    words("asked_at"),
    words("decided_by"),
    words("decided_at"),
    words("used_at"),
    words("lapses_at"),
)
Index("approvals_state", approvals.c.state, approvals.c.id)
