"""Hand-out lots: packs of cards that leave the office and come back counted."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

lots = Table(
    "lots",
    metadata,
    key(),
    words("kind"),
    Column("place", ForeignKey("places.id"), nullable=False, index=True),
    words("state"),
    number("count"),
    Column("digest", Text, nullable=False),  # SHA-256 of the list, hex
    Column("seal_key", LargeBinary, nullable=False),  # proves that an outcome is of this pack
    words("machine"),  # number of the POS or PSAM that goes along
    words("machine_kind"),
    words("card_carrier"),
    words("machine_carrier"),
    words("clerk"),  # of an employer, who collects the cards: name, number, papers shown
    words("clerk_number"),
    words("clerk_papers"),
    words("packed_at"),
    words("out_at"),
    words("back_at"),
    words("closed_at"),
    words("minutes"),  # why it was closed with a difference
)
Index(  # one machine is in one bag
    "lots_machine",
    lots.c.machine_kind,
    lots.c.machine,
    unique=True,
    sqlite_where=(lots.c.state == "out") & (lots.c.machine != ""),
    postgresql_where=(lots.c.state == "out") & (lots.c.machine != ""),
)

lot_cards = Table(
    "lot_cards",
    metadata,
    Column("lot", ForeignKey("lots.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("card", ForeignKey("cards.id"), nullable=False, index=True),
    words("outcome"),  # '' not known yet
    words("outcome_at"),
    words("conflict"),  # why the registry did not follow
    number("open"),  # 1 while the card is on its way in this lot
)
Index(  # a card is in one bag
    "lot_cards_open",
    lot_cards.c.card,
    unique=True,
    sqlite_where=lot_cards.c.open == 1,
    postgresql_where=lot_cards.c.open == 1,
)

lot_custody = Table(
    "lot_custody",
    metadata,
    key(),
    Column("lot", ForeignKey("lots.id"), nullable=False, index=True),
    words("instant"),
    words("what"),  # cards, machine
    words("from_who"),
    words("to_who"),
    number("count"),
)

lot_merges = Table(
    "lot_merges",
    metadata,
    key(),
    Column("lot", ForeignKey("lots.id"), nullable=False),
    Column("digest", Text, nullable=False),  # of the outcome file
    words("instant"),
    words("operator"),
    number("handed"),
    number("returned"),
    number("already"),
    Column("approval", Integer),  # who vouches for a file that is not sealed
    Index("lot_merges_digest", "lot", "digest", unique=True),
)

lot_conflicts = Table(
    "lot_conflicts",
    metadata,
    key(),
    Column("merge", ForeignKey("lot_merges.id"), nullable=False, index=True),
    number("position"),
    Column("card", ForeignKey("cards.id")),
    words("kind"),
    words("detail"),
)
