"""Secrets and personal data that can be recognised wherever they turn up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cardkit.codec.numbers import citizen_check


class Kind(Enum):
    """What kind of secret."""

    KEY = "master key"
    CARD_KEY = "card key"
    PIN = "PIN"
    NAME = "name"
    NUMBER = "personal number"


PEOPLE = frozenset({Kind.NAME, Kind.NUMBER})
EVERYTHING_OF_A_CARD = PEOPLE | {Kind.PIN, Kind.CARD_KEY}


@dataclass(frozen=True)
class Marker:
    """One thing to look for."""

    kind: Kind
    label: str
    value: str | bytes = field(repr=False)


def citizen_number(order: int, birth_date: str = "19370707") -> str:
    """A number of the unassigned district 639900 with a right check character."""
    body = f"639900{birth_date}{order:03d}"
    return body + citizen_check(body)


def personal_number(value: str) -> Marker:
    """A number is recognised without its last character, which may be masked or wrong."""
    return Marker(Kind.NUMBER, f"number {value[:4]}…{value[-4:]}", value[:17])


CANARY = "金丝雀"
"""Part of every name, address and employer in the rosters."""

KEY_HALF = bytes.fromhex("C2FEB5D3E9A716CB")
"""First half of every master key; its bytes have odd parity, so that no adjusting changes it."""

INITIAL_PIN = "739146028517"
NEW_PIN = "684025913706"
WRONG_PIN = "915370248613"
"""Of twelve digits: three packed bytes would be found by chance."""

SECRETS = (
    Marker(Kind.KEY, "first half of a master key", KEY_HALF),
    Marker(Kind.NAME, "part of every name", CANARY),
    *(
        Marker(Kind.PIN, f"{part}{name}", pin[:length])
        for name, pin in (
            ("initial PIN", INITIAL_PIN),
            ("holder's PIN", NEW_PIN),
            ("mistyped PIN", WRONG_PIN),
        )
        for part, length in (("", 12), ("most of the ", 10))
    ),
)
"""What is known before anything runs; numbers of people and keys of cards come in addition."""
