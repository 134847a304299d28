"""The tables of the registry, one module a room. docs/registry.md explains them.

Plain types only (text, integers, bytes), so that SQLite and PostgreSQL hold the same bytes.
Instants are UTC text, ``2012-05-01T08:00:00.000Z``; money is fen. Numbers that must never come
twice are guarded by unique indexes here, whatever a program above does wrong.
"""

from __future__ import annotations

from cardkit.registry.schema import (
    exchange,
    forms,
    inquiry,
    inspection,
    intake,
    life,
    lots,
    operators,
    places,
    stock,
)
from cardkit.registry.schema.base import columns, metadata
from cardkit.registry.schema.cards import (
    batches,
    cards,
    chips,
    counters,
    history,
    people,
    schema_version,
)

VERSION = 2
"""Number of this layout; a registry with a higher one is refused."""

__all__ = [
    "VERSION",
    "batches",
    "cards",
    "chips",
    "columns",
    "counters",
    "exchange",
    "forms",
    "history",
    "inquiry",
    "inspection",
    "intake",
    "life",
    "lots",
    "metadata",
    "operators",
    "people",
    "places",
    "schema_version",
    "stock",
]
