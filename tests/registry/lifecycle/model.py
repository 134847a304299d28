"""What should happen, read from the TOML file alone: no code of the engine is used here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

TEXT = (files("cardkit.registry.lifecycle") / "default.toml").read_text(encoding="utf-8")
CONTENT: dict[str, Any] = tomllib.loads(TEXT)
SETTINGS = CONTENT["settings"]
DEAD = {"spoilt", "replaced", "cancelled", "transferred", "ended"}


@dataclass
class Side:
    """One side of a card: where it stands, and where it goes back to."""

    state: str
    back_to: list[str] = field(default_factory=list)  # the last is the next
    until: datetime | None = None

    def lapse(self, now: datetime) -> bool:
        if self.state == "temporarily_lost" and self.until is not None and self.until <= now:
            self.state, self.until = self.back_to.pop(), None
            return True
        return False

    def go(self, rule: dict[str, Any], now: datetime) -> None:
        target = rule["to"]
        if target == "same":
            return
        if target == "previous":
            self.state = self.back_to.pop()
        else:
            if rule.get("hold") is True:
                self.back_to.append(self.state)
            elif rule.get("hold") != "keep":
                self.back_to = []
            self.state = target
        if days := SETTINGS.get(rule.get("lapse_days"), 0):
            self.until = now + timedelta(days=days)
        elif "temporarily_lost" not in (self.state, *self.back_to):
            self.until = None


@dataclass
class ModelCard:
    """A card on both sides."""

    person: int
    social: Side
    bank: Side = field(default_factory=lambda: Side("none"))

    def lapse(self, now: datetime) -> list[str]:
        """States on the social-security side that a lapse led to."""
        found = [self.social.state] if self.social.lapse(now) else []
        return found + ([self.social.state] if self.bank.lapse(now) and not found else [])

    def rule(self, action: str) -> dict[str, Any] | None:
        """The rule that applies now, if one does."""
        for name, rule in CONTENT["rule"].items():
            if rule.get("action", name) != action:
                continue
            bank = rule.get("subject") == "bank"
            side = self.bank if bank else self.social
            if side.state not in rule["from"]:
                continue
            if bank and self.social.state in DEAD:
                continue
            if rule.get("bank_in") and self.bank.state not in rule["bank_in"]:
                continue
            if rule.get("card_in") and self.social.state not in rule["card_in"]:
                continue
            return dict(rule)
        return None

    def go(self, rule: dict[str, Any], now: datetime) -> None:
        (self.bank if rule.get("subject") == "bank" else self.social).go(rule, now)
        if rule.get("bank_to") and self.bank.state not in ("none", "closed"):
            self.bank = Side(rule["bank_to"])


def rules_of(action: str) -> list[dict[str, Any]]:
    return [r for name, r in CONTENT["rule"].items() if r.get("action", name) == action]


def permitted(
    rule: dict[str, Any],
    roles: set[str],
    second: str,
    who: str,
    papers: set[str],
    channel: str,
) -> bool:
    """Whether these people with these papers may do it."""
    wanted = rule.get("papers", {})
    needed = set(wanted.get(f"{who}@{channel}", wanted.get(who, [])))
    return (
        not roles.isdisjoint(rule["roles"])
        and who in rule["appears"]
        and needed <= papers
        and channel in rule["channels"]
        and (not rule.get("second", False) or second == "granted")
    )
