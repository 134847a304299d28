"""People, card records, chips and the history: what the making of a card needs."""

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
from cardkit.registry.states import DEAD, LIVE_CHIP

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("applied_at"),
    words("checked_at"),  # rewritten to find out whether the registry can be written
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    key(),
    words("name"),
    Column("digest", Text, nullable=False, unique=True),
    number("rows"),
    words("first_at"),
    words("last_at"),
)

people = Table(
    "people",
    metadata,
    key(),
    Column("citizen_number", Text, nullable=False),
    words("name"),
    words("insurance_number"),
    words("sex"),
    words("birth_date"),
    words("birthplace"),
    words("nation"),
    words("address"),
    words("phone"),
    words("status"),
    words("items"),  # JSON: item address -> value
    Index("people_citizen_number", "citizen_number", unique=True),
)
Index(  # the few whose insurance number is a number of its own
    "people_insurance_number",
    people.c.insurance_number,
    sqlite_where=people.c.insurance_number != people.c.citizen_number,
    postgresql_where=people.c.insurance_number != people.c.citizen_number,
)

cards = Table(
    "cards",
    metadata,
    key(),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("card_number", Text, nullable=False),
    Column("card_id_code", LargeBinary, nullable=False),  # 12 bytes: district, D156000005, serial
    Column("card_id_code_mac", LargeBinary),  # 4 bytes, once issued
    words("district"),
    words("kind"),
    words("state"),
    words("reason"),
    words("bank_card_number"),
    words("reader"),
    words("chip_kind"),
    number("attempts"),
    words("planned_at"),
    words("writing_at"),
    words("issued_at"),
    words("changed_at"),
    Column("batch", ForeignKey("batches.id"), nullable=False),
    number("row"),
    # How the card stands in life; `cardkit.registry.lifecycle` writes these.
    Column("bank_state", Text, nullable=False, server_default="none"),
    words("held_from"),  # state that a release, a find or a lapse goes back to
    words("held_below"),  # and what that one goes back to, a space between
    words("lapses_at"),  # of a temporary loss
    words("bank_held_from"),
    words("bank_lapses_at"),
    # Which window is about to make it; passes by itself and is no part of the history.
    words("claimed_by"),
    words("claimed_until"),
)
Index("cards_card_number", cards.c.card_number, unique=True)
Index("cards_card_id_code", cards.c.card_id_code, unique=True)
Index("cards_state", cards.c.state, cards.c.id)
Index("cards_person", cards.c.person)  # the next one has living cards only
Index(
    "cards_bank_card_number",
    cards.c.bank_card_number,
    sqlite_where=cards.c.bank_card_number != "",
    postgresql_where=cards.c.bank_card_number != "",
)
_living = text("NOT " + one_of("state", DEAD))
Index(  # no person with two cards
    "cards_one_a_person",
    cards.c.person,
    unique=True,
    sqlite_where=_living,
    postgresql_where=_living,
)

chips = Table(
    "chips",
    metadata,
    key(),
    Column("card_id_code", LargeBinary, nullable=False, unique=True),  # 12 bytes
    Column("factory_atr", LargeBinary, index=True),
    Column("atr", LargeBinary, index=True),
    words("kind"),
    words("state"),
    Column("card", ForeignKey("cards.id"), index=True),
    words("seen_at"),
)
_in_use = text(one_of("state", LIVE_CHIP))
Index(  # no record on two chips
    "chips_one_a_card",
    chips.c.card,
    unique=True,
    sqlite_where=_in_use,
    postgresql_where=_in_use,
)

history = Table(
    "history",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    words("instant"),
    words("actor"),
    words("action"),
    Column("card", Integer),
    Column("person", Integer),
    Column("from_state", Text),
    Column("to_state", Text),
    words("detail"),  # JSON without personal data
    Column("digest", LargeBinary, nullable=False),
    Index("history_card", "card", "sequence"),
)
