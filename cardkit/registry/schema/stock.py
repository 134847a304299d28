"""Stock: moves that are only ever added, and where things are after them.

The moves are the book. The other two tables say the same as sums of it, so that a wrong move is
refused by the database itself: a number is one row, so it is in one place; a quantity is never
below nothing.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)

from cardkit.registry.schema.base import key, metadata, number, words

stock_moves = Table(
    "stock_moves",
    metadata,
    key(),
    words("instant"),
    words("action"),
    words("kind"),
    words("series"),  # what stands before the digits of a number
    number("first"),
    number("last"),
    number("width"),  # digits of a number; 0: counted, without numbers
    number("count"),
    Column("from_place", ForeignKey("places.id")),
    words("from_state"),
    Column("to_place", ForeignKey("places.id")),
    words("to_state"),
    words("operator"),
    words("second"),
    Column("approval", Integer),
    Column("act", Integer),
    Column("card", ForeignKey("cards.id")),
    words("minutes"),
    words("reason"),
    Column("corrects", ForeignKey("stock_moves.id")),  # the move that was wrong
    Index("stock_moves_kind", "kind", "series", "first"),
)

stock_numbers = Table(
    "stock_numbers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    number("width"),
    Column("place", ForeignKey("places.id"), nullable=False),
    words("state"),
    Column("move", ForeignKey("stock_moves.id"), nullable=False),  # the last one
    Index("stock_numbers_place", "place", "kind", "state"),
)

stock_quantities = Table(
    "stock_quantities",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("place", ForeignKey("places.id"), primary_key=True),
    Column("state", Text, primary_key=True),
    number("count"),
    CheckConstraint("count >= 0", name="stock_quantities_not_negative"),
)

stock_counts = Table(
    "stock_counts",
    metadata,
    key(),
    words("instant"),
    Column("place", ForeignKey("places.id"), nullable=False),
    words("kind"),
    words("operator"),
    words("second"),
    number("booked"),
    number("counted"),
    words("differences"),  # JSON: what is missing and what is too much
)
