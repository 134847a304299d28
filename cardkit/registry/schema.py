"""The tables of the registry. docs/registry.md explains them.

Plain types only (text, integers, bytes), so that SQLite and PostgreSQL hold the same bytes.
Instants are UTC text, ``2012-05-01T08:00:00.000Z``. Numbers that must never come twice are guarded
by unique indexes here, whatever a program above does wrong.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from cardkit.registry.states import DEAD, LIVE_CHIP

VERSION = 1
"""Number of this layout; a registry with a higher one is refused."""

metadata = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=False)


def _one_of(column: str, states: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(str(state)) for state in states)})"


schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("applied_at"),
    _text("checked_at"),  # rewritten to find out whether the registry can be written
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
    _key(),
    _text("name"),
    Column("digest", Text, nullable=False, unique=True),
    _number("rows"),
    _text("first_at"),
    _text("last_at"),
)

people = Table(
    "people",
    metadata,
    _key(),
    Column("citizen_number", Text, nullable=False),
    _text("name"),
    _text("insurance_number"),
    _text("sex"),
    _text("birth_date"),
    _text("birthplace"),
    _text("nation"),
    _text("address"),
    _text("phone"),
    _text("status"),
    _text("items"),  # JSON: item address -> value
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
    _key(),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("card_number", Text, nullable=False),
    Column("card_id_code", LargeBinary, nullable=False),  # 12 bytes: district, D156000005, serial
    Column("card_id_code_mac", LargeBinary),  # 4 bytes, once issued
    _text("district"),
    _text("kind"),
    _text("state"),
    _text("reason"),
    _text("bank_card_number"),
    _text("reader"),
    _text("chip_kind"),
    _number("attempts"),
    _text("planned_at"),
    _text("writing_at"),
    _text("issued_at"),
    _text("changed_at"),
    Column("batch", ForeignKey("batches.id"), nullable=False),
    _number("row"),
)
Index("cards_card_number", cards.c.card_number, unique=True)
Index("cards_card_id_code", cards.c.card_id_code, unique=True)
Index("cards_state", cards.c.state, cards.c.id)
Index(
    "cards_bank_card_number",
    cards.c.bank_card_number,
    sqlite_where=cards.c.bank_card_number != "",
    postgresql_where=cards.c.bank_card_number != "",
)
_living = text("NOT " + _one_of("state", DEAD))
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
    _key(),
    Column("card_id_code", LargeBinary, nullable=False, unique=True),  # 12 bytes
    Column("factory_atr", LargeBinary, index=True),
    Column("atr", LargeBinary, index=True),
    _text("kind"),
    _text("state"),
    Column("card", ForeignKey("cards.id"), index=True),
    _text("seen_at"),
)
_in_use = text(_one_of("state", LIVE_CHIP))
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
    _text("instant"),
    _text("actor"),
    _text("action"),
    Column("card", Integer),
    Column("person", Integer),
    Column("from_state", Text),
    Column("to_state", Text),
    _text("detail"),  # JSON without personal data
    Column("digest", LargeBinary, nullable=False),
    Index("history_card", "card", "sequence"),
)


def columns(table: Table, *names: str) -> list[Column[Any]]:
    """Columns of `table` in the order of `names`."""
    return [table.c[name] for name in names]
