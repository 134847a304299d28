"""Layout 1: people, card records, chips and the history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing to layout 1."""
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_at", sa.Text(), server_default="", nullable=False),
        sa.Column("last_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "history",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("history_card", "history", ["card", "sequence"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("citizen_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("insurance_number", sa.Text(), server_default="", nullable=False),
        sa.Column("sex", sa.Text(), server_default="", nullable=False),
        sa.Column("birth_date", sa.Text(), server_default="", nullable=False),
        sa.Column("birthplace", sa.Text(), server_default="", nullable=False),
        sa.Column("nation", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("items", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("people_citizen_number", "people", ["citizen_number"], unique=True)
    op.create_index(
        "people_insurance_number",
        "people",
        ["insurance_number"],
        unique=False,
        sqlite_where=sa.text("insurance_number != citizen_number"),
        postgresql_where=sa.text("insurance_number != citizen_number"),
    )
    op.create_table(
        "schema_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("applied_at", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("card_number", sa.Text(), nullable=False),
        sa.Column("card_id_code", sa.LargeBinary(), nullable=False),
        sa.Column("card_id_code_mac", sa.LargeBinary(), nullable=True),
        sa.Column("district", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("bank_card_number", sa.Text(), server_default="", nullable=False),
        sa.Column("reader", sa.Text(), server_default="", nullable=False),
        sa.Column("chip_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("planned_at", sa.Text(), server_default="", nullable=False),
        sa.Column("writing_at", sa.Text(), server_default="", nullable=False),
        sa.Column("issued_at", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), server_default="", nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("row", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["batches.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "cards_bank_card_number",
        "cards",
        ["bank_card_number"],
        unique=False,
        sqlite_where=sa.text("bank_card_number != ''"),
        postgresql_where=sa.text("bank_card_number != ''"),
    )
    op.create_index("cards_card_id_code", "cards", ["card_id_code"], unique=True)
    op.create_index("cards_card_number", "cards", ["card_number"], unique=True)
    op.create_index(
        "cards_one_a_person",
        "cards",
        ["person"],
        unique=True,
        sqlite_where=sa.text("NOT state IN ('spoilt')"),
        postgresql_where=sa.text("NOT state IN ('spoilt')"),
    )
    op.create_index("cards_state", "cards", ["state", "id"], unique=False)
    op.create_table(
        "chips",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card_id_code", sa.LargeBinary(), nullable=False),
        sa.Column("factory_atr", sa.LargeBinary(), nullable=True),
        sa.Column("atr", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("seen_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("card_id_code"),
    )
    op.create_index(
        "chips_one_a_card",
        "chips",
        ["card"],
        unique=True,
        sqlite_where=sa.text("state IN ('bound', 'issued')"),
        postgresql_where=sa.text("state IN ('bound', 'issued')"),
    )
    op.create_index("ix_chips_atr", "chips", ["atr"], unique=False)
    op.create_index("ix_chips_card", "chips", ["card"], unique=False)
    op.create_index("ix_chips_factory_atr", "chips", ["factory_atr"], unique=False)
