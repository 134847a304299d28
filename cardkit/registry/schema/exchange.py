"""Files exchanged with banks, agencies, factories and terminals."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

partners = Table(  # who files come from and go to
    "partners",
    metadata,
    key(),
    Column("name", Text, nullable=False, unique=True),
    words("recipient"),  # public age key files are sealed to
    words("layouts"),  # names, a space between
    words("changed_at"),
)

exchange_batches = Table(
    "exchange_batches",
    metadata,
    key(),
    words("direction"),  # in, out
    words("layout"),
    number("version"),
    words("service"),
    words("partner"),
    words("number"),  # of the batch, as in the file
    words("digest"),  # SHA-256 of the file in clear, hex
    words("name"),
    number("rows"),
    number("done"),
    number("failed"),
    words("operator"),
    words("instant"),
    Column("answers", Integer),  # batch this one is the answer to
    Column("reissue_of", Integer),
    Index("exchange_batches_number", "direction", "layout", "partner", "number", unique=True),
    Index("exchange_batches_answers", "answers"),
)

exchange_rows = Table(  # what became of each row
    "exchange_rows",
    metadata,
    Column("batch", ForeignKey("exchange_batches.id"), primary_key=True, autoincrement=False),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("card", Integer, index=True),
    words("result"),
    words("value"),  # what the row brought: a bank card number, a card id code
)

exchange_files = Table(
    "exchange_files",
    metadata,
    key(),
    Column("batch", ForeignKey("exchange_batches.id"), nullable=False, index=True),
    words("role"),  # original, success, failure, reply
    words("name"),
    words("digest"),  # SHA-256, hex
    number("bytes"),
)

exchange_pieces = Table(
    "exchange_pieces",
    metadata,
    Column("file", ForeignKey("exchange_files.id"), primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),  # zlib
)

blacklist_entries = Table(  # the last one of a card says whether it is on the list
    "blacklist_entries",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("card", ForeignKey("cards.id"), primary_key=True, autoincrement=False),
    words("change"),  # + or -
    words("reason"),  # 01 ... as the layouts say
    Index("blacklist_entries_card", "card", "version"),
)

proposals = Table(  # corrections that a comparison proposes
    "proposals",
    metadata,
    key(),
    Column("batch", ForeignKey("exchange_batches.id"), nullable=False, index=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("card", Integer),
    words("field"),
    words("ours"),
    words("theirs"),
    words("source"),
    words("wins"),  # theirs, or check
    words("state"),  # open, accepted, declined
    words("decided_by"),
    words("decided_at"),
    words("why"),  # of one that was declined
)
