"""The registry of algorithms: one table a topic, a line a rule."""

from __future__ import annotations

from cardkit.keys.selftest.rule import Rule
from cardkit.keys.selftest.rules import cards, channels, ciphers, handling, macs, payment

TOPICS: dict[str, tuple[Rule, ...]] = {
    "Ciphers, hashes and signatures": ciphers.RULES,
    "Message authentication codes": macs.RULES,
    "Keys and messages of cards": cards.RULES,
    "Bank applications": payment.RULES,
    "Secure channels and personalization": channels.RULES,
    "Handling of keys and PINs": handling.RULES,
}
"""Title → rules, in the order of the documents."""

RULES: tuple[Rule, ...] = tuple(rule for rules in TOPICS.values() for rule in rules)
