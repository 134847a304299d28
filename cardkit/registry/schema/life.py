"""The life of cards: acts, who appeared, money, and what hangs on a card."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from cardkit.registry.schema.base import key, metadata, number, words

agents = Table(
    "agents",
    metadata,
    key(),
    words("name"),
    Column("citizen_number", Text, nullable=False, index=True),
    words("phone"),
    words("relation"),
    words("seen_at"),
)

acts = Table(
    "acts",
    metadata,
    key(),
    words("instant"),
    words("action"),
    words("subject"),  # card, bank, application, temporary
    number("subject_id"),
    Column("card", Integer),
    Column("person", Integer),
    words("from_state"),
    words("to_state"),
    words("bank_from"),
    words("bank_to"),
    words("operator"),  # login
    words("place"),  # where that person works
    Column("approval", Integer),
    words("approver"),  # login of the second person
    words("appeared"),
    Column("agent", Integer),
    words("papers"),  # codes, sorted, a space between
    words("form"),
    words("receipt"),
    words("receipt_number"),
    number("fee"),  # fen
    number("deposit"),  # fen, negative when given back
    words("due"),  # day
    words("lapses_at"),
    words("chip"),  # what has to happen to the chip
    words("chip_done_at"),
    words("channel"),
    words("reason"),
    words("result"),  # done, or refused with the code of the refusal in `reason`
    Column("new_card", Integer),
)
Index("acts_card", acts.c.card, acts.c.id)
Index("acts_action", acts.c.action, acts.c.instant)
Index("acts_subject", acts.c.subject, acts.c.subject_id)

charges = Table(
    "charges",
    metadata,
    key(),
    Column("act", ForeignKey("acts.id"), nullable=False, index=True),
    Column("card", Integer),
    Column("person", Integer),
    words("kind"),  # fee, deposit, refund
    number("amount"),  # fen, never negative
    words("state"),  # due, paid, waived, given-back, kept
    words("reason"),
    words("instant"),
    words("settled_at"),
)

successions = Table(  # one card record follows another
    "successions",
    metadata,
    key(),
    Column("old_card", ForeignKey("cards.id"), nullable=False, unique=True),
    Column("new_card", ForeignKey("cards.id"), nullable=False, unique=True),
    Column("act", ForeignKey("acts.id"), nullable=False),
    words("action"),
    words("reason"),
    words("instant"),
)

insurance_relations = Table(  # number and state only
    "insurance_relations",
    metadata,
    key(),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    words("number"),
    words("kind"),
    words("state"),  # active, transferred, ended
    words("place"),
    words("since"),
    words("changed_at"),
)

bank_accounts = Table(
    "bank_accounts",
    metadata,
    key(),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("card", ForeignKey("cards.id"), nullable=False, index=True),
    words("bank"),
    words("account"),
    words("state"),  # as cards.bank_state
    words("opened_at"),
    words("changed_at"),
)

corrections = Table(  # what was there before stays
    "corrections",
    metadata,
    key(),
    words("instant"),
    Column("act", Integer, index=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("card", Integer),
    words("field"),
    words("before"),
    words("after"),
    words("source"),  # window, police, agency ...
    words("operator"),
)

temporary_cards = Table(  # the pool
    "temporary_cards",
    metadata,
    key(),
    Column("serial", Text, nullable=False, unique=True),  # printed on the card
    words("state"),  # pool, out, returned, lost, retired
    words("place"),
    words("changed_at"),
)

temporary_loans = Table(
    "temporary_loans",
    metadata,
    key(),
    Column("temporary_card", ForeignKey("temporary_cards.id"), nullable=False, index=True),
    Column("number", Text, nullable=False, unique=True),  # never used again
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    number("deposit"),  # fen
    words("out_at"),
    words("due"),
    words("back_at"),
    words("ended"),  # returned, lost
)
