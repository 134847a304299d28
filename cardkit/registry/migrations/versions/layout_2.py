"""Layout 2: the whole life of a card, and everything around it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From layout 1 to 2."""
    op.drop_index("cards_one_a_person")
    op.execute(
        """CREATE UNIQUE INDEX cards_one_a_person ON cards (person) WHERE NOT state IN ('spoilt', 'replaced', 'cancelled', 'transferred', 'ended')"""
    )
    op.create_table(
        "acts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.Text(), server_default="", nullable=False),
        sa.Column("to_state", sa.Text(), server_default="", nullable=False),
        sa.Column("bank_from", sa.Text(), server_default="", nullable=False),
        sa.Column("bank_to", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("approval", sa.Integer(), nullable=True),
        sa.Column("approver", sa.Text(), server_default="", nullable=False),
        sa.Column("appeared", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Integer(), nullable=True),
        sa.Column("papers", sa.Text(), server_default="", nullable=False),
        sa.Column("form", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt", sa.Text(), server_default="", nullable=False),
        sa.Column("receipt_number", sa.Text(), server_default="", nullable=False),
        sa.Column("fee", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("deposit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due", sa.Text(), server_default="", nullable=False),
        sa.Column("lapses_at", sa.Text(), server_default="", nullable=False),
        sa.Column("chip", sa.Text(), server_default="", nullable=False),
        sa.Column("chip_done_at", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("new_card", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("acts_action", "acts", ["action", "instant"], unique=False)
    op.create_index("acts_card", "acts", ["card", "id"], unique=False)
    op.create_index("acts_subject", "acts", ["subject", "subject_id"], unique=False)
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("citizen_number", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("relation", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_agents_citizen_number"), "agents", ["citizen_number"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subjects", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.Text(), server_default="", nullable=False),
        sa.Column("used_at", sa.Text(), server_default="", nullable=False),
        sa.Column("lapses_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_state", "approvals", ["state", "id"], unique=False)
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("stock_number", sa.Text(), server_default="", nullable=False),
        sa.Column("copies", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.Column("printed_at", sa.Text(), server_default="", nullable=False),
        sa.Column("voided_at", sa.Text(), server_default="", nullable=False),
        sa.Column("voided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("void_reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("check_code"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("documents_card", "documents", ["card"], unique=False)
    op.create_index("documents_made", "documents", ["made_at"], unique=False)
    op.create_index(
        "documents_once",
        "documents",
        ["kind", "subject", "subject_id"],
        unique=True,
        sqlite_where=sa.text("subject IN ('act', 'lot', 'count', 'volume') AND voided_at = ''"),
        postgresql_where=sa.text("subject IN ('act', 'lot', 'count', 'volume') AND voided_at = ''"),
    )
    op.create_table(
        "exchange_batches",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("direction", sa.Text(), server_default="", nullable=False),
        sa.Column("layout", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("service", sa.Text(), server_default="", nullable=False),
        sa.Column("partner", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("answers", sa.Integer(), nullable=True),
        sa.Column("reissue_of", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("exchange_batches_answers", "exchange_batches", ["answers"], unique=False)
    op.create_index(
        "exchange_batches_number",
        "exchange_batches",
        ["direction", "layout", "partner", "number"],
        unique=True,
    )
    op.create_table(
        "inquiries",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("client", sa.Text(), server_default="", nullable=False),
        sa.Column("key_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("key_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("holder_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("rights", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inquiries_holder_digest", "inquiries", ["holder_digest"], unique=False)
    op.create_index("inquiries_key_digest", "inquiries", ["key_digest"], unique=False)
    op.create_table(
        "inquiry_clients",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("rights", sa.Text(), server_default="", nullable=False),
        sa.Column("networks", sa.Text(), server_default="", nullable=False),
        sa.Column("per_second", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("valid_until", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.Column("revoked_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("certificate"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "inquiry_secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "operators",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("roles", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("password", sa.Text(), server_default="", nullable=False),
        sa.Column("password_at", sa.Text(), server_default="", nullable=False),
        sa.Column("wrong", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_at", sa.Text(), server_default="", nullable=False),
        sa.Column("locked_for", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), server_default="", nullable=False),
        sa.Column("layouts", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "places",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("address_prefix", sa.Text(), server_default="", nullable=False),
        sa.Column("added_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["parent"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(op.f("ix_places_parent"), "places", ["parent"], unique=False)
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "temporary_cards",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("serial"),
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("settled_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["act"],
            ["acts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_charges_act"), "charges", ["act"], unique=False)
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("act", sa.Integer(), nullable=True),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("before", sa.Text(), server_default="", nullable=False),
        sa.Column("after", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_corrections_act"), "corrections", ["act"], unique=False)
    op.create_index(op.f("ix_corrections_person"), "corrections", ["person"], unique=False)
    op.create_table(
        "exchange_files",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["exchange_batches.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_exchange_files_batch"), "exchange_files", ["batch"], unique=False)
    op.create_table(
        "exchange_rows",
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["exchange_batches.id"],
        ),
        sa.PrimaryKeyConstraint("batch", "row"),
    )
    op.create_index(op.f("ix_exchange_rows_card"), "exchange_rows", ["card"], unique=False)
    op.create_table(
        "form_numbers",
        sa.Column("stock_number", sa.Text(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("stock_number"),
    )
    op.create_table(
        "insurance_relations",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("since", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_insurance_relations_person"), "insurance_relations", ["person"], unique=False
    )
    op.create_table(
        "lots",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("machine", sa.Text(), server_default="", nullable=False),
        sa.Column("machine_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("card_carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("machine_carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("clerk", sa.Text(), server_default="", nullable=False),
        sa.Column("clerk_number", sa.Text(), server_default="", nullable=False),
        sa.Column("clerk_papers", sa.Text(), server_default="", nullable=False),
        sa.Column("packed_at", sa.Text(), server_default="", nullable=False),
        sa.Column("out_at", sa.Text(), server_default="", nullable=False),
        sa.Column("back_at", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.Text(), server_default="", nullable=False),
        sa.Column("minutes", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_lots_place"), "lots", ["place"], unique=False)
    op.create_index(
        "lots_machine",
        "lots",
        ["machine_kind", "machine"],
        unique=True,
        sqlite_where=sa.text("state = 'out' AND machine != ''"),
        postgresql_where=sa.text("state = 'out' AND machine != ''"),
    )
    op.create_table(
        "memberships",
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("person", "since"),
    )
    op.create_index(
        "memberships_one_now",
        "memberships",
        ["person"],
        unique=True,
        sqlite_where=sa.text("until = ''"),
        postgresql_where=sa.text("until = ''"),
    )
    op.create_index("memberships_place", "memberships", ["place", "person"], unique=False)
    op.create_table(
        "proposals",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("ours", sa.Text(), server_default="", nullable=False),
        sa.Column("theirs", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("wins", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["exchange_batches.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_proposals_batch"), "proposals", ["batch"], unique=False)
    op.create_index(op.f("ix_proposals_person"), "proposals", ["person"], unique=False)
    op.create_table(
        "reprints",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("times", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("stock_number", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["document"],
            ["documents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reprints_times", "reprints", ["document", "times"], unique=True)
    op.create_table(
        "residence",
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("person", "since"),
    )
    op.create_index(
        "residence_one_now",
        "residence",
        ["person"],
        unique=True,
        sqlite_where=sa.text("until = ''"),
        postgresql_where=sa.text("until = ''"),
    )
    op.create_index("residence_place", "residence", ["place", "person"], unique=False)
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("since", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.Text(), server_default="", nullable=False),
        sa.Column("population", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("operator", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_for", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["operator"],
            ["operators.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_sessions_operator"), "sessions", ["operator"], unique=False)
    op.create_table(
        "stock_counts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("second", sa.Text(), server_default="", nullable=False),
        sa.Column("booked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("differences", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "stock_quantities",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("count >= 0", name="stock_quantities_not_negative"),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("kind", "place", "state"),
    )
    op.create_table(
        "temporary_loans",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("temporary_card", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("deposit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_at", sa.Text(), server_default="", nullable=False),
        sa.Column("due", sa.Text(), server_default="", nullable=False),
        sa.Column("back_at", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.ForeignKeyConstraint(
            ["temporary_card"],
            ["temporary_cards.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_temporary_loans_person"), "temporary_loans", ["person"], unique=False)
    op.create_index(
        op.f("ix_temporary_loans_temporary_card"),
        "temporary_loans",
        ["temporary_card"],
        unique=False,
    )
    op.create_table(
        "volumes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bound_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("volumes_number", "volumes", ["place", "number"], unique=True)
    op.create_table(
        "applications",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("card_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("citizen_number", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("insurance_number", sa.Text(), server_default="", nullable=False),
        sa.Column("sex", sa.Text(), server_default="", nullable=False),
        sa.Column("birth_date", sa.Text(), server_default="", nullable=False),
        sa.Column("birthplace", sa.Text(), server_default="", nullable=False),
        sa.Column("nation", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("bank_card_number", sa.Text(), server_default="", nullable=False),
        sa.Column("items", sa.Text(), server_default="", nullable=False),
        sa.Column("kind_data", sa.Text(), server_default="", nullable=False),
        sa.Column("applied_by", sa.Text(), server_default="", nullable=False),
        sa.Column("applied_at", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("applications_birth", "applications", ["birth_date", "name"], unique=False)
    op.create_index("applications_citizen_number", "applications", ["citizen_number"], unique=False)
    op.create_index(
        "applications_one_open",
        "applications",
        ["citizen_number"],
        unique=True,
        sqlite_where=sa.text("state IN ('applied', 'checked')"),
        postgresql_where=sa.text("state IN ('applied', 'checked')"),
    )
    op.create_index("applications_state", "applications", ["state", "id"], unique=False)
    op.create_index(op.f("ix_applications_card"), "applications", ["card"], unique=False)
    op.create_table(
        "bank_accounts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("bank", sa.Text(), server_default="", nullable=False),
        sa.Column("account", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_at", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_bank_accounts_card"), "bank_accounts", ["card"], unique=False)
    op.create_index(op.f("ix_bank_accounts_person"), "bank_accounts", ["person"], unique=False)
    op.create_table(
        "blacklist_entries",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.PrimaryKeyConstraint("version", "card"),
    )
    op.create_index(
        "blacklist_entries_card", "blacklist_entries", ["card", "version"], unique=False
    )
    op.create_table(
        "exchange_pieces",
        sa.Column("file", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file"],
            ["exchange_files.id"],
        ),
        sa.PrimaryKeyConstraint("file", "place"),
    )
    op.create_table(
        "loans",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("lent_to", sa.Text(), server_default="", nullable=False),
        sa.Column("lent_at", sa.Text(), server_default="", nullable=False),
        sa.Column("lent_by", sa.Text(), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("back_at", sa.Text(), server_default="", nullable=False),
        sa.Column("back_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["volume"],
            ["volumes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "loans_open",
        "loans",
        ["volume"],
        unique=True,
        sqlite_where=sa.text("back_at = ''"),
        postgresql_where=sa.text("back_at = ''"),
    )
    op.create_table(
        "lot_cards",
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome_at", sa.Text(), server_default="", nullable=False),
        sa.Column("conflict", sa.Text(), server_default="", nullable=False),
        sa.Column("open", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lots.id"],
        ),
        sa.PrimaryKeyConstraint("lot", "position"),
    )
    op.create_index(op.f("ix_lot_cards_card"), "lot_cards", ["card"], unique=False)
    op.create_index(
        "lot_cards_open",
        "lot_cards",
        ["card"],
        unique=True,
        sqlite_where=sa.text("open = 1"),
        postgresql_where=sa.text("open = 1"),
    )
    op.create_table(
        "lot_custody",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("what", sa.Text(), server_default="", nullable=False),
        sa.Column("from_who", sa.Text(), server_default="", nullable=False),
        sa.Column("to_who", sa.Text(), server_default="", nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lots.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_lot_custody_lot"), "lot_custody", ["lot"], unique=False)
    op.create_table(
        "lot_merges",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("handed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("already", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("approval", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lots.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lot_merges_digest", "lot_merges", ["lot", "digest"], unique=True)
    op.create_table(
        "sample_items",
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sample"],
            ["samples.id"],
        ),
        sa.PrimaryKeyConstraint("sample", "position"),
    )
    op.create_table(
        "sample_results",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["corrects"],
            ["sample_results.id"],
        ),
        sa.ForeignKeyConstraint(
            ["sample"],
            ["samples.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("corrects"),
    )
    op.create_index(
        "sample_results_first",
        "sample_results",
        ["sample", "position"],
        unique=True,
        sqlite_where=sa.text("corrects IS NULL"),
        postgresql_where=sa.text("corrects IS NULL"),
    )
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("series", sa.Text(), server_default="", nullable=False),
        sa.Column("first", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("width", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("from_place", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.Text(), server_default="", nullable=False),
        sa.Column("to_place", sa.Integer(), nullable=True),
        sa.Column("to_state", sa.Text(), server_default="", nullable=False),
        sa.Column("operator", sa.Text(), server_default="", nullable=False),
        sa.Column("second", sa.Text(), server_default="", nullable=False),
        sa.Column("approval", sa.Integer(), nullable=True),
        sa.Column("act", sa.Integer(), nullable=True),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["corrects"],
            ["stock_moves.id"],
        ),
        sa.ForeignKeyConstraint(
            ["from_place"],
            ["places.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("stock_moves_kind", "stock_moves", ["kind", "series", "first"], unique=False)
    op.create_table(
        "successions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("old_card", sa.Integer(), nullable=False),
        sa.Column("new_card", sa.Integer(), nullable=False),
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("instant", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["act"],
            ["acts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["new_card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["old_card"],
            ["cards.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("new_card"),
        sa.UniqueConstraint("old_card"),
    )
    op.create_table(
        "volume_people",
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.ForeignKeyConstraint(
            ["volume"],
            ["volumes.id"],
        ),
        sa.PrimaryKeyConstraint("volume", "position"),
        sa.UniqueConstraint("person"),
    )
    op.create_table(
        "identity_checks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("application", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("system", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["application"],
            ["applications.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_identity_checks_application"), "identity_checks", ["application"], unique=False
    )
    op.create_index(op.f("ix_identity_checks_person"), "identity_checks", ["person"], unique=False)
    op.create_table(
        "lot_conflicts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merge", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("card", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["merge"],
            ["lot_merges.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_lot_conflicts_merge"), "lot_conflicts", ["merge"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Integer(), nullable=True),
        sa.Column("application", sa.Integer(), nullable=True),
        sa.Column("current", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("original_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("original_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("original_width", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("original_height", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("print", sa.LargeBinary(), nullable=False),
        sa.Column("chip", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("taken_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["application"],
            ["applications.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_photos_application"), "photos", ["application"], unique=False)
    op.create_index(
        "photos_one_current",
        "photos",
        ["person"],
        unique=True,
        sqlite_where=sa.text("current = 1 AND person IS NOT NULL"),
        postgresql_where=sa.text("current = 1 AND person IS NOT NULL"),
    )
    op.create_index("photos_original", "photos", ["original_digest"], unique=False)
    op.create_table(
        "stock_numbers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("width", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("move", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["move"],
            ["stock_moves.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place"],
            ["places.id"],
        ),
        sa.PrimaryKeyConstraint("kind", "series", "number"),
    )
    op.create_index(
        "stock_numbers_place", "stock_numbers", ["place", "kind", "state"], unique=False
    )
    op.create_table(
        "face_prints",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("photo", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("printer", sa.Text(), server_default="", nullable=False),
        sa.Column("layout", sa.Text(), server_default="", nullable=False),
        sa.Column("issue_date", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("image_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("begun_at", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["card"],
            ["cards.id"],
        ),
        sa.ForeignKeyConstraint(
            ["photo"],
            ["photos.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "face_prints_one_a_card",
        "face_prints",
        ["card"],
        unique=True,
        sqlite_where=sa.text("state IN ('printing', 'printed')"),
        postgresql_where=sa.text("state IN ('printing', 'printed')"),
    )
    op.create_index(op.f("ix_face_prints_card"), "face_prints", ["card"], unique=False)
    op.add_column(
        "cards", sa.Column("bank_state", sa.Text(), server_default="none", nullable=False)
    )
    op.add_column("cards", sa.Column("held_from", sa.Text(), server_default="", nullable=False))
    op.add_column("cards", sa.Column("held_below", sa.Text(), server_default="", nullable=False))
    op.add_column("cards", sa.Column("lapses_at", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "cards", sa.Column("bank_held_from", sa.Text(), server_default="", nullable=False)
    )
    op.add_column(
        "cards", sa.Column("bank_lapses_at", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("cards", sa.Column("claimed_by", sa.Text(), server_default="", nullable=False))
    op.add_column("cards", sa.Column("claimed_until", sa.Text(), server_default="", nullable=False))
    op.create_index("cards_person", "cards", ["person"], unique=False)
    op.create_index("people_birth", "people", ["birth_date", "name"], unique=False)
