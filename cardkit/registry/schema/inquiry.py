"""Who may ask the registry over the network, and what was asked."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

inquiry_clients = Table(
    "inquiry_clients",
    metadata,
    key(),
    Column("name", Text, nullable=False, unique=True),
    Column("token", Text, unique=True),  # SHA-256 of the token, hex
    Column("certificate", Text, unique=True),  # SHA-256 of the certificate, hex
    words("rights"),  # codes, a space between
    words("networks"),  # CIDR, a space between; '' for all
    number("per_second"),  # questions
    words("valid_until"),
    words("state"),  # active, revoked
    words("made_at"),
    words("made_by"),
    words("revoked_at"),
)

inquiry_secrets = Table(
    "inquiry_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

inquiries = Table(  # one row a question; the history holds a digest of every block of rows
    "inquiries",
    metadata,
    key(),
    words("instant"),
    words("client"),
    words("key_kind"),
    words("key_digest"),  # keyed: whoever has the number can find its rows, nobody else can
    words("holder_digest"),  # the same of the holder's citizen number, when a card was found
    words("rights"),  # groups of fields that were answered, a space between
    words("result"),  # found, none, passed-on, or the code of the refusal
    words("region"),
)
Index("inquiries_key_digest", inquiries.c.key_digest)
Index("inquiries_holder_digest", inquiries.c.holder_digest)
